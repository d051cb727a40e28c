"""Image files in, rows of detections out: while one image is scored, the next are decoded and proposed."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import TYPE_CHECKING

import cv2

from googlenet_rcnn.core.in_order import in_order

from .decoding import shared_decoder
from .detection_parts import build_detection
from .draw import draw_detections
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

    def finish(prepared: Prepared) -> Made:
        image = prepared.image
        result = detector.classify(image.pixels, prepared.proposals)
        times = prepared.milliseconds | result.milliseconds
        row = found_row(prepared.file, result.detections, detector.labels, result.proposals, times, image.warnings)
        return Made(row, [jpeg(draw_detections(image.pixels, row["detections"]))] if options.draw is not None else [])

    def make(files: Iterable[ImageFile]) -> Generator[Made, None, None]:
        # The networks have threads of their own, so no more is prepared than they can take next.
        with closing(in_order(prepare, files, workers, ahead=workers)) as ready:
            for one in ready:
                yield one if isinstance(one, Made) else finish(one)

    return make
