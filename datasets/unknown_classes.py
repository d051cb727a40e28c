"""Class names or numbers that a label set lacks: gathered over the whole split, told in one table."""

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet

__all__ = ["UnknownClasses", "folded"]

_SHOWN = 8


def folded(name: str) -> str:
    """A class name without what people vary by mistake: case, spaces, hyphens and underscores."""
    return "".join(c for c in name.casefold() if c not in " -_\t")


class UnknownClasses:
    """Counts names that are in no label set and remembers where each was met first."""

    def __init__(self) -> None:
        self._met: dict[str, tuple[int, str]] = {}

    def add(self, name: str, place: str) -> None:
        """Notes one annotation of the class `name`, at a file and the place in it."""
        count, first = self._met.get(name, (0, place))
        self._met[name] = (count + 1, first)

    def check(self, labels: LabelSet, fix: str) -> None:
        """DataError (CLASS_UNKNOWN) with name, count and first file of each; nothing if none was met."""
        if not self._met:
            return
        alike = {folded(name): name for name in labels.names}
        rows = []
        for name, (count, first) in list(self._met.items())[:_SHOWN]:
            hint = f", did you mean {alike[folded(name)]!r}?" if folded(name) in alike else ""
            rows.append(f"{name!r} {count}x (first in {first}{hint})")
        more = f" and {len(self._met) - _SHOWN} more" if len(self._met) > _SHOWN else ""
        known = ", ".join(labels.names[:5]) + (", ..." if len(labels) > 5 else "")
        raise DataError("CLASS_UNKNOWN", f"{'; '.join(rows)}{more}: none of the {len(labels)} labels ({known}); {fix}")
