"""The report of `evaluate detections` as one page: how good, and why not better."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.average_precision import ApReport
from googlenet_rcnn.eval.bootstrap import MapInterval
from googlenet_rcnn.eval.confusion import worst_confusions
from googlenet_rcnn.eval.error_analysis import ErrorAnalysis
from googlenet_rcnn.eval.false_positives import TYPES
from googlenet_rcnn.eval.gallery import false_gallery, missed_gallery
from googlenet_rcnn.eval.html_page import colour_key, data_table, page
from googlenet_rcnn.eval.match_rule import MatchRule
from googlenet_rcnn.eval.misses import Recalled
from googlenet_rcnn.eval.svg_charts import COLOURS, curve_chart, histogram_chart, reliability_chart, split_bar
from googlenet_rcnn.eval.tide import KINDS

__all__ = ["Evaluation", "html_report"]

_MATRIX_CLASSES = 40
_FOUND = ("#0072b2", "#a6cbe3")
_KINDS = {
    "localisation": "right class, overlap of 0.1 or more but not enough",
    "classification": "enough overlap with an object of another class",
    "duplicate": "a second box of an object that is found",
    "background": "no overlap above 0.1 with any object",
    "both": "some overlap with an object of another class, but not enough",
    "missed": "objects that no detection would find if it were better placed or named",
    "false positives": "all false detections gone",
    "false negatives": "all objects that are not found no longer asked for",
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that a report tells of one scored file; `figures` are more numbers to show, `notes` remarks in words."""

    title: str
    dataset: Dataset
    rule: MatchRule
    scored: ApReport
    errors: ErrorAnalysis
    interval: MapInterval | None = None
    figures: Sequence[tuple[str, float]] = ()
    notes: Sequence[str] = ()


def html_report(run: Evaluation) -> str:
    """The whole page, self-contained; equal input gives equal text."""
    sections = [
        ("classes", "Average precision of each class", _classes(run)),
        ("curves", "Precision and recall", _curves(run)),
        ("confusion", "Confusion", _confusion(run)),
        ("scores", "Scores and calibration", _scores(run)),
        ("types", "What the false detections are", _types(run)),
        ("costs", "What each kind of error costs", _costs(run)),
        ("missed", "Which objects are missed", _missed(run)),
        ("false-gallery", "The most confident false detections", false_gallery(run.dataset, run.errors)),
        ("missed-gallery", "The largest objects missed", missed_gallery(run.dataset, run.errors)),
    ]
    return page(run.title, sections, _summary(run))


def _summary(run: Evaluation) -> str:
    scored, threshold = run.scored, run.errors.threshold
    bounds = ""
    if run.interval is not None:
        low, high, confidence = run.interval
        bounds = f"{low:.4f} to {high:.4f} in {confidence:.0%} of resampled images" if low == low else "not defined"
    shown = f"{threshold:.4g}" if math.isfinite(threshold) else "none"
    terms: list[tuple[str, object, str]] = [
        ("mean AP", scored.mean if scored.mean == scored.mean else "not defined", bounds),
        ("rule", run.rule.name, f"overlap {run.rule.minimum_overlap:g}" + (", less for small" * run.rule.relaxed)),
        ("images", len(run.dataset.samples), ""),
        ("objects", int(scored.truths.sum()), f"of {len(run.dataset.labels)} classes"),
        ("detections", len(run.errors.matches.row), f"{int(scored.true_positives.sum()):,} found an object"),
        ("threshold", shown, "score with the best F1, for the confusion and what is shown"),
        *((name, value, "") for name, value in run.figures),
    ]
    text = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_number(value)}{f'<small>{escape(more)}</small>' if more else ''}</dd></div>"
        for name, value, more in terms
    )
    return f"<dl>{text}</dl>" + "".join(f"<p>{escape(note)}</p>" for note in run.notes)


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if value == value else "n/a"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _classes(run: Evaluation) -> str:
    scored, names = run.scored, run.dataset.labels.names
    counts = [scored.truths, scored.true_positives, scored.false_positives, scored.ignored]
    rows = [
        (name, float(ap), *(int(one) for one in counted))
        for name, ap, *counted in zip(names, scored.ap, *counts, strict=True)
    ]
    total = ("mean and sums", scored.mean, *(int(one.sum()) for one in counts))
    columns = ("class", "AP", "objects", "found", "false", "ignored")
    explained = "A class without objects has no AP. Ignored are detections of objects that do not count."
    return f"<p>{explained}</p>" + data_table("Average precision", columns, rows, total, sortable=True)


def _curves(run: Evaluation) -> str:
    scored, figures = run.scored, ""
    for label, name in enumerate(run.dataset.labels.names):
        if not scored.truths[label]:
            continue
        precision, recall = scored.precision[label], scored.recall[label]
        # Only finds raise recall; the best precision at that recall or a higher one is what AP counts.
        finds = np.flatnonzero(np.diff(recall, prepend=0) > 0)
        envelope = np.maximum.accumulate(precision[::-1])[::-1][finds]
        chart = curve_chart(f"Precision and recall of {name}", recall[finds], envelope, "recall", "precision")
        figures += f"<figure>{chart}<figcaption>{escape(name)}: AP {scored.ap[label]:.4f}</figcaption></figure>"
    overlap = f"A detection is true from an overlap of {run.rule.minimum_overlap:g} on."
    explained = "Each curve gives the best precision to be had at a recall or a higher one, as the score falls."
    return f'<p>{explained} {overlap}</p><div class="grid">{figures}</div>'


def _confusion(run: Evaluation) -> str:
    matrix, names = run.errors.confusion, run.dataset.labels.names
    text = (
        "<p>Rows are what an object is, columns what it was taken for by detections from the threshold on: the "
        "diagonal was found, the last column missed. The last row are false detections with no object left to them."
        "</p>"
    )
    if len(names) <= _MATRIX_CLASSES:
        head = "".join(f'<th scope="col"><span>{escape(name)}</span></th>' for name in (*names, "missed"))
        shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th>{"".join(map(_shade, counts, parts))}</tr>'
            for name, counts, parts in zip((*names, "nothing left"), matrix.tolist(), shares.tolist(), strict=True)
        )
        table = f'<table class="matrix"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
        text += f'<div class="scroll" role="region" tabindex="0" aria-label="Confusion matrix">{table}</div>'
    else:
        text += f"<p>With {len(names)} classes the matrix is left out; these are its largest confusions.</p>"
    pairs = worst_confusions(matrix, run.dataset.labels)
    if not pairs:
        return text + "<p>No object was taken for one of another class.</p>"
    return text + "<h3>Confused most often</h3>" + data_table("Confusions", ("object", "taken for", "objects"), pairs)


def _shade(count: int, part: float) -> str:
    """A cell of the matrix, the darker the larger its part of the row, never too dark for its number."""
    return f'<td style="background:rgba(0,114,178,{0.6 * part:.2f})">{count or ""}</td>'


def _scores(run: Evaluation) -> str:
    histogram, known = run.errors.histogram, run.errors.calibration
    parts, colours = (histogram.true, histogram.false), COLOURS[:2]
    chart = histogram_chart("Detections by score", histogram.edges, parts, "score")
    text = "<p>How many detections have which score, on a square-root scale so that few are seen beside many.</p>"
    text += colour_key(("true", "false"), colours) + f'<div class="grid"><figure>{chart}</figure></div>'
    text += "<h3>Calibration</h3>"
    if known is None:
        return text + "<p>Scores that leave 0 to 1 are no probabilities, so calibration is not defined.</p>"
    if not known.count.any():
        return text + "<p>Without detections there is nothing to calibrate.</p>"
    text += (
        f"<p>The expected calibration error is {known.error:.4f}: detections are put into ten bins by score, and the "
        "difference between the mean score of a bin and the part of it that is true is averaged over detections. "
        "Where bars end above the dashed line scores are too low, below it too high.</p>"
    )
    chart = reliability_chart("Precision of detections by their score", known.precision, known.score)
    rows = [
        (f"{index / 10:.1f} to {(index + 1) / 10:.1f}", int(count), float(score), float(precision))
        for index, (count, score, precision) in enumerate(zip(known.count, known.score, known.precision, strict=True))
        if count
    ]
    table = data_table("Calibration", ("score", "detections", "mean score", "precision"), rows)
    return text + f'<div class="grid"><figure>{chart}</figure>{table}</div>'


def _types(run: Evaluation) -> str:
    top, rows = run.errors.top, []
    names = ("true", *TYPES)
    colours = (COLOURS[4], *COLOURS[:4])
    each = zip(run.dataset.labels.names, top.considered, top.true, top.false, strict=True)
    sums = ("all", top.considered.sum(), top.true.sum(), top.false.sum(axis=0))
    for name, considered, true, false in [*each, sums]:
        if considered:
            parts = [int(true), *map(int, false)]
            told = ", ".join(f"{count} {what}" for what, count in zip(names, parts, strict=True))
            rows.append((name, split_bar(f"{name}: {told}", parts, int(considered), colours), *parts))
    text = (
        "<p>Hoiem's types, among the first detections of each class, as many as it has objects (a bar shorter than "
        "its field had fewer). A false detection is of the first type that fits: localisation, an overlap of 0.1 or "
        "more with an object of its class; similar, with one of a similar class; other, with one of any other class; "
        "background.</p>"
    )
    if not run.errors.similar_known:
        text += "<p>Nobody said which of these classes are similar, so confusions all count as other (--similar).</p>"
    total = rows.pop() if rows else None
    table = data_table("Types of false detections", ("class", "share", *names), rows, total, sortable=True)
    return text + colour_key(names, colours) + table


def _costs(run: Evaluation) -> str:
    costs, tide = run.errors.costs, run.errors.tide
    counts = [int((tide.kind == kind).sum()) for kind in range(len(KINDS) - 1)] + [int(tide.missed.sum())]
    most = max([0.01, *(cost for cost in costs.values() if cost == cost)])
    rows = []
    for place, (name, cost) in enumerate(costs.items()):
        bar = split_bar(f"{name}: {_number(cost)}", [max(0.0, cost) if cost == cost else 0.0], most)
        rows.append((name, cost, bar, counts[place] if place < len(counts) else "", _KINDS[name]))
    at = "" if run.rule.name != "coco" else " Here with the overlap 0.5 alone."
    text = (
        "<p>TIDE's kinds of errors, and by how much the mean AP would rise if one kind alone were mended: a badly "
        "placed or named detection becomes right if it is the best one of an object not found, and goes otherwise. "
        f"The gains do not add up, for one error hides another.{at}</p>"
    )
    return text + data_table("Cost of errors", ("kind", "gain in mAP", "", "number", "what it is"), rows)


def _missed(run: Evaluation) -> str:
    text = (
        "<p>The part of the objects that are found: from the threshold on (dark), and with any score (dark and "
        "light). What only the second finds is detected but scored too low.</p>"
    ) + colour_key(("found from the threshold on", "found with a lower score"), _FOUND)
    groups: list[tuple[str, Sequence[Recalled]]] = [
        ("By size in pixels: small up to 32 × 32, large from 96 × 96", run.errors.sizes),
        ("By size within a class: its smallest tenth, the next fifth, the middle, ...", run.errors.percentiles),
        ("By shape within a class: its tallest tenth, the next fifth, the middle, ...", run.errors.aspects),
    ]
    columns = ("objects that are", "found", "number", "from the threshold on", "with any score")
    for name, group in groups:
        rows = []
        for one in group:
            told = f"{one.name}: {one.shown} and {one.found} of {one.objects} found"
            bar = split_bar(told, (one.shown, one.found - one.shown), one.objects, _FOUND)
            rows.append((one.name, bar, one.objects, *(_part(count, one.objects) for count in (one.shown, one.found))))
        text += f"<h3>{escape(name)}</h3>" + data_table(name, columns, rows)
    return text


def _part(count: int, whole: int) -> float:
    return count / whole if whole else float("nan")
