"""The number of threads against made-up kernels: what /proc tells, and the cgroup files it points to."""

import os

import pytest

from googlenet_rcnn.core.threads import available_threads


@pytest.fixture(autouse=True)
def _eight_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)


class Kernel:
    """A folder that looks like /proc, and mounted hierarchies with quotas."""

    def __init__(self, folder):
        self.folder = folder
        self.proc = folder / "proc"
        (self.proc / "self").mkdir(parents=True)
        self.members, self.mounts = [], ["22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw"]

    def mount(self, name, kind="cgroup2", root="/", options="rw"):
        place = self.folder / name
        place.mkdir(parents=True)
        escaped = str(place).replace(" ", "\\040")
        self.mounts.append(f"30 22 0:26 {root} {escaped} rw,nosuid shared:4 - {kind} {kind} {options}")
        return place

    def threads(self):
        (self.proc / "self" / "cgroup").write_text("".join(f"{line}\n" for line in self.members))
        (self.proc / "self" / "mountinfo").write_text("".join(f"{line}\n" for line in self.mounts))
        return available_threads(self.proc)


@pytest.fixture
def kernel(tmp_path):
    return Kernel(tmp_path)


def limit(folder, processors, version=2, period=100_000):
    """Writes the quota of a cgroup as the kernel tells it; None is no limit."""
    folder.mkdir(parents=True, exist_ok=True)
    if version == 2:
        quota = "max" if processors is None else str(round(processors * period))
        (folder / "cpu.max").write_text(f"{quota} {period}\n")
    else:
        quota = -1 if processors is None else round(processors * period)
        (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (folder / "cpu.cfs_period_us").write_text(f"{period}\n")


@pytest.mark.parametrize(
    ("processors", "expected"), [(None, 8), (0.1, 1), (0.5, 1), (1, 1), (1.5, 1), (2, 2), (2.9, 2), (8, 8), (64, 8)]
)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("period", [100_000, 10_000])
def test_quota_limits_the_threads(kernel, processors, expected, version, period):
    if version == 2:
        kernel.members = ["0::/"]
        place = kernel.mount("cgroup")
    else:
        kernel.members = ["3:cpu,cpuacct:/"]
        place = kernel.mount("cgroup/cpu,cpuacct", "cgroup", options="rw,cpu,cpuacct")
    limit(place, processors, version, period)
    assert kernel.threads() == expected


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({"user.slice/job": 3}, 3),
        ({"user.slice": 2, "user.slice/job": 5}, 2),
        ({"user.slice": None, "user.slice/job": None}, 8),
        ({"": 4, "user.slice": 6}, 4),
        ({"user.slice/other": 1, "other": 1}, 8),
        ({"user.slice/job/below": 1}, 8),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_least_quota_of_the_own_cgroup_and_those_above_counts(kernel, quotas, expected, version):
    if version == 2:
        kernel.members = ["0::/user.slice/job"]
        place = kernel.mount("cgroup")
    else:
        kernel.members = ["5:memory:/elsewhere", "4:cpu:/user.slice/job"]
        kernel.mount("memory", "cgroup", options="rw,memory")
        place = kernel.mount("cpu", "cgroup", options="rw,cpu")
    for name, processors in quotas.items():
        limit(place / name, processors, version)
    assert kernel.threads() == expected


def test_container_that_sees_only_its_part_of_the_hierarchy(kernel):
    """Without a cgroup namespace the kernel tells the host's path, and the mount's root is the container's."""
    kernel.members = ["4:cpu,cpuacct:/docker/0123/inner"]
    place = kernel.mount("cpu,cpuacct", "cgroup", root="/docker/0123", options="rw,cpu,cpuacct")
    limit(place, 6, version=1)
    assert kernel.threads() == 6
    limit(place / "inner", 3, version=1)
    assert kernel.threads() == 3


def test_process_moved_out_of_what_is_mounted_follows_the_mount(kernel):
    kernel.members = ["0::/../sibling"]
    limit(kernel.mount("cgroup"), 2)
    assert kernel.threads() == 2
    kernel.members = ["0::/sibling"]
    kernel.mounts.pop()
    limit(kernel.mount("other", root="/docker/0123"), 3)
    assert kernel.threads() == 3


def test_both_versions_side_by_side(kernel):
    """systemd's hybrid layout: the controllers are v1's, v2 is mounted without them."""
    kernel.members = ["4:cpu:/job", "1:name=systemd:/job", "0::/job"]
    cpu = kernel.mount("cpu", "cgroup", options="rw,cpu")
    kernel.mount("unified")
    kernel.mount("systemd", "cgroup", options="rw,xattr,name=systemd")
    limit(cpu / "job", 2, version=1)
    assert kernel.threads() == 2


def test_blank_in_a_mount_point(kernel):
    kernel.members = ["0::/a b:c"]
    limit(kernel.mount("c group") / "a b:c", 2)
    assert kernel.threads() == 2


@pytest.mark.parametrize("text", ["", "rubbish\n", "1 2 3\n", "0 100000\n", "100000 0\n", "-1 100000\n", "max\n"])
def test_quota_that_makes_no_sense_is_no_limit(kernel, text):
    kernel.members = ["0::/"]
    (kernel.mount("cgroup") / "cpu.max").write_text(text)
    assert kernel.threads() == 8


@pytest.mark.parametrize("members", [[], ["rubbish"], ["0:"], [":::"], ["7:cpuset:/"]])
@pytest.mark.parametrize("mounts", [[], ["rubbish"], [" - "], ["1 2 - cgroup2"], ["- cgroup cgroup cpu"]])
def test_kernel_that_tells_nonsense_is_no_limit(kernel, members, mounts):
    kernel.members, kernel.mounts = members, mounts
    assert kernel.threads() == 8


def test_system_without_proc_and_without_affinity_counts_processors(tmp_path, monkeypatch):
    assert available_threads(tmp_path / "none") == 8
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert available_threads(tmp_path / "none") == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_threads(tmp_path / "none") == 1


def test_quota_never_raises_the_number_of_processors(kernel, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3}, raising=False)
    kernel.members = ["0::/"]
    limit(kernel.mount("cgroup"), 4)
    assert kernel.threads() == 1
