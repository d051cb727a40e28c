import numpy as np
import pytest
from analysed import analysed
from random_detections import random_case
from tiny_voc import truth

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.eval.false_positives import TYPES, VOC_SIMILAR, similar_classes
from googlenet_rcnn.eval.match_rule import RULES

OBJECT = (0, 0, 10, 10)
# One object of class a; b is similar to a, c is not.
SCENE, GROUPS = [truth([(0, OBJECT, False)])], [("a", "b")]


@pytest.mark.parametrize(
    ("label", "box", "expected"),
    [
        (0, (0, 0, 10, 4.9), "localisation"),
        (0, (0, 0, 10, 1), "localisation"),
        (0, (0, 0, 10, 0.9), "background"),
        (1, OBJECT, "similar"),
        (1, (0, 0, 10, 1), "similar"),
        (2, OBJECT, "other"),
        (2, (0, 0, 1, 1), "background"),
        (1, (50, 50, 60, 60), "background"),
        (1, (10, 10, 0, 0), "background"),
    ],
)
def test_worked_out_by_hand(label, box, expected):
    errors = analysed([(0, label, 0.5, box)], SCENE, groups=GROUPS)
    assert [TYPES[kind] for kind in errors.types] == [expected]


def test_second_box_of_an_object_is_badly_placed_and_a_true_one_has_no_type():
    errors = analysed([(0, 0, 0.9, OBJECT), (0, 0, 0.8, OBJECT)], SCENE)
    assert errors.types.tolist() == [-1, TYPES.index("localisation")]


def test_similar_comes_before_another_class_that_overlaps_more():
    scene = [truth([(0, OBJECT, False), (2, (0, 0, 10, 20), False)])]
    box = (0, 0, 10, 20)
    assert analysed([(0, 1, 0.5, box)], scene, groups=GROUPS).types.tolist() == [TYPES.index("similar")]
    assert analysed([(0, 1, 0.5, box)], scene, groups=[("b", "c")]).types.tolist() == [TYPES.index("similar")]
    assert analysed([(0, 1, 0.5, box)], scene, groups=[]).types.tolist() == [TYPES.index("other")]


def test_an_object_that_does_not_count_is_not_background():
    scene = [truth([(0, OBJECT, True)])]
    assert analysed([(0, 2, 0.5, OBJECT)], scene).types.tolist() == [TYPES.index("other")]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_types_share_out_the_false_detections(rule, seed):
    truths, rows = random_case(seed)
    errors = analysed(rows, truths, rule, groups=GROUPS)
    assert ((errors.types >= 0) == errors.matches.false).all()
    # With all classes similar nothing is other, and with none nothing is similar; the rest stays as it is.
    alike, none = (analysed(rows, truths, rule, groups=groups).types for groups in (["abc"], []))
    assert set(alike) >= {0, 1, 3}
    assert (np.where(alike == 1, 2, alike) == none).all()
    assert (np.where(errors.types == 1, 2, errors.types) == none).all()


def test_first_detections_of_a_class_are_as_many_as_its_objects():
    truths, rows = random_case(3, images=30)
    errors = analysed(rows, truths, groups=GROUPS)
    matches, top = errors.matches, errors.top
    for label in range(3):
        objects = int((matches.truth_label == label).sum())
        counted = [
            row for row in range(len(rows)) if matches.label[row] == label and (matches.true | matches.false)[row]
        ]
        first = counted[:objects]
        assert top.considered[label] == objects
        assert top.true[label] == matches.true[first].sum()
        assert top.false[label].tolist() == [(errors.types[first] == kind).sum() for kind in range(4)]


def test_similar_classes_are_known_for_voc_and_otherwise_when_told():
    voc = load_labels("voc20")
    similar = similar_classes(voc)
    assert similar is not None
    assert (similar == similar.T).all()
    assert not similar.diagonal().any()
    pairs = {
        ("cat", "person"): 1,
        ("aeroplane", "bird"): 1,
        ("aeroplane", "car"): 1,
        ("bird", "car"): 0,
        ("sofa", "cat"): 0,
    }
    assert {pair: int(similar[voc.index(pair[0]), voc.index(pair[1])]) for pair in pairs} == pairs
    assert {name for group in VOC_SIMILAR for name in group} <= set(voc.names)
    assert similar_classes(LabelSet(("cat", "person"))).sum() == 2
    assert similar_classes(LabelSet(("cat", "wombat"))) is None
    assert similar_classes(LabelSet(("cat", "wombat")), [("cat", "wombat")]).tolist() == [[False, True], [True, False]]
