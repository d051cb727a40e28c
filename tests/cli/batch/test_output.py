import json

import pytest

from googlenet_rcnn.cli.batch.inputs import write_inputs
from googlenet_rcnn.cli.batch.output import INPUTS, open_output
from googlenet_rcnn.cli.batch.parts import PartSummary, part_path, write_part
from googlenet_rcnn.cli.batch.tables import BatchImage
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import lock

pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")

SETTINGS = {"threshold": 0.5, "weights": ("abc",)}
FAILED = {"image_id": "i", "path": "i", "status": "failed", "code": "IMG_EMPTY", "message": "", "detections": []}
IMAGES = [BatchImage(f"i{index}", f"i{index}.jpg") for index in range(7)]
"""Parts of three, three and one."""


def begin(output, settings=SETTINGS, images=IMAGES, size=3):
    output.begin(settings, write_inputs(output.new_inputs, images, size), size)


def fill(output, *parts):
    return {
        part: write_part(output.folder, part, output.mark, 3 * part, [FAILED] * output.images_of(part))
        for part in parts
    }


def stopped(folder, *parts, **settings):
    """An output that a killed run has left."""
    with open_output(folder, False) as output:
        begin(output, **settings)
        fill(output, *parts)
    return folder


def refused(folder, overwrite=False, **settings):
    with pytest.raises(UsageError) as caught, open_output(folder, overwrite) as output:
        begin(output, **settings)
    return caught.value


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_parts_that_are_there_are_not_left_to_do(tmp_path):
    folder = stopped(tmp_path / "new" / "out", 2, 0)
    with open_output(folder, False) as output:
        begin(output)
        assert [output.images_of(part) for part in range(output.parts)] == [3, 3, 1]
        three, one = PartSummary(3, 3, 0, {"IMG_EMPTY": 3}), PartSummary(1, 1, 0, {"IMG_EMPTY": 1})
        assert output.finished_parts() == {0: three, 2: one}
    assert names(folder) == [INPUTS, "manifest.json", "part-0000000.parquet", "part-0000002.parquet"]
    assert names(tmp_path / "new") == ["out"]


def test_the_manifest_says_what_everything_depends_on(tmp_path):
    folder = stopped(tmp_path / "out", 0)
    found = manifest(folder)
    assert (found["schema"], found["finished"], found["images"], found["parts"]) == (1, False, 7, 3)
    assert found["settings"]["threshold"] == 0.5
    assert found["settings"]["weights"] == ["abc"]
    assert found["settings"]["part_size"] == 3
    assert len(found["settings"]["inputs"]) == 64
    assert found["columns"]["score"] == "double"
    with open_output(folder, False) as output:
        begin(output)
        output.finish(PartSummary(7, 2, 9, {"A": 2}))
    found = manifest(folder)
    assert (found["finished"], found["images"], found["failed"], found["detections"]) == (True, 7, 2, 9)
    assert found["codes"] == {"A": 2}


def test_a_finished_output_is_kept_unless_overwritten(tmp_path):
    folder = stopped(tmp_path / "out", 0, 1, 2)
    with open_output(folder, False) as output:
        begin(output)
        output.finish(PartSummary(7, 7, 0, {}))
    assert refused(folder).code == "OUT_EXISTS"
    with open_output(folder, True) as output:
        begin(output)
        assert output.finished_parts() == {}
        fill(output, 1)
    assert not manifest(folder)["finished"]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"settings": SETTINGS | {"threshold": 0.6}}, "threshold"),
        ({"settings": {"weights": ["abc"]}}, "threshold"),
        ({"images": IMAGES[:6]}, "inputs"),
        ({"size": 4}, "part_size"),
    ],
)
def test_parts_of_other_settings_are_refused_by_name_and_overwritten_if_told(tmp_path, other, named):
    folder = stopped(tmp_path / "out", 0)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    error = refused(folder, **other)
    assert (error.code, f"other {named}:" in error.message) == ("OUT_DIFFERS", True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with open_output(folder, True) as output:
        begin(output, **other)
        assert output.finished_parts() == {}
        fill(output, 1)
    assert names(folder) == [INPUTS, "manifest.json", "part-0000001.parquet"]


def test_overwrite_continues_what_has_equal_settings(tmp_path):
    folder = stopped(tmp_path / "out", 1)
    with open_output(folder, True) as output:
        begin(output)
        assert list(output.finished_parts()) == [1]


def test_without_a_manifest_parts_belong_to_nobody(tmp_path):
    folder = stopped(tmp_path / "out", 0)
    for text in (None, "", "[]", "{}"):
        (folder / "manifest.json").unlink(missing_ok=True)
        if text is not None:
            (folder / "manifest.json").write_text(text)
        error = refused(folder)
        assert (error.code, "manifest" in error.message) == ("OUT_DIFFERS", True)


def test_torn_and_half_done_files_are_made_again(tmp_path):  # FAULTS 84
    folder = stopped(tmp_path / "out", 0, 1)
    torn = part_path(folder, 1)
    torn.write_bytes(torn.read_bytes()[:-8])
    for left in (".part-0000002.parquet.123.tmp", ".part-0000002.attempt", ".inputs.arrow.new"):
        (folder / left).write_text("half")
    with open_output(folder, False) as output:
        begin(output)
        assert list(output.finished_parts()) == [0]
    assert names(folder) == [INPUTS, "manifest.json", "part-0000000.parquet"]


def test_a_run_without_a_single_part_leaves_nothing_and_binds_nobody(tmp_path):
    stopped(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    stopped(tmp_path / "mine")
    assert names(tmp_path) == ["mine"]  # it was there before
    assert names(tmp_path / "mine") == []


def test_a_kill_before_the_first_part_binds_nobody(tmp_path):
    folder = stopped(tmp_path / "out", 0)
    part_path(folder, 0).unlink()  # now the folder is as a kill leaves it
    with open_output(folder, False) as output:
        begin(output, settings={"threshold": 0.9})
        assert output.finished_parts() == {}


def test_other_files_are_not_to_be_mixed_with_parts(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "holiday.jpg").write_text("")
    for overwrite in (False, True):
        error = refused(tmp_path / "out", overwrite)
        assert (error.code, "holiday.jpg" in error.message) == ("OUT_NOT_EMPTY", True)
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file").code == "OUT_UNWRITABLE"


def test_two_runs_do_not_share_an_output(tmp_path):
    with lock(tmp_path / "out.lock"):
        assert refused(tmp_path / "out").code == "OUT_BUSY"
