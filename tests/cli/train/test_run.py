"""What the training commands share: flags for all stages, and a cache that has a place wherever there is one."""

from pathlib import Path

import pytest

from googlenet_rcnn.backbone.classifier_training import ClassifierRecipe
from googlenet_rcnn.cli.train.run import cache_or, on_nan
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.detector.fine_tuning import DetectorRecipe


@pytest.fixture
def cached(monkeypatch, tmp_path: Path):
    """The folder that is chosen while XDG_CACHE_HOME is some place, and what is said."""
    said: list[str] = []

    def choose(place: Path, cache: Path | None = None):
        monkeypatch.setenv("XDG_CACHE_HOME", str(place))
        return cache_or(cache, tmp_path / "run" / "cache", said.append), said

    return choose


def test_activations_are_kept_where_the_flag_or_the_user_says(cached, tmp_path: Path) -> None:
    assert cached(tmp_path / "home") == (tmp_path / "home" / "googlenet-rcnn", [])
    assert cached(tmp_path / "home", tmp_path / "told") == (tmp_path / "told", [])
    assert (tmp_path / "told").is_dir()
    assert not (tmp_path / "run").exists()


def test_beside_the_run_where_there_is_no_home_to_write_to(cached, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder, said = cached(tmp_path / "file")
    assert folder == tmp_path / "run" / "cache"
    assert folder.is_dir()
    assert len(said) == 1
    assert str(folder) in said[0]


def test_a_folder_that_was_asked_for_is_not_replaced_by_another(cached, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="OUT_UNWRITABLE"):
        cached(tmp_path / "home", tmp_path / "file" / "cache")


def test_what_happens_at_a_number_that_is_none_is_said_for_all_stages() -> None:
    recipe = on_nan(DetectorRecipe(), ("head", "network", "screen.train"), "rollback")
    assert [stage.nan for stage in (recipe.head, recipe.network, recipe.screen.train)] == ["rollback"] * 3
    assert recipe.head.model_copy(update={"nan": "stop"}) == DetectorRecipe().head
    assert on_nan(recipe, ("head",), None) is recipe
    with pytest.raises(UsageError, match="--nan cry: known are stop, rollback"):
        on_nan(ClassifierRecipe(), ("train",), "cry")
