"""Class names or numbers that a label set lacks: gathered over the whole split, told in one table."""

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.datasets.findings import Finding, Findings, located

__all__ = ["UnknownClasses", "folded"]

_SHOWN = 8


def folded(name: str) -> str:
    """A class name without what people vary by mistake: case, spaces, hyphens and underscores."""
    return "".join(c for c in name.casefold() if c not in " -_\t")


class UnknownClasses:
    """Counts names that are in no label set and remembers where each was met first."""

    def __init__(self) -> None:
        self._met: dict[str, tuple[int, str, str]] = {}
        self.total = 0
        """Annotations that were noted."""

    def add(self, name: str, file: object, place: str = "") -> None:
        """Notes one annotation of the class `name`, at a place in a file."""
        count, first, first_place = self._met.get(name, (0, str(file), place))
        self._met[name] = (count + 1, first, first_place)
        self.total += 1

    def check(self, labels: LabelSet, fix: str, findings: Findings | None = None) -> None:
        """Refuses what was met: DataError (CLASS_UNKNOWN) with name, count and first file of each, or a finding each.

        Nothing if nothing was met.
        """
        if not self._met:
            return
        known = ", ".join(labels.names[:5]) + (", ..." if len(labels) > 5 else "")
        none = f"none of the {len(labels)} labels ({known})"
        alike = {folded(name): name for name in labels.names}
        rows = []
        for name, (count, file, place) in self._met.items():
            hint = f", did you mean {alike[folded(name)]!r}?" if folded(name) in alike else ""
            if findings is not None and findings.collected:
                message = f"{name!r} {count}x: {none}{hint}; {fix}"
                findings.append(Finding("CLASS_UNKNOWN", file, place, message, "error"))
            rows.append(f"{name!r} {count}x (first in {located(file, place)}{hint})")
        if findings is None or not findings.collected:
            more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
            raise DataError("CLASS_UNKNOWN", f"{'; '.join(rows[:_SHOWN])}{more}: {none}; {fix}")
