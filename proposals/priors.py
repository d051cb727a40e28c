"""MultiBox priors: the boxes that objects have most often (Erhan et al. 2014, arXiv:1312.2249, section 4.2).

In a plain k-means most centres are large boxes, as a small box differs from its neighbours by little; what
counts is the difference relative to its side. So small boxes may weigh more, by a power of their side.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from googlenet_rcnn.core.errors import DataError

__all__ = ["box_weights", "kmeans_priors"]

_LEAST_SIDE = 0.02  # smaller boxes weigh no more than this among the priors


def box_weights(boxes: NDArray[np.float32], emphasis: float, least_side: float = 0.05) -> NDArray[np.float64]:
    """Weights [N] of boxes [N,4]: the side of a square of equal area, `least_side` or more, to the power -emphasis."""
    sides = np.sqrt(np.prod(boxes[:, 2:].astype(np.float64) - boxes[:, :2], axis=1))
    return np.asarray(np.maximum(sides, least_side) ** -emphasis)


def kmeans_priors(boxes: NDArray[np.float32], count: int, emphasis: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    """Centres [count,4] of a k-means over boxes [N,4] in shares of the image's sides, the most common one first.

    Boxes weigh as `box_weights` says. DataError (TOO_FEW_OBJECTS) if there are fewer different boxes than centres.
    """
    distinct = len(np.unique(boxes, axis=0))
    if distinct < count:
        raise DataError(
            "TOO_FEW_OBJECTS", f"{distinct} different boxes cannot give {count} priors: annotate more or set fewer"
        )
    clusters = KMeans(count, n_init=1, random_state=seed)
    clusters.fit(boxes.astype(np.float64), sample_weight=box_weights(boxes, emphasis, _LEAST_SIDE))
    members = np.bincount(clusters.labels_, minlength=count)
    order = np.argsort(-members, kind="stable")
    return np.asarray(np.clip(clusters.cluster_centers_[order], 0, 1), dtype=np.float32)
