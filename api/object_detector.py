"""A detector for whoever writes Python: images of any kind in, named detections out."""

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from googlenet_rcnn.core.arrays import array_image
from googlenet_rcnn.core.images import ImagePolicy, decode_image, read_image
from googlenet_rcnn.core.in_order import in_order
from googlenet_rcnn.core.pixels import to_rgb, turn
from googlenet_rcnn.core.threads import available_threads
from googlenet_rcnn.core.types import Detections, Image, LabelSet, Proposals

if TYPE_CHECKING:
    from googlenet_rcnn.detector.pipeline import Detector

__all__ = ["ImageInput", "ObjectDetector", "load_detector"]

PathLike = str | os.PathLike[str]
ImageInput = PathLike | bytes | NDArray[Any] | PillowImage.Image
"""A path, the bytes of a file, an array as `array_image` takes it, or an opened Pillow image."""


def load_detector(
    weights: PathLike | Sequence[PathLike] = (),
    *,
    threshold: float | None = None,
    mode: Literal["fast", "exhaustive"] = "fast",
    method: str = "ss",
    runtime: str = "auto",
    nms_iou: float = 0.3,
    max_detections: int = 100,
    flip: bool = False,
    threads: int | None = None,
    policy: ImagePolicy | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> "ObjectDetector":
    """The detector of a shipped name or a file, or the ensemble of several; what `detect` runs with the same flags.

    `threshold` is the least score of a detection (None: as the weights say), `method` one of `ss`, `multibox` and
    `multibox+ss`, `runtime` of the names that `detect --runtime` takes, `policy` what is accepted of image files.
    `say` is told why a first use takes long. UsageError lists what is known, ModelError says what is wrong with a file.
    """
    from .build import assemble_detector
    from .runtime import Runtime

    names = [weights] if isinstance(weights, str | os.PathLike) else weights
    pipeline = assemble_detector(
        [os.fspath(name) for name in names],
        method=method,
        score_threshold=threshold,
        nms_iou=nms_iou,
        max_detections=max_detections,
        mode=mode,
        flip=flip,
        runtime=Runtime(runtime, threads, say),
        say=say,
    )
    return ObjectDetector(pipeline, policy or ImagePolicy())


@dataclass(frozen=True, eq=False)
class ObjectDetector:
    """Finds and names the objects in images; `pipeline` are its parts, for who wants to see them at work."""

    pipeline: "Detector"
    policy: ImagePolicy

    @property
    def labels(self) -> LabelSet:
        """The classes it knows."""
        return self.pipeline.labels

    def with_threshold(self, threshold: float) -> "ObjectDetector":
        """The same detector with another least score of a detection; nothing is loaded again."""
        selection = replace(self.pipeline.selection, score_threshold=threshold)
        return replace(self, pipeline=replace(self.pipeline, selection=selection))

    def pixels(self, image: ImageInput, *, bgr: bool = False) -> Image:
        """The pixels [H,W,3] that detection sees; `bgr` is about arrays alone.

        ImageError with a code for a file that cannot be read, ValueError for an array that is no image.
        """
        if isinstance(image, str | os.PathLike):
            return read_image(image, self.policy).pixels
        if isinstance(image, bytes):
            return decode_image(image, self.policy).pixels
        if isinstance(image, PillowImage.Image):
            return np.ascontiguousarray(turn(to_rgb(image), image.getexif().get(0x0112, 1) if self.policy.exif else 1))
        return array_image(image, bgr=bgr)

    def propose(self, image: ImageInput, *, bgr: bool = False) -> Proposals:
        """The boxes among which it looks, best first."""
        return self.pipeline.proposer.propose(self.pixels(image, bgr=bgr))

    def detect(self, image: ImageInput, *, bgr: bool = False) -> Detections:
        """Objects in one image, best first; errors as `pixels`."""
        return self.pipeline.detect(self.pixels(image, bgr=bgr)).detections

    @overload
    def stream(
        self, images: Iterable[ImageInput], *, bgr: bool = ..., return_errors: Literal[False] = ...
    ) -> Generator[Detections, None, None]: ...

    @overload
    def stream(
        self, images: Iterable[ImageInput], *, bgr: bool = ..., return_errors: Literal[True]
    ) -> Generator[Detections | ValueError, None, None]: ...

    def stream(
        self, images: Iterable[ImageInput], *, bgr: bool = False, return_errors: bool = False
    ) -> Generator[Detections | ValueError, None, None]:
        """One result for each image, in order, for any number of images: those of the next are prepared meanwhile.

        No more images are taken from the iterator than threads can work on. A bad one raises its error in its turn;
        with `return_errors` the error takes the place of the result, and the others go on.
        """
        workers = self.pipeline.threads or available_threads()

        def prepare(image: ImageInput) -> tuple[Image, Proposals] | ValueError:
            try:
                pixels = self.pixels(image, bgr=bgr)
            except ValueError as error:  # an ImageError is one
                if return_errors:
                    return error
                raise
            return pixels, self.pipeline.proposer.propose(pixels)

        with closing(in_order(prepare, images, workers, ahead=workers)) as ready:
            for one in ready:
                yield one if isinstance(one, ValueError) else self.pipeline.classify(*one).detections
