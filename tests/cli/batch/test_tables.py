from pathlib import Path

import pytest
from result_formats import code_of

from googlenet_rcnn.cli.batch.tables import BatchImage, expand_tables, image_files, is_table, table_images
from googlenet_rcnn.cli.inputs import ImageFile

arrow = pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def table(tmp_path):
    """Writes a Parquet table of columns, in row groups of three, and gives its path."""

    def make(columns, name="images.parquet"):
        parquet.write_table(arrow.table(columns), tmp_path / name, row_group_size=3)
        return str(tmp_path / name)

    return make


def test_a_column_of_paths_is_a_list(table):
    expected = [BatchImage("a", "x/a.jpg"), BatchImage("b", "x/b.png")]
    assert list(table_images(table({"path": ["x/a.jpg", "x/b.png"]}))) == expected
    assert list(table_images(table({"file": ["x/a.jpg", "x/b.png"]}))) == expected  # the only column
    assert list(table_images(table({"path": ["x/a.jpg", "x/b.png"], "year": [1, 2]}))) == expected


def test_ids_may_be_given_as_text_or_numbers(table):
    named = table({"path": ["a.jpg", "b.jpg", "c.jpg"], "image_id": ["one", None, "three"]})
    assert [image.image_id for image in table_images(named)] == ["one", "b", "three"]
    numbered = table({"path": ["a.jpg", "b.jpg"], "image_id": [7, 8]})
    assert [image.image_id for image in table_images(numbered)] == ["7", "8"]


def test_a_null_path_is_an_image_that_fails_by_itself(table):
    assert list(table_images(table({"path": ["a.jpg", None]}))) == [BatchImage("a", "a.jpg"), BatchImage("", "")]


@pytest.mark.parametrize("names", [(), ("image_id",), ("path",), ("path", "image_id")])
def test_bytes_are_found_again_in_any_ascending_choice_of_rows(table, names):
    """Against the plain list, over row groups and gaps."""
    content = [bytes([index]) * (index + 1) for index in range(10)]
    columns = {"bytes": content, "path": [f"p{i}.png" for i in range(10)], "image_id": [f"i{i}" for i in range(10)]}
    path = table({name: columns[name] for name in ("bytes", *names)})
    images = list(table_images(path))
    assert [(image.table, image.row) for image in images] == [(path, row) for row in range(10)]
    paths = [f"p{i}.png" if "path" in names else f"{path}#{i}" for i in range(10)]
    assert [image.path for image in images] == paths
    other = [f"p{i}" if "path" in names else f"images/{i}" for i in range(10)]
    ids = [f"i{i}" for i in range(10)] if "image_id" in names else other
    assert [image.image_id for image in images] == ids
    for rows in (range(10), [0], [9], [2, 3], [3, 8], [0, 2, 4, 9], [5, 6, 7]):
        expected = [ImageFile(ids[row], paths[row], content[row]) for row in rows]
        assert list(image_files(images[row] for row in rows)) == expected


def test_files_and_rows_of_several_tables_keep_their_order(table):
    one, two = table({"bytes": [b"1", b"2"]}, "one.parquet"), table({"bytes": [b"3", None]}, "two.parquet")
    images = [BatchImage("a", "a.jpg"), *table_images(one), BatchImage("b", "b.jpg"), *table_images(two)]
    images += table_images(one)  # given twice: twice in the batch
    assert [file.data for file in image_files(images)] == [None, b"1", b"2", None, b"3", b"", b"1", b"2"]


def test_an_empty_table_has_no_images(table):
    assert list(table_images(table({"path": arrow.array([], arrow.string())}))) == []
    assert list(table_images(table({"bytes": arrow.array([], arrow.binary())}))) == []


def test_what_is_no_table_of_images_is_told(table, tmp_path):
    columns = {"width": [1], "height": [2]}
    assert code_of(lambda: list(table_images(table(columns))), "path or bytes", "width, height") == "TABLE_SCHEMA"
    assert code_of(lambda: list(table_images(table({"bytes": ["text"]}))), "binary") == "TABLE_SCHEMA"
    nested = {"path": [{"inner": 1}]}
    assert code_of(lambda: list(table_images(table(nested))), "images.parquet") == "TABLE_UNREADABLE"
    whole = Path(table({"path": ["a.jpg"]})).read_bytes()
    (tmp_path / "torn.parquet").write_bytes(whole[:-9])
    for name in ("torn.parquet", "none.parquet"):
        assert code_of(lambda name=name: list(table_images(str(tmp_path / name))), name) == "TABLE_UNREADABLE"


def test_a_table_that_has_shrunk_since_is_told(table):
    images = list(table_images(table({"bytes": [b"1", b"2", b"3", b"4"]})))
    table({"bytes": [b"1", b"2"]})
    assert code_of(lambda: list(image_files(images)), "no row 2", "--overwrite") == "TABLE_CHANGED"


def test_globs_and_folders_of_tables(table, tmp_path):
    (tmp_path / "set.parquet").mkdir()
    inner = [table({"path": ["a"]}, f"set.parquet/{name}.parquet") for name in "ba"]
    outer = table({"path": ["a"]}, "z.parquet")
    assert expand_tables(str(tmp_path / "set.parquet")) == sorted(inner)
    assert expand_tables(str(tmp_path / "*.parquet")) == [*sorted(inner), outer]
    assert expand_tables(str(tmp_path / "set.parquet" / "*.parquet")) == sorted(inner)
    assert expand_tables(outer) == [outer]
    assert code_of(lambda: expand_tables(str(tmp_path / "no*.parquet")), "no*.parquet") == "NO_IMAGES"
    assert [is_table(name) for name in ("a.parquet", "b/A.PARQUET", "a.txt", "-", "parquet")] == [1, 1, 0, 0, 0]
