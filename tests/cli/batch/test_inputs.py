import os

import pytest

from googlenet_rcnn.cli.batch.inputs import batch_images, read_block, write_inputs
from googlenet_rcnn.cli.batch.tables import BatchImage
from googlenet_rcnn.cli.inputs import find_images
from googlenet_rcnn.core.errors import DataError, UsageError

arrow = pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
parquet = pytest.importorskip("pyarrow.parquet")


def named(count):
    return [BatchImage(f"i{index}", f"some/i{index}.jpg") for index in range(count)]


@pytest.mark.parametrize("count", [1, 3, 4, 8, 9])
def test_block_k_holds_the_images_that_part_k_covers(tmp_path, count):
    images = named(count)
    found = write_inputs(tmp_path / "inputs.arrow", images, 4)
    assert (found.images, found.blocks) == (count, -(-count // 4))
    for block in range(found.blocks):
        assert read_block(tmp_path / "inputs.arrow", block) == images[4 * block : 4 * block + 4]


def test_nothing_is_an_empty_list(tmp_path):
    found = write_inputs(tmp_path / "inputs.arrow", [], 4)
    assert (found.images, found.blocks) == (0, 0)


def test_every_kind_of_name_survives(tmp_path):
    odd = os.fsdecode(b"caf\xe9/\xff.jpg")  # bytes that are no UTF-8
    images = [BatchImage(odd[:-4], odd), BatchImage("Ω/π 🙂", "Ω/π 🙂.png"), BatchImage("t/5", "t#5", odd, 5)]
    write_inputs(tmp_path / "inputs.arrow", images, 2)
    assert [*read_block(tmp_path / "inputs.arrow", 0), *read_block(tmp_path / "inputs.arrow", 1)] == images


def test_the_digest_tells_any_difference_of_the_list_and_nothing_else(tmp_path):
    def digest(images, block=4):
        return write_inputs(tmp_path / "inputs.arrow", images, block).digest

    images = named(6)
    assert digest(images) == digest(iter(images)) == digest(images, 5)
    changes = {"path": "other/i5.jpg"}, {"table": "t"}, {"image_id": "x"}, {"table": "t", "row": 1}
    others = [images[:5], images[::-1], [*images, images[0]]]
    others += [[*images[:5], images[5]._replace(**change)] for change in changes]
    digests = {digest(other) for other in others}
    assert len(digests) == len(others)
    assert digest(images) not in digests


def test_arguments_mean_what_they_mean_to_detect(tmp_path, album):
    (tmp_path / "list.txt").write_text(f"{album / 'c.png'}\n{album / 'gone.png'}\n")
    arguments = [str(album), str(tmp_path / "list.txt"), str(album / "[ab].png"), str(album / "a.png")]
    assert list(batch_images(arguments)) == [BatchImage(file.image_id, file.path) for file in find_images(arguments)]


def test_tables_stand_where_they_are_named(tmp_path, album):
    parquet.write_table(arrow.table({"path": ["t1.jpg", "t2.jpg"]}), tmp_path / "t.parquet")
    found = batch_images([str(album / "a.png"), str(tmp_path / "*.parquet"), str(album / "b.png")])
    assert [image.image_id for image in found] == ["a", "t1", "t2", "b"]


def test_errors_are_those_of_detect(tmp_path):
    with pytest.raises(UsageError, match="NO_IMAGES"):
        list(batch_images([]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="NO_IMAGES"):
        list(batch_images([str(tmp_path / "empty")]))
    with pytest.raises(UsageError, match="LIST_UNREADABLE"):
        list(batch_images([str(tmp_path / "none.txt")]))
