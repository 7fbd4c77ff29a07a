"""Predicted images per second of a 784-100-10 network, 1, 100 and 70 000 at a time."""

import io
from collections.abc import Callable

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import installed, medians, mnist, report
from nn import Network

SIZES = (1, 100, 70_000)


def _scikit_learn(network: Network, images: NDArray) -> Callable[[NDArray], NDArray]:
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier((100,), activation="logistic", max_iter=1)
    classifier.partial_fit(images[:10], np.arange(10), classes=np.arange(10))
    classifier.coefs_ = [np.ascontiguousarray(w.T) for w in network.weights]
    classifier.intercepts_ = network.biases
    return classifier.predict_proba


def _pytorch(network: Network) -> Callable[[NDArray], NDArray]:
    import torch

    layers: list[torch.nn.Module] = []
    for w, b in zip(network.weights, network.biases, strict=True):
        layer = torch.nn.Linear(w.shape[1], w.shape[0])
        layer.weight.data, layer.bias.data = torch.from_numpy(w), torch.from_numpy(b)
        layers += [layer, torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers).eval()

    def predict(images: NDArray) -> NDArray:
        with torch.inference_mode():
            return model(torch.from_numpy(images)).numpy()

    return predict


def _onnx_runtime(network: Network) -> Callable[[NDArray], NDArray]:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper, save

    nodes, constants, below = [], [], "images"
    for k, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        constants += [numpy_helper.from_array(w, f"w{k}"), numpy_helper.from_array(b, f"b{k}")]
        nodes.append(helper.make_node("Gemm", [below, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        nodes.append(helper.make_node("Sigmoid", [f"z{k}"], [f"a{k}"]))
        below = f"a{k}"
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [None, 784])],
        [helper.make_tensor_value_info(below, TensorProto.FLOAT, [None, 10])],
        constants,
    )
    file = io.BytesIO()
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    session = onnxruntime.InferenceSession(file.getvalue())
    return lambda images: session.run(None, {"images": images})[0]


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Measurements of each.")
def main(repeats: int) -> None:
    """Measure the predicted images per second, beside other libraries."""
    images, _, test_images, _ = mnist()
    images = np.concatenate([images, test_images])
    network = Network.initialize([784, 100, 10], np.random.default_rng(0))
    peers = {"this project": network.scores, "scikit-learn": _scikit_learn(network, images)}
    if installed("torch"):
        peers["PyTorch"] = _pytorch(network)
    if installed("onnx") and installed("onnxruntime"):
        peers["ONNX Runtime"] = _onnx_runtime(network)
    expected = network.scores(images[:100])
    for name, predict in peers.items():
        if name != "scikit-learn":  # its outputs are a softmax
            np.testing.assert_allclose(predict(images[:100]), expected, atol=1e-5)
    rows = []
    for size in SIZES:
        times = max(1, 2_000 // size)

        def many(predict: Callable, size: int = size, times: int = times) -> Callable[[], None]:
            def work() -> None:
                for _ in range(times):
                    predict(images[:size])

            return work

        found = medians({name: many(predict) for name, predict in peers.items()}, repeats)
        rows += [(size, name, round(size * times / spent)) for name, spent in found.items()]
    report("prediction", ("images at a time", "competitor", "images per second"), rows)


if __name__ == "__main__":
    main()
