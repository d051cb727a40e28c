"""What tests of several folders share: weights that have learnt nothing, and how many threads work."""

import pytest


@pytest.fixture(scope="module")
def one_thread():
    """One thread for a module's tests, as many as before for those after it.

    Networks as small as theirs are quickest so, the more so beside other work.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _checkpoint(path, seed=0, **card):
    import torch

    from googlenet_rcnn.backbone.architectures import build_network
    from googlenet_rcnn.backbone.weights import save_weights
    from googlenet_rcnn.core.card import Card
    from googlenet_rcnn.datasets.label_list import load_labels

    torch.manual_seed(seed)
    small = {"warp_side": 64, "warp_context": 4}  # a twelfth of the work; a classifier takes no notice of it
    described = Card(**({"labels": load_labels("voc20").names, "task": "detector"} | small | card))
    save_weights(path, build_network(described).state_dict(), described, half=True)
    return path


@pytest.fixture(scope="session")
def detector_file(tmp_path_factory):
    """A detector of VOC's classes that has learnt nothing."""
    return _checkpoint(tmp_path_factory.mktemp("weights") / "random.safetensors")


@pytest.fixture(scope="session")
def classifier_file(tmp_path_factory):
    """A classifier of five classes that has learnt nothing."""
    path = tmp_path_factory.mktemp("weights") / "classifier.safetensors"
    return _checkpoint(path, task="classifier", labels=tuple("abcde"))


@pytest.fixture(scope="session")
def checkpoint():
    """Writes another checkpoint with random weights."""
    return _checkpoint
