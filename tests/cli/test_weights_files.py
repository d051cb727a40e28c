"""From the names of weights to files: shipped ones, paths, ensembles."""

import pytest

from googlenet_rcnn.api.weights_files import (
    DEFAULT_WEIGHTS,
    find_members,
    find_weights,
    shipped_weights,
    suited,
    weight_digests,
    weight_labels,
)
from googlenet_rcnn.cli.detection_parts import build_detection
from googlenet_rcnn.cli.explain import ExplainOptions
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import digest


@pytest.fixture
def ensemble(checkpoint, tmp_path):
    """Two models in a folder, and the card that names them."""
    folder = tmp_path / "pair"
    folder.mkdir()
    checkpoint(folder / "one.safetensors", seed=1, labels=("cat", "dog"))
    checkpoint(folder / "two.safetensors", seed=2, labels=("cat", "dog"), warp_context=12, score_threshold=0.25)
    return card(folder, 'members = ["one.safetensors", "two.safetensors"]')


def card(folder, text):
    path = folder / "ensemble.toml"
    path.write_text(text)
    return path


def test_weights_are_a_shipped_name_or_a_file(tmp_path) -> None:
    shipped = {"mine": tmp_path / "mine.safetensors"}
    assert find_weights("mine", "--x", shipped) == shipped["mine"]
    (tmp_path / "other").write_bytes(b"")
    assert find_weights(str(tmp_path / "other"), "--x", shipped) == tmp_path / "other"
    with pytest.raises(UsageError, match=r"--x none: neither a file nor a shipped model \(shipped: mine\)"):
        find_weights("none", "--x", shipped)
    with pytest.raises(UsageError, match="shipped: none"):
        find_weights(str(tmp_path), "--x", {})


def test_an_ensemble_is_its_members_from_wherever_it_is_named(ensemble, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, two = (ensemble.parent / f"{name}.safetensors" for name in ("one", "two"))
    assert find_members([str(ensemble)]) == [one, two]
    assert [path.resolve() for path in find_members(["pair/ensemble.toml", str(one)])] == [one, two, one]
    assert weight_labels([str(ensemble)]).names == ("cat", "dog")
    assert find_members([]) == [shipped_weights()[DEFAULT_WEIGHTS]]


def test_shipped_models_are_members_by_name(ensemble) -> None:
    card(ensemble.parent, f'members = ["{DEFAULT_WEIGHTS}", "two.safetensors"]')
    assert find_members([str(ensemble)])[0] == shipped_weights()[DEFAULT_WEIGHTS]


def test_a_result_depends_on_the_card_and_on_each_member(ensemble) -> None:
    before = weight_digests([str(ensemble)])
    assert before == [digest(ensemble), *map(digest, find_members([str(ensemble)]))]
    card(ensemble.parent, ensemble.read_text() + "\nscore_threshold = 0.4")
    after = weight_digests([str(ensemble)])
    assert after[0] != before[0]
    assert after[1:] == before[1:]


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("", (None, None), (0.5, None)),
        ("score_threshold = 0.0\nscreen_vote = 0.0", (None, None), (0.0, 0.0)),
        ("score_threshold = 0.4\nscreen_vote = 0.2", (None, None), (0.4, 0.2)),
        ("score_threshold = 0.4\nscreen_vote = 0.2", (0.0, 0.9), (0.0, 0.9)),
    ],
)
def test_what_suits_an_ensemble_is_on_its_card_unless_a_flag_says_otherwise(ensemble, text, asked, expected) -> None:
    card(ensemble.parent, f"{ensemble.read_text()}\n{text}")
    assert suited([str(ensemble)], *asked) == expected


def test_what_the_card_leaves_open_is_as_the_first_member_says(ensemble) -> None:
    card(ensemble.parent, 'members = ["two.safetensors", "one.safetensors"]')
    assert suited([str(ensemble)], None, None) == (0.25, None)
    assert suited([str(ensemble.parent / "two.safetensors")], None, None) == (0.25, None)


def test_its_detector_looks_in_the_ways_of_all_members(ensemble) -> None:
    card(ensemble.parent, f"{ensemble.read_text()}\nscore_threshold = 0.1")
    options = ExplainOptions(image="x", weights=(str(ensemble),), runtime="torch", threads=1)
    detector, _ = build_detection(options, lambda message: None)
    assert [(view.warp.context, len(view.classifiers)) for view in detector.views] == [(4, 1), (12, 1)]
    assert detector.selection.score_threshold == 0.1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('members = ["none.safetensors"]', "ensemble.toml: member .*none.safetensors: neither a file"),
        ("members = []", "members: .*at least 1"),
        ('models = ["one.safetensors"]', "members: Field required"),
        ('members = ["one.safetensors"]\nscore_threshold = 2.0', "score_threshold: .*less than or equal to 1"),
        ("members = [", "ensemble.toml"),
    ],
)
def test_a_card_with_a_fault_is_refused_by_name(ensemble, text, hint) -> None:
    with pytest.raises(UsageError, match=hint):
        find_members([str(card(ensemble.parent, text))])


def test_a_card_that_is_not_there_is_unknown_weights(tmp_path) -> None:
    with pytest.raises(UsageError, match="neither a file nor a shipped model"):
        find_members([str(tmp_path / "none.toml")])
