"""From a recipe's table `proposals` to a proposer."""

import dataclasses

import pytest

from googlenet_rcnn.api.build import find_multibox
from googlenet_rcnn.cli.train.proposer import build_training_proposer
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import digest
from googlenet_rcnn.detector.fine_tuning import ProposalSettings
from googlenet_rcnn.proposals.multibox import MultiBox
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union


def test_by_default_it_is_selective_search_with_doubled_superpixels():
    built = build_training_proposer(ProposalSettings(), 1, quiet=True)
    assert built == SelectiveSearch.preset("fast", superpixel_scale=2.0)


def test_the_papers_union_has_a_name_that_lasts():
    settings = ProposalSettings(method="multibox+ss", multibox_k=50, preset="single", superpixel_scale=4.0)
    one, other = (build_training_proposer(settings, 1, quiet=True) for _ in range(2))
    assert isinstance(one, Union)
    multibox, search = one.proposers
    assert isinstance(multibox, MultiBox)
    assert (multibox.count, multibox.source) == (50, digest(find_multibox("multibox-voc07")))
    assert search == SelectiveSearch.preset("single", superpixel_scale=4.0)
    assert repr(one) == repr(other)  # windows are kept under it
    assert repr(dataclasses.replace(multibox, count=51)) not in repr(one)


def test_what_is_not_known_is_refused():
    with pytest.raises(UsageError, match="ss"):
        build_training_proposer(ProposalSettings(method="sliding"), 1, quiet=True)
    with pytest.raises(UsageError, match="no-such-file"):
        build_training_proposer(ProposalSettings(method="multibox", multibox="no-such-file"), 1, quiet=True)
