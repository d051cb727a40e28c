import numpy as np
from data_faults import code_of
from hypothesis import given
from hypothesis import strategies as st

from googlenet_rcnn.core.types import Size
from googlenet_rcnn.datasets.findings import Findings
from googlenet_rcnn.datasets.fitting import fit

coordinate = st.one_of(
    st.sampled_from([-1.0, 0.0, 1e-9, 0.05, 49.95, 50.0, 50.00000001, 100.0, 101.0, 1e6]), st.floats(-20, 120)
)
boxes = st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), max_size=6)


# FAULTS 26, 27: one finding for each box that is not kept as written, and nothing unlawful comes out.
@given(boxes)
def test_one_box_at_a_time_gives_the_same(rows):
    findings, size = Findings(), Size(50, 100)
    marks = list(range(len(rows)))
    truth = fit(
        rows, marks, size, "f", lambda row: f"box {row}", findings, ignore=[row % 2 > 0 for row in marks], areas=marks
    )
    kept, codes = [], []
    for mark, row in zip(marks, rows, strict=True):
        x1, y1, x2, y2 = (np.float32(value) for value in row)
        cut = [min(max(x1, 0), 100), min(max(y1, 0), 50), min(max(x2, 0), 100), min(max(y2, 0), 50)]
        if cut[0] < cut[2] and cut[1] < cut[3]:
            kept.append((mark, cut))
            codes += [("BOX_OUTSIDE", f"box {mark}")] * (cut != [x1, y1, x2, y2])
        else:
            codes.append(("BOX_DEGENERATE", f"box {mark}"))
    assert [(finding.code, finding.place) for finding in findings] == codes
    assert truth.labels.tolist() == truth.areas.tolist() == [mark for mark, _ in kept]
    assert truth.ignore.tolist() == [mark % 2 > 0 for mark, _ in kept]
    assert truth.boxes.coordinates.tolist() == [list(map(float, cut)) for _, cut in kept]


# FAULTS 30
def test_damage_is_no_box_at_the_border():
    for bad in (float("nan"), float("inf"), 1e30, -1e30, 1.1e6):
        rows = [(1, 1, 2, 2), (1, bad, 2, 2)]
        assert (
            code_of(lambda rows=rows: fit(rows, [0, 0], Size(9, 9), "f.xml", str, Findings()), "f.xml: 1: ")
            == "ANN_BAD_NUMBER"
        )


def test_no_boxes_are_ordinary():
    truth = fit([], [], Size(9, 9), "f", str, Findings())
    assert truth.boxes.coordinates.shape == (0, 4)
    assert truth.areas is None
