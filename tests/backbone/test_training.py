"""A run is a function of its settings and seed: not of workers, parts, processes, or being stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_task
import torch
from safetensors.torch import load_file
from tiny_task import SETTINGS, Points, network
from torch import Tensor

from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.run_state import RunState, load_state
from googlenet_rcnn.backbone.train_settings import rate_at
from googlenet_rcnn.backbone.training import Interrupted, NotFinite, Progress, TrainSettings, train
from googlenet_rcnn.core.errors import DataError, Exit, ModelError, ResourceError, UsageError
from googlenet_rcnn.core.store import read_json_lines

STEPS = 9  # 3 epochs of 22 examples in batches of 8


def run(folder: Path, *, dropout: float = 0.3, bad: int | None = None, **options: Any) -> dict[str, Tensor]:
    changes = {key: options.pop(key) for key in set(options) & set(TrainSettings.model_fields)}
    settings = TrainSettings.model_validate(SETTINGS.model_dump() | changes)
    return train(network(dropout), Points(bad=bad), settings, folder, **options)


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def program(folder: Path, *arguments: str, before: tuple[str, ...] = ()) -> int:
    command = [sys.executable, *before, tiny_task.__file__, str(folder), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, timeout=120).returncode


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of the run that nothing disturbed."""
    return run(tmp_path_factory.mktemp("whole"))


def test_it_learns_and_logs_every_step(tmp_path: Path) -> None:
    seen: list[Progress] = []
    run(tmp_path, epochs=40, rate=0.2, checkpoint_minutes=9, report=seen.append)
    losses = [progress.losses["main"] for progress in seen]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    rows = list(read_json_lines(tmp_path / "log.jsonl"))
    assert [row["step"] for row in rows] == [p.step for p in seen] == list(range(1, seen[0].steps + 1))
    assert [row["loss"] for row in rows] == [progress.losses for progress in seen]
    assert all(row["norm"] > 0 and row["loss"].keys() == {"main", "size"} for row in rows)
    assert seen[-1].seconds_left == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_the_result_is_that_of_seed_and_settings(tmp_path: Path, whole, workers: int) -> None:
    assert equal(run(tmp_path, workers=workers, checkpoint_minutes=9), whole)


def test_another_seed_gives_another_result(tmp_path: Path, whole) -> None:
    assert not equal(run(tmp_path, seed=1), whole)


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_parts_of_a_batch_give_the_result_of_the_whole(tmp_path: Path, parts: int) -> None:
    expected = run(tmp_path / "a", dropout=0)
    for name, value in run(tmp_path / "b", dropout=0, accumulate=parts).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_stop_goes_on_exactly(tmp_path: Path, whole, number: int) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 4:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match="after step 4 of 9") as caught:
        run(tmp_path, report=stop, checkpoint_minutes=9)
    assert caught.value.exit == Exit.INTERRUPTED
    assert signal.getsignal(number) is before
    assert equal(run(tmp_path, resume=True, workers=2), whole)
    assert [row["step"] for row in read_json_lines(tmp_path / "log.jsonl")] == list(range(1, STEPS + 1))
    assert equal(run(tmp_path, resume=True), whole)  # nothing is left to do


@pytest.mark.parametrize(("step", "where"), [(5, "step"), (4, "write")])
def test_a_run_that_is_killed_goes_on_exactly(tmp_path: Path, whole, step: int, where: str) -> None:
    assert program(tmp_path, "--kill-at", str(step), "--where", where) == -signal.SIGKILL
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step":6,"lo')  # as a crash of the machine may leave it
    seen: list[int] = []
    assert equal(run(tmp_path, resume=True, report=lambda progress: seen.append(progress.step)), whole)
    assert seen == list(range(step, STEPS + 1))
    assert [row["step"] for row in read_json_lines(tmp_path / "log.jsonl")] == list(range(1, STEPS + 1))


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\xff" * 99])
def test_a_damaged_state_gives_way_to_the_one_before(tmp_path: Path, whole, damage) -> None:
    run(tmp_path)
    last, previous = tmp_path / "last.safetensors", tmp_path / "previous.safetensors"
    last.write_bytes(damage(last.read_bytes()))  # previous is a file of its own
    seen: list[int] = []
    assert equal(run(tmp_path, resume=True, report=lambda progress: seen.append(progress.step)), whole)
    assert seen == [STEPS]
    last.write_bytes(b"?")
    previous.write_bytes(b"?")
    with pytest.raises(ModelError, match="STATE_DAMAGED"):
        run(tmp_path, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0.02}, r"rate \(0\.05 then, 0\.02 now\)"),
        ({"batch": 4}, r"batch \(8 then, 4 now\)"),
        ({"seed": 3}, r"other seed \(0 then, 3 now\)"),
    ],
)
def test_a_run_goes_on_only_with_its_own_settings(tmp_path: Path, change, message: str) -> None:
    run(tmp_path)
    before = (tmp_path / "last.safetensors").read_bytes()
    with pytest.raises(UsageError, match=f"RESUME_DIFFERS.*{message}"):
        run(tmp_path, resume=True, **change)
    assert (tmp_path / "last.safetensors").read_bytes() == before


def test_a_run_goes_on_with_other_settings_only_by_force(tmp_path: Path) -> None:
    """From its weights and its step; a mean that it did not keep begins there. Other layers are never taken."""
    run(tmp_path, average=0.0, epochs=1)
    begun = load_file(tmp_path / "last.safetensors")
    seen: list[Progress] = []
    found = run(tmp_path, seed=5, rate=1e-9, epochs=2, resume=Resume.FORCED, report=seen.append)
    assert [progress.step for progress in seen] == [4, 5, 6]
    for name, value in found.items():
        torch.testing.assert_close(value, begun[f"module/{name}"], rtol=1e-5, atol=1e-6)
    wider = torch.nn.Sequential(torch.nn.Linear(2, 17), torch.nn.ReLU(), torch.nn.Linear(17, 2))
    with pytest.raises(UsageError, match=r"other .*parameters: use its settings or a new --out$"):
        train(wider, Points(), SETTINGS, tmp_path, resume=Resume.FORCED)


def test_a_run_goes_on_for_longer_as_if_that_had_been_asked_at_once(tmp_path: Path) -> None:
    """With a rate that does not depend on the end; the order of examples goes on too."""
    long = run(tmp_path / "long", epochs=5, schedule="steps")
    run(tmp_path / "grown", epochs=2, schedule="steps")
    assert equal(run(tmp_path / "grown", epochs=5, schedule="steps", resume=True), long)
    shorter = run(tmp_path / "long", epochs=1, schedule="steps", resume=True)
    assert equal(shorter, long)  # what has been learned stays learned


def test_a_run_does_not_go_on_from_other_weights(tmp_path: Path) -> None:
    run(tmp_path)
    other = network(0.3)
    with torch.no_grad():
        next(other.parameters()).add_(1)
    with pytest.raises(UsageError, match="begun with other start"):
        train(other, Points(), SETTINGS, tmp_path, resume=True)


def test_a_loss_that_is_no_number_stops_in_its_step(tmp_path: Path) -> None:
    with pytest.raises(NotFinite, match="NOT_FINITE: step") as caught:
        run(tmp_path, bad=7)
    record = json.loads((tmp_path / "not-finite.json").read_text())
    assert "point-7" in record["batch"]
    assert record["loss"]["main"] == "nan"
    assert f"step {record['step']}:" in caught.value.message
    rows = list(read_json_lines(tmp_path / "log.jsonl"))
    assert len(rows) == record["step"] - 1
    stored = load_file(tmp_path / "last.safetensors") if rows else {}
    assert all(value.isfinite().all() for value in stored.values())


@pytest.mark.parametrize("epochs", [0.1, 3])  # in the last step, and before it
def test_weights_that_overflow_are_never_stored(tmp_path: Path, epochs: float) -> None:
    with pytest.raises(NotFinite):
        run(tmp_path, rate=1e38, momentum=0.0, average=0.0, epochs=epochs, weight_decay=100.0)
    if (tmp_path / "last.safetensors").exists():
        assert all(value.isfinite().all() for value in load_file(tmp_path / "last.safetensors").values())


def test_a_full_disk_keeps_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    def fill(progress: Progress) -> None:
        if progress.step == 3:
            monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ResourceError, match="DISK_FULL"):
        run(tmp_path, report=fill)
    monkeypatch.undo()
    module = network()
    optimizer = torch.optim.SGD([{"params": [p], "name": n} for n, p in module.named_parameters()])
    with pytest.raises(UsageError, match="seed"):
        load_state(tmp_path, RunState(module, optimizer, True), {"settings": {}, "seed": 9})


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    alone = run(tmp_path / "one", dropout=0)
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    assert program(tmp_path / "two", "--dropout", "0", before=torchrun) == 0
    together = load_file(tmp_path / "two" / "result")
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, rtol=1e-6, atol=1e-6)
    assert [row["step"] for row in read_json_lines(tmp_path / "two" / "log.jsonl")] == list(range(1, 10))


def test_the_rate_falls_by_4_percent_every_8_epochs() -> None:
    steps = TrainSettings(schedule="steps", rate=1.0)
    for drops in range(11):
        for epoch in (8 * drops, 8 * drops + 7.9):
            assert rate_at(int(epoch * 100), 10_000, 100, steps) == pytest.approx(0.96**drops)
    assert rate_at(8_000, 10_000, 100, steps) == pytest.approx(0.6648, abs=5e-5)


def test_the_cosine_falls_to_nothing_after_warming_up() -> None:
    cosine = TrainSettings(rate=2.0, warmup=4)
    rates = [rate_at(step, 100, 10, cosine) for step in range(101)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[50] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_the_mean_of_weights_is_not_the_last(tmp_path: Path, whole) -> None:
    last = run(tmp_path / "last", average=0.0)
    assert not equal(last, whole)
    state = load_file(tmp_path / "last" / "last.safetensors")
    assert equal({n.removeprefix("module/"): v for n, v in state.items() if n.startswith("module/")}, last)
    # The mean, followed by hand from the same steps.
    mean = {name: value.clone() for name, value in network().state_dict().items()}

    module = network()
    done: list[int] = []

    def follow(progress: Progress) -> None:
        weight = 1 - min(0.9, (1.0 + len(done)) / (10.0 + len(done)))
        for name, value in module.state_dict().items():
            mean[name] += weight * (value - mean[name])
        done.append(progress.step)

    train(module, Points(), SETTINGS, tmp_path / "by hand", report=follow)
    for name, value in mean.items():
        torch.testing.assert_close(value, whole[name], rtol=1e-5, atol=1e-6)


def test_frozen_parameters_stay_and_factors_scale_the_rate(tmp_path: Path) -> None:
    module, first = network(), network().state_dict()
    module[0].requires_grad_(False)
    one_step = SETTINGS.model_copy(update={"epochs": 0.1, "average": 0.0, "weight_decay": 0.0})
    slow = train(module, Points(), one_step, tmp_path / "a", rates=lambda name: 0.5)
    module = network()
    module[0].requires_grad_(False)
    fast = train(module, Points(), one_step, tmp_path / "b")
    assert torch.equal(slow["0.weight"], first["0.weight"])
    assert not torch.equal(slow["3.weight"], first["3.weight"])
    torch.testing.assert_close(fast["3.bias"] - first["3.bias"], 2 * (slow["3.bias"] - first["3.bias"]))


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="NO_EXAMPLES"):
        train(network(), Points(0), SETTINGS, tmp_path)


def test_biases_learn_at_a_rate_of_their_own(tmp_path: Path) -> None:
    began = network(0.0).state_dict()
    one_step = SETTINGS.model_copy(update={"epochs": 0.1, "average": 0.0, "weight_decay": 0.0})
    moved = {}
    for factor in (1.0, 10.0):
        settings = one_step.model_copy(update={"bias_rate": factor})
        state = train(network(0.0), Points(), settings, tmp_path / str(factor))
        moved[factor] = {name: state[name] - began[name] for name in began}
    for name in began:
        expected = moved[1.0][name] * (10.0 if name.endswith("bias") else 1.0)
        torch.testing.assert_close(moved[10.0][name], expected, rtol=1e-3, atol=1e-6)
