"""Whoever trains together ends together: also where one is killed, frozen or asleep."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
import tiny_task
import torch
from safetensors.torch import load_file
from tiny_task import SETTINGS, Points, network
from together import ended, together
from torch import distributed

from googlenet_rcnn.backbone import heartbeats
from googlenet_rcnn.backbone.heartbeats import Heartbeats, lost_if_silent
from googlenet_rcnn.backbone.training import train
from googlenet_rcnn.core.errors import ResourceError
from googlenet_rcnn.core.store import read_json_lines


def program(folder: Path, *arguments: str) -> list[str]:
    return [tiny_task.__file__, str(folder), "--patience", "4", *arguments]


@pytest.fixture
def store():
    return distributed.TCPStore("127.0.0.1", 0, 2, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=9))


SLOW = pytest.mark.slow  # each takes some seconds to start


@pytest.mark.parametrize("fault", ["die", *(pytest.param(fault, marks=SLOW) for fault in ("freeze", "sleep"))])
def test_none_waits_for_one_that_is_gone(tmp_path: Path, fault: str) -> None:
    with together(program(tmp_path, "--dropout", "0", "--fault", "1", fault, "4")) as (first, second):
        code, said = ended(first)
        assert code == 5, said
        assert said.splitlines()[-1].startswith("error: RANK_LOST: ")
        assert fault != "die" or ended(second)[0] == -signal.SIGKILL
    # What was saved is whole: one process takes it up, and learns what it learns alone.
    alone = train(network(0.0), Points(), SETTINGS, tmp_path / "alone")
    for name, value in train(network(0.0), Points(), SETTINGS, tmp_path, resume=True).items():
        torch.testing.assert_close(value, alone[name], rtol=1e-5, atol=1e-6)


def test_where_one_lacks_memory_all_go_on_in_parts(tmp_path: Path) -> None:
    with together(program(tmp_path, "--dropout", "0", "--fault", "1", "memory", "3")) as pair:
        for process in pair:
            assert ended(process)[0] == 0
    rows = list(read_json_lines(tmp_path / "log.jsonl"))
    assert [(row["step"], row.get("parts")) for row in rows] == [
        (step, None if step < 4 else 2) for step in range(1, 10)
    ]
    alone = train(network(0.0), Points(), SETTINGS, tmp_path / "alone")
    for name, value in load_file(tmp_path / "result").items():
        torch.testing.assert_close(value, alone[name], rtol=1e-5, atol=1e-6)


def test_where_a_loss_is_no_number_all_go_back_then_stop_and_each_tells_of_its_share(tmp_path: Path) -> None:
    with together(program(tmp_path, "--settings", '{"rate": 1e6, "epochs": 40, "nan": "rollback"}')) as pair:
        for process in pair:
            code, said = ended(process)
            assert (code, "error: NOT_FINITE: step" in said) == (3, True), said
    assert sorted(path.name for path in tmp_path.glob("not-finite*")) == ["not-finite-1.json", "not-finite.json"]
    for path in tmp_path.glob("*.safetensors"):
        assert all(value.isfinite().all() for value in load_file(path).values())


def test_one_that_has_more_to_do_is_waited_for(store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "_BEAT", 0.05)
    early, late = (Heartbeats(store, rank, 2, patience=1.0) for rank in range(2))
    for seconds in (2.0, 0.1):  # twice the patience, but its heart beats
        waiting = Thread(target=early.wait)
        waiting.start()
        waiting.join(seconds)
        assert waiting.is_alive()
        late.wait()
        waiting.join(10)
        assert not waiting.is_alive()


def test_one_that_never_lived_or_no_longer_does_is_named(store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match="RANK_LOST: process 1 of 2 has died or hangs"):
        Heartbeats(store, 0, 2, patience=0.1).wait()
    monkeypatch.setattr(heartbeats.Heartbeats, "_beat", lambda self, store: None)
    Heartbeats(store, 1, 2)
    with pytest.raises(ResourceError, match="process 1 of 2"):
        Heartbeats(store, 0, 2, patience=0.1).wait()


def test_what_pytorch_says_of_a_lost_peer_is_one_line() -> None:
    with pytest.raises(ResourceError, match=r"died or hangs \(Connection closed by peer\)") as caught, lost_if_silent():
        raise RuntimeError("Connection closed by peer\nException raised from read at ...")
    assert (caught.value.code, int(caught.value.exit)) == ("RANK_LOST", 5)


@SLOW
@pytest.mark.parametrize("fault", ["die", "freeze", "sleep"])
def test_torchrun_ends_all_within_a_minute(tmp_path: Path, fault: str) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, tiny_task.__file__, str(tmp_path), "--fault", "1", fault, "4"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=75, check=False)
    assert result.returncode != 0
    log = tmp_path / "log.jsonl"
    assert time.time() - log.stat().st_mtime < 60  # since the last step that all took
