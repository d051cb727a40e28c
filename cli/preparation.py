"""What comes before the network has its say: an image file is decoded and its boxes are proposed."""

import time
from dataclasses import dataclass

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.images import DecodedImage
from googlenet_rcnn.core.types import Proposals

from .decoding import DecodingOptions, decode_file, image_policy
from .image_loop import Made
from .inputs import ImageFile
from .proposal_source import ProposalSource
from .rows import failed_row

__all__ = ["Preparation", "Prepared"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image with its proposals, and the milliseconds that each took."""

    file: ImageFile
    image: DecodedImage
    proposals: Proposals
    milliseconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class Preparation:
    """Reads an image file and proposes boxes in it, from any thread; a file that is bad gives its failed row.

    `empty` are the fields of that row which would hold what was found.
    """

    source: ProposalSource
    options: DecodingOptions
    empty: tuple[str, ...] = ("detections",)

    def __call__(self, file: ImageFile) -> Prepared | Made:
        """The image and its proposals, or the row that says why they cannot be had."""
        started = time.perf_counter()
        try:
            image = decode_file(file, image_policy(self.options))
            read = time.perf_counter()
            proposals = self.source.proposals(file, image.pixels)
        except DataError as error:
            return Made(failed_row(file, error, self.empty))
        times = {"decode": (read - started) * 1000, "propose": (time.perf_counter() - read) * 1000}
        return Prepared(file, image, proposals, times)
