"""Whole numbers in files of others: int() would take signs, underscores and blanks, and raises at 4,300 digits."""

__all__ = ["whole_number"]

_DIGITS = 18  # fit into 64 bits


def whole_number(word: str) -> int | None:
    """The number that a word of decimal digits spells, None for any other word and one that is too long."""
    return int(word) if word.isdecimal() and len(word) <= _DIGITS else None
