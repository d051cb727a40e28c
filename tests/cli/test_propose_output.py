import os
import subprocess

import numpy as np
import pytest
import stub_proposer
from command_errors import codes, error_lines
from PIL import Image

from googlenet_rcnn.eval.proposal_file import read_proposals


@pytest.fixture
def stub(monkeypatch):
    return stub_proposer.install(monkeypatch.setattr)


@pytest.fixture
def propose(cli):
    def run(*arguments):
        return cli("propose", "--threads", "1", *arguments)

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def same_output(rows):
    """Whether two outputs are equal, apart from the times."""

    def same(first, second):
        if first.suffix == ".npz":
            return first.read_bytes() == second.read_bytes()
        return rows(first) == rows(second)

    return same


@pytest.mark.parametrize("kind", ["jsonl", "npz"])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("stopped", [0, 1, 2])
def test_interrupted_run_is_continued_to_the_same_bytes(
    propose, stub, album, tmp_path, same_output, kind, workers, stopped
):
    good, out = tmp_path / f"good.{kind}", tmp_path / f"out.{kind}"
    arguments = (album, tmp_path / "gone.jpg", "--draw", tmp_path / "drawn", "--format", kind)
    stub.after = stopped
    result = propose(*arguments, "--out", out, "--workers", workers)
    assert result.exit_code == 130
    assert error_lines(result)[0].startswith("error: INTERRUPTED: ")
    assert not out.exists()
    stub.after, stub.calls = 10**9, 0
    result = propose(*arguments, "--out", out, "--workers", "3")
    assert result.exit_code == 4
    assert stub.calls == 3 or ("continuing after" in result.stderr)
    assert propose(*arguments, "--out", good, "--overwrite").exit_code == 4
    assert same_output(out, good)
    assert names(tmp_path) == sorted(["album", "drawn", f"good.{kind}", f"out.{kind}"])
    assert names(tmp_path / "drawn") == ["a-boxes.png", "b-boxes.png", "c-boxes.png"]


def test_killed_process_loses_and_doubles_nothing(process, propose, stub, album, tmp_path, rows):
    out, good = tmp_path / "out.npz", tmp_path / "good.npz"
    arguments = ("--format", "npz", album)
    killed = process(
        "propose",
        *arguments,
        "--workers",
        "1",
        "--out",
        out,
        code="import stub_proposer; stub_proposer.killed_after(2)",
    )
    assert killed.returncode == -9
    assert len(rows(tmp_path / "out.npz.part")) == 2
    with (tmp_path / "out.npz.part").open("a") as stream:
        stream.write('{"schema":1,"image')  # as if killed while writing
    assert propose(*arguments, "--out", out).exit_code == 0
    assert stub.calls == 1
    assert propose(*arguments, "--out", good).exit_code == 0
    assert out.read_bytes() == good.read_bytes()
    assert names(tmp_path) == ["album", "good.npz", "out.npz"]


def test_finished_output_is_kept_unless_overwritten_and_folders_are_made(propose, stub, album, tmp_path):
    for kind in ("jsonl", "npz"):
        out = tmp_path / "new" / f"out.{kind}"
        assert propose(album, "--out", out, "--format", kind).exit_code == 0
        before = out.read_bytes()
        refused = propose(album, "--out", out, "--format", kind)
        assert (refused.exit_code, codes(refused)) == (2, ["OUT_EXISTS"])
        assert out.read_bytes() == before
        assert propose(album / "a.png", "--out", out, "--format", kind, "--overwrite").exit_code == 0
        assert list(read_proposals(out).proposals) == ["a"]


def test_other_settings_or_images_do_not_continue_a_run_but_other_workers_do(propose, stub, album, tmp_path):
    out = ("--out", tmp_path / "out.jsonl")
    stub.after = 1
    propose(album, *out, "--workers", "1")
    stub.after = 10**9
    for arguments in ((album, "--limit", "5"), (album / "a.png",), (album, "--seed", "1"), (album, "--no-exif")):
        result = propose(*arguments, *out)
        assert (result.exit_code, codes(result)) == (2, ["OUT_DIFFERS"])
    assert propose(album, *out, "--quiet", "--workers", "2", "--draw", tmp_path / "drawn").exit_code == 0


def test_more_workers_work_at_once_and_write_the_same(propose, stub, picture, tmp_path, same_output):
    paths = [picture(tmp_path / "in" / f"{n:02d}.png", size=(20 + n, 30)) for n in range(12)]
    arguments = (*paths, tmp_path / "gone.jpg", "--draw")
    propose(*arguments, tmp_path / "one", "--out", tmp_path / "one.jsonl", "--workers", "1")
    assert stub.most_at_once == 1
    stub.pause = 0.02
    propose(*arguments, tmp_path / "three", "--out", tmp_path / "three.jsonl", "--workers", "3")
    assert stub.most_at_once == 3
    assert same_output(tmp_path / "one.jsonl", tmp_path / "three.jsonl")
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "three" / name).read_bytes()


def test_npz_holds_what_the_lines_hold(propose, stub, album, tmp_path, rows):
    arguments = (album / "a.png", tmp_path / "gone.jpg", album / "b.png")
    assert propose(*arguments, "--out", tmp_path / "x.jsonl").exit_code == 4
    assert propose(*arguments, "--out", tmp_path / "x.npz", "--format", "npz").exit_code == 4
    with np.load(tmp_path / "x.npz") as arrays:
        found = dict(arrays)
    assert found["image_ids"].tolist() == ["a", "gone", "b"]
    assert found["sizes"].tolist() == [[20, 30], [0, 0], [20, 30]]
    assert found["failed"].tolist() == [False, True, False]
    assert found["offsets"].tolist() == [0, 4, 4, 8]
    assert found["source_names"].tolist() == ["ss", "multibox"]
    assert (found["boxes"].dtype, found["sources"].dtype.kind) == (np.float32, "i")
    for n, row in enumerate(rows(tmp_path / "x.jsonl")):
        mine = slice(found["offsets"][n], found["offsets"][n + 1])
        np.testing.assert_array_equal(found["boxes"][mine], np.array(row["boxes"], np.float32).reshape(-1, 4))
        np.testing.assert_array_equal(found["scores"][mine], np.array(row["scores"], np.float32))
        assert found["source_names"][found["sources"][mine]].tolist() == row["sources"]
    assert read_proposals(tmp_path / "x.npz").failed == read_proposals(tmp_path / "x.jsonl").failed == ("gone",)


def test_npz_of_nothing_but_bad_files_is_whole(propose, stub, tmp_path):
    out = tmp_path / "x.npz"
    result = propose(tmp_path / "gone.jpg", "--out", out, "--format", "npz")
    assert (result.exit_code, codes(result)) == (3, ["IMG_MISSING"])
    assert read_proposals(out).failed == ("gone",)
    with np.load(out) as arrays:
        assert (arrays["boxes"].shape, arrays["source_names"].shape) == ((0, 4), (0,))


def test_two_writers_do_not_mix(propose, stub, album, tmp_path, rows):
    out = tmp_path / "out.jsonl"
    inner = []

    def second_writer():
        stub.after = 10**9
        inner.append(propose(album, "--out", out, "--overwrite"))

    stub.after, stub.stop = 1, second_writer
    assert propose(album, "--out", out, "--workers", "1").exit_code == 0
    assert (inner[0].exit_code, codes(inner[0])) == (2, ["OUT_BUSY"])
    assert [row["image_id"] for row in rows(out)] == ["a", "b", "c"]


def test_out_that_cannot_be_written_is_status_2(propose, stub, album, tmp_path):
    (tmp_path / "file").write_text("")
    for flags in (["--out", tmp_path], ["--out", tmp_path / "file" / "x"], ["--draw", tmp_path / "file"]):
        assert propose(album, *flags).exit_code == 2
    assert stub.calls == 0


def test_no_picture_is_overwritten_and_no_input_ever(propose, stub, picture, album, tmp_path):
    picture(tmp_path / "in" / "p.png")
    source = picture(tmp_path / "in" / "p-boxes.png")
    before = source.read_bytes()
    for arguments, code in (
        ((tmp_path / "in" / "p.png", source, "--draw", tmp_path / "in", "--overwrite"), "OUT_IS_INPUT"),
        ((tmp_path / "in", "--draw", tmp_path / "in" / "new", "--overwrite"), "OUT_IN_INPUT"),
    ):
        result = propose(*arguments)
        assert (result.exit_code, codes(result)) == (2, [code])
    assert (stub.calls, source.read_bytes()) == (0, before)
    assert propose(album, "--draw", tmp_path / "drawn").exit_code == 0
    assert codes(propose(album, "--draw", tmp_path / "drawn")) == ["OUT_EXISTS"]
    assert propose(album, "--draw", tmp_path / "drawn", "--overwrite").exit_code == 0


def test_search_is_drawn_in_three_pictures_and_images_of_one_name_have_their_own(propose, picture, tmp_path):
    paths = [picture(tmp_path / "in" / name) for name in ("x/a.png", "y/a.png")]
    flags = ("--preset", "single", "--superpixel-scale", "4", "--draw-top", "5")
    assert propose(*paths, *flags, "--draw", tmp_path / "drawn").exit_code == 0
    endings = ["boxes.png", "grouping.png", "segmentation.png"]
    assert names(tmp_path / "drawn") == [f"{name}-{ending}" for name in ("a", "a~2") for ending in endings]
    for path in (tmp_path / "drawn").iterdir():
        with Image.open(path) as drawn:
            assert drawn.format == "PNG"
            assert min(drawn.size) >= 100


def test_reader_that_goes_away_is_a_clean_end(process, album):
    install = "import stub_proposer; stub_proposer.install()"
    with open(os.devnull) as nothing:
        reading, writing = os.pipe()
        os.close(reading)  # as `head` does once it has its line
        options = {"stdout": writing, "stderr": subprocess.PIPE, "stdin": nothing, "capture_output": False}
        result = process("propose", *([album] * 20), "--workers", "2", "--quiet", code=install, **options)
        os.close(writing)
    assert (result.returncode, result.stderr) == (0, "")
