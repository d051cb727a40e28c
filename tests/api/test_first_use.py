"""The notice on the first use: said when loading takes long, and only then."""

import time

import pytest

from googlenet_rcnn.api import first_use
from googlenet_rcnn.api.first_use import NOTICE, load_selective_search
from googlenet_rcnn.core.types import Proposals
from googlenet_rcnn.proposals.selective_search import SelectiveSearch


def test_says_nothing_when_the_loops_are_there() -> None:
    said: list[str] = []
    load_selective_search(said.append, patience=600)
    assert said == []


def test_tells_why_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    found = SelectiveSearch.propose

    def slow(search: SelectiveSearch, image: object) -> Proposals:
        while not said:
            time.sleep(0.001)
        return found(search, image)  # type: ignore[arg-type]

    monkeypatch.setattr(first_use.SelectiveSearch, "propose", slow)
    load_selective_search(said.append, patience=0)
    assert said == [NOTICE]


def test_no_notice_comes_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def broken(search: SelectiveSearch, image: object) -> Proposals:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(first_use.SelectiveSearch, "propose", broken)
    with pytest.raises(RuntimeError, match="no compiler"):
        load_selective_search(said.append, patience=0.05)
    time.sleep(0.1)
    assert said == []
