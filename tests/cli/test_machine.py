import pytest

from googlenet_rcnn.cli.machine import Memory, read_memory, read_processor

GIB = 1 << 30


@pytest.fixture
def tree(tmp_path):
    """Writes a made-up /proc and /sys/fs/cgroup: file contents by path."""

    def make(own="", **files):
        files = {path.replace("__", "/"): text for path, text in files.items()}
        for name, text in (files | {"proc/self/cgroup": own}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return read_memory(tmp_path / "proc", tmp_path / "cgroup")

    return make


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx2 fma", ("avx2",)),
        ("avx2 avx512f avx512_vnni avx512_bf16 amx_tile amx_bf16", ("avx2", "avx512", "vnni", "amx", "bf16")),
        ("avx2 avx_vnni", ("avx2", "vnni")),
        ("avx2x notavx512f", ()),
        ("", ()),
    ],
)
def test_instruction_sets_are_read_from_whole_words(tmp_path, flags, expected):
    path = tmp_path / "cpuinfo"
    path.write_text(
        f"processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t: amx\n"
    )
    processor = read_processor(path)
    assert (processor.model, processor.instructions) == ("Some CPU @ 2 GHz", expected)
    assert processor.count >= 1


def test_arm_names_its_flags_features(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor : 0\nFeatures : fp asimd asimddp i8mm bf16\n")
    assert read_processor(path).instructions == ("bf16", "neon", "dotprod", "i8mm")


def test_a_system_without_cpuinfo_still_has_a_processor(tmp_path):
    processor = read_processor(tmp_path / "none")
    assert processor.model
    assert processor.instructions == ()


def test_the_least_limit_of_nested_groups_counts(tree):
    memory = tree(
        "0::/a/b\n",
        proc__meminfo="MemTotal:       8388608 kB\nMemFree: 1 kB\n",
        **{"cgroup__memory.max": "max\n", "cgroup__a__memory.max": f"{2 * GIB}\n", "cgroup__a__b__memory.max": "max\n"},
    )
    assert memory == Memory(8 * GIB, 2 * GIB)
    assert memory.usable == 2 * GIB


def test_groups_of_version_1_have_a_tree_for_memory(tree):
    memory = tree(
        "9:cpu:/x\n4:memory:/x/y\n0::/\n",
        proc__meminfo="MemTotal: 1048576 kB\n",
        **{
            "cgroup__memory__memory.limit_in_bytes": "9223372036854771712\n",
            "cgroup__memory__x__memory.limit_in_bytes": f"{GIB // 2}\n",
            "cgroup__cpu__x__memory.limit_in_bytes": "1\n",
        },
    )
    assert memory == Memory(GIB, GIB // 2)


def test_the_root_is_asked_where_a_container_hides_the_path(tree):
    memory = tree("0::/docker/0123\n", **{"cgroup__memory.max": f"{GIB}\n"})
    assert memory == Memory(None, GIB)
    assert memory.usable == GIB


@pytest.mark.parametrize("own", ["rubbish", "", ":::", "0::/../..\n"])
def test_what_cannot_be_understood_is_no_limit(tree, own):
    memory = tree(own, proc__meminfo="MemTotal:\nrubbish\n", **{"cgroup__memory.max": "a lot\n"})
    assert memory == Memory(None, None)
    assert memory.usable is None


def test_a_limit_above_what_there_is_does_not_add_memory():
    assert Memory(4 * GIB, 8 * GIB).usable == 4 * GIB
