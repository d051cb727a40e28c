"""MultiBox's loss: each object is given to one prediction, which learns its place; the others learn silence.

Distances are weighted by a power of the object's side (an emphasis of 0 is Erhan et al. 2014, arXiv:1312.2249):
a shift that spoils the overlap with a small object is a small distance.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from .multibox_head import MultiBoxOutput
from .priors import box_weights

__all__ = ["assign", "multibox_loss"]


def assign(
    locations: NDArray[np.float32],
    logits: NDArray[np.float32],
    objects: NDArray[np.float32],
    alpha: float,
    emphasis: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Predictions and objects [M], [M] that belong together: the one-to-one matching of least total loss.

    Giving object j to prediction i costs alpha/2 w_j |l_i - g_j|^2 - log c_i + log(1 - c_i), where the last two
    terms are minus the logit and w_j is the object's weight.
    """
    distance = np.square(locations[:, None].astype(np.float64) - objects[None]).sum(axis=2)
    cost = alpha / 2 * distance * box_weights(objects, emphasis) - logits[:, None]
    rows, columns = linear_sum_assignment(cost)
    return rows.astype(np.int64), columns.astype(np.int64)


def multibox_loss(
    output: MultiBoxOutput, objects: Sequence[NDArray[np.float32]], alpha: float, emphasis: float = 0.0
) -> dict[str, Tensor]:
    """Location and confidence losses, summed over images with objects [M,4] each; their sum is F of Erhan 2014."""
    locations, logits = output
    places, confidences = (values.detach().float().cpu().numpy() for values in output)
    target = torch.zeros_like(logits)
    location = locations.sum() * 0
    for image, truth in enumerate(objects):
        rows, columns = assign(places[image], confidences[image], truth, alpha, emphasis)
        target[image, rows] = 1
        given = truth[columns]
        difference = locations[image, rows] - torch.from_numpy(given).to(locations.device)
        weights = torch.from_numpy(box_weights(given, emphasis)).to(locations.device, torch.float32)
        location = location + alpha / 2 * (difference.square().sum(dim=1) * weights).sum()
    confidence = binary_cross_entropy_with_logits(logits, target, reduction="sum")
    return {"location": location, "confidence": confidence}
