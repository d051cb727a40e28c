import pytest
from data_faults import code_of
from tiny_archives import packed_folder

from googlenet_rcnn.datasets import text_tree
from googlenet_rcnn.datasets.text_tree import TextTree


@pytest.fixture(params=["folder", "archive"])
def tree(request, tmp_path):
    """The same files as a folder and as an archive, which has that folder in it."""
    top = tmp_path / "top"
    (top / "top" / "xml" / "deep").mkdir(parents=True)
    (top / "top" / "list.txt").write_text("\ufeffa 1\r\n\r\nb\t2\n", encoding="utf-8")
    (top / "top" / "xml" / "a.xml").write_text("<a/>")
    (top / "top" / "xml" / "deep" / "b.xml").write_text("<b/>")
    if request.param == "folder":
        return TextTree(top)
    return TextTree(packed_folder(top / "top", tmp_path / "top.tar.gz"))


def test_both_kinds_answer_alike(tree):
    assert tree.names() == ["top"]
    assert tree.names("top") == ["list.txt", "xml"]
    assert tree.names("top/xml") == ["a.xml", "deep"]
    assert tree.names("none") == []
    assert [tree.is_folder(name) for name in ("", "top", "top/xml", "top/list.txt", "to")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert [tree.has(name) for name in ("top/list.txt", "top", "x")] == [True, False, False]
    assert tree.read("top/xml/a.xml") == b"<a/>"
    assert tree.rows("top/list.txt") == [["a", "1"], [], ["b", "2"]]
    assert tree.documents() == {"a": "top/xml/a.xml", "b": "top/xml/deep/b.xml"}
    assert tree.where("top/list.txt").endswith("/top/list.txt")
    assert tree.pictures.is_dir()


def test_what_a_folder_may_hold(tmp_path, monkeypatch):
    tree = TextTree(tmp_path)
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.xml").touch()
    assert code_of(tree.documents, "x/a.xml", "y/a.xml") == "DUPLICATE_ID"
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00")
    assert code_of(lambda: tree.rows("bad.txt"), "bad.txt") == "SPLIT_UNREADABLE"
    assert code_of(lambda: tree.read("x"), "x") == "ANN_UNREADABLE"
    monkeypatch.setattr(text_tree, "_MAX_BYTES", 2)
    assert code_of(lambda: tree.read("bad.txt"), "bad.txt") == "ANN_UNREADABLE"
    assert code_of(lambda: TextTree(tmp_path / "gone")) == "DATA_MISSING"
    assert code_of(lambda: TextTree(tmp_path / "bad.txt")) == "DATA_MISSING"
