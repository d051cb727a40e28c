"""`bench` with made-up runtimes and a made-up `detect`; once, slowly, with the real ones."""

import json
import statistics

import pytest

from googlenet_rcnn.cli.bench import detecting as bench_detect
from googlenet_rcnn.cli.bench import run as bench
from googlenet_rcnn.cli.bench.command import Spent
from googlenet_rcnn.cli.bench.detecting import Exhaustive, extrapolate, measure_detect, stage_medians
from googlenet_rcnn.cli.bench.engines import EngineSpeeds, RuntimeSpeed
from googlenet_rcnn.cli.bench.rounds import Rates
from googlenet_rcnn.cli.bench.run import engine_table
from googlenet_rcnn.core.errors import DataError, Exit

START, EACH, PROPOSALS = 3.0, 0.5, 400
STAGES = {"decode": 10.0, "propose": 90.0, "warp": 100.0, "classify": 800.0}


def speeds(**crops):
    rows = [
        RuntimeSpeed(name.replace("_", "-"), "fp32", Rates((speed, speed, speed * 2)), 0.02, speed * 3.17, 0.5)
        for name, speed in crops.items()
    ]
    limits = {"fp32": 120.0, "int8": 350.0}
    return EngineSpeeds(tuple(rows), limits, {"fp32 by numpy": Rates((120.0,))}, 3.17, ("x is left out",))


@pytest.fixture
def commands(monkeypatch):
    """`detect` and `propose` that take a fixed time to start and for each image; gives the commands in order."""
    seen = []

    def value(arguments, flag):
        return arguments[arguments.index(flag) + 1]

    def measure_command(arguments):
        seen.append(list(arguments))
        out = value(arguments, "--out")
        if arguments[0] == "propose":
            count = int(value(arguments, "--limit")) if "--limit" in arguments else PROPOSALS
            row = {
                "status": "ok",
                "boxes": [[0, 0, 1, 1]] * min(count, PROPOSALS),
                "ms": {"decode": 5, "propose": 90.0},
            }
            rows = [row]
        else:
            with open(value(arguments, "--image")) as stream:
                images = stream.read().split()
            scored = PROPOSALS
            if "--method" in arguments:
                with open(value(arguments, "--method")) as stream:
                    scored = len(json.loads(stream.read())["boxes"])
            stages = STAGES | {name: STAGES[name] * scored / PROPOSALS for name in ("warp", "classify")}
            status = "failed" if any("broken" in image for image in images) else "ok"
            row = {"status": status, "code": "IMG_EMPTY", "message": "no bytes", "proposals": scored, "ms": stages}
            rows = [row] * len(images)
        with open(out, "w") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        return Spent(START + EACH * len(rows), 1.0, 100 << 20)

    monkeypatch.setattr(bench_detect, "measure_command", measure_command)
    return seen


def measure(tmp_path, images=("a.jpg", "b.jpg"), seconds=20.0, crops=50.0):
    return measure_detect(images, ["--weights", "w"], tmp_path, seconds, crops, lambda line: None)


def test_an_image_is_what_a_longer_list_takes_more(commands, tmp_path):
    found = measure(tmp_path)
    assert found.seconds_per_image == pytest.approx(EACH)
    assert found.start.seconds == START + EACH
    assert found.images == 12  # as many seconds as stages tell for an image fit into three fifths of the time
    assert found.stages == STAGES
    assert found.proposals == PROPOSALS
    assert found.peak == 100 << 20
    assert all(arguments[-2:] == ["--weights", "w"] for arguments in commands if arguments[0] == "detect" and "--mode"
               not in arguments)  # fmt: skip


def test_few_images_are_taken_again(commands, tmp_path):
    measure(tmp_path, images=["a.jpg"], seconds=1000.0)
    assert bench_detect._MOST == 60
    assert [arguments[0] for arguments in commands[:3]] == ["detect"] * 3


def test_every_box_is_scored_where_there_is_time(commands, tmp_path):
    every = measure(tmp_path).exhaustive
    assert every == Exhaustive(1.0, PROPOSALS, PROPOSALS)
    assert not every.extrapolated
    assert [arguments[0] for arguments in commands] == ["detect", "detect", "detect", "propose", "detect"]


def test_a_part_is_scored_and_the_rest_reckoned_where_there_is_not(commands, tmp_path):
    every = measure(tmp_path, seconds=5.0).exhaustive
    assert (every.boxes, every.measured, every.extrapolated) == (PROPOSALS, 100, True)
    assert every.seconds == pytest.approx(1.0)
    limited = [arguments for arguments in commands if "--limit" in arguments]
    assert len(limited) == 1
    assert "exhaustive" in commands[-1]


def test_an_image_that_cannot_be_read_stops_the_measurement(commands, tmp_path):
    with pytest.raises(DataError, match="no bytes"):
        measure(tmp_path, images=["broken.jpg"])


@pytest.mark.parametrize(("boxes", "measured", "seconds"), [(100, 100, 1.0), (200, 100, 1.9), (0, 0, 1.0)])
def test_only_warping_and_scoring_grow_with_the_boxes(boxes, measured, seconds):
    assert extrapolate(STAGES | {"total": 9e9}, boxes, measured) == pytest.approx(seconds)


def test_stages_are_medians_without_the_total():
    rows = [{"ms": {"warp": value, "total": 9.0}} for value in (1.0, 5.0, 2.0)]
    assert stage_medians(rows) == {"warp": statistics.median([1, 5, 2])}


def test_the_table_is_sorted_and_has_ratios():
    text = engine_table(speeds(torch=20.0, onnxruntime=25.0, openvino=50.0), against="onnxruntime")
    lines = text.splitlines()
    assert [line.split()[1] for line in lines[2:5]] == ["openvino", "onnxruntime", "torch"]
    assert [line.split("|")[-2].strip() for line in lines[2:5]] == ["2.00", "1.00", "0.80"]
    assert lines[-1] == "note: x is left out"
    assert "x onnxruntime" not in engine_table(speeds(torch=20.0), against="onnxruntime")


@pytest.fixture
def measured(monkeypatch, commands):
    """The whole command with made-up speeds; gives the runtimes that were asked for."""
    asked = []

    def measure_engines(weights, runtimes, threads, seconds, processor, say):
        asked.append((tuple(runtimes), threads, seconds))
        say("measuring")
        return speeds(torch=20.0, openvino=50.0) if runtimes[0] != "none" else speeds()

    monkeypatch.setattr(bench, "measure_engines", measure_engines)
    return asked


def test_the_tables_of_the_command(cli, measured):
    result = cli("bench", "--seconds", "4", "--threads", "2")
    assert result.exit_code == 0, result.stderr
    assert measured == [(("torch", "onnxruntime", "openvino", "openvino-int8"), 2, 2.0)]
    assert "| openvino" in result.stdout
    assert "reckoned from 40 of 400 boxes" in result.stdout
    assert "warp 100" in result.stdout
    assert "100 MiB" in result.stdout
    assert "measuring" in result.stderr


def test_json_is_alone_on_standard_output(cli, measured, commands, picture, tmp_path):
    picture(tmp_path / "mine.png")
    result = cli("bench", "--json", "--quiet", "--image", tmp_path, "--runtime", "torch", "--all")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    content = json.loads(result.stdout)
    assert content["engines"]["runtimes"][0]["runtime"] == "torch"
    assert content["detect"]["seconds_per_image"] == pytest.approx(EACH)
    assert content["detect"]["exhaustive"]["extrapolated"] is False
    assert measured[0][0] == ("torch",)
    assert commands[0][-2:] == ["--runtime", "torch"]


def test_all_takes_the_compiled_torch_as_well(cli, measured):
    assert cli("bench", "--all").exit_code == 0
    assert measured[0][0][-1] == "torch-compile"


@pytest.mark.parametrize("flags", [("--seconds", "0"), ("--seconds", "nan"), ("--threads", "0"), ("--weights", "none")])
def test_wrong_flags(cli, measured, flags):
    assert cli("bench", *flags).exit_code == Exit.USAGE


def test_without_any_runtime_there_is_nothing_to_measure(cli, measured):
    result = cli("bench", "--runtime", "none")
    assert result.exit_code == Exit.RESOURCE
    assert "x is left out" in result.stderr


@pytest.mark.slow
def test_the_real_thing(process):
    result = process("bench", "--json", "--seconds", "8", "--runtime", "torch")
    assert result.returncode == 0, result.stderr
    content = json.loads(result.stdout)
    (row,) = content["engines"]["runtimes"]
    assert row["crops_per_second"] > 1
    assert content["engines"]["gflop_per_crop"] == pytest.approx(3.17, rel=0.01)
    assert content["detect"]["seconds_per_image"] > 0
    assert content["detect"]["exhaustive"]["boxes"] > 100
