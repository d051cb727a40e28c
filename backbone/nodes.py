"""Nodes and constants of an ONNX graph in the making."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

__all__ = ["Nodes"]

_OPSET = 17
_IR_VERSION = 8


@dataclass(eq=False)
class Nodes:
    """A graph that grows by one node at a time; tensors go by name."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)

    def constant(self, name: str, values: NDArray[Any] | np.generic) -> str:
        """Adds a constant, unless one of this name is there, and returns its name."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(values, order="C"), name)
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node of one output and returns the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def split(self, tensor: str, outputs: list[str], axis: int) -> list[str]:
        """Cuts a tensor into equal parts along an axis and returns their names."""
        self.nodes.append(helper.make_node("Split", [tensor], outputs, outputs[0], axis=axis))
        return outputs

    def model(self, pixels: tuple[int, int], output: str, shape: tuple[int, ...]) -> ModelProto:
        """The checked model of images uint8 [N,*pixels,3] called "pixels" and one float32 output [N,*shape]."""
        taken = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", *pixels, 3])
        given = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", *shape])
        graph = helper.make_graph(self.nodes, "googlenet", [taken], [given], list(self.constants.values()))
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="googlenet-rcnn")
        checker.check_model(model, full_check=True)
        return model
