"""What every inference engine is: one part of a network, ready to run."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine", "Part", "check_pixels"]

Part = Literal["scores", "features", "trunk"]
"""`scores`: main logits, then box offsets where the network has them; `features`: the 1,024 numbers from which they
are computed; `trunk`: the map of module 4e."""


class Engine(Protocol):
    """One part of a network made ready to run: pixels in, numbers out."""

    @property
    def name(self) -> str:
        """The runtime and what it computes in, such as "torch" or "openvino-int8"."""
        ...

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Numbers [N,...] of RGB pixels [N,H,W,3], N = 0 included; a row depends on no other row."""
        ...


def check_pixels(pixels: NDArray[np.uint8], sides: tuple[int, ...]) -> None:
    """ValueError unless `pixels` are uint8 [N,*sides,3]."""
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (*sides, 3):
        wanted = ",".join(map(str, sides))
        raise ValueError(f"pixels are uint8 [N,{wanted},3], got {pixels.dtype} {list(pixels.shape)}")
