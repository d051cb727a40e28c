"""An ensemble as one file: which models, and what they share."""

from pathlib import Path

from pydantic import Field

from googlenet_rcnn.core.recipe import Settings, load_recipe

__all__ = ["EnsembleCard", "is_ensemble", "read_ensemble"]


class EnsembleCard(Settings):
    """The models whose probabilities are averaged (Szegedy 2014, section 8), and what was measured to suit them.

    `members` are names of shipped models, or files relative to the card's folder; the first screens.
    """

    members: tuple[str, ...] = Field(min_length=1)
    score_threshold: float | None = Field(default=None, ge=0, le=1)  # None: that of the first member
    screen_vote: float | None = Field(default=None, ge=0, le=1)  # likewise


def is_ensemble(name: str) -> bool:
    """Whether the name of some weights is that of an ensemble's card, which is there."""
    return name.endswith(".toml") and Path(name).is_file()


def read_ensemble(path: Path) -> EnsembleCard:
    """The card in a TOML file; UsageError names the file, and the key if one is wrong."""
    return load_recipe(EnsembleCard, path)
