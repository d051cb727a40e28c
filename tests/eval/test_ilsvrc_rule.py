import csv
import tarfile
from xml.etree import ElementTree

import numpy as np
import pytest
from shared_data import SHARED, needs_shared
from tiny_voc import dataset, truth

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.eval.average_precision import average_precision
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.match_rule import RULES
from googlenet_rcnn.eval.matching import match

FOLDER = SHARED / "ilsvrc_det"


def read_truths(labels, order):
    """Truths of val2 in the order of image numbers; ILSVRC corners are 0-based and inclusive."""
    truths = {}
    with tarfile.open(FOLDER / "val2_annotations.tar.gz") as archive:
        for member in archive:
            if not member.name.endswith(".xml"):
                continue
            root = ElementTree.fromstring(archive.extractfile(member).read())
            rows = []
            for node in root.iter("object"):
                x1, y1, x2, y2 = (float(node.find("bndbox").findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax"))
                rows.append((labels[node.findtext("name")], (x1, y1, x2 + 1, y2 + 1), False))
            size = Size(*(int(root.find("size").findtext(key)) for key in ("height", "width")))
            truths[member.name.rsplit("/", 1)[1][:-4]] = truth(rows, size)
    return [truths[name] for name in order]


@needs_shared
def test_official_script_agrees_on_its_demo_predictions():
    with (FOLDER / "det_classes_200.csv").open() as file:
        labels = {row["wnid"]: index for index, row in enumerate(csv.DictReader(file))}
    numbers = {int(n): name for name, n in (row.split() for row in (FOLDER / "val2.txt").open())}
    index_of = {number: index for index, number in enumerate(sorted(numbers))}
    data = dataset(read_truths(labels, [numbers[number] for number in sorted(numbers)]), list(labels))
    rows = np.loadtxt(FOLDER / "demo_val2_predictions.txt")
    rows = rows[np.isin(rows[:, 0], list(index_of))]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]  # ties stay in the order of the images
    found = DetectionTable(
        [index_of[int(number)] for number in rows[:, 0]],
        rows[:, 1] - 1,
        rows[:, 2],
        rows[:, 3:] + [0, 0, 1, 1],
    )
    pairs = (row.split() for row in (FOLDER / "ILSVRC2014_det_validation_blacklist.txt").open())
    excluded = np.array([(index_of[int(n)], labels[wnid]) for n, wnid in pairs if int(n) in index_of])
    rule = RULES["ilsvrc"]
    report = average_precision(match(found, data, rule, excluded), rule)
    golden = [row.rstrip("\n").split("\t") for row in (SHARED / "golden/ilsvrc_det_val2_demo_ap_first50.tsv").open()]
    for class_id, _, name, positives, ap in golden:
        assert report.truths[int(class_id) - 1] == int(positives), name
        assert report.ap[int(class_id) - 1] == pytest.approx(float(ap), abs=1e-12), name
    assert report.mean == pytest.approx(0.6016834806, abs=1e-9)
