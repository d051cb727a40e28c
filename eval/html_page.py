"""Pieces of a page that loads nothing; every text that comes from outside is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from googlenet_rcnn.eval.svg_charts import Svg

__all__ = ["colour_key", "data_table", "page", "section"]


def page(title: str, sections: Sequence[tuple[str, str, str]], head: str) -> str:
    """The whole page: a heading, `head`, links to the sections (anchor, title, content), and these."""
    links = "".join(f'<li><a href="#{anchor}">{escape(name)}</a></li>' for anchor, name, _ in sections)
    body = f"<header><h1>{escape(title)}</h1>{head}</header>"
    body += f'<nav aria-label="Sections"><ul>{links}</ul></nav><main>'
    body += "".join(section(*one) for one in sections) + "</main>"
    template = files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    return Template(template).substitute(title=escape(title), body=body)


def section(anchor: str, name: str, content: str) -> str:
    """A part of the page with its heading."""
    heading = f'<h2 id="{anchor}-h">{escape(name)}</h2>'
    return f'<section id="{anchor}" aria-labelledby="{anchor}-h">{heading}{content}</section>'


def data_table(
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    total: Sequence[object] | None = None,
    sortable: bool = False,
) -> str:
    """A table with a name for screen readers; a row is its heading and its cells, charts as they are."""
    rows = list(rows)
    numeric = [isinstance(value, int | float) for value in rows[0]] if rows else [False] * len(columns)
    head = "".join(
        f'<th scope="col"{" class=number" * number}>{escape(column)}</th>'
        for column, number in zip(columns, numeric, strict=True)
    )
    body = "".join(_row(row) for row in rows)
    foot = f"<tfoot>{_row(total)}</tfoot>" if total is not None else ""
    kind = ' class="sortable"' if sortable else ""
    table = f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>"
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name)}">{table}</div>'


def _row(cells: Sequence[object]) -> str:
    first, *others = cells
    return f'<tr><th scope="row">{_shown(first)}</th>' + "".join(map(_cell, others)) + "</tr>"


def _cell(value: object) -> str:
    # The exact number is what the column is sorted by; what is not defined comes last.
    if isinstance(value, int | float):
        return f'<td class="number" data-value="{value if value == value else -1}">{_shown(value)}</td>'
    return f"<td>{_shown(value)}</td>"


def _shown(value: object) -> str:
    """A cell's text: numbers as people read them, a dash for what is not defined, charts as they are."""
    if isinstance(value, float):
        return f"{value:.4f}" if value == value else "–"
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, Svg) else escape(str(value))


def colour_key(names: Sequence[str], colours: Sequence[str]) -> str:
    """Which colour stands for what."""
    entries = zip(names, colours, strict=False)
    return (
        '<ul class="key">'
        + "".join(f'<li><i style="background:{colour}"></i>{escape(name)}</li>' for name, colour in entries)
        + "</ul>"
    )
