"""Softmax against torch's."""

import numpy as np
import pytest
import torch

from googlenet_rcnn.backbone.softmax import softmax


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [0.1, 10, 1e4])
def test_rows_are_those_of_torch(kind, spread) -> None:
    logits = (np.random.default_rng(0).normal(size=(50, 21)) * spread).astype(kind)
    found = softmax(logits)
    assert found.dtype == kind
    np.testing.assert_allclose(found, torch.softmax(torch.from_numpy(logits), dim=1), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(softmax(logits + kind(16)), found, rtol=0.02, atol=1e-6)


def test_no_rows_are_no_rows() -> None:
    assert softmax(np.zeros((0, 3), np.float32)).shape == (0, 3)
