"""Parts made in this process, without Ray, beside what `detect` makes of the same images."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from batch_rows import batch_rows, draw_pictures
from stub_detector import StoppingClassifier, install

from googlenet_rcnn.api import weights_files
from googlenet_rcnn.cli.batch.attempts import Attempt
from googlenet_rcnn.cli.batch.inputs import batch_images, write_inputs
from googlenet_rcnn.cli.batch.output import INPUTS
from googlenet_rcnn.cli.batch.parts import part_path, read_summary, total
from googlenet_rcnn.cli.batch.worker import Job, PartWorker
from googlenet_rcnn.cli.detect import DetectOptions
from googlenet_rcnn.core.errors import ModelError, ResourceError

arrow = pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")
parquet = pytest.importorskip("pyarrow.parquet")

SIZE = 9


@pytest.fixture
def pictures(tmp_path):
    """Forty-one pictures, four of them empty files."""
    draw_pictures(tmp_path / "pictures", 41)
    return tmp_path / "pictures"


@pytest.fixture
def job(tmp_path):
    """Writes the inputs of a job over some arguments, and describes it."""

    def make(*arguments, threads=1):
        (tmp_path / "out").mkdir(exist_ok=True)
        options = DetectOptions(
            weights=(), method="ss", engine="native", preset="fast", superpixel_scale=2.0, score_threshold=0.2,
            nms_iou=0.3, max_detections=100, mode="fast", seed=0, truncated="fail", max_pixels=10**6, exif=True,
            images=tuple(map(str, arguments)), threads=threads,
        )  # fmt: skip
        inputs = write_inputs(tmp_path / "out" / INPUTS, batch_images(options.images), SIZE)
        job = Job(options, ("stub",), ("auto",), tmp_path / "out", Path.cwd(), SIZE, "mark", "run")
        return job, np.arange(inputs.blocks)

    return make


def run(job, parts):
    """The summaries that one worker sends home."""
    outcomes = [pickle.loads(one) for one in PartWorker(job)({"part": parts})["outcome"]]
    assert [part for part, _ in outcomes] == list(parts)
    return [outcome for _, outcome in outcomes]


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_are_those_of_detect(stub, job, pictures, detect, rows, tmp_path, threads):
    """Files, a list that names some again and one that is gone."""
    (tmp_path / "list.txt").write_text(f"{pictures / '0003.png'}\n{pictures / 'gone.png'}\n{pictures / '0003.png'}\n")
    arguments = (pictures, tmp_path / "list.txt")
    made, parts = job(*arguments, threads=threads)
    whole = total(run(made, parts))
    expected = rows(detect(*arguments).stdout)
    assert batch_rows(tmp_path / "out") == expected
    assert len(expected) == 44
    failed = [row for row in expected if row["status"] == "failed"]
    assert (whole.images, whole.failed, len(failed)) == (44, 5, 5)
    assert whole.detections == sum(len(row["detections"]) for row in expected) > 0
    assert whole.codes == {"IMG_EMPTY": 4, "IMG_MISSING": 1}


def test_bytes_in_a_table_give_the_detections_of_the_files(stub, job, pictures, detect, rows, tmp_path):
    paths = sorted(pictures.iterdir())
    columns = {"bytes": [path.read_bytes() for path in paths], "path": list(map(str, paths))}
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet", row_group_size=7)
    run(*job(tmp_path / "t.parquet", threads=2))
    assert batch_rows(tmp_path / "out") == rows(detect(*paths).stdout)


def test_the_order_of_the_parts_does_not_matter(stub, job, pictures, tmp_path):
    made, parts = job(pictures)
    run(made, parts)
    expected = batch_rows(tmp_path / "out")
    for part in parts:
        part_path(tmp_path / "out", part).unlink()
    run(made, parts[::-1])
    assert batch_rows(tmp_path / "out") == expected


def test_a_part_that_is_there_is_not_made_again(stub, job, pictures, tmp_path):
    made, parts = job(pictures)
    first = run(made, parts[:2])
    calls = len(stub.calls)
    assert run(made, parts[:2]) == first
    assert len(stub.calls) == calls


def test_a_deadly_image_fails_and_the_others_are_as_ever(stub, job, pictures, tmp_path):  # FAULTS 7
    made, parts = job(pictures)
    run(made, parts)
    expected = batch_rows(tmp_path / "out")
    part_path(tmp_path / "out", 1).unlink()
    Attempt(made.folder, 1, "run")  # a worker dies of something ...
    Attempt(made.folder, 1, "run").touch(SIZE + 4)  # ... and its successor of the fifth image
    (summary,) = run(made, parts[1:2])
    found = batch_rows(tmp_path / "out")
    assert found[SIZE + 4]["code"] == "IMG_DECODER_CRASH"
    assert found[SIZE + 4]["path"] == expected[SIZE + 4]["path"]
    assert found[: SIZE + 4] + found[SIZE + 5 :] == expected[: SIZE + 4] + expected[SIZE + 5 :]
    assert summary.codes["IMG_DECODER_CRASH"] == 1
    assert sorted(path.name for path in made.folder.glob(".*")) == []


def test_faults_that_a_user_can_mend_come_home(job, pictures, monkeypatch):
    def lacks():
        raise MemoryError

    classifier = StoppingClassifier()
    classifier.after, classifier.stop = 2, lacks
    install(monkeypatch.setattr, classifier)
    made, parts = job(pictures)
    (fault,) = run(made, parts[:1])
    assert isinstance(fault, ResourceError)
    assert fault.code == "MEMORY"
    assert read_summary(made.folder, 0, "mark") is None
    assert list(made.folder.glob(".*")) == []  # an error is no death
    monkeypatch.setattr(weights_files, "weight_digests", lambda weights: ["other"])
    (fault,) = run(made, parts[:1])
    assert isinstance(fault, ModelError)
    assert fault.code == "WEIGHTS_DIFFER"


def test_a_worker_whose_machine_prefers_another_runtime_is_told(stub, job, pictures):
    made, parts = job(pictures)
    (fault,) = run(replace(made, runtimes=("openvino", "torch")), parts[:1])
    assert isinstance(fault, ModelError)
    assert (fault.code, "--runtime" in fault.message) == ("RUNTIME_DIFFERS", True)


def test_bugs_are_not_taken_for_results(stub, job, pictures, monkeypatch):
    monkeypatch.setattr(weights_files, "weight_digests", lambda weights: 1 / 0)
    made, parts = job(pictures)
    with pytest.raises(ZeroDivisionError):
        run(made, parts[:1])
