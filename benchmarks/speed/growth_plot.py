"""The plot of the growth: a field for each thing that grows, on logarithmic scales, where laws are straight lines."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from law import Law
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from googlenet_rcnn.core.store import atomic_file

__all__ = ["draw_growth"]

_POINT, _LINE = "#0072b2", "#d55e00"  # Okabe and Ito's


def draw_growth(content: dict[str, Any], path: Path) -> None:
    """Writes an SVG of the points and laws that part growth measured, by what grows."""
    figure = Figure(figsize=(3 * len(content), 3), layout="constrained")
    FigureCanvasSVG(figure)
    fields = np.ravel(figure.subplots(1, len(content), squeeze=False))
    for axes, (name, one) in zip(fields, content.items(), strict=True):
        sizes, seconds = (np.asarray(column) for column in zip(*one["points"], strict=True))
        axes.loglog(sizes, seconds, "o", color=_POINT, markersize=5)
        if "law" in one:
            law = Law(one["law"]["exponent"], one["law"]["factor"], one["law"]["deviation"])
            ends = np.array([sizes.min(), sizes.max()])
            axes.loglog(ends, [law.at(end) for end in ends], "--", color=_LINE, linewidth=1)
            axes.set_title(f"exponent {law.exponent:.2f}: {law.name}", fontsize=9)
        axes.set_xlabel(one["unit"])
        axes.set_ylabel(f"s, {one['time']}")
        axes.set_xticks(sizes)
        # A decade at least, so that what hardly grows looks so.
        middle, reach = np.sqrt(seconds.min() * seconds.max()), 1.2 * max(np.sqrt(seconds.max() / seconds.min()), 3)
        axes.set_ylim(middle / reach, middle * reach)
        axes.minorticks_off()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
        axes.set_gid(name)
    # Text stays text, and nothing in the file depends on the day.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}), atomic_file(path) as stream:
        figure.savefig(stream, format="svg", metadata={"Date": None})
