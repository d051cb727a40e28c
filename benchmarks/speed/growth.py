"""Part growth: time against the number of proposals, pixels, images, models and threads, with the law of each."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from ensemble import further_models
from growth_plot import draw_growth
from law import fit_law
from pictures import repeated
from PIL import Image
from settings import Part, Settings

from googlenet_rcnn.cli.bench.command import measure_command
from googlenet_rcnn.cli.bench.detecting import detect_rows
from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.store import read_json_lines

__all__ = ["measure"]

_PER_BOX = ("warp", "classify")
_MODELS_BOXES = 128  # are scored by each model of an ensemble
# What grows: its name, its unit, which time is taken.
_AXES = {
    "proposals": ("boxes scored", "warp and classify"),
    "pixels": ("megapixels", "all stages"),
    "images": ("images after the first", "wall time after the first"),
    "models": ("models in the ensemble", "classify"),
    "threads": ("threads", "all stages"),
}


def measure(settings: Settings) -> Part:
    """Points of each, the median of `rounds` runs in turns; writes growth.svg into the folder."""
    works: dict[str, tuple[Sequence[float], Callable[[Settings, float], float]]] = {
        "proposals": ((32, 64, 128, 256, 512, 1024) if settings.largest else (8, 16), _proposals),
        "pixels": ((0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8) if settings.largest else (0.02, 0.04), _pixels),
        "images": ((1, 2, 4, 8, 16, 32) if settings.largest else (1, 2), _images),
        "models": ((1, 2, 3, 4, 5) if settings.largest else (1, 2), _models),
        "threads": (_thread_counts(settings.threads), _threads),
    }
    content: dict[str, Any] = {}
    for name, (sizes, work) in works.items():
        points = _points(settings, sizes, work)
        law = fit_law(*zip(*points, strict=True))
        unit, time = _AXES[name]
        content[name] = {"unit": unit, "time": time, "points": points}
        if law is not None:
            content[name]["law"] = dataclasses.asdict(law) | {"name": law.name}
    draw_growth(content, settings.folder / "growth.svg")
    return Part(_text(content), content)


def _points(
    settings: Settings, sizes: Sequence[float], work: Callable[[Settings, float], float]
) -> list[tuple[float, float]]:
    seconds: dict[float, list[float]] = {size: [] for size in sizes}
    for number in range(settings.rounds):
        for size in sizes if number % 2 == 0 else reversed(sizes):
            seconds[size].append(work(settings, size))
    return [(size, statistics.median(values)) for size, values in seconds.items()]


def _proposals(settings: Settings, size: float) -> float:
    """Seconds of warping and scoring the first so many boxes, each of them."""
    return _seconds(_scored(settings, int(size)), _PER_BOX)


def _scored(settings: Settings, size: int, flags: Sequence[str] = ()) -> dict[str, Any]:
    """The row of the first picture with its first so many proposals scored, each of them."""
    boxes = settings.folder / "growth-boxes.jsonl"
    picture = settings.pictures[0]
    given = ["--image", str(picture), "--limit", str(size), "--out", str(boxes), "--overwrite", "--quiet"]
    measure_command(["propose", *given])
    (row,) = read_json_lines(boxes)
    found = len(row["boxes"])
    if found < size:
        raise ValueError(f"{picture} has {found} proposals, {size} are wanted: put another picture first")
    flags = [*settings.flags, *flags, "--mode", "exhaustive", "--method", str(boxes)]
    _, rows = detect_rows([picture], flags, settings.folder)
    return rows[0]


def _pixels(settings: Settings, megapixels: float) -> float:
    """Seconds of all stages for the first picture, resized to so many pixels."""
    path = settings.folder / f"growth-{megapixels:g}.jpg"
    if not path.exists():
        with Image.open(settings.pictures[0]) as picture:
            factor = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
            size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
            picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(path, quality=90)
    _, rows = detect_rows([path], settings.flags, settings.folder)
    return _seconds(rows[0])


def _images(settings: Settings, further: float) -> float:
    """Seconds that so many images add to the first."""
    first, _ = detect_rows(repeated(settings.pictures, 1), settings.flags, settings.folder)
    all_of_them, _ = detect_rows(repeated(settings.pictures, 1 + int(further)), settings.flags, settings.folder)
    return max(all_of_them.seconds - first.seconds, 1e-3)


def _models(settings: Settings, count: float) -> float:
    """Seconds of scoring by an ensemble."""
    flags = further_models(settings, int(count) - 1)
    return _seconds(_scored(settings, _MODELS_BOXES if settings.largest else 8, flags), ("classify",))


def _threads(settings: Settings, count: float) -> float:
    """Seconds of all stages with so many threads."""
    told = dataclasses.replace(settings, threads=int(count))
    _, rows = detect_rows(settings.pictures[:1], told.flags, settings.folder)
    return _seconds(rows[0])


def _thread_counts(most: int) -> tuple[int, ...]:
    """Powers of two and the greatest."""
    counts = {most} | {1 << power for power in range(most.bit_length()) if 1 << power <= most}
    return tuple(sorted(counts))


def _seconds(row: dict[str, Any], stages: Sequence[str] | None = None) -> float:
    times: dict[str, float] = row["ms"]
    return sum(value for name, value in times.items() if name != "total" and (not stages or name in stages)) / 1000


def _text(content: dict[str, Any]) -> str:
    rows = []
    for one in content.values():
        points = ", ".join(f"{size:g}: {seconds:.2f}" for size, seconds in one["points"])
        law = one.get("law")
        told = [f"{law['exponent']:.2f}", law["name"], f"{law['deviation']:.0%}"] if law else ["", "one point", ""]
        rows.append([f"{one['unit']} ({one['time']})", points, *told])
    return markdown(["time against", "points, s", "exponent", "law", "points beside it at most"], rows)
