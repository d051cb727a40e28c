import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import stub_proposer
from command_errors import codes, error_lines
from hostile import encoded, fill_folder, photo, write

from googlenet_rcnn.cli.main import app


@pytest.fixture
def stub(monkeypatch):
    return stub_proposer.install(monkeypatch.setattr)


@pytest.fixture
def propose(cli):
    """Runs `propose` with one thread."""

    def run(*arguments, stdin=None):
        return cli("propose", "--threads", "1", *arguments, stdin=stdin)

    return run


def test_row_has_exactly_the_documented_fields(propose, stub, album, rows):
    result = propose("--image", album / "a.png")
    assert (result.exit_code, result.stderr) == (0, "")
    (row,) = rows(result.stdout, keep_ms=True)
    assert list(row) == [
        "schema", "image_id", "path", "width", "height", "status", "boxes", "scores", "sources", "ms",
    ]  # fmt: skip
    assert (row["schema"], row["image_id"], row["path"]) == (1, "a", str(album / "a.png"))
    assert (row["width"], row["height"], row["status"]) == (30, 20, "ok")
    assert set(row["ms"]) == {"decode", "propose"}
    assert row["boxes"] == [[0, 0, 20, 10], [2, 2, 12.13, 9], [0, 0, 1, 1], [1, 1, 9, 9]]
    assert row["scores"] == [0, -1, -2, 0]
    assert row["sources"] == ["ss", "ss", "ss", "multibox"]


def test_flags_reach_the_proposer_and_limit_keeps_the_first_boxes(propose, stub, album, rows):
    flags = ("--method", "multibox+ss", "--multibox-k", "7", "--multibox-nms", "0.5", "--superpixel-scale", "3")
    result = propose(album / "a.png", *flags, "--preset", "quality", "--seed", "5", "--limit", "2")
    assert callable(stub.settings.pop("say"))
    assert stub.settings.pop("runtime").name == "auto"
    assert stub.settings == {
        "method": "multibox+ss",
        "engine": "native",
        "preset": "quality",
        "superpixel_scale": 3.0,
        "seed": 5,
        "multibox": "multibox-voc07",
        "multibox_k": 7,
        "multibox_nms": 0.5,
    }
    assert rows(result.stdout)[0]["boxes"] == [[0, 0, 20, 10], [2, 2, 12.13, 9]]
    propose(album / "a.png")
    assert (stub.settings["superpixel_scale"], stub.settings["multibox_nms"]) == (None, None)


def test_each_input_gives_a_row_in_order_also_from_a_list_on_standard_input(propose, stub, album, tmp_path, rows):
    found = rows(propose(album, album / "c.png", "--image", album / "b.png").stdout)
    assert [row["image_id"] for row in found] == ["b", "a", "b", "c", "c"]
    result = propose("--image", "-", stdin=f"{album}/b.png\r\n{album}/a.png\n")
    assert [row["image_id"] for row in rows(result.stdout)] == ["b", "a"]
    (tmp_path / "list.txt").write_text(f"{album}/c.png\n")
    assert [row["image_id"] for row in rows(propose(tmp_path / "list.txt").stdout)] == ["c"]


def test_each_bad_file_gives_one_line_and_one_row_and_the_others_go_on(propose, stub, picture, tmp_path, rows):
    bad = fill_folder(tmp_path)
    good = picture(tmp_path / "zz.png")
    paths = [tmp_path / name for name in bad if not (tmp_path / name).is_dir()]
    result = propose(*paths, good, "--workers", "3")
    assert result.exit_code == 4
    *failed, last = rows(result.stdout)
    assert last["status"] == "ok"
    assert codes(result) == [bad[path.name] for path in paths] == [row["code"] for row in failed]
    for row, line in zip(failed, error_lines(result), strict=True):
        assert list(row) == [
            "schema", "image_id", "path", "status", "code", "message", "boxes", "scores", "sources",
        ]  # fmt: skip
        assert row["boxes"] == row["scores"] == row["sources"] == []
        assert line == f"error: {row['code']}: {row['message']}"
    assert propose(*paths).exit_code == 3


def test_on_error_fail_stops_at_the_first_bad_file_and_says_so_once(propose, stub, album, tmp_path, rows):
    for workers in ("1", "2"):
        arguments = (album / "a.png", tmp_path / "gone.jpg", album / "b.png", "--workers", workers)
        result = propose(*arguments, "--on-error", "fail")
        assert (result.exit_code, codes(result)) == (3, ["IMG_MISSING"])
        assert [row["image_id"] for row in rows(result.stdout)] == ["a"]


def test_warnings_and_salvage_are_those_of_the_decoder(propose, stub, tmp_path, rows):
    write(tmp_path, "x.jpg", encoded(photo(), "PNG"))
    assert rows(propose(tmp_path / "x.jpg").stdout)[0]["warnings"] == ["IMG_EXT_MISMATCH"]
    fill_folder(tmp_path)
    result = propose(tmp_path / "half.jpg", "--truncated", "salvage", "--quiet")
    assert (result.exit_code, rows(result.stdout)[0]["warnings"]) == (0, ["IMG_TRUNCATED"])
    assert codes(propose(tmp_path / "x.jpg", "--max-pixels", "100")) == ["IMG_TOO_LARGE"]


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--engine", "none"], "ENGINE_UNKNOWN"),
        (["--method", "none"], "METHOD_UNKNOWN"),
        (["--method", "none.jsonl"], "METHOD_UNKNOWN"),
        (["--method", "multibox", "--multibox-weights", "none"], "WEIGHTS_UNKNOWN"),
        (["--format", "none"], "FORMAT_UNKNOWN"),
        (["--preset", "none"], "PROPOSAL_SETTING"),
        (["--superpixel-scale", "0"], "PROPOSAL_SETTING"),
        (["--seed", "-1"], "PROPOSAL_SETTING"),
        (["--multibox-k", "0"], "FLAG_VALUE"),
        (["--multibox-nms", "nan"], "FLAG_VALUE"),
        (["--limit", "0"], "FLAG_VALUE"),
        (["--draw-top", "0"], "FLAG_VALUE"),
        (["--workers", "0"], "FLAG_VALUE"),
        (["--max-pixels", "0"], "FLAG_VALUE"),
        (["--truncated", "none"], "FLAG_VALUE"),
        (["--on-error", "none"], "FLAG_VALUE"),
    ],
)
def test_wrong_flags_are_one_line_and_status_2_before_anything_is_written(propose, album, tmp_path, flags, code):
    result = propose(album, "--out", tmp_path / "out.jsonl", *flags)
    assert (result.exit_code, codes(result), result.stdout) == (2, [code], "")
    assert not list(tmp_path.glob("out*"))


def test_what_is_missing_is_said_before_the_work(propose, stub, album):
    assert codes(propose()) == ["NO_IMAGES"]
    assert codes(propose(album, "--format", "npz")) == ["OUT_MISSING"]
    assert propose("--no-such-flag").exit_code == 2
    assert stub.calls == 0


def test_terminal_gets_a_table_in_place_of_rows(stub, picture, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    odd = picture(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9\n.png")))
    with pytest.raises(SystemExit) as caught:
        app(["propose", "--image", str(odd), "gone.png", "--threads", "1"])
    output = capsys.readouterr()
    assert caught.value.code == 4
    first, *boxes = output.out.splitlines()
    assert "\\n.png  30x20, 4 boxes (ss 3, multibox 1), " in first
    assert boxes[1].split() == ["ss", "-1.000", "x", "2..12", "y", "2..9"]
    assert len(boxes) == 4
    assert output.err.startswith("error: IMG_MISSING: gone.png")


def test_real_search_gives_equal_bytes_in_another_process_and_with_more_workers(process, propose, tmp_path, rows):
    images = [write(tmp_path, f"{n}.png", encoded(photo(40, 50 + n), "PNG")) for n in range(3)]
    flags = ("--preset", "single", "--superpixel-scale", "4", "--quiet", *images)
    once = process("propose", *flags, "--workers", "3")
    assert (once.returncode, codes(once)) == (0, [])
    assert rows(once.stdout) == rows(propose(*flags).stdout)
    for row in rows(once.stdout):
        assert len(row["boxes"]) == len(row["scores"]) == len(row["sources"]) > 1
        assert set(row["sources"]) == {"ss"}
        assert all(0 <= x1 < x2 <= row["width"] and 0 <= y1 < y2 <= row["height"] for x1, y1, x2, y2 in row["boxes"])
    assert rows(propose(*flags, "--seed", "1").stdout) != rows(once.stdout)
    limited = rows(propose(*flags, "--limit", "3").stdout)
    assert [row["boxes"] for row in limited] == [row["boxes"][:3] for row in rows(once.stdout)]


def test_one_pixel_and_long_images_have_boxes(propose, tmp_path, rows):
    images = [
        write(tmp_path, f"{n}.png", encoded(photo(*size), "PNG")) for n, size in enumerate([(1, 1), (2, 90), (90, 2)])
    ]
    result = propose(*images, "--preset", "single", "--draw", tmp_path / "drawn")
    assert result.exit_code == 0
    assert all(row["boxes"] for row in rows(result.stdout))
    assert len(list((tmp_path / "drawn").iterdir())) == 9


def test_help_comes_at_once():
    command = [sys.executable, "-m", "googlenet_rcnn.cli.main", "propose", "--help"]
    took = []
    for _ in range(3):
        started = time.perf_counter()
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        took.append(time.perf_counter() - started)
    assert "--multibox-nms" in result.stdout
    assert min(took) < 2  # half a second on an idle machine


def test_installed_script_is_there():
    script = Path(sys.executable).with_name("propose")
    if not script.is_file():
        pytest.skip("the package's scripts are not installed")
    result = subprocess.run([script], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, codes(result)) == (2, ["NO_IMAGES"])
