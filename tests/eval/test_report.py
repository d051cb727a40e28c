import json

from random_detections import table
from tiny_voc import dataset, truth

from googlenet_rcnn.eval.average_precision import evaluate_detections
from googlenet_rcnn.eval.bootstrap import MapInterval
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.report import metrics, text_table

DATA = dataset([truth([(0, (0, 0, 10, 10), False)])])
RULE = RULES["voc07"]
REPORT = evaluate_detections(table([(0, 0, 0.9, (0, 0, 10, 10)), (0, 1, 0.8, (0, 0, 10, 10))]), DATA, RULE)


def test_metrics_are_json_with_null_for_what_is_undefined():
    content = metrics(REPORT, DATA.labels, RULE, images=1)
    assert content == {"rule": "voc07", "images": 1, "map": 1.0, "ap": {"cat": 1.0, "dog": None}}
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    nothing = evaluate_detections(table([]), dataset([]), RULE)
    assert metrics(nothing, DATA.labels, RULE, images=0)["map"] is None


def test_interval_is_added():
    content = metrics(REPORT, DATA.labels, RULE, 1, MapInterval(0.25, float("nan"), 0.95))
    assert content["map_interval"] == {"low": 0.25, "high": None, "confidence": 0.95}


def test_table_has_a_line_a_class():
    lines = text_table(REPORT, DATA.labels, MapInterval(0.25, 1.0, 0.95)).splitlines()
    assert [text.split() for text in lines[1:4]] == [
        ["cat", "1.0000", "1", "1", "0"],
        ["dog", "-", "0", "0", "1"],
        ["mean", "1.0000", "1", "1", "1"],
    ]
    assert "0.2500 to 1.0000" in lines[4]
    assert len({len(text) for text in lines[:4]}) == 1
