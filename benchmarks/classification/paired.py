"""Reports of `evaluate classification` on the same images, side by side: accuracy, time, which images changed.

An image counts for a report if it is right there and wrong in the first one; only those images tell the two apart.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.store import read_json_lines

__all__ = ["Report", "main", "row"]


class Report(NamedTuple):
    """Metrics, the images in order, and whether each is right at first and within five, bool [N]."""

    metrics: dict[str, Any]
    images: list[str]
    first: NDArray[np.bool_]
    five: NDArray[np.bool_]

    @classmethod
    def read(cls, folder: Path) -> "Report":
        """What `evaluate classification --report` wrote."""
        rows = [row for row in read_json_lines(folder / "predictions.jsonl") if row["status"] == "ok"]
        hits = np.array([[one["label"] == row["label"] for one in row["top"][:5]] for row in rows], dtype=np.bool_)
        metrics = json.loads((folder / "metrics.json").read_bytes())
        return cls(metrics, [row["path"] for row in rows], hits[:, 0], hits.any(axis=1))


def row(name: str, one: Report, base: Report) -> list[str]:
    """Cells of a report: top-1, top-5 and, against `base`, images gained and lost of each; ValueError for others."""
    if one.images != base.images:
        raise ValueError(f"{name} is about other images")
    cells = [name, str(one.metrics["crops"]), str(one.metrics["models"]), one.metrics["pool"]]
    for here, there in ((one.first, base.first), (one.five, base.five)):
        gained, lost = (here & ~there).sum(), (there & ~here).sum()
        cells += [f"{here.mean():.4f}", f"+{gained} −{lost}"]
    return [*cells, f"{one.metrics['ms']['classify'] / 1000:.3f}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; the first report is what the others are compared with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+", help="folders of `evaluate classification --report`")
    flags = parser.parse_args(arguments)
    try:
        reports = [Report.read(folder) for folder in flags.reports]
        rows = [row(folder.name, one, reports[0]) for folder, one in zip(flags.reports, reports, strict=True)]
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    print(markdown(["", "crops", "models", "pool", "top-1", "images", "top-5", "images", "s/image"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
