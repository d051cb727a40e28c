import json
import os

import pytest
import stub_detector
from command_errors import codes, error_lines
from hostile import encoded, fill_folder, odd_names, photo, write
from stub_parts import MovingClassifier

from googlenet_rcnn.cli.main import app


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


def test_boxes_stay_where_they_were_proposed_without_box_regression(cli, monkeypatch, album, rows):
    stub_detector.install(monkeypatch.setattr, MovingClassifier(), rows=((0, 5, 10, 15),))
    moved, still = (
        rows(cli("detect", "--image", album / "a.png", *flags).stdout)[0]["detections"][0]["box"]
        for flags in ((), ("--no-box-regression",))
    )
    assert moved == pytest.approx([0, 3, 10, 13], abs=0.01)
    assert still == [0, 5, 10, 15]


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
        (["--workers", "0"], "FLAG_VALUE"),
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
    result = cli("detect", album, "--quiet", "--weights", "no-such-model")
    assert (result.exit_code, codes(result)) == (2, ["WEIGHTS_UNKNOWN"])
    assert "no-such-model" in result.stderr
    assert "shipped" in result.stderr


def test_file_that_is_no_model_is_status_3(cli, album):
    result = cli("detect", album, "--quiet", "--weights", album / "a.png")
    assert (result.exit_code, codes(result)) == (3, ["MODEL_INVALID"])


def test_classifier_is_refused_as_detector(cli, album, classifier_file):
    result = cli("detect", album, "--quiet", "--weights", classifier_file)
    assert (result.exit_code, codes(result)) == (3, ["MODEL_TASK"])


def test_no_image_and_unknown_flag_are_status_2(detect):
    assert detect().exit_code == 2
    assert detect("--no-such-flag").exit_code == 2


def test_list_on_standard_input(detect, album, rows):
    result = detect("--image", "-", stdin=f"{album}/b.png\r\n{album}/a.png\n")
    assert [row["image_id"] for row in rows(result.stdout)] == ["b", "a"]


def test_times_are_numbers_in_every_row_of_a_file(detect, album, tmp_path):
    detect(album, "--out", tmp_path / "out.jsonl")
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        assert all(isinstance(value, float) for value in json.loads(line)["ms"].values())


def test_terminal_gets_a_table_in_place_of_rows(stub, picture, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    odd = picture(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9\n.png")), size=(4, 5))
    flags = ("--score-threshold", "0.9", "--threads", "1", "--image", str(odd), "gone.png")
    with pytest.raises(SystemExit) as caught:
        app(["detect", *flags])
    output = capsys.readouterr()
    assert caught.value.code == 4
    first, second = output.out.splitlines()
    assert "\\n.png  5x4, 1 proposals, " in first
    assert second.split() == ["red", "1.000", "x", "0..1", "y", "0..1"]
    assert output.err.startswith("error: IMG_MISSING: gone.png")
