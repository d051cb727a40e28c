"""A union of proposers: order, repeats, sources, limit."""

from dataclasses import dataclass

import numpy as np
import pytest

from googlenet_rcnn.core.types import Boxes, Image, Proposals, Size
from googlenet_rcnn.proposals.union import Union, unite

IMAGE = np.zeros((50, 60, 3), np.uint8)
A, B, C, D = [0, 0, 10, 10], [5, 5, 20, 20], [1, 2, 3, 4], [0, 0, 60, 50]


@dataclass(frozen=True)
class Fixed:
    """Proposes the same rows for every image."""

    rows: tuple[tuple[int, ...], ...]
    name: str

    def propose(self, image: Image) -> Proposals:
        scores = np.linspace(1, 0.5, len(self.rows))
        return Proposals.from_source(Boxes(np.array(self.rows), Size(*image.shape[:2])), scores, self.name)


def fixed(name: str, *rows: list[int]) -> Fixed:
    return Fixed(tuple(map(tuple, rows)), name)


def test_first_of_equal_boxes_stays_with_its_source() -> None:
    united = Union((fixed("m", B, A), fixed("s", A, D, C))).propose(IMAGE)
    assert united.boxes.coordinates.tolist() == [B, A, D, C]
    assert united.sources.tolist() == [0, 0, 1, 1]
    assert united.source_names == ("m", "s")
    assert united.scores.tolist() == [1, 0.5, 0.75, 0.5]


def test_limit_keeps_the_first() -> None:
    united = Union((fixed("m", B, A), fixed("s", A, D, C)), limit=3).propose(IMAGE)
    assert united.boxes.coordinates.tolist() == [B, A, D]


def test_union_with_itself_or_with_nothing_changes_nothing() -> None:
    one = fixed("s", C, A, D)
    alone = one.propose(IMAGE)
    for union in (Union((one,)), Union((one, one)), Union((one, fixed("s")))):
        united = union.propose(IMAGE)
        assert united.boxes.coordinates.tobytes() == alone.boxes.coordinates.tobytes()
        assert united.scores.tobytes() == alone.scores.tobytes()
        assert united.source_names == ("s",)


def test_union_nests() -> None:
    a, b, c = fixed("a", A, B), fixed("b", B, C), fixed("c", A, D)
    left, right = (union.propose(IMAGE) for union in (Union((Union((a, b)), c)), Union((a, Union((b, c))))))
    assert left.boxes.coordinates.tolist() == right.boxes.coordinates.tolist()
    assert left.sources.tolist() == right.sources.tolist() == [0, 0, 1, 2]


def test_empty_union_of_empty_parts() -> None:
    united = Union((fixed("a"), fixed("b"))).propose(IMAGE)
    assert len(united) == 0
    assert united.size == (50, 60)


def test_wrong_unions_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Union(())
    with pytest.raises(ValueError, match="limit"):
        Union((fixed("a", A),), limit=0)
    with pytest.raises(ValueError, match="at least one"):
        unite([])
    with pytest.raises(ValueError, match="one image size"):
        unite([fixed("a", A).propose(IMAGE), fixed("a", A).propose(IMAGE[:40])])
