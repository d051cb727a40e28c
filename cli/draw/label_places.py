"""Where the labels of boxes go, so that none lies on another and all lie in the picture, where there is room."""

from collections.abc import Sequence

__all__ = ["place_labels"]

Rectangle = tuple[int, int, int, int]
"""x1 y1 x2 y2 in pixels, half-open."""


def place_labels(
    boxes: Sequence[Rectangle], sizes: Sequence[tuple[int, int]], width: int, height: int
) -> list[Rectangle]:
    """A place of the given (width, height) for the label of each box in a picture; the first choose first.

    On top of the box if that is free, else along its other edges, else further down beside it; where nothing is free,
    where it hides least of the others.
    """
    placed: list[Rectangle] = []
    for box, size in zip(boxes, sizes, strict=True):
        best, least = None, 0
        for place in _candidates(box, size, width, height):
            hidden = sum(_shared(place, other) for other in placed)
            if best is None or hidden < least:
                best, least = place, hidden
            if not hidden:
                break
        assert best is not None  # there are always candidates
        placed.append(best)
    return placed


def _candidates(box: Rectangle, size: tuple[int, int], width: int, height: int) -> list[Rectangle]:
    """Places in the order in which a reader would look for them, moved into the picture."""
    x1, y1, x2, y2 = box
    wide, high = size
    corners = [
        (x1, y1 - high), (x1, y1), (x2 - wide, y1 - high), (x2 - wide, y1),
        (x1, y2), (x1, y2 - high), (x2 - wide, y2), (x2 - wide, y2 - high),
    ]  # fmt: skip
    # Sliding down both sides of the box, and then of the picture, for crowds.
    corners += [(x, y) for x in (x1, x2 - wide) for y in range(y1 + high, max(y1 + high, y2 - high), high)]
    corners += [(x1, y) for y in range(0, height - high, high)]
    inside = [(max(0, min(x, width - wide)), max(0, min(y, height - high))) for x, y in corners]
    return [(x, y, x + wide, y + high) for x, y in dict.fromkeys(inside)]


def _shared(one: Rectangle, other: Rectangle) -> int:
    """Pixels that two places share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, across) * max(0, down)
