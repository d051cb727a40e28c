"""A classifier of whole images that knows three colours."""

from googlenet_rcnn.core.types import LabelSet

__all__ = ["COLOURS", "ColourEye"]

COLOURS = ("red", "green", "blue")


class ColourEye:
    """The share of red, green and blue of an image; keeps how it was asked and may stop the program."""

    labels = LabelSet(COLOURS)

    def __init__(self):
        self.asked, self.paths, self.runtimes, self.after = [], [], [], 10**9

    def load(self, paths, runtime, threads, say):
        self.paths, self.runtimes = paths, [runtime] * len(paths)
        return self

    def probabilities(self, image, crops, largest):
        if len(self.asked) >= self.after:
            raise KeyboardInterrupt
        self.asked.append((crops, largest))
        share = image.reshape(-1, 3).mean(axis=0) + 1e-3
        return share / share.sum()
