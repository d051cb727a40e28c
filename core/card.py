"""The Card that travels inside a checkpoint: what is needed to use its weights, and where they come from."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from .recipe import Settings
from .types import LabelSet

__all__ = ["SCREEN_PREFIX", "Architecture", "Card", "Preprocessing"]

SCREEN_PREFIX = "screen."
"""Begins the names of the screening head's tensors in a detector's checkpoint."""

Architecture = Literal["googlenet", "googlenet-bn", "googlenet-wide"]
Triple = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
Largest = Annotated[float, Field(ge=0, allow_inf_nan=False)]  # activation


class Preprocessing(Settings):
    """From uint8 RGB crops to what the network takes: (value * scale - mean) / deviation, in `order`."""

    order: Literal["RGB", "BGR"] = "BGR"
    scale: Positive = 1.0
    mean: Triple = (104.0, 117.0, 123.0)
    deviation: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _mean_is_a_colour(self) -> "Preprocessing":
        if not all(0 <= value / self.scale <= 255 for value in self.mean):
            raise ValueError(f"a mean of {self.mean} at scale {self.scale} is no colour")
        return self

    @property
    def fill(self) -> tuple[int, int, int]:
        """The RGB colour that becomes (almost) zero: what a warp puts outside the image."""
        red, green, blue = self.mean if self.order == "RGB" else self.mean[::-1]
        return round(red / self.scale), round(green / self.scale), round(blue / self.scale)


class Card(Settings):
    """What a weights file is: architecture, labels, preprocessing, training, figures, provenance."""

    format: int = 1
    arch: Architecture = "googlenet"
    task: Literal["classifier", "detector", "multibox"] = "classifier"
    labels: tuple[str, ...]
    heads: bool = False
    preprocessing: Preprocessing = Preprocessing()
    resize_filter: str = "cv2.INTER_CUBIC"
    squash: bool = False  # of a classifier: whole pictures are squashed to a square, and nothing of them is cut off
    warp_side: int = Field(224, ge=1, le=4096)
    warp_context: int = Field(16, ge=0)
    box_regression: bool = False  # of a detector: whether it moves its boxes
    ranges: dict[str, Largest] | None = None  # by layer, on training crops: the scales of int8 follow from them
    screen: dict[str, Any] | None = None  # of a detector: shape of its screening head, its vote, the cascade's settings
    score_threshold: Annotated[float, Field(ge=0, le=1)] | None = None  # of a detector: what to show by default
    trunk: str = ""  # of a MultiBox: hash of the trunk that its head works on
    recipe: dict[str, Any] = Field(default_factory=dict)
    data: str = ""
    metrics: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    licence: str = ""
    provenance: str = ""

    @field_validator("labels")
    @classmethod
    def _labels_are_a_set(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        return LabelSet(labels).names

    @model_validator(mode="after")
    def _context_leaves_room(self) -> "Card":
        if 2 * self.warp_context >= self.warp_side:
            raise ValueError(f"a context of {self.warp_context} leaves nothing of a crop of {self.warp_side} pixels")
        return self

    @model_validator(mode="after")
    def _crops_are_what_engines_take(self) -> "Card":
        if self.task == "detector" and self.warp_side % 32:
            raise ValueError(f"the side of a detector's crops is a multiple of 32, got {self.warp_side}")
        return self

    @property
    def crop_side(self) -> int:
        """Pixels a side of what the network looks at; a classifier's crops are not warped regions."""
        return 224 if self.task == "classifier" else self.warp_side

    @property
    def classes(self) -> int:
        """Outputs of the network: a detector has background in column 0 beside its labels."""
        return len(self.labels) + (self.task == "detector")

    @property
    def regressed(self) -> int:
        """Classes whose boxes the network moves."""
        return len(self.labels) if self.box_regression else 0

    @property
    def label_set(self) -> LabelSet:
        """The foreground labels."""
        return LabelSet(self.labels)
