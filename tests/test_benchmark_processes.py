"""benchmarks/training/processes.py: what it runs, compares and says; the runs themselves are stood in for."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card

PROCESSES = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "training" / "processes.py"))


@pytest.fixture
def commands(monkeypatch):
    """Commands that were run; training writes weights that differ by a hundredth, evaluation what `said` holds."""
    run, said = [], {"images": 4, "top1": 0.5, "top5": 1.0}

    def stand_in(command, check, **_):
        assert check
        run.append(command)
        if "evaluate" in command:
            report = Path(command[command.index("--report") + 1])
            report.mkdir()
            (report / "metrics.json").write_text(json.dumps(said))
        else:
            two = "torch.distributed.run" in command
            out = Path(command[command.index("--out") + 1])
            out.mkdir(parents=True)
            card = Card(labels=("a", "b"), metrics={"images": 4, "crops": 1, "top1": 0.5 if two else 0.75, "top5": 1.0})
            tensors = {"x": torch.tensor([2.0, -1.0 if two else -1.02])}
            save_weights(out / "classifier.safetensors", tensors, card)

    monkeypatch.setattr(subprocess, "run", stand_in)
    return run, said


def test_both_are_trained_alike_and_compared(commands, tmp_path, capsys) -> None:
    run, _ = commands
    assert PROCESSES["main"](["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--", "--set", "seed=3"]) == 0
    alone, together, again = run
    assert alone[:2] == [sys.executable, "-m"]
    assert "--nproc-per-node=2" in together
    rest = [command[command.index("train-classifier") :] for command in (alone, together)]
    assert [Path(one.pop(one.index("--out") + 1)).name for one in rest] == ["1", "2"]
    assert rest[0] == rest[1]
    assert rest[0][-2:] == ["--set", "seed=3"]
    assert again[again.index("--weights") + 1] == str(tmp_path / "out" / "2" / "classifier.safetensors")
    told = capsys.readouterr().out
    assert "differ by up to 0.01 of the largest" in told
    assert "evaluations of one network are equal" in told


def test_evaluations_that_differ_are_a_failure(commands, tmp_path, capsys) -> None:
    commands[1]["top1"] = 0.25
    assert PROCESSES["main"](["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "DIFFER" in capsys.readouterr().out


def test_networks_of_other_tensors_are_not_compared(tmp_path) -> None:
    card = Card(labels=("a", "b"))
    for name in ("x", "y"):
        save_weights(tmp_path / name, {name: torch.ones(1)}, card)
    with pytest.raises(ValueError, match="other tensors"):
        PROCESSES["difference"](tmp_path / "x", tmp_path / "y")
