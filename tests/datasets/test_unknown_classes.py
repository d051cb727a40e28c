from data_faults import code_of

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses

LABELS = LabelSet(("traffic light", "dog"))


# FAULTS 37
def test_one_table_with_name_count_and_first_file():
    unknown = UnknownClasses()
    unknown.check(LABELS, "mend it")
    for name, place in (("Traffic_Light", "a.xml"), ("cow", "b.xml"), ("cow", "c.xml")):
        unknown.add(name, place)
    parts = (
        "'Traffic_Light' 1x (first in a.xml, did you mean 'traffic light'?)",
        "'cow' 2x (first in b.xml)",
        "mend it",
    )
    assert code_of(lambda: unknown.check(LABELS, "mend it"), *parts) == "CLASS_UNKNOWN"


def test_a_long_table_is_cut_and_counted():
    unknown = UnknownClasses()
    for number in range(30):
        unknown.add(f"x{number}", "a.xml")
    assert (
        code_of(lambda: unknown.check(LABELS, "mend it"), "'x7'", "and 22 more: none of the 2 labels")
        == "CLASS_UNKNOWN"
    )
