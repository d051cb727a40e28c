"""Where the boxes of an image come from: a proposer, or a file that `propose` has written."""

from collections.abc import Mapping
from pathlib import Path

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Image, Proposals, Proposer

from .inputs import ImageFile
from .rows import escaped

__all__ = ["ProposalSource", "proposal_file"]

SUFFIXES = (".jsonl", ".npz")


def proposal_file(method: str) -> Path | None:
    """The proposals file that `--method` names, None if it names a way to make proposals."""
    path = Path(method)
    if path.suffix.lower() not in SUFFIXES:
        return None
    if not path.is_file():
        raise UsageError("METHOD_UNKNOWN", f"--method {method}: there is no such proposals file")
    return path


class ProposalSource:
    """Gives the proposals of an image file: its proposer's, or those recorded in a file under the image's id."""

    def __init__(self, proposer: Proposer, recorded: Path | None = None) -> None:
        self._proposer = proposer
        self._path = recorded
        self._recorded: Mapping[str, Proposals] = {}
        if recorded is not None:
            from googlenet_rcnn.eval.proposal_file import read_proposals

            self._recorded = read_proposals(recorded).proposals

    def proposals(self, file: ImageFile, pixels: Image) -> Proposals:
        """Boxes of the image [H,W,3], best first; DataError where the file has none, or of another size."""
        if self._path is None:
            return self._proposer.propose(pixels)
        image_id = escaped(file.image_id)
        found = self._recorded.get(image_id)
        if found is None:
            message = f"{file.path}: {self._path} has no proposals of image {image_id!r}; propose it first"
            raise DataError("PROPOSALS_MISSING", message)
        height, width = pixels.shape[:2]
        if found.size != (height, width):
            message = f"{file.path} is {width}x{height}, its proposals in {self._path} are for another size"
            raise DataError("SIZE_MISMATCH", f"{message} ({found.size.width}x{found.size.height}); propose it again")
        return found
