"""Whether a run goes on in its folder, and what must be as it was: everything, unless the user insists."""

from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import UsageError

__all__ = ["Resume", "differences", "refuse_different"]

_NEVER = "parameters"  # weights of other shapes cannot be taken over, however much one insists
_SHORT = 15  # letters; a longer value is a hash, of which the name says enough
_PLAIN = (str, int, float, bool)


class Resume(IntEnum):
    """How a run begins: anew, where it was with the same settings, or where it was with whatever is said now."""

    NO = 0
    SAME = 1
    FORCED = 2

    @classmethod
    def asked(cls, resume: bool, force: bool) -> "Resume":
        """What the two flags mean together."""
        return cls.FORCED if force else cls.SAME if resume else cls.NO


def refuse_different(place: Path, then: dict[str, Any], now: dict[str, Any], resume: Resume) -> None:
    """UsageError (RESUME_DIFFERS), with what differs, unless the run in `place` is to go on by force."""
    found = dict(differences(then, now))
    if found and (resume != Resume.FORCED or _NEVER in found):
        shown = ", ".join(f"{name} {values}".strip() for name, values in found.items())
        force = "" if _NEVER in found else ", or insist with --force-resume"
        raise UsageError(
            "RESUME_DIFFERS", f"{place} was begun with other {shown}: use its settings or a new --out{force}"
        )


def differences(then: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The dotted names of what is not as it was, each with both values where they are short."""
    for name, value in now.items():
        before = then.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from ((f"{name}.{inner}", values) for inner, values in differences(before, value))
        elif before != value:
            short = name in then and all(len(str(one)) <= _SHORT and type(one) in _PLAIN for one in (before, value))
            yield name, f"({before} then, {value} now)" if short else ""
