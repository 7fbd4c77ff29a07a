"""Conversion of a network to ONNX."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nn import LOSSES, Network
from nn.activations import SOFTMAX

# Versions that ONNX runtimes have supported since 2023.
_OPSET, _IR_VERSION = 17, 9
_NODES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}


def to_onnx(network: Network, metadata: dict[str, str]) -> bytes:
    """The content of an ONNX file that computes `Network.probabilities`.

    The input `images` is (n, d) float32 in [0, 1], with any n; the output `probabilities` is
    (n, classes). The metadata properties are `classes` (names, as JSON), `pixel_range` (the raw
    pixel values that are scaled to 0 and 1, as JSON), `deslanted` (whether the images must be
    deslanted then, see `nn.deslanting`; as JSON) and those of `metadata`.
    """
    nodes, constants, below = [], [], "images"
    softmax = LOSSES[network.loss].output is SOFTMAX
    for k, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        for name, array in ((f"weights_{k}", w), (f"biases_{k}", b)):
            constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        gemm = [below, f"weights_{k}", f"biases_{k}"]
        nodes.append(helper.make_node("Gemm", gemm, [f"z_{k}"], transB=1))
        last = k == len(network.weights) - 1
        below = "scores" if last else f"activations_{k}"
        if not last:
            nodes.append(helper.make_node(_NODES[network.activation], [f"z_{k}"], [below]))
        elif softmax:
            nodes.append(helper.make_node("Softmax", [f"z_{k}"], [below], axis=1))
        else:
            # Runtimes compute Sigmoid with a small absolute error only, which is large relative to
            # scores near 0, and so in the probabilities if all scores are near 0.
            constants.append(numpy_helper.from_array(np.array(1.0, np.float32), "one"))
            nodes += [
                helper.make_node("Neg", [f"z_{k}"], ["minus_z"]),
                helper.make_node("Exp", ["minus_z"], ["exp"]),
                helper.make_node("Add", ["exp", "one"], ["divisor"]),
                helper.make_node("Reciprocal", ["divisor"], [below]),
            ]
    constants.append(numpy_helper.from_array(np.array([1], np.int64), "axes"))
    constants.append(numpy_helper.from_array(np.array(np.finfo(np.float32).tiny), "tiny"))
    nodes += [
        helper.make_node("Add", [below, "tiny"], ["positive"]),
        helper.make_node("ReduceSum", ["positive", "axes"], ["sum"], keepdims=1),
        helper.make_node("Div", ["positive", "sum"], ["probabilities"]),
    ]
    d, classes = network.sizes[0], network.sizes[-1]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", d])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
        constants,
    )
    model = helper.make_model(
        graph,
        producer_name="numpy-digits-pipeline",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    properties = {
        "classes": json.dumps(network.classes, ensure_ascii=False),
        "pixel_range": json.dumps(network.pixel_range),
        "deslanted": json.dumps(network.deslanted),
    }
    helper.set_model_props(model, properties | metadata)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
