"""How faults of data are told: one line with a stable code."""

import pytest

from googlenet_rcnn.core.errors import ProjectError


def code_of(call, *parts) -> str:
    """The code of the error that a call raises; its one line holds all `parts`."""
    with pytest.raises(ProjectError) as caught:
        call()
    message = caught.value.message
    assert "\n" not in message
    for part in parts:
        assert str(part) in message, message
    return caught.value.code


def codes(dataset) -> list[str]:
    """Codes of what was mended, in order."""
    return [finding.code for finding in dataset.findings]
