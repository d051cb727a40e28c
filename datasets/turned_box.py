"""Rectangles that annotation tools let people turn: we have upright boxes only."""

import math

__all__ = ["around_turned"]

_Corners = tuple[float, float, float, float]


def around_turned(corners: _Corners, degrees: float, pivot: tuple[float, float]) -> _Corners:
    """The smallest upright box around x1 y1 x2 y2 turned clockwise, as seen on the screen, about a point."""
    x1, y1, x2, y2 = corners
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned = [
        (
            pivot[0] + (x - pivot[0]) * cosine - (y - pivot[1]) * sine,
            pivot[1] + (x - pivot[0]) * sine + (y - pivot[1]) * cosine,
        )
        for x in (x1, x2)
        for y in (y1, y2)
    ]
    xs, ys = zip(*turned, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
