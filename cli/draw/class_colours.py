"""A colour for each class: by its name alone, told apart by those who see red and green alike, with ink to go on it."""

import hashlib

__all__ = ["class_colour", "hex_colour", "ink_on"]

Colour = tuple[int, int, int]

# Okabe and Ito's palette without black, each also lighter and darker: lightness is seen by everybody.
_HUES: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_SHADES = (0.0, 0.55, -0.35, 0.3, -0.55)  # towards white, or black where negative


def class_colour(name: str) -> Colour:
    """A colour that depends on the class name alone: the same in every picture, page and set of classes."""
    number = int.from_bytes(hashlib.sha256(_SALT + name.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    hue, shade = _HUES[number % len(_HUES)], _SHADES[number // len(_HUES) % len(_SHADES)]
    goal = 255 if shade > 0 else 0
    red, green, blue = (round(level + abs(shade) * (goal - level)) for level in hue)
    return red, green, blue


_SALT = b"19586"  # chosen so that VOC's twenty classes have twenty colours, as far apart as may be


def hex_colour(colour: Colour) -> str:
    """The colour as pages write it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever is easier to read on the colour: never below 4.5 to 1, WCAG's contrast for text."""
    light = _luminance(colour)
    return (0, 0, 0) if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else (255, 255, 255)


def _luminance(colour: Colour) -> float:
    """WCAG's relative luminance, 0 to 1."""
    linear = [
        level / 255 / 12.92 if level <= 0.04045 * 255 else ((level / 255 + 0.055) / 1.055) ** 2.4 for level in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
