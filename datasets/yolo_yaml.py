"""The few lines of a YOLO data.yaml that are needed, read without YAML's tags, anchors and surprises."""

import re

from googlenet_rcnn.core.errors import DataError

__all__ = ["read_data_yaml"]

_KEY = re.compile(r"""(?:'([^']*)'|"([^"]*)"|([^\s'"\[{#:][^:#]*?))\s*:(?:\s+|$)(.*)""")
_QUOTED = r"""\s*(?:(\d+)\s*:\s+)?(?:'((?:[^']|'')*)'|"([^"\\]*)"|"""
# A bare name may hold anything but a colon with a blank behind; within brackets, no commas and brackets either.
_ITEM = re.compile(_QUOTED + r"""([^\s'",\[\]{}](?:[^,\[\]{}:]|:(?!\s))*?))\s*(?:,|$)""")
_LINE = re.compile(_QUOTED + r"""([^\s'",\[\]{}](?:[^:]|:(?!\s))*?))\s*$""")


def read_data_yaml(text: str, file: str) -> dict[str, str | list[str]]:
    """The keys at the left margin: `names` as a list in the order of their numbers, others as they stand.

    `names` may be a list or numbered from 0, in a block or in brackets. DataError (YAML_UNSUPPORTED) with
    the line for tabs, tags, anchors and aliases, DataError (YAML_INVALID) for what is no such file.
    """
    found: dict[str, str | list[str]] = {}
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        number, line = at + 1, lines[at]
        at += 1
        if not _content(line) or line in ("---", "..."):
            continue
        matched = None if line[0] in " -" else _KEY.fullmatch(_content(line))
        if line[0] == "\t" or not matched:
            code, reason = ("YAML_UNSUPPORTED", "a tab") if line[0] == "\t" else ("YAML_INVALID", repr(line[:40]))
            raise DataError(code, f"{file}:{number}: expected `key: value` at the left margin, found {reason}")
        key, value = next(part for part in matched.groups()[:3] if part is not None), matched[4].strip()
        if key in found:
            raise DataError("YAML_INVALID", f"{file}:{number}: {key!r} is there twice; keep one")
        block = []
        while at < len(lines) and (not _content(lines[at]) or lines[at][0] in " -\t}]"):
            block.append((at + 1, lines[at]))
            at += 1
        if key == "names":
            found[key] = _names([(number, value), *block], file)
        elif value[:1] not in ("|", ">"):  # a block of text is none of ours, whatever is in it
            _refuse_cleverness(value, f"{file}:{number}")
            found[key] = value.strip("'\"")
    return found


def _content(line: str) -> str:
    """The line without its comment; a # within a word or in quotes starts none."""
    quoted = re.sub(r"""'[^']*'|"[^"]*\"""", lambda part: "q" * len(part[0]), line)
    comment = re.search(r"(^|\s)#", quoted)
    return (line[: comment.start()] if comment else line).rstrip()


def _refuse_cleverness(value: str, where: str) -> None:
    if value[:1] in ("!", "&", "*", "|", ">", "%", "@", "`") or value.startswith("<<"):
        message = f"{where}: {value[:40]!r} is a tag, an anchor or a block, which are not read; write it out"
        raise DataError("YAML_UNSUPPORTED", message)


def _names(lines: list[tuple[int, str]], file: str) -> list[str]:
    start, value = lines[0]
    for number, line in lines[1:]:
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise DataError("YAML_UNSUPPORTED", f"{file}:{number}: a tab indents this line; use spaces")
    if value[:1] in ("[", "{"):
        joined = " ".join([value, *(_content(line).strip() for _, line in lines[1:])]).strip()
        if joined[-1] != {"[": "]", "{": "}"}[joined[0]]:
            raise DataError("YAML_INVALID", f"{file}:{start}: the bracket of names is not closed")
        rows = _items(joined[1:-1].strip(), f"{file}:{start}")
    else:
        rows = []
        for number, line in lines if value else lines[1:]:
            if row := _content(line).strip():
                rows += _items(row.removeprefix("- ").strip(), f"{file}:{number}", single=True)
    keys = [key for key, _ in rows]
    if any(keys) and keys != [str(number) for number in range(len(rows))]:
        raise DataError("YAML_INVALID", f"{file}:{start}: number the names 0, 1, 2 ... without holes, or not at all")
    return [name for _, name in rows]


def _items(text: str, where: str, single: bool = False) -> list[tuple[str | None, str]]:
    """Pairs (number or None, name) of a comma-separated row, or the only one of a line."""
    rows: list[tuple[str | None, str]] = []
    at = 0
    while at < len(text):
        item = (_LINE if single else _ITEM).match(text, at)
        if not item:
            _refuse_cleverness(text[at:], where)
            raise DataError("YAML_INVALID", f"{where}: {text[at : at + 40]!r} is no name; quote it with ' '")
        key, once, twice, plain = item.groups()
        if plain:
            _refuse_cleverness(plain, where)
        name = once.replace("''", "'") if once is not None else twice if twice is not None else plain
        if not name:
            raise DataError("YAML_INVALID", f"{where}: a name is empty")
        rows.append((key, name))
        at = item.end()
    return rows
