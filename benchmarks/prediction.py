"""Images per second, in calls with 1, 100 and 70 000 images, with a 784-100-10 network.

This project's scores are exact, as `predict` and `evaluate` compute them.
"""

import io
from collections.abc import Callable
from functools import partial
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import benchmark, installed, mnist, record
from benchmarks.processes import Competitor, medians, timed
from nn import Network

SIZES = (1, 100, 70_000)
Predict = Callable[[NDArray], NDArray]


def _scikit_learn(network: Network) -> Predict:
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier((100,), activation="logistic", max_iter=1)
    classifier.partial_fit(np.zeros((10, 784), np.float32), np.arange(10), classes=np.arange(10))
    classifier.coefs_ = [np.ascontiguousarray(w.T) for w in network.weights]
    classifier.intercepts_ = network.biases
    return classifier.predict_proba


def _pytorch(network: Network) -> Predict:
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


def _onnx_runtime(network: Network) -> Predict:
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


def _images_per_second(
    predict_with: Callable[[Network], Predict], size: int
) -> Callable[[], float]:
    network = Network.initialize([784, 100, 10], np.random.default_rng(0))
    predict = predict_with(network)
    images = np.concatenate(mnist()[::2])[:size]
    times = max(1, 2_000 // size)
    if predict_with is not _scikit_learn:  # its outputs are those of a softmax
        np.testing.assert_allclose(predict(images), network.scores(images), atol=1e-5)

    def work() -> None:
        for _ in range(times):
            predict(images)

    seconds = timed(work)
    return lambda: size * times / seconds()


@benchmark(5)
def main(repeats: int, kernel: str | None) -> None:
    """Images per second, compared with other libraries."""
    peers = {"this project": attrgetter("scores"), "scikit-learn": _scikit_learn}
    if installed("torch"):
        peers["PyTorch"] = _pytorch
    if installed("onnx") and installed("onnxruntime"):
        peers["ONNX Runtime"] = _onnx_runtime
    rows = []
    for size in SIZES:
        competitors = {
            name: Competitor(partial(_images_per_second, peer, size))
            for name, peer in peers.items()
        }
        ran, found = medians(competitors, repeats, kernel)
        rows += [(size, name, round(speed)) for name, speed in found.items()]
    record("prediction", ran, ("images per call", "competitor", "images per second"), rows)


if __name__ == "__main__":
    main()
