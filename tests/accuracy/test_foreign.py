"""Which pictures count as foreign to VOC, and how false alarms among them are counted."""

import json
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
from hostile import encoded, photo

from googlenet_rcnn.datasets.label_list import load_labels

NATIVE = (
    "goose", "cock", "tabby", "Egyptian cat", "golden retriever", "sorrel", "ox", "ram", "airliner", "wine bottle",
    "racer", "mountain bike", "school bus", "speedboat", "folding chair", "dining table", "pot", "television",
)  # fmt: skip


def row(*labels):
    return {"detections": [{"label": label} for label in labels]}


@pytest.fixture
def folder(tmp_path):
    """A folder for each of a thousand classes, one picture each."""
    for number in range(1000):
        synset = tmp_path / "pictures" / f"n{number:08d}"
        synset.mkdir(parents=True)
        (synset / "one.png").write_bytes(b"")
    return tmp_path / "pictures"


def test_no_class_of_voc_is_foreign(folder) -> None:
    names = load_labels("imagenet1k").names
    chosen = [names[int(path.parent.name[1:])] for path in import_module("foreign").foreign_pictures(folder)]
    assert 200 < len(chosen) == len(set(chosen)) < 300
    words = {word for name in chosen for word in name.partition(" ")[2].split(", ")}  # after the synset
    assert not words & set(NATIVE)
    assert {"tench", "koala", "brown bear", "zebra", "giant panda", "banana", "coral reef", "daisy"} <= words


def test_a_folder_of_something_else_is_refused(folder, tmp_path, capsys) -> None:
    (folder / "n00000999" / "one.png").unlink()
    (folder / "n00000999").rmdir()
    module = import_module("foreign")
    with pytest.raises(ValueError, match="holds 999 folders"):
        module.foreign_pictures(folder)
    assert module.main(["--folder", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert "holds 999 folders" in capsys.readouterr().err


def test_alarms_are_counted_by_image_and_by_class() -> None:
    found = import_module("foreign").alarms([row("dog", "dog", "cat"), row(), row("dog"), row()])
    assert (found.images, found.alarmed, found.an_image) == (4, 2, 1.0)
    assert found.classes == {"dog": 3, "cat": 1}
    assert import_module("foreign").alarms([]).an_image == 0


def test_detect_is_given_the_list_and_its_flags(folder, tmp_path, monkeypatch, capsys) -> None:
    called = []

    def detect(command, check):
        called.append(command)
        pictures = Path(command[command.index("--image") + 1]).read_text().splitlines()
        rows = [row("bird") if number == 0 else row() for number in range(len(pictures))]
        Path(command[command.index("--out") + 1]).write_text("".join(json.dumps(one) + "\n" for one in rows))

    (folder / "n00000000" / "one.png").write_bytes(encoded(photo(), "PNG"))
    monkeypatch.setattr(subprocess, "run", detect)
    assert import_module("foreign").main(["--folder", str(folder), "--out", str(tmp_path / "out"), "--", "--flip"]) == 0
    assert called[0][-1] == "--flip"
    output = capsys.readouterr().out
    assert "1 show anything" in output
    assert "| bird" in output
