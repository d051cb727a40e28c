"""Recipes: TOML files whose tables mirror frozen, strict settings classes and list departures only."""

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import UsageError

__all__ = ["Settings", "load_recipe", "override"]


class Settings(BaseModel):
    """Base of all settings: immutable, without conversions between types, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


S = TypeVar("S", bound=Settings)

_TOO_DEEP = "nested too deeply to be settings"


def _keys(kind: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, info in kind.model_fields.items():
        found.append(prefix + name)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            found += _keys(info.annotation, f"{prefix}{name}.")
    return found


def _parse(kind: type[S], values: dict[str, Any], source: str) -> S:
    try:
        # TOML has arrays where settings have tuples; types stay strict otherwise.
        return kind.model_validate(_completed(kind, _tuples(values)))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, _keys(kind), n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(_keys(kind))}"
            raise UsageError("RECIPE_KEY", f"{source}: unknown key {key}{hint}") from None
        raise UsageError("RECIPE_VALUE", f"{source}: {key}: {first['msg']}, got {repr(first['input'])[:80]}") from None


def _completed(kind: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """The values with each table completed by what this kind has there, which may differ from its class's defaults."""
    tables = {name: info.default for name, info in kind.model_fields.items() if isinstance(info.default, Settings)}
    return {name: _merged(tables[name].model_dump(), v) if name in tables else v for name, v in values.items()}


def _merged(default: Any, value: Any) -> Any:
    if not (isinstance(default, dict) and isinstance(value, dict)):
        return value
    return default | {name: _merged(default.get(name), inner) for name, inner in value.items()}


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def override(values: dict[str, Any], assignments: list[str]) -> dict[str, Any]:
    """A copy of nested values with `a.b=v` assignments applied; v is read as TOML, else as text."""
    result: dict[str, Any] = {key: dict(v) if isinstance(v, dict) else v for key, v in values.items()}
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip():
            raise UsageError("RECIPE_SET", f"--set {assignment}: expected key=value, for example train.epochs=2")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except ValueError:
            value = text
        except RecursionError:
            raise UsageError("RECIPE_SET", f"--set {path[:40]}: {_TOO_DEEP}") from None
        *tables, last = path.strip().split(".")
        target = result
        for table in tables:
            inner = target.setdefault(table, {})
            if not isinstance(inner, dict):
                raise UsageError("RECIPE_SET", f"--set {assignment}: {table} is a value, not a table")
            target[table] = target = dict(inner)
        target[last] = value
    return result


def load_recipe(kind: type[S], path: Path | None, assignments: list[str] | None = None) -> S:
    """Settings of a TOML file (or the defaults) with assignments on top; UsageError names the dotted key."""
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError("RECIPE_MISSING", f"cannot read recipe {path}: {error.strerror}") from None
        except RecursionError:
            raise UsageError("RECIPE_PARSE", f"{path}: {_TOO_DEEP}") from None
        except ValueError as error:  # of TOML, of UTF-8, of a number of thousands of digits
            raise UsageError("RECIPE_PARSE", f"{path}: {error}") from None
    try:
        return _parse(kind, override(values, assignments or []), str(path or "settings"))
    except RecursionError:
        raise UsageError("RECIPE_PARSE", f"{path or 'settings'}: {_TOO_DEEP}") from None
