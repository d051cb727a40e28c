"""`--method FILE`: boxes from a file that `propose` has written."""

import json

import numpy as np
import pytest
import stub_proposer
from command_errors import codes, error_lines
from PIL import Image

from googlenet_rcnn.cli.proposal_source import proposal_file
from googlenet_rcnn.core.errors import UsageError


@pytest.fixture
def propose(cli):
    def run(*arguments):
        return cli("propose", "--threads", "1", *arguments)

    return run


@pytest.fixture(params=["jsonl", "npz"])
def recorded(request, propose, album, tmp_path, monkeypatch):
    """Proposals of the album in a file, made by the stub."""
    path = tmp_path / f"boxes.{request.param}"
    with monkeypatch.context() as patch:
        stub_proposer.install(patch.setattr)
        assert propose(album, "--out", path, "--format", request.param).exit_code == 0
    return path


def test_file_is_read_back_as_it_was_written(propose, recorded, album, tmp_path, rows):
    result = propose(album, "--method", recorded, "--out", tmp_path / "again.jsonl")
    assert (result.exit_code, codes(result)) == (0, [])
    again = rows(tmp_path / "again.jsonl")
    assert [row["image_id"] for row in again] == ["a", "b", "c"]
    assert again[0]["boxes"] == [[0, 0, 20, 10], [2, 2, 12.13, 9], [0, 0, 1, 1], [1, 1, 9, 9]]
    assert again[0]["sources"] == ["ss", "ss", "ss", "multibox"]
    assert all(len(row["boxes"]) == 2 for row in rows(propose(album, "--method", recorded, "--limit", "2").stdout))


def test_looking_at_a_file_draws_its_boxes_only(propose, recorded, album, tmp_path):
    assert propose(album / "a.png", "--method", recorded, "--draw", tmp_path / "drawn").exit_code == 0
    (path,) = (tmp_path / "drawn").iterdir()
    assert path.name == "a-boxes.png"
    with Image.open(path) as drawn:
        colours = {colour for _, colour in drawn.convert("RGB").getcolors(10**6)}
    assert {(230, 159, 0), (86, 180, 233)} <= colours


def test_image_the_file_lacks_or_of_another_size_fails_alone(propose, recorded, picture, album, tmp_path, rows):
    other = picture(tmp_path / "other" / "a.png", size=(21, 30))
    unknown = picture(tmp_path / "other" / "zzz.png")
    result = propose(other, album / "b.png", unknown, "--method", recorded)
    assert (result.exit_code, codes(result)) == (4, ["SIZE_MISMATCH", "PROPOSALS_MISSING"])
    first, good, last = rows(result.stdout)
    assert (first["status"], good["status"], last["status"]) == ("failed", "ok", "failed")
    assert "30x21" in first["message"]
    assert "30x20" in first["message"]
    assert "'zzz'" in last["message"]
    assert str(recorded) in last["message"]


def test_detect_takes_its_boxes_from_the_file(detect, recorded, album, picture, tmp_path, rows):
    result = detect(album, picture(tmp_path / "zzz.png"), "--method", recorded)
    assert (result.exit_code, codes(result)) == (4, ["PROPOSALS_MISSING"])
    *found, missing = rows(result.stdout, keep_ms=True)
    assert [row["proposals"] for row in found] == [4, 4, 4]  # the stub would have proposed three
    assert [row["detections"][0]["label"] for row in found] == ["red", "green", "blue"]
    assert set(found[0]["ms"]) == {"decode", "propose", "warp", "classify"}
    assert missing["detections"] == []


@pytest.mark.parametrize("command", ["propose", "detect"])
def test_file_that_is_wrong_is_one_line_and_status_3(cli, stub, command, album, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"schema":1,"image_id":"a","status":"ok","width":30,"height":20,"boxes":[[1]]}\n')
    (tmp_path / "bad.npz").write_bytes(b"PK rubbish")
    for path in (bad, tmp_path / "bad.npz"):
        result = cli(command, album, "--threads", "1", "--method", path, "--out", tmp_path / "out.jsonl")
        assert result.exit_code == 3
        (line,) = error_lines(result)
        assert str(path) in line
    assert not list(tmp_path.glob("out*"))
    result = cli(command, album, "--method", tmp_path / "none.npz")
    assert (result.exit_code, codes(result)) == (2, ["METHOD_UNKNOWN"])


def test_file_is_never_its_own_output(propose, recorded, album):
    before = recorded.read_bytes()
    result = propose(album, "--method", recorded, "--out", recorded, "--overwrite")
    assert (result.exit_code, codes(result)) == (2, ["OUT_IS_INPUT"])
    assert recorded.read_bytes() == before


def test_run_is_continued_with_the_same_boxes_only(detect, stub, album, tmp_path):
    path = tmp_path / "boxes.jsonl"

    def write(x2):
        same = {"schema": 1, "status": "ok", "width": 30, "height": 20, "scores": [1], "sources": ["ss"]}
        lines = [json.dumps(same | {"image_id": name, "boxes": [[0, 0, x2, 9]]}) for name in "abc"]
        path.write_text("\n".join(lines) + "\n")

    write(20)
    arguments = (album, "--method", path, "--out", tmp_path / "out.jsonl")
    stub.after = 1
    assert detect(*arguments).exit_code == 130
    stub.after = 10**9
    write(21)
    assert codes(detect(*arguments)) == ["OUT_DIFFERS"]
    write(20)
    assert detect(*arguments).exit_code == 0


def test_only_a_name_with_a_files_ending_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ss").write_text("")
    np.savez(tmp_path / "x.npz", a=np.zeros(1))
    assert proposal_file("ss") is None
    assert proposal_file("x.npz") is not None
    with pytest.raises(UsageError, match=r"x\.jsonl"):
        proposal_file("x.jsonl")
