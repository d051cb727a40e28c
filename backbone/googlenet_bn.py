"""torchvision's GoogLeNet as a second, separate architecture: not the paper's network.

It is TF-slim's inception_v1: batch normalisation instead of biases and LRN, 3x3 where the paper has 5x5,
dropout 0.2, a 2x2 fourth pooling. Its weights and the paper's cannot be exchanged.
"""

from torch import Tensor, nn

from .googlenet import Logits

__all__ = ["GoogLeNetBN"]

# The modules of torchvision's network up to the pooling after 4e.
_LOWER = (
    "conv1", "maxpool1", "conv2", "conv3", "maxpool2", "inception3a", "inception3b", "maxpool3",
    "inception4a", "inception4b", "inception4c", "inception4d", "inception4e", "maxpool4",
)  # fmt: skip


class GoogLeNetBN(nn.Module):
    """torchvision's module behind the interface of GoogLeNet: `lower`, `pooled`, `upper`, `forward`.

    State dict names are torchvision's. Inputs are normalised by the Card; torchvision's own
    `transform_input` is never switched on.
    """

    def __init__(self, classes: int, heads: bool = False, regressed: int = 0) -> None:
        super().__init__()
        # Imported here because importing torchvision takes seconds.
        from torchvision.models import GoogLeNet as TorchvisionGoogLeNet

        network = TorchvisionGoogLeNet(num_classes=classes, aux_logits=heads, transform_input=False, init_weights=False)
        for name, module in network.named_children():
            self.add_module(name, module)
        self.heads = heads
        self.regressor = nn.Linear(1024, 4 * regressed) if regressed else None

    def _run(self, names: tuple[str, ...], x: Tensor) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x

    def trunk(self, x: Tensor) -> Tensor:
        """Activations [N,832,14,14] of images [N,3,224,224]."""
        return self._run(_LOWER[:-1], x)

    def lower(self, x: Tensor) -> Tensor:
        """Activations [N,832,7,7] of images [N,3,224,224]."""
        return self._run(_LOWER, x)

    def pooled(self, x: Tensor) -> Tensor:
        """Features [N,1024] of activations [N,832,7,7]."""
        return self._run(("inception5a", "inception5b", "avgpool"), x).flatten(1)

    def upper(self, x: Tensor) -> Logits:
        """Main logits and box offsets of activations [N,832,7,7]."""
        features = self.pooled(x)
        offsets = None if self.regressor is None else self.regressor(features)
        return Logits(self._run(("dropout", "fc"), features), offsets=offsets)

    def forward(self, x: Tensor) -> Logits:
        """Logits of images [N,3,224,224]; aux1 is the head on 4a, aux2 that on 4d, in training mode only."""
        at_4a = self._run(_LOWER[:9], x)
        at_4d = self._run(_LOWER[9:12], at_4a)
        answer = self.upper(self._run(_LOWER[12:], at_4d))
        if not (self.training and self.heads):
            return answer
        head_4a: Tensor = self.get_submodule("aux1")(at_4a)
        head_4d: Tensor = self.get_submodule("aux2")(at_4d)
        return answer._replace(aux1=head_4a, aux2=head_4d)
