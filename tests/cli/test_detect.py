import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import encoded, fill_folder, odd_names, photo, write
from PIL import Image

from googlenet_rcnn.core.types import Dataset, LabelSet, Sample
from googlenet_rcnn.eval.results import read_results


def error_lines(result):
    """Lines on stderr that tell an error, each with its code."""
    lines = result.stderr.splitlines()
    assert all(line.startswith(("error: ", "note: ", "continuing", "image ")) for line in lines), lines
    return [line for line in lines if line.startswith("error: ")]


def codes(result):
    return [line.split(": ")[1] for line in error_lines(result)]


def test_row_has_exactly_the_documented_fields(detect, album, rows):
    result = detect("--image", album / "a.png")
    assert (result.exit_code, result.stderr) == (0, "")
    (row,) = rows(result.stdout, keep_ms=True)
    assert list(row) == [
        "schema", "image_id", "path", "width", "height", "status", "detections", "proposals", "ms",
    ]  # fmt: skip
    assert (row["schema"], row["image_id"], row["path"]) == (1, "a", str(album / "a.png"))
    assert (row["width"], row["height"], row["status"], row["proposals"]) == (30, 20, "ok", 3)
    assert set(row["ms"]) == {"decode", "propose", "warp", "classify"}
    assert all(value >= 0 for value in row["ms"].values())
    assert row["detections"][0] == {"label": "red", "score": 1.0, "box": [0.0, 0.0, 1.0, 1.0]}


def test_each_input_gives_a_row_in_order_also_when_named_twice(detect, album, rows):
    result = detect(album, album / "c.png", "--image", album / "b.png")
    found = rows(result.stdout)
    assert [row["image_id"] for row in found] == ["b", "a", "b", "c", "c"]
    assert [row["detections"][0]["label"] for row in found] == ["green", "red", "green", "blue", "blue"]


def test_image_id_is_the_stem_or_the_path_below_the_folder(detect, picture, tmp_path, rows):
    picture(tmp_path / "in" / "sub" / "x.y.png")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/in/sub/x.y.png\n")
    for argument in (f"{tmp_path}/in/sub/x.y.png", f"{tmp_path}/list.txt", f"{tmp_path}/in/*/*.png"):
        assert rows(detect(argument).stdout)[0]["image_id"] == "x.y"
    assert rows(detect(tmp_path / "in").stdout)[0]["image_id"] == "sub/x.y"


def test_warning_does_not_change_the_status(detect, tmp_path, rows):
    write(tmp_path, "x.jpg", encoded(photo(), "PNG"))
    result = detect(tmp_path)
    assert result.exit_code == 0
    assert rows(result.stdout)[0]["status"] == "ok"
    assert rows(result.stdout)[0]["warnings"] == ["IMG_EXT_MISMATCH"]


def test_each_bad_file_gives_one_line_and_one_row_and_the_others_go_on(detect, picture, tmp_path, rows):
    bad = fill_folder(tmp_path)
    good = picture(tmp_path / "zz.png")
    paths = [tmp_path / name for name in bad if not (tmp_path / name).is_dir()]
    result = detect(*paths, good)
    assert result.exit_code == 4
    *failed, last = rows(result.stdout)
    assert last["status"] == "ok"
    assert codes(result) == [bad[path.name] for path in paths] == [row["code"] for row in failed]
    for row, path, line in zip(failed, paths, error_lines(result), strict=True):
        assert list(row) == ["schema", "image_id", "path", "status", "code", "message", "detections"]
        assert (row["status"], row["detections"], row["path"]) == ("failed", [], str(path))
        assert line == f"error: {row['code']}: {row['message']}"
        assert str(path) in line


def test_folder_named_like_a_picture_in_a_list_is_a_bad_file(detect, album, tmp_path):
    (tmp_path / "x.jpg").mkdir()
    (tmp_path / "list.txt").write_text(f"{tmp_path}/x.jpg\n{album}/a.png\n")
    result = detect(tmp_path / "list.txt")
    assert (result.exit_code, codes(result)) == (4, ["IMG_NOT_A_FILE"])


def test_all_bad_is_status_3(detect, tmp_path, rows):
    result = detect(tmp_path / "one.jpg", tmp_path / "two.jpg")
    assert (result.exit_code, codes(result)) == (3, ["IMG_MISSING", "IMG_MISSING"])
    assert [row["status"] for row in rows(result.stdout)] == ["failed", "failed"]


def test_on_error_fail_stops_at_the_first_bad_file_and_says_so_once(detect, album, tmp_path, rows):
    result = detect(album / "a.png", tmp_path / "gone.jpg", album / "b.png", "--on-error", "fail")
    assert (result.exit_code, codes(result)) == (3, ["IMG_MISSING"])
    assert [row["image_id"] for row in rows(result.stdout)] == ["a"]


def test_quiet_still_tells_errors(detect, album, tmp_path):
    result = detect(album, tmp_path / "gone.jpg", "--quiet", "--mode", "fast")
    assert codes(result) == ["IMG_MISSING"]
    assert len(result.stderr.splitlines()) == 1


def test_odd_names_never_break_the_output(detect, picture, tmp_path, rows):
    folder = tmp_path / "in"
    good = picture(tmp_path / "good.png").read_bytes()
    folder.mkdir()
    for number, name in enumerate(odd_names()):
        with open(os.path.join(os.fsencode(folder), name), "wb") as stream:
            stream.write(good if number % 2 else b"")
    result = detect(folder, "--draw", tmp_path / "drawn", "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 4
    assert codes(result) == ["IMG_EMPTY"] * 3
    found = rows(tmp_path / "out.jsonl")
    assert len(found) == len(odd_names())
    paths = {row["path"] for row in found}
    assert str(folder / "фото café 写真.jpg") in paths
    assert str(folder / "new\nline.jpg") in paths
    assert f"{folder}/latin1-\\xe9\\xff.jpg" in paths
    (tmp_path / "out.jsonl").read_text().encode("ascii")
    assert len(list((tmp_path / "drawn").iterdir())) == 3


def test_one_pixel_is_an_image(detect, picture, tmp_path, rows):
    result = detect(picture(tmp_path / "dot.png", size=(1, 1)))
    (row,) = rows(result.stdout)
    assert (result.exit_code, row["width"], row["height"], row["status"]) == (0, 1, 1, "ok")


def test_cut_file_can_be_salvaged(detect, tmp_path, rows):
    fill_folder(tmp_path)
    result = detect(tmp_path / "half.jpg", "--truncated", "salvage")
    assert result.exit_code == 0
    assert rows(result.stdout)[0]["warnings"] == ["IMG_TRUNCATED"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--engine", "none"], "ENGINE_UNKNOWN"),
        (["--method", "none"], "METHOD_UNKNOWN"),
        (["--format", "none"], "FORMAT_UNKNOWN"),
        (["--format", "voc"], "OUT_MISSING"),
        (["--mode", "none"], "MODE_UNKNOWN"),
        (["--preset", "none"], "PROPOSAL_SETTING"),
        (["--superpixel-scale", "0"], "PROPOSAL_SETTING"),
        (["--seed", "-1"], "PROPOSAL_SETTING"),
        (["--score-threshold", "1.5"], "FLAG_VALUE"),
        (["--score-threshold", "nan"], "FLAG_VALUE"),
        (["--nms-iou", "-0.1"], "FLAG_VALUE"),
        (["--max-detections", "0"], "FLAG_VALUE"),
        (["--threads", "-1"], "FLAG_VALUE"),
        (["--max-pixels", "0"], "FLAG_VALUE"),
        (["--truncated", "none"], "FLAG_VALUE"),
        (["--on-error", "none"], "FLAG_VALUE"),
    ],
)
def test_wrong_flags_are_one_line_and_status_2_before_anything_is_written(detect, album, tmp_path, flags, code):
    out = [] if "voc" in flags else ["--out", tmp_path / "out.jsonl"]
    result = detect(album, *out, *flags)
    assert (result.exit_code, codes(result), result.stdout) == (2, [code], "")
    assert not list(tmp_path.glob("out*"))


def test_unknown_weights_are_status_2_and_name_what_ships(cli, album):
    result = cli("detect", album, "--weights", "no-such-model")
    assert (result.exit_code, codes(result)) == (2, ["WEIGHTS_UNKNOWN"])
    assert "no-such-model" in result.stderr
    assert "shipped" in result.stderr


def test_file_that_is_no_model_is_status_3(cli, album):
    result = cli("detect", album, "--weights", album / "a.png")
    assert (result.exit_code, codes(result)) == (3, ["MODEL_INVALID"])


def test_classifier_is_refused_as_detector(cli, album, classifier_file):
    result = cli("detect", album, "--weights", classifier_file)
    assert (result.exit_code, codes(result)) == (3, ["MODEL_TASK"])


def test_no_image_and_unknown_flag_are_status_2(detect):
    assert detect().exit_code == 2
    assert detect("--no-such-flag").exit_code == 2


def test_list_on_standard_input(detect, album, rows):
    result = detect("--image", "-", stdin=f"{album}/b.png\r\n{album}/a.png\n")
    assert [row["image_id"] for row in rows(result.stdout)] == ["b", "a"]


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
        assert drawn.size == (300, 200)
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


INSTALL = "import stub_detector; stub_detector.install(classifier={classifier})"


def test_killed_process_loses_and_doubles_nothing(process, detect, album, tmp_path, rows):
    out, good = tmp_path / "out.jsonl", tmp_path / "good.jsonl"
    arguments = ("detect", "--score-threshold", "0.2", "--threads", "1", album)
    killed = INSTALL.format(classifier="stub_detector.killed_after(2)")
    assert process(*arguments, "--out", out, code=killed).returncode == -9
    assert not out.exists()
    assert len(rows(tmp_path / "out.jsonl.part")) == 2
    assert detect(album, "--out", out).exit_code == 0
    assert detect(album, "--out", good).exit_code == 0
    assert rows(out) == rows(good)
    assert not list(tmp_path.glob("out.jsonl.*"))


def test_reader_that_goes_away_is_a_clean_end(process, album):
    install = INSTALL.format(classifier=None)
    with open(os.devnull) as nothing:
        reading, writing = os.pipe()
        os.close(reading)  # as `head` does once it has its line
        options = {"stdout": writing, "stderr": subprocess.PIPE, "stdin": nothing, "capture_output": False}
        result = process("detect", *([album] * 20), "--threads", "1", "--quiet", code=install, **options)
        os.close(writing)
    assert (result.returncode, result.stderr) == (0, "")


def test_console_script_detects_with_real_weights(process, detector_file, checkpoint, tmp_path, rows):
    """The whole way: two networks as an ensemble, proposals, a file that is bad, JSON lines on a pipe."""
    write(tmp_path, "a.jpg", encoded(photo(40, 50), "JPEG"))
    write(tmp_path, "b.jpg", b"")
    other = checkpoint(tmp_path / "other.safetensors", seed=1)
    flags = ("--preset", "single", "--superpixel-scale", "8", "--score-threshold", "0.01", "--threads", "1")
    found = {}
    for name, weights in (("one", [detector_file]), ("both", [detector_file, other])):
        chosen = [item for path in weights for item in ("--weights", path)]
        result = process("detect", *chosen, "--image", tmp_path / "a.jpg", tmp_path / "b.jpg", *flags)
        assert result.returncode == 4, result.stderr
        assert codes(result) == ["IMG_EMPTY"]
        row, bad = rows(result.stdout)
        assert bad["code"] == "IMG_EMPTY"
        assert row["proposals"] > 0
        found[name] = row["detections"]
    assert found["one"]
    assert found["one"] != found["both"]


def test_installed_script_is_there():
    script = Path(sys.executable).with_name("detect")
    if not script.is_file():
        pytest.skip("the package's scripts are not installed")
    result = subprocess.run([script], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, codes(result)) == (2, ["NO_IMAGES"])


def test_members_of_an_ensemble_must_share_labels_and_warp(cli, album, detector_file, checkpoint, tmp_path):
    labels = checkpoint(tmp_path / "labels.safetensors", labels=("a", "b"))
    warp = checkpoint(tmp_path / "warp.safetensors", warp_context=0)
    for other, code in ((labels, "ENSEMBLE_LABELS"), (warp, "ENSEMBLE_WARP")):
        result = cli("detect", album, "--weights", detector_file, "--weights", other)
        assert (result.exit_code, codes(result)) == (2, [code])


def test_times_are_numbers_in_every_row_of_a_file(detect, album, tmp_path):
    detect(album, "--out", tmp_path / "out.jsonl")
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        assert all(isinstance(value, float) for value in json.loads(line)["ms"].values())
