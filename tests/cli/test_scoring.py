import pytest
from tiny_voc import dataset, truth

from googlenet_rcnn.cli import scoring
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.datasets import tree
from googlenet_rcnn.eval.match_rule import RULES


@pytest.fixture
def whole(monkeypatch):
    """A split of three images with something excluded in the first and the last."""
    plain = dataset([truth()] * 3)
    data = Dataset(plain.labels, plain.samples, excluded=[(0, 1), (2, 0)])
    monkeypatch.setattr(tree, "read_dataset", lambda root, split: data)
    return data


def test_first_images_keep_what_is_excluded_in_them(whole, tmp_path):
    assert scoring.read_split(tmp_path, "val", None) is whole
    for first, excluded in ((1, [(0, 1)]), (2, [(0, 1)]), (3, [(0, 1), (2, 0)]), (9, [(0, 1), (2, 0)])):
        part = scoring.read_split(tmp_path, "val", first)
        assert len(part.samples) == min(first, 3)
        assert list(part.excluded) == excluded
    with pytest.raises(UsageError, match="--first"):
        scoring.read_split(tmp_path, "val", 0)


def test_rules_by_name():
    assert {name: scoring.known_rule(name) for name in RULES} == RULES
    coco = scoring.known_rule("coco", also=("coco",))
    assert (coco.name, coco.choice, coco.minimum_overlap, coco.relaxed) == ("coco", "free", 0.5, False)
    for name, also in (("coco", ()), ("voc", ("coco",)), ("", ())):
        with pytest.raises(UsageError) as caught:
            scoring.known_rule(name, also)
        assert caught.value.code == "RULE_UNKNOWN"
        assert "voc07, voc10, ilsvrc" in caught.value.message


def test_remarks_are_said_and_given_back(whole, tmp_path, capsys):
    (tmp_path / "found.jsonl").write_text("")
    results, notes = scoring.read_found(tmp_path / "found.jsonl", whole, "val", False)
    assert (len(results.table), results.missing) == (0, 3)
    assert notes == ["3 of 3 images are missing from the file; they count as empty"]
    assert capsys.readouterr().err == f"note: {notes[0]}\n"
