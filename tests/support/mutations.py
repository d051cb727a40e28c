"""Damaged variants of good files: bytes flipped, cut, doubled, moved, replaced by what has broken parsers before."""

from collections.abc import Iterator, Sequence

import numpy as np

TOKENS = (
    b"", b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"-1",
    b"0", b"1e999", b"-1e999", b"NaN", b"Infinity", b"1e30", b"99999999999999999999", b"0x10", b"1_000", b"null",
    b"true",
    b"{}", b"[]", b'""', b"\n", b"\r\n", b"\t", b" ", b"../", b"/etc/passwd", b"C:\\", b"<!DOCTYPE x>", b"&lt;", b"]]>",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b'"""', b"#", b"'",
    b"[" * 3000, b"{a=" * 900, b"a." * 3000, b"9" * 5000, b"\xe2\x80\xa8",
)  # fmt: skip
"""Bytes that are worth putting anywhere."""


def mutants(seeds: Sequence[bytes], seed: int, most: int = 1 << 16) -> Iterator[bytes]:
    """Endless variants of the seeds of at most so many bytes; the same for the same seed."""
    random = np.random.default_rng(seed)
    while True:
        data = bytearray(seeds[random.integers(len(seeds))])
        for _ in range(1 + random.geometric(0.4)):
            _change(data, seeds, random)
        yield bytes(data[:most])


def _change(data: bytearray, seeds: Sequence[bytes], random: np.random.Generator) -> None:
    """One change in place."""
    at, end = sorted(int(place) for place in random.integers(0, len(data) + 1, 2))
    if end - at > 64 and random.random() < 0.7:
        end = at + int(random.integers(64))
    kind = random.integers(7)
    if kind == 0 and data:  # one bit
        data[at % len(data)] ^= 1 << random.integers(8)
    elif kind == 1 and data:  # one byte
        data[at % len(data)] = int(random.integers(256))
    elif kind == 2:
        data[at:end] = TOKENS[random.integers(len(TOKENS))]
    elif kind == 3:
        data[at:at] = TOKENS[random.integers(len(TOKENS))]
    elif kind == 4:
        del data[at:end]
    elif kind == 5:  # the same twice
        data[at:at] = data[at:end]
    else:  # a piece of another file
        other = seeds[random.integers(len(seeds))]
        start = int(random.integers(len(other) + 1))
        data[at:end] = other[start : start + int(random.integers(1, 64))]
