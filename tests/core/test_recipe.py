"""A recipe is strict: what it does not understand it refuses, with the dotted key and the nearest right one."""

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.recipe import Settings, load_recipe, override


class Train(Settings):
    epochs: int = Field(1, gt=0)
    rate: float = 0.01
    schedule: str = "cosine"
    sides: tuple[int, ...] = (1, 2)
    average: bool = False


class Recipe(Settings):
    name: str = ""
    train: Train = Train()


def recipe(folder: Path, text: str | bytes) -> Path:
    path = folder / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_only_departures_are_listed(tmp_path: Path) -> None:
    path = recipe(tmp_path, 'name = "ä"\n[train]\nrate = 1\nsides = [3]\n')
    assert load_recipe(Recipe, path) == Recipe(name="ä", train=Train(rate=1.0, sides=(3,)))
    assert load_recipe(Recipe, None) == load_recipe(Recipe, recipe(tmp_path, "")) == Recipe()


def test_a_table_departs_from_what_the_recipe_has_there_not_from_its_class(tmp_path: Path) -> None:
    class Inner(Settings):
        long: Train = Train(epochs=9)

    class Staged(Settings):
        stage: Train = Train(epochs=7, rate=0.5)
        outer: Inner = Inner(long=Train(epochs=8, rate=0.25))

    path = recipe(tmp_path, "[stage]\nrate = 1.0\n[outer.long]\nschedule = 'steps'\n")
    loaded = load_recipe(Staged, path, ["stage.average=true"])
    assert loaded.stage == Train(epochs=7, rate=1.0, average=True)
    assert loaded.outer.long == Train(epochs=8, rate=0.25, schedule="steps")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("[train]\nepoch = 2", "RECIPE_KEY", r"unknown key train\.epoch; did you mean train\.epochs\?"),
        ("epochs = 2", "RECIPE_KEY", r"unknown key epochs; did you mean train\.epochs\?"),
        ("[trian]\nepochs = 2", "RECIPE_KEY", r"unknown key trian; did you mean train\?"),
        ("zzzzzzzz = 2", "RECIPE_KEY", r"unknown key zzzzzzzz; known: name, train, train\.epochs"),
        ("[train]\nepochs = '2'", "RECIPE_VALUE", r"train\.epochs: .*integer, got '2'"),
        ("[train]\nepochs = 2.0", "RECIPE_VALUE", r"train\.epochs: .*integer, got 2\.0"),
        ("[train]\nepochs = 0", "RECIPE_VALUE", r"train\.epochs: .*greater than 0, got 0"),
        ("[train]\nrate = true", "RECIPE_VALUE", r"train\.rate: .*number, got True"),
        ("[train]\nrate = inf", "RECIPE_VALUE", r"train\.rate: .*finite"),
        ("[train]\naverage = 1", "RECIPE_VALUE", r"train\.average: .*boolean, got 1"),
        ("[train]\nsides = [1, 'x']", "RECIPE_VALUE", r"train\.sides\.1: .*integer, got 'x'"),
        ("train = 3", "RECIPE_VALUE", r"train: .*got 3"),
        ("[train\n", "RECIPE_PARSE", r"line 1"),
        ("name = 1\nname = 2", "RECIPE_PARSE", r"overwrite a value"),
        (b"name = '\xff'", "RECIPE_PARSE", r"utf-8"),
        ("name = " + "[" * 2000, "RECIPE_PARSE", r"nested too deeply"),
        ("name = " + "{a=" * 2000, "RECIPE_PARSE", r"nested too deeply"),
        ("a." * 3000 + "b = 1", "RECIPE_PARSE", r"nested too deeply"),
        ("train.epochs = " + "9" * 5000, "RECIPE_PARSE", r"digits"),
        ("train.epochs = [" + "1," * 5000 + "]", "RECIPE_VALUE", r"got \(1, 1, .{0,80}$"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, text: str | bytes, code: str, message: str) -> None:
    path = recipe(tmp_path, text)
    with pytest.raises(UsageError, match=message) as caught:
        load_recipe(Recipe, path)
    assert caught.value.code == code
    assert caught.value.exit == Exit.USAGE
    assert str(path) in caught.value.message


def test_a_recipe_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"RECIPE_MISSING: cannot read recipe .*none\.toml"):
        load_recipe(Recipe, tmp_path / "none.toml")


def test_assignments_win_over_the_file(tmp_path: Path) -> None:
    path = recipe(tmp_path, "[train]\nepochs = 5\nrate = 0.5\n")
    settings = load_recipe(Recipe, path, ["train.epochs=7", "name=plain text", "train.sides=[4, 5]", "name=a=b"])
    assert settings == Recipe(name="a=b", train=Train(epochs=7, rate=0.5, sides=(4, 5)))
    with pytest.raises(UsageError, match=r"did you mean train\.epochs"):
        load_recipe(Recipe, path, ["train.epoch=7"])


def test_overriding_copies() -> None:
    values = {"a": {"b": {"c": 1}}, "d": 2}
    assert override(values, ["a.b.c=3", "e.f='x'"]) == {"a": {"b": {"c": 3}}, "d": 2, "e": {"f": "x"}}
    assert values == {"a": {"b": {"c": 1}}, "d": 2}


def test_assignments_nested_too_deeply_are_refused_and_long_numbers_are_text() -> None:
    with pytest.raises(UsageError, match=r"RECIPE_SET.*nested too deeply"):
        override({}, ["a=" + "[" * 5000])
    with pytest.raises(UsageError, match=r"RECIPE_PARSE.*nested too deeply"):
        load_recipe(Recipe, None, ["a." * 3000 + "b=1"])
    assert override({}, ["a=" + "9" * 5000]) == {"a": "9" * 5000}


@pytest.mark.parametrize("assignment", ["train.epochs", "=3", " =3", "d.e=1"])
def test_a_bad_assignment_is_shown(assignment: str) -> None:
    with pytest.raises(UsageError, match=f"RECIPE_SET: --set {assignment}"):
        override({"d": 2}, [assignment])


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().name = "other"  # type: ignore[misc]
