"""Conversion of a network or an ensemble to ONNX."""

import json
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nn import LOSSES, Ensemble, Network
from nn.activations import SOFTMAX

# Versions that ONNX runtimes have supported since 2023.
_OPSET, _IR_VERSION = 17, 9
_NODES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}


def to_onnx(model: Network | Ensemble, metadata: dict[str, str]) -> bytes:
    """The content of an ONNX file that computes the `probabilities` of a model.

    The input `images` is (n, d) float32 in [0, 1], with any n; the output `probabilities` is
    (n, classes). The metadata properties are `classes` (names, as JSON), `pixel_range` (the raw
    pixel values that are scaled to 0 and 1, as JSON), `deslanted` (whether the images must be
    deslanted then, see `nn.images.deslanting`; as JSON) and those of `metadata`.
    """
    constants = [
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
        numpy_helper.from_array(np.array(np.finfo(np.float32).tiny), "tiny"),
        numpy_helper.from_array(np.array(1.0, np.float32), "one"),
    ]
    nodes, outputs = [], []
    for k, member in enumerate(model.members):
        prefix = f"member_{k}/" if len(model.members) > 1 else ""
        outputs.append(f"{prefix}probabilities")
        nodes += _nodes(member, prefix, constants)
    if len(outputs) > 1:
        nodes.append(helper.make_node("Mean", outputs, ["probabilities"]))
    d, classes = model.members[0].sizes[0], len(model.classes)
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", d])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
        constants,
    )
    proto = helper.make_model(
        graph,
        producer_name="numpy-digits-pipeline",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    properties = {
        "classes": json.dumps(model.classes, ensure_ascii=False),
        "pixel_range": json.dumps(model.pixel_range),
        "deslanted": json.dumps(model.deslanted),
        "framing": json.dumps(model.framing),
    }
    helper.set_model_props(proto, properties | metadata)
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString(deterministic=True)


def _nodes(network: Network, prefix: str, constants: list[TensorProto]) -> list[NodeProto]:
    """The nodes from `images` to the probabilities; appends their constants to `constants`."""
    nodes: list[NodeProto] = []
    softmax = LOSSES[network.loss].output is SOFTMAX
    below = "images"

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [prefix + output], **attributes))
        return prefix + output

    for k, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        names = [f"{prefix}weights_{k}", f"{prefix}biases_{k}"]
        for name, array in zip(names, (w, b), strict=True):
            constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        below = node("Gemm", [below, *names], f"z_{k}", transB=1)
        if k < len(network.weights) - 1:
            below = node(_NODES[network.activation], [below], f"activations_{k}")
    if softmax:
        scores = node("Softmax", [below], "scores", axis=1)
    else:
        # Runtimes compute Sigmoid with a small absolute error only, which is large relative to
        # scores near 0, and so in the probabilities if all scores are near 0.
        exp = node("Exp", [node("Neg", [below], "minus_z")], "exp")
        scores = node("Reciprocal", [node("Add", [exp, "one"], "divisor")], "scores")
    positive = node("Add", [scores, "tiny"], "positive")
    total = node("ReduceSum", [positive, "axes"], "sum", keepdims=1)
    node("Div", [positive, total], "probabilities")
    return nodes
