import pytest
from command_errors import codes, error_lines
from PIL import Image

from googlenet_rcnn.core.types import Dataset, LabelSet, Sample
from googlenet_rcnn.eval.results import read_results


def test_finished_output_is_kept_unless_overwritten(detect, album, tmp_path, rows):
    out = tmp_path / "new" / "out.jsonl"
    assert detect(album, "--out", out).exit_code == 0
    assert [path.name for path in out.parent.iterdir()] == ["out.jsonl"]
    before = out.read_bytes()
    refused = detect(album, "--out", out)
    assert (refused.exit_code, codes(refused)) == (2, ["OUT_EXISTS"])
    assert out.read_bytes() == before
    assert detect(album / "a.png", "--out", out, "--overwrite").exit_code == 0
    assert len(rows(out)) == 1


@pytest.mark.parametrize("stopped", [0, 1, 2])
def test_interrupted_run_is_continued_to_the_same_rows(detect, stub, album, tmp_path, rows, stopped):
    good, out = tmp_path / "good.jsonl", tmp_path / "out.jsonl"
    arguments = (album, tmp_path / "gone.jpg", "--draw", tmp_path / "drawn")
    stub.after = stopped
    result = detect(*arguments, "--out", out)
    assert result.exit_code == 130
    assert error_lines(result)[0].startswith("error: INTERRUPTED: ")
    assert not out.exists()
    stub.after = 10**9
    stub.calls.clear()
    result = detect(*arguments, "--out", out)
    assert len(stub.calls) == 3 - stopped
    assert result.exit_code == 4
    assert ("continuing after" in result.stderr) == (stopped > 0)
    detect(*arguments, "--out", good, "--overwrite")
    assert rows(out) == rows(good)
    assert len(list((tmp_path / "drawn").iterdir())) == 3


def test_exit_status_counts_the_failures_of_the_earlier_run(detect, stub, album, tmp_path):
    arguments = (tmp_path / "gone.jpg", album, "--out", tmp_path / "out.jsonl")
    stub.after = 1
    assert detect(*arguments).exit_code == 130
    stub.after = 10**9
    assert detect(*arguments).exit_code == 4


def test_other_settings_or_images_do_not_continue_a_run(detect, stub, album, tmp_path):
    out = ("--out", tmp_path / "out.jsonl")
    stub.after = 1
    detect(album, *out)
    stub.after = 10**9
    for arguments in (
        (album, "--nms-iou", "0.5"),
        (album / "a.png",),
        (album, "--weights", "other"),
        (album, "--no-exif"),
        (album, "--runtime", "torch"),
        (album, "--multibox-k", "7"),
    ):
        result = detect(*arguments, *out)
        assert (result.exit_code, codes(result)) == (2, ["OUT_DIFFERS"])
    assert detect(album, *out, "--quiet", "--threads", "2", "--on-error", "fail").exit_code == 0


def test_two_writers_do_not_mix(detect, stub, album, tmp_path, rows):
    out = tmp_path / "out.jsonl"
    inner = []
    original = stub.stop

    def second_writer():
        stub.after = 10**9
        inner.append(detect(album, "--out", out, "--overwrite"))

    stub.after, stub.stop = 1, second_writer
    assert detect(album, "--out", out).exit_code == 0
    stub.stop = original
    assert (inner[0].exit_code, codes(inner[0])) == (2, ["OUT_BUSY"])
    assert [row["image_id"] for row in rows(out)] == ["a", "b", "c"]


def as_dataset(samples):
    return Dataset(LabelSet(("red", "green", "blue")), tuple(Sample(one, None) for one in samples))


def test_voc_files_say_what_the_rows_say(detect, album, tmp_path):
    assert detect(album, "--out", tmp_path / "voc", "--format", "voc").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "voc").iterdir())
    assert names == [*(f"comp4_det_images_{name}.txt" for name in ("blue", "green", "red")), "detections.jsonl"]
    data = as_dataset("abc")
    tables = [read_results(tmp_path / "voc" / name, data).table for name in ("", "detections.jsonl")]
    assert len(tables[0]) == 6
    found = [sorted(zip(t.image_index, t.label, t.score, map(tuple, t.boxes), strict=True)) for t in tables]
    assert found[0] == found[1]


def test_interrupted_voc_run_is_continued(detect, stub, album, tmp_path):
    arguments = (album, "--out", tmp_path / "voc", "--format", "voc")
    stub.after = 1
    assert detect(*arguments).exit_code == 130
    (tmp_path / "voc" / "comp4_det_images_red.txt").write_text("as if stopped while writing these")
    stub.after = 10**9
    assert detect(*arguments).exit_code == 0
    assert len(read_results(tmp_path / "voc", as_dataset("abc")).table) == 6


def test_voc_refuses_what_it_could_not_write_before_the_work(detect, stub, picture, album, tmp_path):
    result = detect(picture(tmp_path / "two words.png"), "--out", tmp_path / "voc", "--format", "voc")
    assert (result.exit_code, codes(result)) == (2, ["ID_HAS_SPACE"])
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / "comp4_det_images_red.txt").write_text("mine")
    result = detect(album, "--out", tmp_path / "voc", "--format", "voc")
    assert (result.exit_code, codes(result)) == (2, ["OUT_EXISTS"])
    assert stub.calls == []


def test_out_that_cannot_be_written_is_status_2(detect, stub, album, tmp_path):
    (tmp_path / "file").write_text("")
    for flags in (["--out", tmp_path], ["--out", tmp_path / "file" / "x"], ["--draw", tmp_path / "file"]):
        assert detect(album, *flags).exit_code == 2
    assert stub.calls == []


def test_pictures_are_drawn_one_for_each_file(detect, picture, tmp_path):
    paths = [picture(tmp_path / "in" / name, size=(200, 300)) for name in ("x/a.png", "y/a.png", "y/A.png")]
    assert detect(*paths, paths[0], "--draw", tmp_path / "drawn").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["A~3.jpg", "a.jpg", "a~2.jpg"]
    with Image.open(tmp_path / "drawn" / "a.jpg") as drawn:
        assert drawn.size == (600, 400)  # small pictures are enlarged, so that labels can be read
        assert len(drawn.getcolors(10**6)) > 20  # the input has one
    assert detect(tmp_path / "in", "--draw", tmp_path / "tree").exit_code == 0
    assert (tmp_path / "tree" / "x" / "a.jpg").is_file()


def test_no_picture_is_overwritten_and_no_input_ever(detect, stub, picture, album, tmp_path):
    source = picture(tmp_path / "in" / "p.jpg")
    before = source.read_bytes()
    for arguments, code in (
        ((source, "--draw", tmp_path / "in", "--overwrite"), "OUT_IS_INPUT"),
        ((tmp_path / "in", "--draw", tmp_path / "in", "--overwrite"), "OUT_IN_INPUT"),
        ((tmp_path, "--draw", tmp_path / "drawn"), "OUT_IN_INPUT"),
    ):
        result = detect(*arguments)
        assert (result.exit_code, codes(result)) == (2, [code])
    assert stub.calls == []
    assert source.read_bytes() == before
    assert detect(album, "--draw", tmp_path / "drawn").exit_code == 0
    assert codes(detect(album, "--draw", tmp_path / "drawn")) == ["OUT_EXISTS"]
    assert detect(album, "--draw", tmp_path / "drawn", "--overwrite").exit_code == 0
