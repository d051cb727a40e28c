import os

import pytest

from googlenet_rcnn.cli.threads import available_threads


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000\n", 8),
        ("200000 100000\n", 2),
        ("150000 100000\n", 1),
        ("50000 100000\n", 1),
        ("6400000 100000\n", 8),
        ("", 8),
        ("rubbish\n", 8),
        (None, 8),
    ],
)
def test_quota_of_the_container_limits_the_threads(tmp_path, monkeypatch, text, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    path = tmp_path / "cpu.max"
    if text is not None:
        path.write_text(text)
    assert available_threads(path) == expected


def test_system_without_affinity_counts_processors(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_threads(tmp_path / "none") == 1
