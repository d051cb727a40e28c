"""Which engine serves which network of a command, and that torch is left alone where it is not asked for."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from command_errors import codes
from hostile import encoded, photo, write
from tiny_screen import screen_file
from tiny_voc import annotation, thing

from googlenet_rcnn.api import build
from googlenet_rcnn.api.build import build_multibox, proposal_runtimes
from googlenet_rcnn.api.runtime import Runtime
from googlenet_rcnn.api.weights_files import DEFAULT_WEIGHTS, find_weights
from googlenet_rcnn.backbone import shared_engine
from googlenet_rcnn.backbone.runtime_import import openvino_core
from googlenet_rcnn.cli.detection_parts import build_detection, detection_runtimes
from googlenet_rcnn.cli.explain import ExplainOptions
from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.types import Size


@pytest.fixture
def loads(monkeypatch):
    """What is asked of load_engine, which gives engines of no network, named for their part and side."""
    asked = []

    def load(path, part, runtime, side, threads, say):
        asked.append((path.name, part, runtime, side, threads))

        class Blank:
            name = f"{runtime}-{part}-{side}"  # None: the side of crops, as the Card has it

            def run(self, pixels):
                shape = (63,) if part == "scores" else (832, pixels.shape[1] // 16, pixels.shape[2] // 16)
                return np.ones((len(pixels), *shape), np.float32)

        return Blank()

    monkeypatch.setattr(shared_engine, "load_engine", load)
    return asked


@pytest.fixture(scope="module")
def screened(tmp_path_factory):
    """A detector with a screening head that looks at squares of 64 pixels."""
    return screen_file(tmp_path_factory.mktemp("weights") / "screened.safetensors", doubt=0.25, limit=3)


def options(*weights, **changes):
    return ExplainOptions(image="x", weights=tuple(map(str, weights)), threads=2, **changes)


def test_an_unknown_runtime_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="runtime abacus: known are auto, torch") as caught:
        Runtime("abacus")
    assert caught.value.code == "RUNTIME_UNKNOWN"


@pytest.mark.parametrize(
    "command",
    [("detect",), ("propose", "--method", "ss"), ("propose", "--method", "multibox")],
    ids=" ".join,
)
def test_commands_refuse_it_before_they_load_anything(cli, album, loads, command) -> None:
    result = cli(*command, album, "--runtime", "abacus", "--threads", "1")
    assert (result.exit_code, codes(result), loads) == (2, ["RUNTIME_UNKNOWN"], [])


def test_all_threads_are_taken_unless_some_are_named(loads, monkeypatch, detector_file) -> None:
    monkeypatch.setattr("googlenet_rcnn.api.runtime.available_threads", lambda: 5)
    engines = [Runtime("torch").engine(detector_file), Runtime("torch", 3).engine(detector_file, "trunk", 448)]
    assert [engine.name for engine in engines] == ["torch-scores-None", "torch-trunk-448"]
    assert [asked[1:] for asked in loads] == [("scores", "torch", None, 5), ("trunk", "torch", 448, 3)]


def test_every_network_of_a_detection_is_served_by_the_runtime(loads, screened) -> None:
    chosen = options(screened, screened, runtime="openvino", method="multibox+ss", multibox_k=9, multibox_nms=0.5)
    detector, _ = build_detection(chosen, lambda message: None)
    own, shipped = screened.name, find_weights(DEFAULT_WEIGHTS).name
    # The same weights twice are one engine, as the names of the runtimes are those of engines that are there.
    expected = [
        (shipped, "trunk", "openvino", None, 2),
        (own, "scores", "openvino", None, 2),
        (own, "trunk", "openvino", 64, 2),
    ]
    assert loads == expected
    names = ["openvino-scores-None", "openvino-scores-None", "openvino-trunk-64", "openvino-trunk-None"]
    assert detection_runtimes(chosen) == names
    assert loads == expected
    assert detector.threads == 2
    multibox = detector.proposer.proposers[0]
    assert (multibox.count, multibox.nms) == (9, 0.5)
    assert (detector.cascade.doubt, detector.cascade.limit) == (0.25, 3)
    image = photo(40, 50)
    boxes = multibox.propose(image).boxes
    assert len(detector.cascade.choose(boxes, detector.screen.probabilities(image, boxes))) in range(1, 4)


def test_only_what_takes_part_is_loaded(loads, screened, tmp_path) -> None:
    assert detection_runtimes(options(screened, mode="exhaustive")) == ["auto-scores-None"]
    recorded = write(tmp_path, "multibox+ss.jsonl", b"")
    assert detection_runtimes(options(screened, mode="exhaustive", method=str(recorded))) == ["auto-scores-None"]
    for method in ("ss", "priors"):
        assert proposal_runtimes(method, "multibox-voc07", Runtime()) == []
    assert {asked[1] for asked in loads} == {"scores"}


@pytest.mark.parametrize(("told", "asked"), [(None, 0.0), (0.0, None), (0.4, None), (None, 0.25), (0.4, 0.25)])
@pytest.mark.parametrize("mode", ["fast", "exhaustive"])
def test_screening_votes_as_the_weights_or_the_flag_say(loads, tmp_path, told, asked, mode) -> None:
    path = screen_file(tmp_path / "voting.safetensors", vote=told)
    given = options(path, mode=mode, screen_vote=asked)
    detector, _ = build_detection(given, lambda message: None)
    vote = (told or 0.0) if asked is None else asked
    assert (detector.cascade is None) == (mode == "exhaustive")
    if vote or mode == "fast":
        assert detector.screen.vote == vote
        assert detection_runtimes(given) == ["auto-scores-None", "auto-trunk-64"]
    else:
        assert detector.screen is None
        assert detection_runtimes(given) == ["auto-scores-None"]


@pytest.mark.parametrize(
    ("told", "asked", "expected"), [(None, None, 0.5), (0.3, None, 0.3), (0.3, 0.7, 0.7), (0.0, None, 0.0)]
)
def test_the_weights_say_what_is_worth_showing_unless_a_flag_does(loads, tmp_path, told, asked, expected) -> None:
    path = screen_file(tmp_path / "told.safetensors", threshold=told)
    detector, _ = build_detection(options(path, score_threshold=asked), lambda message: None)
    assert detector.selection.score_threshold == expected


@pytest.mark.parametrize("vote", [-0.1, 1.1, float("nan")])
def test_a_vote_without_meaning_is_refused(loads, screened, vote) -> None:
    with pytest.raises(UsageError, match="screen-vote is from 0 to 1"):
        build_detection(options(screened, screen_vote=vote), lambda message: None)


@pytest.mark.parametrize("vote", [-0.1, "half", 2])
def test_a_vote_without_meaning_in_a_card_is_refused(loads, tmp_path, vote) -> None:
    path = screen_file(tmp_path / "faulty.safetensors", vote=vote)
    with pytest.raises(ModelError, match=r"MODEL_INVALID: the vote of screening in the card of .*faulty"):
        build_detection(options(path), lambda message: None)


def test_without_a_screening_head_every_box_is_scored_and_that_is_said(loads, detector_file) -> None:
    said = []
    detector, _ = build_detection(options(detector_file), said.append)
    assert detector.cascade is None
    assert [line for line in said if "train-screen" in line] == [
        f"note: {detector_file} has no screening head, so every box is scored: add one with train-screen"
    ]
    assert detector.screen is None
    assert build_detection(options(detector_file, mode="exhaustive"), said.append)[0].cascade is None
    assert len([line for line in said if "train-screen" in line]) == 1


def test_the_first_member_with_a_screening_head_screens(loads, detector_file, screened, monkeypatch) -> None:
    alike = SimpleNamespace(labels=("a",), warp=None)
    monkeypatch.setattr("googlenet_rcnn.detector.regions.GoogLeNetRegions", SimpleNamespace(load=lambda *_: alike))
    detector, _ = build_detection(options(detector_file, screened), lambda message: None)
    assert detector.cascade is not None
    assert loads == [(screened.name, "trunk", "auto", 64, 2)]


@pytest.mark.parametrize("flip", [False, True])
def test_crops_are_shown_in_a_mirror_where_that_is_asked_for(loads, detector_file, flip) -> None:
    detector, _ = build_detection(options(detector_file, flip=flip), lambda message: None)
    assert [view.mirrored for view in detector.views] == [False, True][: 1 + flip]


@pytest.mark.parametrize("cascade", [{"doubt": 2.0}, {"certainty": 1}])
def test_impossible_settings_of_a_cascade_are_refused(loads, tmp_path, cascade) -> None:
    path = screen_file(tmp_path / "faulty.safetensors", **cascade)
    with pytest.raises(ModelError, match=r"MODEL_INVALID: the cascade in the card of .*faulty"):
        build_detection(options(path), lambda message: None)


def test_a_multibox_with_its_own_trunk_is_run_on_that(loads, monkeypatch, detector_file) -> None:
    monkeypatch.setattr(build, "find_multibox", lambda name: detector_file)
    monkeypatch.setattr("googlenet_rcnn.backbone.checkpoint.TRUNK_PREFIX", "conv1")  # as if this were one
    assert proposal_runtimes("multibox+ss", "mine", Runtime("torch")) == ["torch-trunk-None"]
    assert loads[0][:2] == (detector_file.name, "trunk")
    with pytest.raises(ModelError, match="MODEL_TASK"):
        build_multibox("mine", 200, None, Runtime())


def _halves() -> bool:
    """Whether OpenVINO computes in bfloat16 on this processor."""
    return "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


TORCH = "import atexit, sys; atexit.register(lambda: print('torch' in sys.modules, file=sys.stderr))"


def test_parts_are_built_and_cards_are_read_without_torch(process) -> None:
    code = f"{TORCH}\nimport googlenet_rcnn.detector.pipeline, googlenet_rcnn.detector.regions\n"
    code += "import googlenet_rcnn.detector.cascade, googlenet_rcnn.backbone.classifier\n"
    code += "import googlenet_rcnn.proposals.multibox, googlenet_rcnn.cli.detection_rows\n"
    code += "from googlenet_rcnn.api.build import build_proposer\n"
    code += "from googlenet_rcnn.api.weights_files import weight_labels\n"
    code += "build_proposer('priors'), build_proposer('ss'), weight_labels(())"
    result = process("--version", code=code)
    assert result.stderr.splitlines()[-1] == "False"


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_runtime_other_than_torch_leaves_torch_alone(process, cli, detector_file, tmp_path, rows, runtime) -> None:
    """`detect` with both proposers, and `explain`, as processes of their own; what they find is what torch finds."""
    pytest.importorskip(runtime)
    image = write(tmp_path, "000001.png", encoded(photo(40, 50), "PNG"))
    truth = write(tmp_path, "truth.xml", annotation(thing("cat", (1, 1, 30, 30)), size=Size(40, 50)).encode())
    kept = {"env": os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}}
    flags = ("--weights", detector_file, "--method", "multibox+ss", "--multibox-k", "8", "--superpixel-scale", "8")
    flags += ("--threads", "1", "--mode", "exhaustive", "--score-threshold", "0.01", "--image", image)
    found = process("detect", *flags, "--preset", "single", "--runtime", runtime, code=TORCH, **kept)
    assert (found.returncode, found.stderr.splitlines()[-1]) == (0, "False")
    by_torch = cli("detect", *flags, "--preset", "single", "--runtime", "torch")
    (here,), (there,) = rows(found.stdout), rows(by_torch.stdout)
    assert here["proposals"] == there["proposals"] > 8
    scores = [sorted((one["label"], one["score"]) for one in row["detections"]) for row in (here, there)]
    assert [label for label, _ in scores[0]] == [label for label, _ in scores[1]]
    close = 0.1 if runtime == "openvino" and _halves() else 1e-3
    np.testing.assert_allclose([score for _, score in scores[0]], [score for _, score in scores[1]], rtol=close)
    told = process("explain", *flags, "--truth", truth, "--runtime", runtime, code=TORCH, **kept)
    assert (told.returncode, told.stderr.splitlines()[-1]) == (0, "False")
    assert json.loads(told.stdout)["proposals"] > 8
