"""GoogLeNet exactly as in Szegedy et al. 2014 (arXiv:1409.4842), heads included."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .lrn import LocalResponseNorm
from .widths import PAPER, Widths

__all__ = ["AuxiliaryHead", "GoogLeNet", "Inception", "Logits"]


class Logits(NamedTuple):
    """Class scores before softmax: main [N,K]; those of the heads at 4a and 4d, or None without heads.

    `offsets` [N,4C] are box offsets (x, y, width, height) for each of C classes, or None without box regression.
    """

    main: Tensor
    aux1: Tensor | None = None
    aux2: Tensor | None = None
    offsets: Tensor | None = None


class Convolution(nn.Sequential):
    """A convolution with bias, then ReLU: "all the convolutions use rectified linear activation" (sec. 5)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.ReLU(inplace=True))


class Inception(nn.Module):
    """Four branches side by side, concatenated in the order 1x1, 3x3, 5x5, pool (figure 2b)."""

    def __init__(self, inputs: int, widths: Widths) -> None:
        super().__init__()
        one, three_reduce, three, five_reduce, five, pool = widths
        self.branch1 = Convolution(inputs, one, 1)
        self.branch3_reduce = Convolution(inputs, three_reduce, 1)
        self.branch3 = Convolution(three_reduce, three, 3)
        self.branch5_reduce = Convolution(inputs, five_reduce, 1)
        self.branch5 = Convolution(five_reduce, five, 5)
        self.pool = nn.MaxPool2d(3, 1, 1)
        self.pool_projection = Convolution(inputs, pool, 1)
        self.outputs = one + three + five + pool

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N,C,H,W] to [N,outputs,H,W]."""
        return torch.cat(
            (
                self.branch1(x),
                self.branch3(self.branch3_reduce(x)),
                self.branch5(self.branch5_reduce(x)),
                self.pool_projection(self.pool(x)),
            ),
            dim=1,
        )


class AuxiliaryHead(nn.Module):
    """The classifier on 4a or 4d that feeds gradient into the middle of the network (section 5)."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(5, 3)
        self.convolution = Convolution(inputs, 128, 1)
        self.hidden = nn.Linear(2048, 1024)
        self.dropout = nn.Dropout(0.7)
        self.classifier = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N,K] of activations [N,C,14,14]."""
        x = self.convolution(self.pool(x))  # [N,128,4,4]
        x = torch.relu(self.hidden(x.flatten(1)))  # [N,1024]
        return self.classifier(self.dropout(x))  # type: ignore[no-any-return]


class GoogLeNet(nn.Module):
    """22 layers with parameters: `lower` (up to 4e) and `upper` (5a, 5b, classifier) of one network.

    Inputs are [N,3,224,224], or of other multiples of 32; pooling rounds up (Caffe's ceil mode), which gives the
    sizes of Table 1. `heads` adds the two auxiliary classifiers, which only `forward` in training mode evaluates;
    `regressed` is the number of classes for which it also tells where in the crop an object lies. `widths` are those of
    Table 1, or of another network of the same plan; shapes in this class are those of Table 1.
    """

    def __init__(
        self, classes: int, heads: bool = False, regressed: int = 0, widths: Mapping[str, Widths] = PAPER
    ) -> None:
        super().__init__()
        self.conv1 = Convolution(3, 64, 7, 2)
        self.conv2_reduce = Convolution(64, 64, 1)
        self.conv2 = Convolution(64, 192, 3)
        self.lrn = LocalResponseNorm()
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        channels = 192
        outputs = {}
        for name, filters in widths.items():
            module = Inception(channels, filters)
            self.add_module(f"inception{name}", module)
            channels = outputs[name] = module.outputs
        self._names = tuple(widths)
        self.average = nn.AdaptiveAvgPool2d(1)  # of 7x7 cells in a crop of 224 pixels
        self.dropout = nn.Dropout(0.4)
        self.classifier = nn.Linear(channels, classes)
        self.regressor = nn.Linear(channels, 4 * regressed) if regressed else None
        self.aux4a = AuxiliaryHead(outputs["4a"], classes) if heads else None
        self.aux4d = AuxiliaryHead(outputs["4d"], classes) if heads else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Xavier weights; biases 0.2 in convolutions and 0 in classifiers, as the Caffe model starts."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.constant_(module.bias, 0.2 if isinstance(module, nn.Conv2d) else 0.0)

    def _modules_of(self, x: Tensor, first: str, last: str) -> Tensor:
        """What the modules from `first` up to `last` make of x."""
        for name in self._names:
            if first <= name <= last:
                x = self.get_submodule(f"inception{name}")(x)
        return x

    def _to_4a(self, x: Tensor) -> Tensor:
        x = self.pool(self.conv1(x))  # [N,64,56,56]
        x = self.conv2(self.conv2_reduce(self.lrn(x)))  # [N,192,56,56]
        x = self.pool(self.lrn(x))  # [N,192,28,28]
        x = self._modules_of(x, "3a", "3z")  # [N,480,28,28]
        return self._modules_of(self.pool(x), "4a", "4a")  # [N,512,14,14]

    def _to_4d(self, x: Tensor) -> Tensor:
        return self._modules_of(x, "4b", "4d")  # [N,528,14,14]

    def _to_4e(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.pool(self._modules_of(x, "4e", "4z"))
        return pooled  # [N,832,7,7]

    def trunk(self, x: Tensor) -> Tensor:
        """Activations [N,832,14,14] of 4e, of images [N,3,224,224]."""
        return self._modules_of(self._to_4a(x), "4b", "4z")

    def lower(self, x: Tensor) -> Tensor:
        """Activations [N,832,7,7] after 4e and its pooling, of images [N,3,224,224]."""
        pooled: Tensor = self.pool(self.trunk(x))
        return pooled

    def pooled(self, x: Tensor) -> Tensor:
        """Features [N,1024] before dropout, of activations [N,832,7,7]."""
        x = self._modules_of(x, "5a", "5z")  # [N,1024,7,7]
        features: Tensor = self.average(x)
        return features.flatten(1)

    def upper(self, x: Tensor) -> Logits:
        """Main logits and box offsets of activations [N,832,7,7]."""
        features = self.pooled(x)
        offsets = None if self.regressor is None else self.regressor(features)
        return Logits(self.classifier(self.dropout(features)), offsets=offsets)

    def forward(self, x: Tensor) -> Logits:
        """Logits of images [N,3,224,224]; the heads answer in training mode only (section 5)."""
        at_4a = self._to_4a(x)
        at_4d = self._to_4d(at_4a)
        answer = self.upper(self._to_4e(at_4d))
        if not self.training or self.aux4a is None or self.aux4d is None:
            return answer
        return answer._replace(aux1=self.aux4a(at_4a), aux2=self.aux4d(at_4d))
