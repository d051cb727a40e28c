"""Charts as SVG text for a page that loads nothing: curves, bars and stacked bars.

Colours are Okabe and Ito's, told apart with any colour vision; every chart has its text as a title.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLOURS", "Svg", "curve_chart", "histogram_chart", "reliability_chart", "split_bar"]

COLOURS = ("#0072b2", "#e69f00", "#cc79a7", "#555555", "#009e73", "#d55e00")


class Svg(str):
    """SVG text made here, which stands in a page as it is; any other text is escaped."""


_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 8, 12, 38


def curve_chart(title: str, x: NDArray[np.float64], y: NDArray[np.float64], x_name: str, y_name: str) -> Svg:
    """Steps over 0..1 in both directions: y [N] up to each x [N], the area below tinted; without points only axes."""
    plot = _Plot(240, 180)
    body = plot.axes(x_name, y_name)
    if len(x):
        keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), 120)).round().astype(np.int64))
        ends, heights = np.repeat(x[keep], 2), np.repeat(y[keep], 2)
        starts = np.concatenate([[0.0], ends[:-1]])
        points = " ".join(plot.at(float(a), float(b)) for a, b in zip(starts, heights, strict=True))
        last = plot.at(float(x[-1]), 0.0)
        body += f'<polygon points="{plot.at(0, 0)} {points} {last}" fill="{COLOURS[0]}" fill-opacity=".15"/>'
        body += f'<polyline points="{points} {last}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>'
    return plot.svg(title, body)


def histogram_chart(title: str, edges: NDArray[np.float64], parts: Sequence[NDArray[np.int64]], x_name: str) -> Svg:
    """Stacked bars over the edges [B+1], one colour a part [B], on a square-root scale so that few are seen too."""
    plot = _Plot(520, 240)
    low, high = float(edges[0]), float(edges[-1])
    most = max(1, int(np.sum(parts, axis=0).max()))
    marks = [(round(most * part), part**0.5) for part in (0.0, 0.1, 0.25, 0.5, 1.0)]
    body = plot.axes(x_name, "detections", (low, high), marks)
    bottoms = np.zeros(len(edges) - 1)
    places = (edges - low) / (high - low)
    for part, colour in zip(parts, COLOURS, strict=False):
        for bar in np.flatnonzero(part):
            ends = (bottoms[bar] / most) ** 0.5, ((bottoms[bar] + part[bar]) / most) ** 0.5
            body += plot.bar(places[bar], places[bar + 1], *ends, colour)
        bottoms += part
    return plot.svg(title, body)


def reliability_chart(title: str, precision: NDArray[np.float64], score: NDArray[np.float64]) -> Svg:
    """Precision [B] of detections by score: a bar a bin, the mean score as a tick, the diagonal as what to expect."""
    plot = _Plot(300, 240)
    body = plot.axes("score", "precision")
    for bar in np.flatnonzero(~np.isnan(precision)):
        body += plot.bar(bar / len(precision), (bar + 1) / len(precision), 0.0, float(precision[bar]), COLOURS[0])
    diagonal = f'<polyline points="{plot.at(0, 0)} {plot.at(1, 1)}" stroke="#222" stroke-dasharray="5 4" fill="none"/>'
    dots = ""
    for mean, right in zip(score, precision, strict=True):
        if not np.isnan(mean):
            x, y = plot.at(float(mean), float(right)).split(",")
            dots += f'<circle cx="{x}" cy="{y}" r="3.5" fill="{COLOURS[5]}" stroke="#fff"/>'
    return plot.svg(title, body + diagonal + dots)


def split_bar(title: str, parts: Sequence[float], whole: float, colours: Sequence[str] = COLOURS) -> Svg:
    """One horizontal bar of parts of a whole, left to right."""
    x, body = 0.0, '<rect width="200" height="14" fill="#e8e8e8"/>'
    for part, colour in zip(parts, colours, strict=False):
        width = 200 * part / whole if whole else 0.0
        body += f'<rect x="{x:.1f}" width="{width:.1f}" height="14" fill="{colour}" stroke="#fff"/>' if part else ""
        x += width
    return Svg(f'<svg viewBox="0 0 200 14" class="bar" role="img"><title>{escape(title)}</title>{body}</svg>')


class _Plot:
    """A field with axes from 0 to 1, whatever numbers stand beside them."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    def at(self, x: float, y: float) -> str:
        """A point of the field as `x,y` in pixels."""
        return f"{_LEFT + x * (self.width - _LEFT - _RIGHT):.1f},{_TOP + (1 - y) * (self.height - _TOP - _BOTTOM):.1f}"

    def bar(self, x1: float, x2: float, y1: float, y2: float, colour: str) -> str:
        """An upright bar from (x1, y1) to (x2, y2)."""
        left, bottom = map(float, self.at(x1, y1).split(","))
        right, top = map(float, self.at(x2, y2).split(","))
        box = f'x="{left + 0.5:.1f}" y="{top:.1f}" width="{right - left - 1:.1f}" height="{bottom - top:.1f}"'
        return f'<rect {box} fill="{colour}"/>'

    def axes(
        self,
        x_name: str,
        y_name: str,
        x_range: tuple[float, float] = (0.0, 1.0),
        y_marks: Sequence[tuple[float, float]] = ((0, 0.0), (0.5, 0.5), (1, 1.0)),
    ) -> str:
        """Grid, numbers and names; `y_marks` are numbers and where they stand."""
        body = ""
        for number, place in y_marks:
            x, y = self.at(0, place).split(",")
            body += f'<line x1="{x}" x2="{self.width - _RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>'
            body += f'<text x="{_LEFT - 5}" y="{float(y) + 4:.1f}" text-anchor="end">{number:g}</text>'
        for place in (0.0, 0.5, 1.0):
            x, y = self.at(place, 0).split(",")
            number = x_range[0] + place * (x_range[1] - x_range[0])
            body += f'<text x="{x}" y="{float(y) + 14:.1f}" text-anchor="middle">{number:.3g}</text>'
        x, y = self.at(0.5, 0).split(",")
        body += f'<text x="{x}" y="{self.height - 6}" text-anchor="middle">{escape(x_name)}</text>'
        middle = _TOP + (self.height - _TOP - _BOTTOM) / 2
        turn = f'transform="translate(11 {middle:.0f}) rotate(-90)"'
        return body + f'<text {turn} text-anchor="middle">{escape(y_name)}</text>'

    def svg(self, title: str, body: str) -> Svg:
        """The whole chart."""
        head = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" class="chart" role="img"'
        return Svg(f"<svg {head}><title>{escape(title)}</title>{body}</svg>")
