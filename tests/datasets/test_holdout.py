from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_voc import dataset, truth

from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.holdout import choose_samples, hold_out

BOX = (10, 10, 50, 50)


def images(*classes):
    """A data set of images that show these classes; a class in a tuple does not count."""
    return dataset([truth([(c if isinstance(c, int) else c[0], BOX, isinstance(c, tuple)) for c in one])
                    for one in classes])  # fmt: skip


def ids(data):
    return [sample.image_id for sample in data.samples]


def labels(data):
    return Counter(label for one in data.samples for label in set(one.truth.labels[~one.truth.ignore].tolist()))


@given(
    st.lists(st.lists(st.integers(0, 1), max_size=3), min_size=2, max_size=12),
    st.floats(0.01, 0.99),
    st.integers(0, 2**31),
)
def test_what_is_held_out_is_a_part_and_leaves_every_class(classes, share, seed):
    data = images(*classes)
    train, held = hold_out(data, share, seed)
    assert sorted(ids(train) + ids(held)) == ids(data)
    assert ids(train) == sorted(ids(train))
    assert ids(held) == sorted(ids(held))
    assert 1 <= len(held.samples) <= max(1, round(share * len(classes)))
    assert train.samples
    again = hold_out(data, share, seed)
    assert [ids(part) for part in again] == [ids(train), ids(held)]
    if any(all(labels(data)[label] > 1 for label in labels(images(one))) for one in classes):
        assert labels(train).keys() == labels(data).keys()


def test_with_plenty_of_each_class_the_share_is_exact_and_the_seed_matters():
    data = images(*[[0, 1]] * 50)
    assert len(hold_out(data, 0.2)[1].samples) == 10
    assert len({tuple(ids(hold_out(data, 0.2, seed)[1])) for seed in range(5)}) == 5


def test_the_only_image_of_a_class_stays_in_training():
    data = images([0], [0], [1], [0])
    for seed in range(20):
        assert "000002" in ids(hold_out(data, 0.6, seed)[0])


def test_where_each_image_is_the_only_one_of_a_class_one_is_held_out_all_the_same():
    assert [len(part.samples) for part in hold_out(images([0], [1]), 0.5)] == [1, 1]


def test_objects_that_do_not_count_keep_no_image():
    data = images([0, (1,)], [0], [0])
    assert any("000000" in ids(hold_out(data, 0.3, seed)[1]) for seed in range(20))


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_image_none_is_held_out(count):
    data = images(*[[0]] * count)
    train, held = hold_out(data, 0.5)
    assert (ids(train), ids(held)) == (ids(data), [])


def test_exclusions_follow_their_images_and_findings_stay():
    data = images([0], [0], [1])
    data = AnnotatedDataset(data.labels, data.samples, (Finding("X", "", "", ""),), excluded=((0, 1), (2, 0)))
    chosen = choose_samples(data, [1, 2])
    assert (ids(chosen), chosen.excluded) == (["000001", "000002"], [(1, 0)])
    assert chosen.findings == data.findings
    assert choose_samples(replace(data, excluded=()), [0]).excluded == []
