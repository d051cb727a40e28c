"""The precision of arithmetic follows the recipe where the processor can."""

import pytest
import torch

from googlenet_rcnn.backbone.precision import autocast, lacks_bf16


@pytest.mark.parametrize("there", [True, False])
def test_bf16_is_fp32_on_a_processor_without_it(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: there)
    with autocast("bf16", "cpu"):
        assert torch.is_autocast_enabled("cpu") == there
    assert lacks_bf16("cpu") != there
    assert not lacks_bf16("cuda")


def test_fp32_is_plain_and_fp16_is_what_was_asked_for() -> None:
    with autocast("fp32", "cpu"):
        assert not torch.is_autocast_enabled("cpu")
    with autocast("fp16", "cpu"):
        assert torch.get_autocast_dtype("cpu") == torch.float16
