import pytest

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.label_list import load_labels


def test_voc20_is_alphabetical():
    names = load_labels("voc20").names
    assert len(names) == 20
    assert list(names) == sorted(names)
    assert (names[0], names[14], names[19]) == ("aeroplane", "person", "tvmonitor")


def test_own_list(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("\ufeffred fox\r\n\r\nbadger\r\n", encoding="utf-8")
    assert load_labels(path).names == ("red fox", "badger")


@pytest.mark.parametrize(("text", "code"), [("", "LABELS_INVALID"), ("a\na\n", "LABELS_INVALID")])
def test_bad_lists(tmp_path, text, code):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load_labels(path)
    assert caught.value.code == code


def test_unknown_names(tmp_path):
    with pytest.raises(DataError, match="voc20"):
        load_labels("voc21")
    with pytest.raises(DataError, match="no\\.txt"):
        load_labels(tmp_path / "no.txt")
