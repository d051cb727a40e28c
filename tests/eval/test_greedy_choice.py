import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet_rcnn.eval.greedy_choice import greedy_choice

OBJECTS = 5


def one_by_one(wishes, shared):
    """What the docstring says, detection after detection."""
    taken, chosen = set(), []
    for wish in wishes:
        free = [truth for truth in wish if truth not in taken or shared[truth]]
        chosen.append(free[0] if free else -1)
        taken.update(free[:1])
    return chosen


def choose(wishes, shared=None):
    detection = np.repeat(np.arange(len(wishes)), [len(one) for one in wishes])
    truth = np.array([truth for one in wishes for truth in one], dtype=np.int64)
    return greedy_choice(detection, truth, len(wishes), OBJECTS, shared).tolist()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, OBJECTS - 1), unique=True), max_size=12),
    st.lists(st.booleans(), min_size=OBJECTS, max_size=OBJECTS),
)
def test_as_if_one_after_another(wishes, shared):
    assert choose(wishes) == one_by_one(wishes, [False] * OBJECTS)
    assert choose(wishes, np.array(shared)) == one_by_one(wishes, shared)


def test_a_chain_of_displacements():
    # Each detection wants the object that the one before it took, and ends on the next.
    assert choose([[0], [0, 1], [1, 2], [2, 3], [3, 4], [4]]) == [0, 1, 2, 3, 4, -1]


def test_nobody_wants_anything():
    assert choose([]) == []
    assert choose([[], []]) == [-1, -1]
