"""Many images, one in twenty of them hostile, through `detect` with real proposals and a classifier that costs nothing.

Each must have its row and each bad one its code; memory stays flat, and nothing else is left behind.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.core.store import read_json_lines

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks" / "speed"), str(ROOT / "tests" / "support")]

import hostile  # noqa: E402
from memory import Memory, draw, weigh  # noqa: E402

__all__ = ["Outcome", "mixed_files", "run"]


class Outcome(NamedTuple):
    """Memory on the way, rows by the code of their failure, wrong ones, what is left beside the rows, and how many
    more files are open at the end than after a third."""

    memory: Memory
    codes: Counter[str]
    wrong: list[str]
    left: list[str]
    opened: int


def mixed_files(folder: Path, count: int, share: float) -> list[tuple[ImageFile, str]]:
    """Images under `count` names of their own, each with the code that reading it must give, "ok" for a good one.

    What is no file (a folder, a pipe, a link to itself, a missing name) cannot have many names and is named again.
    """
    originals = folder / "originals"
    originals.mkdir()
    codes = hostile.fill_folder(originals)
    good = draw(originals, min(count, 400))
    random = np.random.default_rng(0)
    chosen: list[tuple[ImageFile, str]] = []
    for number in range(count):
        name = str(random.choice(sorted(codes))) if random.random() < share else good[number % len(good)].name
        source = originals / name
        path = folder / f"{number:06d}{source.suffix}"
        if source.is_file() and not source.is_symlink():
            os.link(source, path)
        else:
            path = source
        chosen.append((ImageFile(f"{number}", str(path)), codes.get(name, "ok")))
    return chosen


def run(count: int, share: float, workers: int, folder: Path) -> Outcome:
    """Detects in the images and compares every row with what was expected."""
    chosen = mixed_files(folder, count, share)
    before, opened = _names(folder), list[int]()

    def say(line: str) -> None:
        opened.append(_open_files())
        print(line, file=sys.stderr)

    memory = weigh([file for file, _ in chosen], workers, folder / "rows.jsonl", say)
    rows = list(read_json_lines(folder / "rows.jsonl"))
    found = [(row["image_id"], row.get("code", row["status"])) for row in rows]
    expected = [(file.image_id, code) for file, code in chosen]
    wrong = [f"{got} in the place of {wanted}" for got, wanted in zip(found, expected, strict=False) if got != wanted]
    if len(rows) != count:
        wrong.append(f"{len(rows)} rows of {count}")
    left = sorted(_names(folder) - before - {"rows.jsonl"})
    return Outcome(memory, Counter(code for _, code in found), wrong, left, opened[-1] - opened[len(opened) // 3])


def _names(folder: Path) -> set[str]:
    here = {path.name for path in folder.iterdir()}
    return here | {f"temporary {name}" for name in os.listdir(tempfile.gettempdir()) if "googlenet" in name}


def _open_files() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/fd"))
    return 0


def main() -> int:
    """Prints the table; 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=0.05, help="of hostile images")
    parser.add_argument("--workers", type=int, default=2, help="images prepared at a time")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(flags.images, flags.share, flags.workers, Path(folder))
    codes = ", ".join(f"{code} {count}" for code, count in sorted(found.codes.items()))
    print(
        f"| images | wrong rows | left behind | files left open | bytes kept of an image | peak MiB |\n"
        f"|---:|---:|---:|---:|---:|---:|\n| {sum(found.codes.values())} | {len(found.wrong)} | {len(found.left)} "
        f"| {found.opened} | {found.memory.slope:.0f} | {found.memory.peak / 2**20:.0f} |\n\n{codes}"
    )
    for line in (*found.wrong[:10], *found.left[:10]):
        print(line, file=sys.stderr)
    return int(bool(found.wrong or found.left or found.opened > 0))


if __name__ == "__main__":
    sys.exit(main())
