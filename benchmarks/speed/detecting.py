"""Part detect: what the command takes for an image, stage by stage, and from the shell for the first one."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ensemble import further_models
from pictures import repeated
from settings import Part, Settings

from googlenet_rcnn.cli.bench.command import Spent
from googlenet_rcnn.cli.bench.detecting import detect_rows
from googlenet_rcnn.cli.markdown import markdown

__all__ = ["measure", "seconds_per_image"]

_STARTS = 5


def measure(settings: Settings) -> Part:
    """Seconds an image of one model in fast mode, of three, and with every box scored; the start; peak memory.

    Kinds are measured in turns, `rounds` times over. Seconds an image are (wall time of `many` images minus that of
    `few`) / (many - few), so that the start of the program is not in them.
    """
    one = settings.pictures[:1]
    kinds: dict[str, tuple[list[str], int, int]] = {
        "fast": ([], settings.few, settings.many),
        "fast, three models": (further_models(settings, 2), settings.few, settings.many),
        "exhaustive": (["--mode", "exhaustive"], 1, 3),
    }
    detect_rows(one, settings.flags, settings.folder)  # the first use prepares what is kept
    starts: list[Spent] = []
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in kinds}
    for _ in range(settings.rounds):
        starts += [detect_rows(one, settings.flags, settings.folder)[0] for _ in range(_STARTS)]
        for name, (flags, few, many) in kinds.items():
            measured[name].append(_pair(settings, flags, few, many))
    content = {
        "images": [str(path.name) for path in settings.pictures],
        "start_seconds": [spent.seconds for spent in starts],
        "start_peak": max(spent.peak for spent in starts),
        "kinds": measured,
    }
    return Part(_text(content), content)


def seconds_per_image(settings: Settings, pictures: tuple[Path, ...], flags: Sequence[str] = ()) -> float:
    """Seconds of the command for one more image of the pictures, which are repeated where they are few."""
    found: float = _pair(settings, flags, settings.few, settings.many, pictures)["seconds_per_image"]
    return found


def _pair(
    settings: Settings, flags: Sequence[str], few: int, many: int, pictures: tuple[Path, ...] | None = None
) -> dict[str, Any]:
    """One run on few images, one on many, and what lies between them."""
    pictures = settings.pictures if pictures is None else pictures
    flags = [*settings.flags, *flags]
    short, _ = detect_rows(repeated(pictures, few), flags, settings.folder)
    long, rows = detect_rows(repeated(pictures, many), flags, settings.folder)
    return {
        "few": [few, short.seconds],
        "many": [many, long.seconds],
        "seconds_per_image": (long.seconds - short.seconds) / (many - few),
        "processor_seconds_per_image": (long.processor_seconds - short.processor_seconds) / (many - few),
        "peak": max(short.peak, long.peak),
        "proposals": statistics.mean(row["proposals"] for row in rows),
        "stages": {name: statistics.mean(row["ms"][name] for row in rows) for name in rows[0]["ms"] if name != "total"},
    }


def _text(content: dict[str, Any]) -> str:
    stages: list[str] = list(next(iter(content["kinds"].values()))[0]["stages"])
    rows = []
    for name, rounds in content["kinds"].items():
        middle = sorted(rounds, key=lambda one: one["seconds_per_image"])[len(rounds) // 2]
        cells = [f"{middle['seconds_per_image']:.2f}", f"{min(one['seconds_per_image'] for one in rounds):.2f}"]
        cells += [f"{middle['processor_seconds_per_image']:.2f}"]
        cells += [f"{middle['stages'].get(stage, 0.0):.0f}" for stage in stages]
        rows.append([name, *cells, f"{middle['proposals']:.0f}", f"{max(one['peak'] for one in rounds) / 2**20:.0f}"])
    head = ["mode", "s/image", "best", "of processor", *(f"{stage} ms" for stage in stages), "proposals", "peak MiB"]
    starts = content["start_seconds"]
    kinds = content["kinds"].values()
    counts = "; ".join(f"{rounds[0]['many'][0]} images minus {rounds[0]['few'][0]}" for rounds in kinds)
    lines = [
        markdown(head, rows),
        "",
        f"Seconds an image: median and best of {len(next(iter(kinds)))} rounds ({counts}). Stages are means over"
        " images, and overlap where images are worked on side by side. The three models are copies of one file:"
        " right for the time, without any use for accuracy.",
        "",
        f"From the shell, one image, everything included: {statistics.median(starts):.2f} s (best {min(starts):.2f},"
        f" {len(starts)} starts), {content['start_peak'] / 2**20:.0f} MiB at the peak.",
    ]
    return "\n".join(lines)
