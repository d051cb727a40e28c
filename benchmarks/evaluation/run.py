"""This project's evaluation measured beside pycocotools, faster-coco-eval and hotcoco; `--help` tells how."""

import argparse
import json
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from load import EXTENTS, coco_results, coco_truth, make_load
from scorers import PEERS, TASKS, installed, measure, write_files

_CLOSE = 1e-9


def main() -> int:
    """Measures each evaluator on each size in a process of its own, prints a table and writes results.json."""
    flags = _flags()
    if flags.files:
        load = make_load(EXTENTS[flags.sizes[0]])
        write_files(flags.out / flags.sizes[0], coco_truth(load), coco_results(load))
        return 0
    if flags.one:
        try:
            row = measure(flags.one, flags.tasks[0], flags.out / flags.sizes[0], flags.memory)
        except MemoryError:
            row = {"note": f"needs more than {flags.memory:g} GiB"}
        print(json.dumps(row))
        return 0
    rows = []
    for size in flags.sizes:
        # A child's peak of memory begins with what its parent had, so the parent must stay small.
        _child(["--files", "--sizes", size], flags).check_returncode()
        for task in flags.tasks:
            for name in TASKS[task]:
                if name not in flags.skip:
                    rows.append({"size": size, "task": task, "evaluator": name, **_row(name, task, size, flags)})
                    print(f"{size}, {task}: {name} is done", file=sys.stderr, flush=True)
    _compare(rows)
    content = {"machine": platform.machine(), "versions": _versions(), "seed": 0, "rows": rows}
    (flags.out / "results.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(_table(rows))
    return 0


def _row(name: str, task: str, size: str, flags: argparse.Namespace) -> dict[str, Any]:
    if not installed(name):
        return {"note": "not installed"}
    try:
        done = _child(["--one", name, "--sizes", size, "--tasks", task], flags)
    except subprocess.TimeoutExpired:
        return {"note": f"takes more than {flags.minutes:g} minutes"}
    if done.returncode:
        # Compiled code may die where Python would raise MemoryError.
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"note": f"failed with status {done.returncode} under {flags.memory:g} GiB: {last}"}
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def _child(arguments: list[str], flags: argparse.Namespace) -> subprocess.CompletedProcess[str]:
    settings = [*arguments, "--memory", str(flags.memory), "--out", str(flags.out)]
    command = [sys.executable, str(Path(__file__)), *settings]
    return subprocess.run(command, capture_output=True, text=True, timeout=60 * flags.minutes, check=False)


def _compare(rows: list[dict[str, Any]]) -> None:
    """Adds how many times faster than pycocotools a row was, and how far its figures are from the first peer's.

    The first peer is pycocotools, unless it met a limit.
    """
    for row in rows:
        same = [one for one in rows if (one["size"], one["task"]) == (row["size"], row["task"]) and "figures" in one]
        reference = next((one for name in PEERS for one in same if one["evaluator"] == name), None)
        if reference is None or "figures" not in row:
            continue
        if reference["evaluator"] == "pycocotools":
            row["times_faster"] = reference["evaluate_seconds"] / row["evaluate_seconds"]
        if row["task"] == "iou50" and row["evaluator"] not in PEERS:
            continue  # another rule: its number is its own
        pairs = [(value, reference["figures"][name]) for name, value in row["figures"].items()]
        both = all((a is None) == (b is None) for a, b in pairs)
        gaps = [abs(a - b) for a, b in pairs if a is not None and b is not None]
        row["largest_difference"] = max(gaps, default=0.0) if both else None


def _table(rows: list[dict[str, Any]]) -> str:
    head = ["size", "task", "evaluator", "load s", "evaluate s", "times faster", "peak MiB", "AP", "same numbers"]
    cells = [head, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    notes = [f"- {row['size']}, {row['task']}, {row['evaluator']}: {row['note']}" for row in rows if "note" in row]
    return "\n".join([lines[0], rule, *lines[1:], *([""] if notes else []), *notes])


def _cells(row: dict[str, Any]) -> list[str]:
    begin = [row["size"], row["task"], row["evaluator"]]
    if "note" in row:
        return [*begin, *"------"]
    faster = f"{row['times_faster']:.1f}" if "times_faster" in row else "-"
    same = "-"
    if "largest_difference" in row:
        gap = row["largest_difference"]
        same = "no" if gap is None else "yes" if gap <= _CLOSE else f"off by {gap:.1e}"
    average = row["figures"].get("AP", row["figures"].get("map"))
    shown = "n/a" if average is None else f"{average:.6f}"
    seconds = [f"{row[key]:.2f}" for key in ("load_seconds", "evaluate_seconds")]
    return [*begin, *seconds, faster, f"{row['peak_mib']:.0f}", shown, same]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("numpy", *PEERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=EXTENTS, default=["voc", "ilsvrc"], help="[%(default)s]")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="[%(default)s]")
    parser.add_argument("--skip", nargs="+", default=[], metavar="EVALUATOR", help="evaluators to leave out")
    parser.add_argument("--memory", type=float, default=16, help="GiB that one evaluator may take [%(default)s]")
    parser.add_argument("--minutes", type=float, default=20, help="time that one evaluator may take [%(default)s]")
    parser.add_argument("--out", type=Path, default=Path("runs/bench-evaluation"), help="[%(default)s]")
    parser.add_argument("--files", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", choices=[*TASKS["coco"], *TASKS["iou50"]], help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
