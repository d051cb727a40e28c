"""`batch` killed with kill -9, more than once, beside one undisturbed run of `detect` over the same images.

Every row but its times must be the same. `--help` tells how; the table goes to standard output.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
from PIL import Image, ImageDraw

COMMAND = (sys.executable, "-m", "googlenet_rcnn.cli.main")


def main() -> int:
    """Draws or takes the images, runs both commands, compares, and prints the table; 1 if they differ."""
    flags = _parser().parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    images = flags.image or draw_list(flags.out / "pictures", flags.images)
    own = ["--image", str(images), *flags.flags]
    rows = flags.out / "detect.jsonl"
    began = time.monotonic()
    if not rows.exists():  # a benchmark that was stopped goes on here
        _finish([*COMMAND, "detect", *own, "--out", str(rows)])
    detecting = time.monotonic() - began
    expected = [json.loads(line) for line in rows.read_text().splitlines()]
    folder = flags.out / "batch"
    workers = ["--workers", str(flags.workers), "--cpus-per-worker", str(flags.cpus_per_worker)]
    command = [*COMMAND, "batch", *own, "--out", str(folder), "--part-size", str(flags.part_size), *workers]
    parts = -(-len(expected) // flags.part_size)
    began = time.monotonic()
    kept = []
    for kill in range(1, flags.kills + 1):
        kept.append(killed(command, folder, parts * kill // (flags.kills + 1)))
        print(f"killed with {len(kept[-1])} of {parts} parts there", file=sys.stderr)
    _finish(command)
    batching = time.monotonic() - began
    again = sum(_content(folder).get(name) != data for found in kept for name, data in found.items())
    found = batch_rows(folder)
    different = sum(_timeless(one) != other for one, other in zip(expected, found, strict=False))
    print(
        f"| images | parts | there at each kill | made again | missing | different rows | failed | detections |\n"
        f"|---:|---:|---|---:|---:|---:|---:|---:|\n"
        f"| {len(expected)} | {parts} | {', '.join(str(len(one)) for one in kept)} | {again} "
        f"| {len(expected) - len(found)} | {different} | {sum(row['status'] == 'failed' for row in found)} "
        f"| {sum(len(row['detections']) for row in found)} |\n\n"
        f"detect {detecting:.0f} s, batch {batching:.0f} s with {flags.kills} kills, as many restarts of Ray included"
    )
    return int(again > 0 or different > 0 or len(found) != len(expected))


def killed(command: list[str], folder: Path, least: int) -> dict[str, bytes]:
    """Runs a command until so many parts are there, kills it, and gives the parts that it has left."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(list(folder.glob("part-*.parquet"))) < least and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    if process.wait() != -signal.SIGKILL:
        raise SystemExit(f"batch ended with {process.returncode} before it could be killed: give more --images")
    time.sleep(5)  # Ray's workers end when they find it gone; what they finish until then counts
    return _content(folder)


def batch_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of `detect`, without times, in the order of the inputs; SystemExit if an input is in two parts."""
    rows: dict[int, dict[str, Any]] = {}
    owner: dict[int, Path] = {}
    for path in sorted(folder.glob("part-*.parquet")):
        for line in pyarrow.parquet.read_table(path).to_pylist():
            number = line["input"]
            if owner.setdefault(number, path) != path:
                raise SystemExit(f"input {number} is in {owner[number]} and in {path}")
            row = rows.setdefault(number, _image(line))
            if line["label"] is not None:
                box = [line[name] for name in ("x1", "y1", "x2", "y2")]
                row["detections"].append({"label": line["label"], "score": line["score"], "box": box})
    return [rows[number] for number in sorted(rows)]


def draw_list(folder: Path, count: int) -> Path:
    """Draws pictures of a few shapes, every hundredth an empty file, and lists them, every fiftieth twice."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(count - count // 51):
        path = folder / f"{index:06d}.png"
        if index % 100 == 99:
            path.write_bytes(b"")
        elif not path.exists():
            _draw(np.random.default_rng(index)).save(path)
        lines += [str(path)] * (2 if index % 50 == 49 else 1)
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(lines[:count]) + "\n")
    return listed


def _draw(generator: np.random.Generator) -> Image.Image:
    def colour() -> tuple[int, ...]:
        return tuple(generator.integers(0, 256, 3).tolist())

    picture = Image.new("RGB", (int(generator.integers(60, 160)), int(generator.integers(60, 160))), colour())
    draw = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y, width, height = generator.integers(5, 60, 4).tolist()
        shape = draw.ellipse if generator.random() < 0.5 else draw.rectangle
        shape((x, y, x + width, y + height), fill=colour())
    return picture


def _image(line: dict[str, Any]) -> dict[str, Any]:
    failed = line["status"] == "failed"
    names = ("image_id", "path", "status", *(("code", "message") if failed else ("width", "height", "proposals")))
    row = {"schema": 1} | {name: line[name] for name in names} | {"detections": []}
    return row | ({"warnings": line["warnings"]} if line["warnings"] else {})


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "ms"}


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("part-*.parquet")}


def _finish(command: list[str]) -> None:
    status = subprocess.run(command, check=False, env=os.environ).returncode
    if status not in (0, 4):
        raise SystemExit(f"{' '.join(command[2:])} ended with {status}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for everything; give a new one")
    parser.add_argument("--images", type=int, default=2000, help="pictures to draw")
    parser.add_argument("--image", type=Path, help="a folder or list of images to take instead")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--part-size", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cpus-per-worker", type=int, default=2)
    parser.add_argument("flags", nargs="*", help="after --: flags that detect and batch share")
    return parser


if __name__ == "__main__":
    sys.exit(main())
