"""Speed of this project and of its peers in the same run; prints tables as Markdown; `--help` tells how."""

import argparse
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# Each part runs in a process of its own, so that one's threads and memory are not the other's.
PARTS = {
    "engines": ("engines", "The network on one crop after another, by runtime"),
    "detect": ("detecting", "`detect`"),
    "naive": ("naive", "Against OpenCV's Selective Search and torchvision's GoogLeNet on every box"),
    "torchvision": ("torchvision_detectors", "Beside torchvision's detectors"),
    "growth": ("growth", "How the time grows"),
}


def main() -> int:
    """Runs the chosen parts one after another; 1 if one of them failed."""
    flags = _parser().parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    if flags.one:
        return _run_here(flags)
    failed = [name for name in flags.parts if not _run_apart(name)]
    content: dict[str, Any] = {"machine": _machine(flags), "parts": {}}
    sections = [_machine_line(content["machine"])]
    for name in (part for part in flags.parts if part not in failed):
        part = json.loads((flags.out / f"{name}.json").read_text("utf-8"))
        content["parts"][name] = part["content"]
        sections.append(f"## {PARTS[name][1]}\n\n{part['text']}")
    text = "\n\n".join(sections)
    (flags.out / "results.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    (flags.out / "tables.md").write_text(text + "\n", "utf-8")
    print(text)
    for name in failed:
        print(f"error: part {name} failed; what it said is above", file=sys.stderr)
    return 1 if failed else 0


def _run_apart(name: str) -> bool:
    print(f"== {name}", file=sys.stderr, flush=True)
    return subprocess.run([sys.executable, *sys.argv, "--one", name], check=False).returncode == 0


def _run_here(flags: argparse.Namespace) -> int:
    from pictures import find_pictures
    from settings import Part, Settings

    from googlenet_rcnn.core.errors import ProjectError
    from googlenet_rcnn.core.store import write_json

    # A peer's OpenCV, if there is one on the path, is for the peer alone and not for the commands started here.
    os.environ.pop("PYTHONPATH", None)
    try:
        settings = Settings(
            pictures=find_pictures(flags.data, flags.out, flags.many),
            folder=flags.out,
            weights=flags.weights,
            threads=flags.threads or _available(),
            seconds=flags.seconds,
            rounds=flags.rounds,
            few=flags.few,
            many=flags.many,
            largest=not flags.small,
        )
        part: Part = import_module(PARTS[flags.one][0]).measure(settings)
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    write_json(flags.out / f"{flags.one}.json", {"text": part.text, "content": part.content})
    return 0


def _available() -> int:
    from googlenet_rcnn.core.threads import available_threads

    return available_threads()


def _machine(flags: argparse.Namespace) -> dict[str, Any]:
    from googlenet_rcnn.cli.machine import read_processor
    from googlenet_rcnn.cli.packages import RUNTIME_PACKAGES, installed

    processor = read_processor()
    return {
        "processor": processor.model,
        "instructions": list(processor.instructions),
        "threads": flags.threads or _available(),
        "versions": {name: installed(name) for name in (*RUNTIME_PACKAGES, "numpy", "torchvision")},
    }


def _machine_line(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items() if version)
    return f"{machine['processor']} ({', '.join(machine['instructions'])}), {machine['threads']} threads; {versions}."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="VOC devkit folder [photographs of installed packages]")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="[all]")
    parser.add_argument("--out", type=Path, default=Path("runs/bench-speed"), help="tables, results, the plot")
    parser.add_argument("--weights", default="voc07", help="shipped name or file [%(default)s]")
    parser.add_argument("--threads", type=int, help="[all available]")
    parser.add_argument("--seconds", type=float, default=90.0, help="for the engines [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of everything else [%(default)s]")
    parser.add_argument("--few", type=int, default=12, help="images of the shorter run of a pair [%(default)s]")
    parser.add_argument("--many", type=int, default=36, help="images of the longer run [%(default)s]")
    parser.add_argument("--small", action="store_true", help="only the smallest sizes of the growth")
    parser.add_argument("--one", choices=PARTS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
