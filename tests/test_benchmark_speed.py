"""The parts of the speed benchmark with a made-up `detect`, whose figures must come back; and how they are run."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hostile import encoded, write
from tiny_voc import annotation, devkit, thing

from googlenet_rcnn.cli.bench.command import Spent
from googlenet_rcnn.core.types import Size

FOLDER = Path(__file__).parents[1] / "benchmarks" / "speed"
MODULES = {path.stem for path in FOLDER.glob("*.py")}
START, EACH, PROPOSALS = 2.0, 0.25, 400


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The benchmark's files are modules of their own while a test runs, and are forgotten after it."""
    kept = {name: sys.modules.pop(name) for name in MODULES & set(sys.modules)}
    threads = torch.get_num_threads()
    monkeypatch.syspath_prepend(FOLDER)
    yield
    torch.set_num_threads(threads)
    for name in MODULES & set(sys.modules):
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.fixture
def settings(tmp_path):
    """Two tiny pictures, and little of everything."""
    random = np.random.default_rng(0)
    pictures = tuple(
        write(tmp_path, f"{name}.jpg", encoded(random.integers(0, 256, (60, 80, 3), dtype=np.uint8), "JPEG"))
        for name in "ab"
    )
    made = import_module("settings").Settings
    return made(pictures, tmp_path, threads=2, seconds=1.0, rounds=2, few=2, many=6, largest=False)


@pytest.fixture
def detect(monkeypatch):
    """A `detect` that takes START, EACH for an image and model, and longer with fewer threads; gives its calls."""
    calls = []

    def detect_rows(images, flags, folder):
        images, flags = list(images), list(flags)
        assert all(Path(image).is_file() for image in images)
        calls.append((len(images), flags))
        models, threads = flags.count("--weights"), int(flags[flags.index("--threads") + 1])
        scored = PROPOSALS
        if "--method" in flags:
            scored = len(json.loads(Path(flags[flags.index("--method") + 1]).read_text())["boxes"])
        classify = 1000 * EACH * models * scored / PROPOSALS / threads
        row = {"proposals": PROPOSALS, "ms": {"warp": 0.0, "classify": classify, "total": 1e9}}
        return Spent(START + EACH * models * len(images), EACH, 200 << 20), [row] * len(images)

    def measure_command(arguments):
        assert arguments[0] == "propose"
        count = int(arguments[arguments.index("--limit") + 1])
        row = json.dumps({"boxes": [[0, 0, 1, 1]] * count})
        Path(arguments[arguments.index("--out") + 1]).write_text(f"{row}\n")

    for name in ("detecting", "growth"):
        monkeypatch.setattr(import_module(name), "detect_rows", detect_rows)
    monkeypatch.setattr(import_module("growth"), "measure_command", measure_command)
    return calls


def run(*flags, status=0):
    command = [sys.executable, str(FOLDER / "run.py"), *map(str, flags)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == status, result.stderr
    return result


def test_seconds_an_image_are_free_of_the_start(settings, detect):
    part = import_module("detecting").measure(settings)
    kinds = part.content["kinds"]
    assert list(kinds) == ["fast", "fast, three models", "exhaustive"]
    for name, models in (("fast", 1), ("fast, three models", 3), ("exhaustive", 1)):
        assert [one["seconds_per_image"] for one in kinds[name]] == pytest.approx([EACH * models] * 2)
        assert f"| {name} " in part.text
    assert [call[0] for call in detect].count(6) == 4
    assert part.content["start_seconds"] == [START + EACH] * 10
    assert "2.25 s (best 2.25, 10 starts), 200 MiB" in part.text
    assert json.loads(json.dumps(part.content)) == part.content


def test_ours_beside_code_written_by_hand(settings, detect, monkeypatch):
    naive = import_module("naive")
    monkeypatch.setattr(naive.cv2, "ximgproc", None, raising=False)
    monkeypatch.setattr(naive.torchvision.models, "googlenet", lambda **_: tiny_network(), raising=False)
    boxes = np.array([[0, 0, 40, 30], [10, 10, 20, 20]] * 20, dtype=np.int32)
    monkeypatch.setattr(naive, "opencv_boxes", lambda image: boxes)
    part = naive.measure(settings)
    assert part.content["ours"] == pytest.approx([EACH] * 3)
    assert [one["image"] for one in part.content["theirs"]] == ["a.jpg", "b.jpg"]
    for one in part.content["theirs"]:
        assert one["boxes"] == 40
        assert 1 <= one["kept"] <= 2  # all others are copies
        assert one["seconds"] >= one["propose"] + one["classify"] > 0
        assert f"{one['seconds'] / EACH:.1f} |" in part.text


def tiny_network():
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 5))


def test_code_written_by_hand_bears_an_image_without_boxes(settings):
    none = np.zeros((0, 4), dtype=np.int32)
    found = import_module("naive").detect_naively(settings.pictures[0], tiny_network(), lambda image: none)
    assert (found["boxes"], found["kept"]) == (0, 0)


def test_without_opencvs_search_that_part_is_a_note(settings, detect, monkeypatch):
    naive = import_module("naive")
    monkeypatch.delattr(naive.cv2, "ximgproc", raising=False)
    assert naive.measure(settings).text.startswith("note: left out")
    assert detect == []


class NoDetector(torch.nn.Module):
    """Takes images as torchvision's detectors do, and finds one box in each."""

    def forward(self, images):
        assert all(image.shape == (3, 60, 80) and 0 <= image.min() <= image.max() <= 1 for image in images)
        return [{"boxes": torch.zeros(1, 4)} for _ in images]


def test_torchvisions_detectors_side_by_side(settings, detect, monkeypatch):
    module = import_module("torchvision_detectors")
    assert all(hasattr(module.detection, name) for name in module.NAMES)

    def build(weights, weights_backbone):
        assert weights is weights_backbone is None  # nothing is downloaded
        return NoDetector()

    monkeypatch.setattr(module.detection, "ssdlite320_mobilenet_v3_large", build)
    part = module.measure(settings, ["ssdlite320_mobilenet_v3_large"])
    assert part.content["ours"] == pytest.approx([EACH] * 2)
    (seconds,) = part.content["seconds"].values()
    assert len(seconds) == 4  # two pictures, twice
    assert min(seconds) > 0
    assert "random weights" in part.text
    assert "googlenet-rcnn detect" in part.text


def test_growth_follows_the_laws_that_were_put_in(settings, detect):
    part = import_module("growth").measure(settings)
    laws = {name: (round(one["law"]["exponent"], 6), one["law"]["name"]) for name, one in part.content.items()}
    assert laws == {
        "proposals": (1.0, "linear"),
        "pixels": (0.0, "constant"),
        "images": (1.0, "linear"),
        "models": (1.0, "linear"),
        "threads": (-1.0, "inversely"),
    }
    assert all(len(one["points"]) == 2 for one in part.content.values())
    root = ElementTree.fromstring((settings.folder / "growth.svg").read_bytes())
    text = "".join(root.itertext())
    assert "megapixels" in text
    assert "exponent -1.00: inversely" in text
    for one in part.content.values():
        assert one["unit"] in part.text


def test_one_point_has_no_law_but_is_drawn(settings, detect, tmp_path):
    content = {"threads": {"unit": "threads", "time": "all stages", "points": [(1, 2.0)]}}
    import_module("growth_plot").draw_growth(content, tmp_path / "one.svg")
    assert "exponent" not in (tmp_path / "one.svg").read_text()
    assert "one point" in import_module("growth")._text(content)


def test_too_few_proposals_are_told(settings, detect, monkeypatch):
    growth = import_module("growth")
    monkeypatch.setattr(growth, "read_json_lines", lambda path: iter([{"boxes": []}]))
    with pytest.raises(ValueError, match="put another picture first"):
        growth.measure(settings)


@pytest.mark.parametrize(
    ("exponent", "name"),
    [(1.0, "linear"), (1.1, "linear"), (2.05, "quadratic"), (0.02, "constant"), (0.5, "as the square root"),
     (-0.9, "inversely"), (1.5, "between laws")],
)  # fmt: skip
def test_a_law_is_found_again_and_named(exponent, name):
    sizes = [1.0, 3.0, 10.0, 40.0]
    law = import_module("law").fit_law(sizes, [0.2 * size**exponent for size in sizes])
    assert (law.exponent, law.factor, law.deviation) == pytest.approx((exponent, 0.2, 0.0), abs=1e-9)
    assert law.name == name
    assert law.at(10.0) == pytest.approx(0.2 * 10**exponent)


def test_a_law_tells_how_far_its_points_lie_from_it():
    law = import_module("law").fit_law([1, 2, 4, 8], [1.0, 2.2, 4.0, 8.0])
    assert 0.05 < law.deviation < 0.1
    assert import_module("law").fit_law([3], [1.0]) is None


def test_pictures_are_those_of_the_usual_size(tmp_path):
    pictures = import_module("pictures")
    xml = {name: annotation(thing("cat", (1, 1, 50, 50))) for name in "abcd"}
    root = devkit(tmp_path / "devkit", xml, split="val")
    for name in xml:
        size = Size(375, 500) if name in "bd" else Size(500, 375)
        (root / "VOC2007" / "JPEGImages" / f"{name}.jpg").write_bytes(encoded(np.zeros((*size, 3), np.uint8), "JPEG"))
    found = pictures.find_pictures(root, tmp_path, 36)
    assert [path.stem for path in found] == ["b", "d"]
    assert [path.stem for path in pictures.find_pictures(root, tmp_path, 1)] == ["b"]
    assert [path.stem for path in pictures.repeated(found, 5)] == list("bdbdb")
    assert len(pictures.find_pictures(None, tmp_path, 36)) >= 3


def test_a_part_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    module = import_module("run")

    def run_apart(name):
        if name != "growth":
            (tmp_path / f"{name}.json").write_text(json.dumps({"text": f"table of {name}", "content": {"x": name}}))
        return name != "growth"

    monkeypatch.setattr(module, "_run_apart", run_apart)
    monkeypatch.setattr(sys, "argv", ["run.py", "--parts", "naive", "growth", "detect", "--out", str(tmp_path)])
    assert module.main() == 1
    shown = capsys.readouterr()
    assert "error: part growth failed" in shown.err
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["parts"] == {"naive": {"x": "naive"}, "detect": {"x": "detect"}}
    assert content["machine"]["threads"] >= 1
    assert (tmp_path / "tables.md").read_text() == shown.out
    assert shown.out.index("table of naive") < shown.out.index("table of detect")


def test_wrong_flags_are_told(tmp_path):
    assert "invalid choice" in run("--parts", "nothing", status=2).stderr
    assert "DATA_MISSING" in run("--data", tmp_path / "no", "--parts", "growth", "--out", tmp_path, status=1).stderr


@pytest.mark.slow
def test_every_part_runs_for_real(tmp_path):
    few = ("--few", 1, "--many", 2, "--rounds", 1, "--seconds", 2, "--small", "--out", tmp_path)
    shown = run("--parts", "engines", "detect", "torchvision", "growth", *few).stdout
    assert shown.count("## ") == 4
    assert (tmp_path / "growth.svg").is_file()
