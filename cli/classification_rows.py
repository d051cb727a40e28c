"""Image files in, rows of classes out: while one image is classified, the next are decoded."""

import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.images import DecodedImage, ImagePolicy
from googlenet_rcnn.core.in_order import in_order
from googlenet_rcnn.eval.topk import rank_classes

from .decoding import decode_file
from .image_loop import Made
from .inputs import ImageFile
from .rows import escaped, failed_row

if TYPE_CHECKING:
    from googlenet_rcnn.backbone.classifier import Classifier

__all__ = ["ClassificationRows"]


class _Read(NamedTuple):
    """A decoded image and the seconds that took."""

    file: ImageFile
    image: DecodedImage
    seconds: float


@dataclass(frozen=True, eq=False)
class ClassificationRows:
    """The rows of a classifier with the `top` likeliest classes of each image, best first.

    `crops` are those of an image (1, 10 or 144); with `largest` a class has its largest probability in any of them.
    """

    classifier: "Classifier"
    policy: ImagePolicy
    crops: int = 1
    largest: bool = False
    top: int = 5

    def make(self, files: Iterable[ImageFile], workers: int = 1) -> Generator[Made, None, None]:
        """The rows of image files in their order; closing the generator ends its threads."""
        with closing(in_order(self._read, files, workers, ahead=workers)) as ready:
            for one in ready:
                yield one if isinstance(one, Made) else self._classified(one)

    def _read(self, file: ImageFile) -> _Read | Made:
        started = time.perf_counter()
        try:
            return _Read(file, decode_file(file, self.policy), time.perf_counter() - started)
        except DataError as error:
            return Made(failed_row(file, error, empty=("top",)))

    def _classified(self, read: _Read) -> Made:
        started, (height, width) = time.perf_counter(), read.image.pixels.shape[:2]
        probabilities = self.classifier.probabilities(read.image.pixels, self.crops, self.largest)
        times = {"decode": read.seconds, "classify": time.perf_counter() - started}
        names = self.classifier.labels.names
        row = {
            "schema": 1,
            "image_id": escaped(read.file.image_id),
            "path": escaped(read.file.path),
            "width": width,
            "height": height,
            "status": "ok",
            "top": [
                {"label": names[one], "score": float(f"{probabilities[one]:.7g}")}
                for one in rank_classes(probabilities[None], self.top)[0]
            ],
            "ms": {stage: round(seconds * 1000, 2) for stage, seconds in times.items()},
        }
        return Made(row | ({"warnings": list(read.image.warnings)} if read.image.warnings else {}))
