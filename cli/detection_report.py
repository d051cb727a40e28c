"""`detect --report`: one page that loads nothing, with every image, its boxes, a slider and the times."""

import json
import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from string import Template

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.eval.html_page import data_table

from .boundary import one_line
from .exhibit import LEAST_SCORE, PROPOSALS_SHOWN, page_colours
from .image_loop import Made
from .web_files import hash_source, web_file

__all__ = ["check_report", "detection_report", "model_facts"]

_STAGES = {"decode": "decoding", "propose": "proposals", "warp": "warping", "classify": "networks"}


def check_report(path: Path | None, overwrite: bool, taken: Iterable[str]) -> None:
    """UsageError for a report that is there and may not be replaced, or that is one of the files `taken` otherwise."""
    if path is None:
        return
    if os.path.realpath(path) in {os.path.realpath(name) for name in taken}:
        raise UsageError("OUT_IS_INPUT", f"--report would overwrite {path}: choose another file")
    if path.exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{path} is there already: choose another --report or say --overwrite")


@contextmanager
def detection_report(
    path: Path, facts: Sequence[tuple[str, str]], threshold: float
) -> Iterator[Callable[[Made], None]]:
    """A page at `path`, whole or not at all; it grows on disk by what it is given, image after image.

    `facts` are what is said at its top, and `threshold` is where its slider stands at first.
    """
    script = web_file("overlay.js") + web_file("report.js")
    style = web_file("overlay.css") + web_file("report.css")
    policy = (
        f"default-src 'none'; img-src data:; style-src {hash_source(style)}; script-src {hash_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    terms = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    head, _, tail = web_file("report.html").partition("$images")
    settings: dict[str, object] = {"policy": policy, "style": style, "facts": terms}
    settings |= {"lowest": f"{min(threshold, LEAST_SCORE):g}", "threshold": f"{threshold:g}", "most": PROPOSALS_SHOWN}
    times: dict[str, list[float]] = {}
    labels: dict[str, None] = {}  # in the order in which they came up
    counts = {"ok": 0, "failed": 0}
    with atomic_file(path, "w") as stream:
        stream.write(Template(head).substitute(settings))

        def add(made: Made) -> None:
            counts[made.row["status"]] += 1
            for stage, value in made.row.get("ms", {}).items():
                times.setdefault(stage, []).append(value)
            if made.exhibit is not None:
                labels.update(dict.fromkeys(one["label"] for one in made.exhibit["detections"]))
            stream.write(_section(sum(counts.values()), made))

        yield add
        colours = _json(page_colours(labels))
        summary = _times(times, counts)
        stream.write(Template(tail).substitute(script=script, colours=colours, summary=summary))


def model_facts(names: Sequence[str], cards: Sequence[Card]) -> list[tuple[str, str]]:
    """What the Cards tell of the models with these names."""

    def each(values: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(filter(None, values))) or "not told"

    labels = cards[0].labels
    return [
        ("model", ", ".join(names)),
        ("network", each(card.arch for card in cards)),
        ("classes", f"{len(labels)}: {', '.join(labels[:5])}{', ...' if len(labels) > 5 else ''}"),
        ("trained on", each(card.data for card in cards)),
        ("licence of the weights", each(card.licence for card in cards)),
        ("provenance", each(card.provenance for card in cards)),
    ]


def _section(number: int, made: Made) -> str:
    row = made.row
    heading = f'<h2 id="image-{number}">{escape(one_line(row["path"]))}</h2>'
    if row["status"] == "failed":
        reason = escape(one_line(f"{row['code']}: {row['message']}"))
        return f'<section aria-labelledby="image-{number}">{heading}<p class="fault">{reason}</p></section>\n'
    assert made.exhibit is not None
    shown = {key: value for key, value in made.exhibit.items() if key != "uri"}
    size = f"{row['width']} × {row['height']} pixels, {row['proposals']:,} proposals"
    told = ", ".join(f"{_STAGES.get(stage, stage)} {value:,.0f}" for stage, value in row["ms"].items())
    warned = f" Warnings: {', '.join(row['warnings'])}." if row.get("warnings") else ""
    rows = "".join(
        f'<tr data-score="{one["score"]}"><th scope="row">{escape(one_line(one["label"]))}</th>'
        f"<td>{one['score']:.2f}</td><td>{' '.join(f'{value:.0f}' for value in one['box'])}</td></tr>"
        for one in shown["detections"]
    )
    table = (
        '<div class="scroll"><table><thead><tr><th scope="col">class</th><th scope="col">score</th>'
        f'<th scope="col">x1 y1 x2 y2</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    picture = (
        f'<div class="photo"><img src="{made.exhibit["uri"]}" width="{row["width"]}" height="{row["height"]}" '
        f'alt="{escape(one_line(row["image_id"]))}" loading="lazy"><svg aria-hidden="true"></svg></div>'
    )
    return (
        f'<section aria-labelledby="image-{number}">{heading}{picture}'
        f'<p class="times">{size}; milliseconds: {told}.{warned}</p>{table}'
        f'<script type="application/json" class="boxes">{_json(shown)}</script></section>\n'
    )


def _json(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _times(times: dict[str, list[float]], counts: dict[str, int]) -> str:
    images = f"{counts['ok']} images" + (f", and {counts['failed']} that could not be read" if counts["failed"] else "")
    rows = [(_STAGES.get(stage, stage), statistics.median(values), max(values)) for stage, values in times.items()]
    if not rows:
        return f"<p>{images}.</p>"
    return f"<h2>Times of {images}</h2>" + data_table("Times", ("milliseconds", "median", "most"), rows)
