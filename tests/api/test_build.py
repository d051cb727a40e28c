"""What the names on the command line mean: methods, engines, unions, limits, weights."""

import numpy as np
import pytest
from hostile import photo
from stub_parts import FixedProposer

from googlenet_rcnn.api import build
from googlenet_rcnn.api.build import build_multibox, build_proposer
from googlenet_rcnn.api.runtime import Runtime
from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.proposals.opencv_engine import OpenCVSelectiveSearch
from googlenet_rcnn.proposals.package_engine import PackageSelectiveSearch
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union


@pytest.fixture
def multibox(monkeypatch):
    """Puts a proposer of fixed boxes where MultiBox is loaded; gives the settings it was asked for."""
    asked = []

    def load(name, count, nms, runtime):
        asked.append((name, count, nms, runtime.name))
        return FixedProposer(((0, 0, 80, 60), (1, 1, 9, 9)), "multibox")

    monkeypatch.setattr(build, "build_multibox", load)
    return asked


def boxes(proposals) -> list[tuple[float, ...]]:
    return [tuple(row) for row in proposals.boxes.coordinates.tolist()]


def test_selective_search_is_built_as_its_settings_say(multibox) -> None:
    assert build_proposer("ss") == SelectiveSearch.preset("fast", superpixel_scale=1.0, seed=0)
    built = build_proposer("ss", preset="single", superpixel_scale=3.0, seed=7)
    assert built == SelectiveSearch.preset("single", superpixel_scale=3.0, seed=7)
    assert build_proposer("ss", preset="quality") != build_proposer("ss")
    assert multibox == []  # and no network is loaded for it


def test_each_engine_is_one_of_its_own(monkeypatch) -> None:
    assert isinstance(build_proposer("ss", engine="selectivesearch"), PackageSelectiveSearch)
    monkeypatch.setattr(OpenCVSelectiveSearch, "__post_init__", lambda self: None, raising=False)
    built = build_proposer("ss", engine="opencv", preset="single", seed=4)
    assert isinstance(built, OpenCVSelectiveSearch)
    assert built == OpenCVSelectiveSearch("single", seed=4)


def test_multibox_gets_its_settings(multibox) -> None:
    build_proposer("multibox")
    build_proposer("multibox", multibox="mine", multibox_k=7, multibox_nms=0.5)
    build_proposer("multibox", multibox_nms=0.0, runtime=Runtime("openvino"))
    assert multibox == [
        ("multibox-voc07", 200, None, "auto"),
        ("mine", 7, 0.5, "auto"),
        ("multibox-voc07", 200, 0.0, "openvino"),
    ]


@pytest.mark.parametrize(("method", "kinds"), [("multibox+ss", "ms"), ("ss+multibox", "sm")])
def test_a_union_keeps_the_order_of_its_names_and_doubles_superpixels(multibox, method, kinds) -> None:
    union = build_proposer(method, preset="single")
    assert isinstance(union, Union)
    assert "".join("s" if isinstance(part, SelectiveSearch) else "m" for part in union.proposers) == kinds
    search = union.proposers[kinds.index("s")]
    assert search == SelectiveSearch.preset("single", superpixel_scale=2.0, seed=0)
    explicit = build_proposer(method, preset="single", superpixel_scale=1.0).proposers[kinds.index("s")]
    assert explicit == SelectiveSearch.preset("single", superpixel_scale=1.0, seed=0)


def test_a_union_holds_the_boxes_of_both(multibox) -> None:
    image = photo()
    united = build_proposer("multibox+ss", preset="single").propose(image)
    alone = build_proposer("ss", preset="single", superpixel_scale=2.0).propose(image)
    assert boxes(united)[:2] == [(0, 0, 80, 60), (1, 1, 9, 9)]
    assert boxes(united)[2:] == [box for box in boxes(alone) if box not in boxes(united)[:2]]
    assert united.source_names == ("multibox", "ss")


def test_a_limit_keeps_the_first_boxes(multibox) -> None:
    image = photo()
    everything = build_proposer("ss", preset="single").propose(image)
    limited = build_proposer("ss", preset="single", limit=3).propose(image)
    assert len(everything) > 3
    assert boxes(limited) == boxes(everything)[:3]
    assert limited.source_names == everything.source_names
    assert len(build_proposer("multibox", limit=1).propose(image)) == 1
    both = build_proposer("multibox+ss", preset="single", limit=4).propose(image)
    assert np.bincount(both.sources).tolist() == [2, 2]


@pytest.mark.parametrize(
    "method", ["", "none", "SS", "ss+", "+ss", "ss+ss", "multibox+multibox", "multibox+ss+multibox", "ss,multibox"]
)
def test_unknown_methods_are_refused_with_those_that_are_known(multibox, method) -> None:
    with pytest.raises(UsageError, match=r"known are ss, multibox, multibox\+ss") as caught:
        build_proposer(method)
    assert caught.value.code == "METHOD_UNKNOWN"
    assert f"method {method}:" in caught.value.message
    assert multibox == []


@pytest.mark.parametrize(
    ("settings", "code", "hint"),
    [
        ({"engine": "none"}, "ENGINE_UNKNOWN", "known are native, opencv, selectivesearch"),
        ({"preset": "none"}, "PROPOSAL_SETTING", "none"),
        ({"superpixel_scale": 0.0}, "PROPOSAL_SETTING", "superpixel"),
        ({"multibox_k": 0}, "FLAG_VALUE", "multibox-k"),
        ({"limit": 0}, "FLAG_VALUE", "limit"),
        ({"multibox_nms": -0.1}, "FLAG_VALUE", "multibox-nms"),
        ({"multibox_nms": 1.1}, "FLAG_VALUE", "1.1"),
        ({"multibox_nms": float("nan")}, "FLAG_VALUE", "nan"),
    ],
)
def test_impossible_settings_are_refused(multibox, settings, code, hint) -> None:
    with pytest.raises(UsageError, match=hint) as caught:
        build_proposer("multibox+ss", **settings)
    assert caught.value.code == code


def test_multibox_weights_that_are_no_multibox_are_refused(classifier_file, tmp_path) -> None:
    with pytest.raises(UsageError, match="MultiBox weights none") as caught:
        build_multibox("none", 200, None, Runtime())
    assert caught.value.code == "WEIGHTS_UNKNOWN"
    for path, code in ((classifier_file, "MODEL_TASK"), (tmp_path / "empty", "MODEL_INVALID")):
        (tmp_path / "empty").write_bytes(b"")
        with pytest.raises(ModelError, match=str(path)) as refused:
            build_multibox(str(path), 200, None, Runtime())
        assert refused.value.code == code


def test_selective_search_is_made_ready_only_for_those_who_listen(monkeypatch) -> None:
    told = []
    monkeypatch.setattr(build, "load_selective_search", told.append)
    build_proposer("ss", preset="single")  # a file of proposals needs no compiled search
    build_proposer("ss", engine="selectivesearch", say=print)
    assert told == []
    build_proposer("ss", preset="single", say=print)
    assert told == [print]
