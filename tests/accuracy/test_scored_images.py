"""Scores that were kept come back, whoever kept them and in whatever order."""

import numpy as np
from accuracy_files import CLASSES, COUNTS, kept


def test_kept_scores_come_back_and_the_rest_is_background(read_scores, tmp_path) -> None:
    whole = kept(tmp_path / "a.npz", 0, 0.2)
    for (probabilities, offsets), found in zip(whole, read_scores([tmp_path / "a.npz"], COUNTS, CLASSES), strict=True):
        seen = probabilities >= 0.2
        np.testing.assert_allclose(found.probabilities[:, 1:], np.where(seen, probabilities, 0), atol=1e-7)
        np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
        assert (found.offsets == np.where(seen[..., None], offsets, 0)).all()


def test_files_are_averaged(read_scores, tmp_path) -> None:
    paths = [tmp_path / "a.npz", tmp_path / "b.npz"]
    one, two = (kept(path, seed, 0.0) for seed, path in enumerate(paths))
    for (p, a), (q, b), found in zip(one, two, read_scores(paths, COUNTS, CLASSES), strict=True):
        np.testing.assert_allclose(found.probabilities[:, 1:], (p + q) / 2, atol=1e-7)
        np.testing.assert_allclose(found.offsets, (a.astype(np.float32) + b) / 2, atol=1e-6)
