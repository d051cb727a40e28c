"""What the checks themselves run on: tools locked by hash, actions by commit, no rights that are not needed."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / ".ci" / "tools.txt"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
if not LOCK.exists():
    pytest.skip("the tools' lock is not here", allow_module_level=True)


def wanted() -> list[str]:
    lines = (ROOT / ".ci" / "tools.in").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pinned() -> dict[str, list[str]]:
    """Version and hashes of each locked tool."""
    blocks = re.split(r"\n(?=\S)", LOCK.read_text().strip())
    found = {}
    for block in blocks:
        first, *hashes = [line.strip(" \\") for line in block.splitlines()]
        name, version = re.fullmatch(r"([\w.-]+)==(\S+)(?: ; .*)?", first).groups()
        found[name] = [version, *hashes]
    return found


def test_every_tool_is_one_of_the_project_and_every_line_has_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(wanted()) <= set(project["optional-dependencies"]["dev"])
    locked = pinned()
    assert {re.match(r"[\w-]+", line)[0] for line in wanted()} <= set(locked)
    for name, (version, *hashes) in locked.items():
        assert version[0].isdigit(), name
        assert hashes, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), name


def test_locked_versions_are_in_the_ranges() -> None:
    for line in wanted():
        name, least = re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups()
        version = [int(part) for part in pinned()[name][0].split(".")]
        assert version >= [int(part) for part in least.split(".")], line


def test_the_lock_names_no_place_to_fetch_from_and_nothing_that_differs_by_platform() -> None:
    text = LOCK.read_text()
    assert "://" not in text
    assert "index" not in text
    assert not {"torch", "torchvision", "openvino", "onnxruntime", "numba"} & set(pinned())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_targets_only_with_pinned_actions_and_least_rights(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    runs = re.findall(r"run: (.*)", text)
    assert runs
    assert all(run.split()[0] == "make" and set(run.split()[1:]) <= targets for run in runs)
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in used)
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    assert re.findall(r"^ +([a-z-]+): (?:read|write)$", text, re.MULTILINE) == ["contents"]
    assert ": write" not in text
    assert "secrets." not in text
    assert not re.search(r"run:.*\$\{\{", text)  # what others choose, a branch's name say, is never part of a script
