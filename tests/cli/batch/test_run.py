"""The `batch` command with the stub detector, its parts made in this process instead of by Ray's workers."""

import inspect
import json
import os
import sys
from pathlib import Path

import pytest
from batch_rows import batch_rows, draw_pictures
from command_errors import codes

from googlenet_rcnn.cli import detection_parts
from googlenet_rcnn.cli.batch import run as command
from googlenet_rcnn.cli.batch.worker import PartWorker
from googlenet_rcnn.cli.batch_commands import batch as batch_command
from googlenet_rcnn.cli.detection_commands import detect as detect_command
from googlenet_rcnn.core.errors import ResourceError

pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")

FLAGS = ("--score-threshold", "0.2", "--part-size", "5")


@pytest.fixture
def workers(monkeypatch):
    """Stands for the workers: gives the parts that were asked for, last first, and may be told to stop them."""

    class Workers(list):
        stop_after = 10**9
        stop = KeyboardInterrupt

    asked = Workers()

    def make_parts(job, parts, cluster):
        worker = PartWorker(job)
        for part in reversed(parts):
            if len(asked) == asked.stop_after:
                raise asked.stop
            asked.append(part)
            yield part, worker.make(part)

    monkeypatch.setattr(command, "load_ray", lambda address: None)
    monkeypatch.setattr(command, "make_parts", make_parts)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # the command sets it, and it is put back afterwards
    return asked


@pytest.fixture
def batch(cli, stub, workers, pictures, tmp_path):
    """Runs `batch` over the pictures."""

    def run(*flags):
        return cli("batch", pictures, "--out", tmp_path / "out", *FLAGS, *flags)

    return run


@pytest.fixture
def pictures(tmp_path):
    """Forty pictures, three of them empty files."""
    draw_pictures(tmp_path / "pictures", 40)
    return tmp_path / "pictures"


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_a_batch_is_what_detect_makes(batch, detect, pictures, workers, tmp_path, rows):
    expected = rows(detect(pictures).stdout)
    result = batch()
    assert (result.exit_code, codes(result), result.stdout) == (4, [], "")
    assert "image 40/40" in result.stderr
    assert "note: 3 of 40 images failed (IMG_EMPTY 3)" in result.stderr
    assert batch_rows(tmp_path / "out") == expected
    found = manifest(tmp_path / "out")
    assert [found[key] for key in ("finished", "images", "parts", "failed")] == [True, 40, 8, 3]
    assert found["detections"] == sum(len(row["detections"]) for row in expected)
    assert (found["settings"]["weights"], found["settings"]["score_threshold"]) == (["stub"], 0.2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pictures"]


def test_quiet_says_nothing(batch):
    assert (batch("--quiet").stderr, batch("--quiet", "--overwrite").stderr) == ("", "")


def test_a_stopped_run_is_continued_and_a_finished_one_kept(batch, workers, tmp_path):
    workers.stop_after = 3
    result = batch()
    assert (result.exit_code, codes(result)) == (130, ["INTERRUPTED"])
    assert not manifest(tmp_path / "out")["finished"]
    workers.stop_after = 10**9
    result = batch()
    assert result.exit_code == 4
    assert "continuing after 15 images" in result.stderr
    assert sorted(workers) == list(range(8))  # each part was made once
    result = batch()
    assert (result.exit_code, codes(result)) == (2, ["OUT_EXISTS"])
    assert batch("--overwrite").exit_code == 4
    assert sorted(workers) == sorted([*range(8), *range(8)])


def test_all_parts_there_but_no_word_of_an_end(batch, workers, tmp_path):
    """Killed between the last part and the manifest: nothing is left to do but to say so."""
    batch()
    expected = manifest(tmp_path / "out")
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(expected | {"finished": False}))
    assert batch().exit_code == 4
    assert len(workers) == 8
    assert manifest(tmp_path / "out") == expected


@pytest.mark.parametrize(
    ("flags", "key"),
    [
        (("--score-threshold", "0.3"), "score_threshold"),
        (("--weights", "other"), "weights"),
        (("--part-size", "6"), "part_size"),
        (("--seed", "1"), "seed"),
    ],
)
def test_other_settings_are_refused_by_name(batch, workers, tmp_path, flags, key):
    workers.stop_after = 3
    batch()
    result = batch(*flags)
    assert (result.exit_code, codes(result)) == (2, ["OUT_DIFFERS"])
    assert f"other {key}:" in result.stderr


def test_what_does_not_change_a_row_may_change(batch, workers):
    workers.stop_after = 3
    batch()
    workers.stop_after = 10**9
    result = batch("--workers", "3", "--cpus-per-worker", "1", "--object-store-mb", "256", "--quiet")
    assert (result.exit_code, len(workers)) == (4, 8)


@pytest.mark.parametrize(
    ("flags", "found", "named"),
    [
        ((), ["openvino-int8", "openvino-int8"], "openvino-int8"),  # workers need not measure again
        ((), ["openvino", "onnxruntime"], "auto"),
        ((), ["openvino-bf16"], "auto"),  # no name of a runtime, but of what it computes in here
        (("--runtime", "torch"), ["torch"], "torch"),
        (("--gpus-per-worker", "0.5"), None, "torch"),  # whatever would be fastest on this machine
    ],
)
def test_workers_get_the_runtime_that_was_found_here(batch, workers, monkeypatch, flags, found, named):
    given = []

    def make_parts(job, parts, cluster):
        given.append(job)
        yield from ()

    monkeypatch.setattr(command, "make_parts", make_parts)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    monkeypatch.setattr(detection_parts, "detection_runtimes", lambda options: found or [options.runtime])
    batch(*flags)
    (job,) = given
    assert (job.options.runtime, list(job.runtimes)) == (named, found or [named])
    assert [job.part_size, job.weights, job.directory] == [5, ("stub",), Path.cwd()]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ("7" if "--gpus-per-worker" in flags else "")


def test_no_end_is_told_while_a_part_is_missing(batch, workers, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "make_parts", lambda job, parts, cluster: (one for one in ()))
    result = batch()
    assert (result.exit_code, codes(result)) == (5, ["PARTS_LOST"])
    assert not (tmp_path / "out").exists()


def test_batch_has_the_flags_of_detect_with_the_same_defaults():
    """But those that say what becomes of the rows, and how many threads there are."""
    ours, theirs = inspect.signature(batch_command).parameters, inspect.signature(detect_command).parameters
    only = {"out", "format", "numbers", "draw", "report", "on_error", "threads", "workers"}
    assert {name: one.default for name, one in theirs.items() if name not in only}.items() <= {
        name: one.default for name, one in ours.items()
    }.items()


def test_help(cli):
    for flag in ("--help", "-h"):
        result = cli("batch", flag)
        assert (result.exit_code, "--part-size" in result.stdout) == (0, True)


def test_a_lack_on_a_worker_ends_the_run_with_what_is_done(batch, workers, tmp_path):
    workers.stop_after, workers.stop = 2, ResourceError("MEMORY", "not enough")
    result = batch()
    assert (result.exit_code, codes(result)) == (5, ["MEMORY"])
    assert len(list((tmp_path / "out").glob("part-*.parquet"))) == 2


def test_if_every_image_fails_so_does_the_command(cli, stub, workers, tmp_path):
    (tmp_path / "list.txt").write_text("gone.png\nalso gone.png\n")
    result = cli("batch", tmp_path / "list.txt", "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "2 of 2 images failed (IMG_MISSING 2)" in result.stderr
    assert cli("batch", tmp_path / "list.txt", "--out", tmp_path / "out").exit_code == 2


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--part-size", "0"), "FLAG_VALUE"),
        (("--workers", "0"), "FLAG_VALUE"),
        (("--cpus-per-worker", "0"), "FLAG_VALUE"),
        (("--gpus-per-worker", "-1"), "FLAG_VALUE"),
        (("--object-store-mb", "10"), "FLAG_VALUE"),
        (("--mode", "slow"), "MODE_UNKNOWN"),
        (("--truncated", "maybe"), "FLAG_VALUE"),
        (("--address", "auto"), "WORKERS_MISSING"),
    ],
)
def test_wrong_flags_are_told_before_any_work(cli, stub, pictures, tmp_path, flags, code):
    result = cli("batch", pictures, "--out", tmp_path / "out", *flags)
    assert (result.exit_code, codes(result)) == (2, [code])
    assert not (tmp_path / "out").exists()


def test_nothing_to_do_is_told(cli, stub, workers, tmp_path):
    (tmp_path / "empty").mkdir()
    assert codes(cli("batch", "--out", tmp_path / "out")) == ["NO_IMAGES"]
    assert codes(cli("batch", tmp_path / "empty", "--out", tmp_path / "out")) == ["NO_IMAGES"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_tables_are_not_read_from_the_output(cli, stub, tmp_path):
    import pyarrow
    from pyarrow import parquet

    (tmp_path / "out").mkdir()
    parquet.write_table(pyarrow.table({"path": ["a.jpg"]}), tmp_path / "out" / "t.parquet")
    for given in ("t.parquet", "*.parquet"):
        result = cli("batch", tmp_path / "out" / given, "--out", tmp_path / "out")
        assert (result.exit_code, codes(result)) == (2, ["OUT_IN_INPUT"])


def test_without_ray_the_message_says_what_to_install(cli, stub, pictures, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    result = cli("batch", pictures, "--out", tmp_path / "out")
    assert (result.exit_code, codes(result)) == (2, ["EXTRA_MISSING"])
    assert "googlenet-rcnn[ray]" in result.stderr
    assert not (tmp_path / "out").exists()
