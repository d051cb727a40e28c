import json

import pytest
from batch_rows import batch_rows

from googlenet_rcnn.cli.batch.parts import (
    PartSummary,
    part_path,
    part_schema,
    read_summary,
    settings_mark,
    total,
    write_part,
)

parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `tables` is not installed")

FAILED = {
    "schema": 1, "image_id": "b", "path": "x/b.jpg", "status": "failed", "code": "IMG_EMPTY",
    "message": "x/b.jpg: the file has 0 bytes", "detections": [],
}  # fmt: skip


def row(name="a", found=2, warnings=(), **more):
    detections = [
        {
            "label": "cat" if index % 2 else "dog",
            "score": 0.9345671 / (index + 1),
            "box": [0.5, 1.25, 10.0 + index, 20.0],
        }
        for index in range(found)
    ]
    image = {
        "schema": 1, "image_id": name, "path": f"x/{name}.jpg", "width": 30, "height": 40, "status": "ok",
        "detections": detections, "proposals": 17,
    }  # fmt: skip
    return image | ({"warnings": list(warnings)} if warnings else {}) | more


def test_rows_come_back_digit_by_digit(tmp_path):
    rows = [row(), FAILED, row("c", 0), row("d", 1, ("IMG_NO_EOI", "IMG_MULTI_FRAME")), row("ü/e 🙂", 3)]
    write_part(tmp_path, 0, "mark", 0, rows)
    assert batch_rows(tmp_path) == rows


def test_there_is_a_line_for_each_detection_and_one_for_an_image_without(tmp_path):
    write_part(tmp_path, 3, "mark", 60, [row(), row("c", 0), FAILED])
    table = parquet.read_table(part_path(tmp_path, 3)).to_pydict()
    assert table["input"] == [60, 60, 61, 62]
    assert table["label"] == ["dog", "cat", None, None]
    assert table["status"] == ["ok", "ok", "ok", "failed"]
    assert table["code"] == [None, None, None, "IMG_EMPTY"]
    assert parquet.read_schema(part_path(tmp_path, 3)).names == part_schema().names


def test_times_are_kept(tmp_path):
    times = {"decode": 1.25, "propose": 80.5, "total": 99.0}
    write_part(tmp_path, 0, "mark", 0, [row(ms=times)])
    assert [dict(cell) for cell in parquet.read_table(part_path(tmp_path, 0))["ms"].to_pylist()] == [times, times]


def test_the_summary_is_in_the_footer(tmp_path):
    rows = [row(), FAILED, row("c", 0), FAILED | {"image_id": "d", "code": "IMG_MISSING"}, FAILED]
    summary = write_part(tmp_path, 7, "mark", 0, rows)
    assert summary == PartSummary(5, 3, 2, {"IMG_EMPTY": 2, "IMG_MISSING": 1})
    assert read_summary(tmp_path, 7, "mark") == summary


def test_a_part_that_is_absent_torn_or_of_other_settings_has_no_summary(tmp_path):  # FAULTS 84
    assert read_summary(tmp_path, 0, "mark") is None
    write_part(tmp_path, 0, "mark", 0, [row()])
    assert read_summary(tmp_path, 0, "other") is None
    whole = part_path(tmp_path, 0).read_bytes()
    part_path(tmp_path, 1).write_bytes(whole)  # copied under the name of another part
    assert read_summary(tmp_path, 1, "mark") is None
    for size in (0, 4, len(whole) // 2, len(whole) - 1):
        part_path(tmp_path, 0).write_bytes(whole[:size])
        assert read_summary(tmp_path, 0, "mark") is None
    parquet.write_table(parquet.read_table(part_path(tmp_path, 1)).replace_schema_metadata({}), part_path(tmp_path, 0))
    assert read_summary(tmp_path, 0, "mark") is None


def test_a_failure_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def fails(*arguments, **options):
        arguments[1].write(b"PAR1 torn")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "write_table", fails)
    with pytest.raises(ValueError, match="DISK_FULL"):
        write_part(tmp_path, 0, "mark", 0, [row()])
    assert list(tmp_path.iterdir()) == []


def test_the_total_is_the_sum(tmp_path):
    parts = [PartSummary(5, 2, 9, {"B": 1, "A": 1}), PartSummary(3, 0, 0, {}), PartSummary(2, 2, 0, {"B": 2})]
    assert total(parts) == PartSummary(10, 4, 9, {"A": 1, "B": 3})
    assert total([]) == PartSummary(0, 0, 0, {})


def test_the_mark_depends_on_every_setting_and_not_on_their_order():
    settings = {"a": 1, "b": [0.5, "x"]}
    assert settings_mark(settings) == settings_mark(json.loads(json.dumps({"b": [0.5, "x"], "a": 1})))
    assert len({settings_mark(settings | other) for other in ({}, {"a": 2}, {"b": [0.5]}, {"c": None})}) == 4


def test_parts_sort_by_number():
    from pathlib import Path

    names = [part_path(Path("f"), index).name for index in (0, 9, 10, 99_999, 1_000_000)]
    assert names == sorted(names)
