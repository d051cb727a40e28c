"""Weights of others brought into this project's format, with a Card that says where they come from."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from torch import Tensor

from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.errors import ModelError

from .architectures import build_network
from .caffe import BVLC_PREPROCESSING, from_caffe, is_caffe
from .weights import load_weights, read_tensors, save_weights

__all__ = ["TORCHVISION_PREPROCESSING", "import_weights"]

# ImageNet's mean and deviation on a 0..1 scale: torchvision's convention. Its `transform_input` turns them
# back into (x - 0.5) / 0.5, which the Card says directly.
TORCHVISION_PREPROCESSING = Preprocessing(order="RGB", scale=1 / 255, mean=(0.5, 0.5, 0.5), deviation=(0.5, 0.5, 0.5))

_SECONDS = 300

# A pickle can hold code, so it is opened in a process of its own that may only read tensors.
_UNPICKLE = """
import sys, torch
from safetensors.torch import save_file
state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
save_file({n: t.contiguous() for n, t in state.items()}, sys.argv[2])
"""


def import_weights(source: Path | Literal["torchvision"], out: Path, labels: tuple[str, ...]) -> Card:
    """Writes the Caffe GoogLeNet or torchvision's GoogLeNet as one of our checkpoints and returns its Card.

    `source` is a safetensors file, a .pth state dict of torchvision, or "torchvision" itself, which then downloads its
    pretrained weights: ModelError (DOWNLOAD_FAILED) where it cannot. Auxiliary heads that the source
    lacks are declared in the Card. ModelError if tensors and labels do not fit the architecture.
    """
    tensors = _download() if source == "torchvision" else _read(Path(source))
    if is_caffe(tensors):
        tensors = from_caffe(tensors)
        card = Card(
            arch="googlenet",
            labels=labels,
            heads="aux4a.hidden.weight" in tensors,
            preprocessing=BVLC_PREPROCESSING,
            licence="unrestricted",
            provenance="BVLC GoogLeNet, trained on ImageNet (Caffe model zoo)",
        )
    elif "conv1.conv.weight" in tensors:
        card = Card(
            arch="googlenet-bn",
            labels=labels,
            heads="aux1.fc1.weight" in tensors,
            preprocessing=TORCHVISION_PREPROCESSING,
            licence="BSD-3-Clause",
            provenance="torchvision GoogLeNet (TF-slim inception_v1)",
        )
    else:
        raise ModelError("MODEL_UNKNOWN", f"{source} holds neither the Caffe nor torchvision's GoogLeNet")
    network = build_network(card)
    load_weights(network, tensors, str(source))
    save_weights(out, network.state_dict(), card)
    return card


def _download() -> dict[str, Tensor]:
    """torchvision's own weights, by its own means: from its address, whole, and read as tensors alone."""
    from torchvision.models import GoogLeNet_Weights

    weights = GoogLeNet_Weights.IMAGENET1K_V1
    try:
        tensors: dict[str, Tensor] = weights.get_state_dict(check_hash=True, weights_only=True, progress=False)
    except (OSError, RuntimeError) as error:  # no network; another hash
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            "DOWNLOAD_FAILED", f"{weights.url} could not be had ({reason}): fetch it by other means and import the file"
        ) from None
    return tensors


def _read(source: Path) -> dict[str, Tensor]:
    if source.suffix not in (".pth", ".pt"):
        return read_tensors(source)
    if not source.is_file():
        raise ModelError("MODEL_MISSING", f"cannot read weights {source}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "converted.safetensors"
        command = [sys.executable, "-c", _UNPICKLE, str(source), str(converted)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise ModelError("MODEL_INVALID", f"{source} could not be read within {_SECONDS} seconds") from None
        if result.returncode != 0:
            reason = (result.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise ModelError("MODEL_INVALID", f"{source} is not a plain state dict: {json.dumps(reason)[1:200]}")
        return read_tensors(converted)
