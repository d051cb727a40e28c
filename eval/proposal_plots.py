"""Plots of proposal quality: recall against overlap, and against the number of first boxes."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.eval.proposal_recall import THRESHOLDS, Coverage, ProposalRecall

__all__ = ["draw_proposal_plots"]

# Okabe and Ito's colours, told apart with any colour vision; marks and dashes do so without colour.
_STYLES = (
    ("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), ("#cc79a7", "D", ":"),
    ("#e69f00", "v", "--"), ("#56b4e9", "P", "-."),
)  # fmt: skip
_ALL_STYLE = ("#000000", "", "-")
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


def draw_proposal_plots(measured: ProposalRecall, folder: Path) -> tuple[Path, Path]:
    """Writes `recall_overlap.png` and `recall_boxes.png`: a line for each source, and one for all of several."""
    parts = dict(measured.sources)
    if len(parts) != 1:
        parts["all"] = measured.union
    paths = folder / "recall_overlap.png", folder / "recall_boxes.png"
    _write(_recall_by_overlap(parts), paths[0])
    _write(_recall_by_boxes(parts), paths[1])
    return paths


def _recall_by_overlap(parts: dict[str, Coverage]) -> Figure:
    figure, axes = _blank("overlap (IoU) with the object, at least", "recall")
    for name, part, (colour, mark, dash) in _styled(parts):
        label = f"{name} ({part.counts.mean() if len(part.counts) else 0:,.0f} boxes/image)"
        axes.plot(THRESHOLDS, part.recall(), dash, color=colour, marker=mark, markersize=5, label=label)
    axes.set_xlim(0.48, 0.97)
    axes.legend(loc="upper right", edgecolor="none", framealpha=0.9)
    return figure


def _recall_by_boxes(parts: dict[str, Coverage]) -> Figure:
    figure, axes = _blank("number of first boxes", "recall at IoU 0.5")
    greatest = max((int(part.counts.max(initial=1)) for part in parts.values()), default=1)
    for name, part, (colour, mark, dash) in _styled(parts):
        most = int(part.counts.max(initial=1))
        numbers = np.unique(np.geomspace(1, most, 60).round().astype(np.int64))
        recall = [part.recall(int(number))[0] for number in numbers]
        axes.plot(numbers, recall, dash, color=colour, marker=mark, markersize=5, markevery=6, label=name)
    axes.set_xscale("log")
    axes.set_xlim(1, max(10, greatest) * 1.1)
    axes.set_xticks([tick for tick in _TICKS if tick <= max(10, greatest)])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.legend(loc="upper left", edgecolor="none", framealpha=0.9)
    return figure


def _styled(parts: dict[str, Coverage]) -> list[tuple[str, Coverage, tuple[str, str, str]]]:
    sources = [name for name in parts if name != "all"]
    styles = {name: _STYLES[place % len(_STYLES)] for place, name in enumerate(sources)}
    return [(name, part, styles.get(name, _ALL_STYLE)) for name, part in parts.items()]


def _blank(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(0, 1.02)
    axes.set_yticks(np.arange(0, 1.01, 0.1))
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _write(figure: Figure, path: Path) -> None:
    with atomic_file(path) as stream:
        # Without a version in it, equal figures give equal bytes.
        figure.savefig(stream, format="png", metadata={"Software": None})
