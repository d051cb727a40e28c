"""Image files in, rows of detections out: while one image is scored, the next are decoded and proposed."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

import cv2

from googlenet_rcnn.core.in_order import in_order

from .decoding import shared_decoder
from .detection_parts import build_detection
from .draw.detections import draw_detections
from .exhibit import exhibit, picture_uri, revealing
from .image_loop import Made, Makes, image_workers
from .inputs import ImageFile
from .pictures import jpeg
from .preparation import Preparation, Prepared
from .rows import found_row

if TYPE_CHECKING:
    from googlenet_rcnn.detector.pipeline import Detector

    from .detect import DetectOptions
    from .proposal_source import ProposalSource

__all__ = ["detection_rows", "rows_by"]


def detection_rows(options: "DetectOptions", say: Callable[[str], None]) -> Makes:
    """The detector that the flags describe, made ready for work: from files to their rows, and pictures to `draw`."""
    shared_decoder()
    return rows_by(*build_detection(options, say), options)


def rows_by(detector: "Detector", source: "ProposalSource", options: "DetectOptions") -> Makes:
    """From files to the rows and pictures of a detector among the boxes of a source.

    Whatever the number of workers, the rows are the same but for the times.
    """
    cv2.setNumThreads(1)  # images and crops are shared out among threads already
    prepare = Preparation(source, options)
    workers = image_workers(options)
    threshold = detector.selection.score_threshold
    seeing = detector if options.report is None else revealing(detector, threshold)

    def finish(prepared: Prepared) -> Made:
        image = prepared.image
        result = seeing.classify(image.pixels, prepared.proposals)
        found = result.detections[result.detections.scores >= threshold]
        times = prepared.milliseconds | result.milliseconds
        row = found_row(prepared.file, found, detector.labels, result.proposals, times, image.warnings)
        pictures = [] if options.draw is None else [jpeg(draw_detections(image.pixels, row["detections"]))]
        shown = None
        if options.report is not None:
            shown = exhibit(result.detections, prepared.proposals) | {"uri": picture_uri(image.pixels)}
        return Made(row, pictures, shown)

    def make(files: Iterable[ImageFile]) -> Generator[Made, None, None]:
        # The networks have threads of their own, so no more is prepared than they can take next.
        with closing(in_order(prepare, files, workers, ahead=workers)) as ready:
            for one in ready:
                yield one if isinstance(one, Made) else finish(one)

    return make
