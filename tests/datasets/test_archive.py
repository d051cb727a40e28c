import gzip
import io
import tarfile
import zipfile

import pytest
from data_faults import code_of
from tiny_archives import special, write_tar, write_zip

from googlenet_rcnn.datasets import archive
from googlenet_rcnn.datasets.archive import read_archive

FILES = [("top/b.xml", b"<b/>"), ("top/a.xml", b"<a/>"), ("top/a.jpg", b"pixels"), ("top/list.txt", b"a\n")]
KEPT = {"top/b.xml": b"<b/>", "top/a.xml": b"<a/>"}


@pytest.mark.parametrize(
    ("name", "mode"),
    [("x.tar", "w"), ("x.tar.gz", "w:gz"), ("x.tgz", "w:gz"), ("x.tar.bz2", "w:bz2"), ("x.tar.xz", "w:xz")],
)
def test_tars_give_the_wanted_files_in_their_order(tmp_path, name, mode):
    folder = special("top", tarfile.DIRTYPE)
    path = write_tar(tmp_path / name, [(folder, b""), *FILES], mode)
    assert list(read_archive(path, (".xml",)).items()) == list(KEPT.items())
    assert read_archive(path, (".none",)) == {}


def test_zips_too(tmp_path):
    path = write_zip(tmp_path / "x.zip", [("top/", b""), *FILES])
    assert list(read_archive(path, (".xml",)).items()) == list(KEPT.items())


def test_a_leading_dot_is_no_folder(tmp_path):
    assert read_archive(write_tar(tmp_path / "x.tar.gz", [("./a.xml", b"1")]), (".xml",)) == {"a.xml": b"1"}


# FAULTS 80: none of these is ever written to disk, and each is refused by name.
@pytest.mark.parametrize(
    "entry",
    [
        ("../a.xml", b""),
        ("/etc/a.xml", b""),
        ("a/../../b.xml", b""),
        ("a\\b.xml", b""),
        ("c:/a.xml", b""),
        (special("a.xml", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (special("a.xml", tarfile.LNKTYPE, "b.xml"), b""),
        (special("a.xml", tarfile.CHRTYPE), b""),
        (special("a.xml", tarfile.FIFOTYPE), b""),
    ],
)
def test_unsafe_members(tmp_path, entry):
    path = write_tar(tmp_path / "x.tar.gz", [("good.xml", b"1"), entry])
    assert code_of(lambda: read_archive(path, (".xml",)), "x.tar.gz") == "ARCHIVE_UNSAFE"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.tar.gz"]


@pytest.mark.parametrize("second", ["a.xml", "A.XML"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide(tmp_path, second):
    for path in (
        write_tar(tmp_path / "x.tar.gz", [("a.xml", b"1"), (second, b"2")]),
        write_zip(tmp_path / "x.zip", [("a.xml", b"1"), (second, b"2")]),
    ):
        assert code_of(lambda path=path: read_archive(path, (".xml",)), "twice") == "ARCHIVE_UNSAFE"


def test_zip_links_and_encryption(tmp_path):
    link = zipfile.ZipInfo("a.xml")
    link.external_attr = 0o120777 << 16
    assert code_of(lambda: read_archive(write_zip(tmp_path / "x.zip", [(link, b"b")]), (".xml",))) == "ARCHIVE_UNSAFE"
    data = bytearray(write_zip(tmp_path / "y.zip", [("a.xml", b"b")]).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    (tmp_path / "y.zip").write_bytes(data)
    assert code_of(lambda: read_archive(tmp_path / "y.zip", (".xml",)), "encrypted") == "ARCHIVE_UNSAFE"


def test_limits_on_count_and_sizes(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "x.tar.gz", [(f"{index}.xml", bytes(1000)) for index in range(10)])
    assert len(read_archive(path, (".xml",))) == 10
    for name, limit in (("_MAX_MEMBERS", 9), ("_MAX_TOTAL", 9999), ("_MAX_WANTED", 9999), ("_MAX_MEMBER", 999)):
        with monkeypatch.context() as patch:
            patch.setattr(archive, name, limit)
            assert code_of(lambda: read_archive(path, (".xml",))) == "ARCHIVE_UNSAFE", name


def test_a_zip_of_too_many_files_is_refused_by_its_list_alone(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "x.zip", [(f"{index}.xml", b"") for index in range(3)])
    path.write_bytes(path.read_bytes().replace(b"PK\x03\x04", b"PK\x00\x00"))  # none of them could be read
    assert code_of(lambda: read_archive(path, (".xml",))) == "ARCHIVE_UNREADABLE"
    monkeypatch.setattr(archive, "_MAX_MEMBERS", 2)
    assert code_of(lambda: read_archive(path, (".xml",)), "more than 2 files") == "ARCHIVE_UNSAFE"


def test_bombs_stay_packed(tmp_path):
    path = tmp_path / "x.zip"
    write_zip(path, [("a.xml", bytes(archive._MAX_MEMBER + 1))])
    assert path.stat().st_size < 50_000
    assert code_of(lambda: read_archive(path, (".xml",)), "too large") == "ARCHIVE_UNSAFE"
    # A header that claims to be huge, which tarfile would read whole.
    header = special("pax", tarfile.XHDTYPE)
    header.size = 10 * 2**30
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(20_000)))
    assert code_of(lambda: read_archive(tmp_path / "x.tar.gz", (".xml",)), "header") == "ARCHIVE_UNSAFE"


def test_damage_is_told_in_one_line(tmp_path):
    whole = write_tar(tmp_path / "x.tar.gz", [("a.xml", bytes(range(256)) * 500)]).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "text.tar.xz").write_bytes(b"<html>not found</html>" * 99)
    for name in ("cut.tar.gz", "cut.zip", "text.tar.xz"):
        assert code_of(lambda name=name: read_archive(tmp_path / name, (".xml",)), name) == "ARCHIVE_UNREADABLE"
    assert code_of(lambda: read_archive(tmp_path / "gone.zip", (".xml",)), "gone.zip") == "DATA_MISSING"


def test_a_flipped_bit_is_noticed(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.xml", b"<annotation/>")
    (tmp_path / "x.zip").write_bytes(file.getvalue().replace(b"<annotation/>", b"<annotatiom/>", 1))
    assert code_of(lambda: read_archive(tmp_path / "x.zip", (".xml",))) == "ARCHIVE_UNREADABLE"
