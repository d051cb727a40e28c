"""The cache has a place wherever the user has one."""

from pathlib import Path

import pytest

from googlenet_rcnn.core.user_cache import user_cache


def test_it_is_where_the_user_says_or_below_home(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "said"))
    assert user_cache() == tmp_path / "said" / "googlenet-rcnn"
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for value in ("", None):
        monkeypatch.setenv("XDG_CACHE_HOME", value) if value is not None else monkeypatch.delenv("XDG_CACHE_HOME")
        assert user_cache() == tmp_path / ".cache" / "googlenet-rcnn"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(OSError, match="XDG_CACHE_HOME"):
        user_cache()
