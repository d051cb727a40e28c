"""benchmarks/classification/paired.py: who gained and lost which images."""

import json
import runpy
from pathlib import Path

import pytest

PAIRED = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "classification" / "paired.py"))


@pytest.fixture
def report(tmp_path):
    def write(name, ranked, crops=1):
        """`ranked`: the labels told of each picture of a cat, and None for one that could not be read."""
        folder = tmp_path / name
        folder.mkdir()
        rows = [
            {"status": "failed", "path": f"{number}.jpg", "label": "cat", "top": []}
            if labels is None
            else {"status": "ok", "path": f"{number}.jpg", "label": "cat", "top": [{"label": one} for one in labels]}
            for number, labels in enumerate(ranked)
        ]
        (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        metrics = {"crops": crops, "models": 1, "pool": "mean", "ms": {"decode": 1.0, "classify": 250.0}}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        return str(folder)

    return write


def cells(text):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")][2:]


def test_images_gained_and_lost_are_counted_apart(report, capsys) -> None:
    """At first: one gained, two lost; within five: one lost."""
    one = report("one", [["cat", "dog"], ["dog", "cat"], ["cat", "cup"], None, ["cat", "cup"]])
    ten = report("ten", [["dog", "cat"], ["cat", "dog"], ["cat", "cup"], None, ["dog", "cup"]], crops=10)
    assert PAIRED["main"]([one, ten]) == 0
    base, other = cells(capsys.readouterr().out)
    assert base == ["one", "1", "1", "mean", "0.7500", "+0 −0", "1.0000", "+0 −0", "0.250"]
    assert other == ["ten", "10", "1", "mean", "0.5000", "+1 −2", "0.7500", "+0 −1", "0.250"]


def test_other_images_and_missing_reports_are_told(report, tmp_path, capsys) -> None:
    one, more = report("one", [["cat"]]), report("more", [["cat"], ["cat"]])
    assert PAIRED["main"]([one, more]) == 3
    assert capsys.readouterr().err == "error: more is about other images\n"
    assert PAIRED["main"]([one, str(tmp_path / "none")]) == 3
    assert "none" in capsys.readouterr().err
