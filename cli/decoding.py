"""Image files decoded as the flags say, out of harm's way: one decoder serves all commands of this process."""

import atexit
from functools import cache
from typing import Literal, Protocol

from googlenet_rcnn.core.decoder import Decoder
from googlenet_rcnn.core.images import DecodedImage, ImagePolicy

from .inputs import ImageFile

__all__ = ["DecodingOptions", "decode_file", "image_policy", "shared_decoder"]


class DecodingOptions(Protocol):
    """The flags that say which image files are accepted."""

    @property
    def max_pixels(self) -> int:
        """Pixels of the largest image."""

    @property
    def truncated(self) -> str:
        """`fail` or `salvage` a cut file."""

    @property
    def exif(self) -> bool:
        """Whether images are turned as their EXIF orientation says."""


@cache
def shared_decoder() -> Decoder:
    """The decoder of this process; asked for early, it starts while models are loaded."""
    decoder = Decoder()
    atexit.register(decoder.close)
    return decoder


def image_policy(options: DecodingOptions) -> ImagePolicy:
    """What the flags accept; files may be larger where more pixels are allowed: a photograph has less a pixel."""
    truncated: Literal["fail", "salvage"] = "salvage" if options.truncated == "salvage" else "fail"
    size = max(ImagePolicy.max_bytes, options.max_pixels * 3 // 4)
    return ImagePolicy(max_bytes=size, max_pixels=options.max_pixels, truncated=truncated, exif=options.exif)


def decode_file(file: ImageFile, policy: ImagePolicy) -> DecodedImage:
    """The pixels of an image file; ImageError if it is bad, or if the decoder dies of it."""
    decoder = shared_decoder()
    return decoder.read(file.path, policy) if file.data is None else decoder.decode(file.data, policy, file.path)
