"""How many filters the branches of each Inception module have, by architecture."""

import math

__all__ = ["PAPER", "WIDE", "Widths", "module_names", "widths_of"]

Widths = tuple[int, int, int, int, int, int]
"""#1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool projection."""

PAPER: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of Szegedy et al. 2014."""


def _wider(widths: Widths) -> Widths:
    """A quarter more of everything, in eights, rounded up."""
    one, three_reduce, three, five_reduce, five, pool = (8 * math.ceil(width * 1.25 / 8) for width in widths)
    return one, three_reduce, three, five_reduce, five, pool


WIDE: dict[str, Widths] = {
    **{name: _wider(widths) for name, widths in PAPER.items() if name < "5a"},
    "4f": _wider(PAPER["4e"]),
    **{name: _wider(widths) for name, widths in PAPER.items() if name >= "5a"},
    "5c": _wider(PAPER["5b"]),
}
"""The seventh model of the paper's ensemble, "a deeper and wider Inception network, the quality of which was slightly
inferior" (section 3), of which it gives no details: these are ours."""


def widths_of(arch: str) -> dict[str, Widths]:
    """The widths of an architecture's modules by name, from input to output; torchvision's have the paper's names."""
    return WIDE if arch == "googlenet-wide" else PAPER


def module_names(arch: str, stage: str = "") -> tuple[str, ...]:
    """Names of an architecture's modules, those of one stage ("3", "4" or "5") or all."""
    return tuple(name for name in widths_of(arch) if name.startswith(stage))
