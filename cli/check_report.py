"""What a check found: as lines for people, folded by rule, and as JSON for programs (schema 1)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from googlenet_rcnn.datasets.check import Check
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.rules import RULES, fix_of
from googlenet_rcnn.datasets.summary import SplitSummary, summarise

from .boundary import one_line
from .rows import escaped

__all__ = ["check_json", "check_lines", "count_line", "level_counts"]

_LEVELS = ("error", "warning", "info")
_FINDINGS = 3
_CLASSES = 20


def level_counts(check: Check) -> dict[str, int]:
    """How many findings are errors, warnings and infos."""
    levels: list[str] = [finding.level for split in check.splits for finding in split.findings]
    return {level: levels.count(level) for level in _LEVELS}


def check_json(check: Check, data: Path) -> dict[str, Any]:
    """The whole result; findings in the order of splits, each with what mends it."""
    return {
        "schema": 1,
        "data": escaped(str(data)),
        "layout": check.layout.kind,
        "counts": level_counts(check),
        "splits": [
            {"name": split.name} | ({} if split.dataset is None else asdict(summarise(split.dataset, check.pictures)))
            for split in check.splits
        ],
        "findings": [
            {
                "code": one.code,
                "level": one.level,
                "split": split.name,
                "file": escaped(one.file),
                "place": one.place,
                "message": one.message,
                "fix": fix_of(one.code),
            }
            for split in check.splits
            for one in split.findings
        ],
    }


def check_lines(check: Check, data: Path, everything: bool = False) -> Iterator[str]:
    """The result for a terminal; `everything` folds nothing."""
    yield f"{data}: {check.layout.title}"
    summaries = {
        split.name: summarise(split.dataset, check.pictures) for split in check.splits if split.dataset is not None
    }
    if summaries:
        yield ""
        yield from _split_lines(summaries)
        yield ""
        yield from _class_lines(summaries, None if everything else _CLASSES)
    yield from _finding_lines(check, data, None if everything else _FINDINGS)
    yield ""
    yield count_line(check)


def count_line(check: Check) -> str:
    """How much was found: 1 error, 2 warnings, 0 notes."""
    words = {"error": "error", "warning": "warning", "info": "note"}
    found = level_counts(check).items()
    return ", ".join(f"{count} {words[level]}{'' if count == 1 else 's'}" for level, count in found)


def _split_lines(summaries: dict[str, SplitSummary]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        ("split", "images", "empty", "objects", "ignored", "an image", "image size", "box side", "box aspect")
    ]
    for name, one in summaries.items():
        counts = (one.images, one.negatives, one.objects, one.ignored)
        size = " x ".join(_range(quantiles) for quantiles in (one.width, one.height))
        box = (_range(one.boxes_per_image), size, _range(one.box_side), _range(one.box_aspect, 2))
        rows.append((name, *map(str, counts), *box))
    yield from _aligned(rows)
    if any(one.objects for one in summaries.values()):
        yield "medians, in brackets from least to most; side: root of the area in pixels; aspect: width by height"


def _range(quantiles: dict[str, float], digits: int = 0) -> str:
    if not quantiles:
        return "-"
    least, median, most = (f"{quantiles[key]:.{digits}f}" for key in ("least", "median", "most"))
    return median if least == most else f"{median} ({least}-{most})"


def _class_lines(summaries: dict[str, SplitSummary], limit: int | None) -> Iterator[str]:
    """Objects of each class in each split; images where no split has boxes."""
    boxes = any(one.annotated for one in summaries.values())
    counts: dict[str, dict[str, int]] = {}
    for split, one in summaries.items():
        for row in one.classes:
            counts.setdefault(row.name, {})[split] = row.objects if boxes else row.images
    rows = [("class", *summaries)]
    rows += [(name, *(str(found.get(split, "-")) for split in summaries)) for name, found in counts.items()]
    yield from _aligned(rows[: None if limit is None else limit + 1])
    if limit is not None and len(counts) > limit:
        yield f"and {len(counts) - limit} more classes (--all)"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *rest in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
        yield one_line("  ".join([f"{first:<{widths[0]}}", *cells]))


def _finding_lines(check: Check, data: Path, limit: int | None) -> Iterator[str]:
    """Findings by level and rule, the first few of each."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for split in check.splits:
        for one in split.findings:
            groups.setdefault((one.level, one.code), []).append(one)
    for level, code in sorted(groups, key=lambda key: (_LEVELS.index(key[0]), key[1])):
        found = groups[level, code]
        rule = RULES.get(code)
        yield ""
        yield f"{level} {code}, {len(found)}x" + (f": {rule.meaning}; {rule.fix}" if rule else "")
        for one in found[:limit]:
            where = ": ".join(part for part in (one.file, one.place, one.message) if part)
            yield one_line(f"  {where.replace(f'{data}/', '')}")
        if limit is not None and len(found) > limit:
            yield f"  and {len(found) - limit} more (--all)"
