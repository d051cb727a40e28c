"""benchmarks/classification/heads.py: equal beginnings with heads and without, and curves that go on."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile import encoded, write

HEADS = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "classification" / "heads.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dark pictures and bright ones, a batch of each split."""
    root = tmp_path_factory.mktemp("crops")
    for split in ("train", "val"):
        for name, level in (("dark", 40), ("bright", 220)):
            place = root / split / name
            place.mkdir(parents=True)
            for number in range(16):
                pixels = np.full((40, 60, 3), level + number % 3, np.uint8)
                write(place, f"{number}.png", encoded(pixels, "PNG"))
    return root


def test_with_one_seed_both_networks_begin_alike_and_answer_for_small_crops() -> None:
    with_, without = (HEADS["small_network"](2, heads, 5) for heads in (True, False))
    trunk = without.state_dict()
    assert all(torch.equal(value, with_.state_dict()[name]) for name, value in trunk.items())
    assert {name.partition(".")[0] for name in set(with_.state_dict()) - set(trunk)} == {"aux1", "aux2"}
    said = with_.train()(torch.zeros(2, 3, 64, 64))
    assert [tuple(one.shape) for one in (said.main, said.aux1, said.aux2)] == [(2, 2)] * 3
    assert without.train()(torch.zeros(2, 3, 64, 64)).aux1 is None
    other = HEADS["small_network"](2, False, 6).state_dict()
    assert not torch.equal(other["conv1.conv.weight"], trunk["conv1.conv.weight"])


def test_curves_are_kept_continued_and_told(folder, tmp_path, capsys) -> None:
    flags = ["--folder", str(folder), "--out", str(tmp_path), "--side", "64", "--every", "1", "--threads", "1"]
    assert HEADS["main"]([*flags, "--seeds", "0", "--epochs", "1"]) == 0
    once = json.loads((tmp_path / "with-0.json").read_bytes())["top1"]
    steps = (tmp_path / "with-0" / "log.jsonl").read_text().splitlines()
    assert HEADS["main"]([*flags, "--seeds", "0", "--epochs", "2"]) == 0
    longer = json.loads((tmp_path / "with-0.json").read_bytes())["top1"]
    assert longer[0] == once[0]
    assert len(longer) == 2
    assert (tmp_path / "with-0" / "log.jsonl").read_text().splitlines()[: len(steps)] == steps
    assert HEADS["main"]([*flags, "--seeds", "0", "--epochs", "2"]) == 0  # nothing is left to do
    assert json.loads((tmp_path / "with-0.json").read_bytes())["top1"] == longer
    out = capsys.readouterr()
    assert "without-0, epoch 2: top-1" in out.err
    assert f"the 1 with heads averaged: top-1 {longer[1]:.4f}" in out.out
    rows = [line for line in out.out.splitlines() if line.startswith("|")]
    assert [row.split("|")[1].strip() for row in rows[-2:]] == ["1", "2"]
    assert f"{longer[1]:.3f}" in rows[-1]


def test_means_stand_beside_the_seeds_and_what_is_missing_is_empty() -> None:
    table = HEADS["table"]({"with-0": [0.25, 0.5], "with-1": [0.75, 0.5], "without-0": [0.125, 0.375]}, 3)
    last, _ = (line.split("|")[1:-1] for line in reversed(table.splitlines()[-2:]))
    assert [cell.strip() for cell in last] == ["6", "0.500", "0.500, 0.500", "0.375", "0.375"]


def test_a_seed_that_went_on_for_longer_than_the_others_stands_alone() -> None:
    table = HEADS["table"]({"with-0": [0.25, 0.5], "with-1": [0.75], "without-0": [0.125]}, 3)
    last = table.splitlines()[-1].split("|")[1:-1]
    assert [cell.strip() for cell in last] == ["6", "0.500", "0.500", "", ""]


def test_a_folder_without_the_splits_is_told_in_one_line(tmp_path, capsys) -> None:
    assert HEADS["main"](["--folder", str(tmp_path), "--out", str(tmp_path)]) == 3
    assert capsys.readouterr().err.startswith("error: ")
