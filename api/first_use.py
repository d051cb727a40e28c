"""The first Selective Search on a machine compiles its inner loops; later ones find them on disk."""

import threading
from collections.abc import Callable

import numpy as np

from googlenet_rcnn.proposals.selective_search import SelectiveSearch

__all__ = ["NOTICE", "load_selective_search"]

NOTICE = "compiling Selective Search for this machine, once: some 15 seconds"


def load_selective_search(say: Callable[[str], None], patience: float = 2.0) -> None:
    """Makes Selective Search ready for work; says so if that takes longer than `patience` seconds."""
    notice = threading.Timer(patience, say, [NOTICE])
    notice.daemon = True
    notice.start()
    try:
        SelectiveSearch.preset("single").propose(np.zeros((2, 2, 3), np.uint8))
    finally:
        notice.cancel()
