"""One file, the same network; anything else is refused with a reason."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

from nn import Ensemble, ModelFileError, Network, load, save


def example(dtype=np.float32):
    return Network.initialize(
        [6, 5, 4, 3],
        np.random.default_rng(0),
        initialization="normal",
        classes=["zéro", "one", "two, or more"],
        pixel_range=(-1.0, 16.0),
        activation="tanh",
        loss="softmax_cross_entropy",
        image_shape=(2, 3),
        deslanted=True,
        dtype=dtype,
    )


def saved(network):
    file = io.BytesIO()
    save(network, file)
    return file.getvalue()


def altered(**changes):
    entries = dict(np.load(io.BytesIO(saved(example()))))
    for name, value in changes.items():
        if value is None:
            del entries[name]
        else:
            entries[name] = value
    file = io.BytesIO()
    np.savez(file, **entries)
    return file.getvalue()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_comes_back_as_it_was(dtype):
    network = example(dtype)
    found = load(io.BytesIO(saved(network)))
    assert found.classes == network.classes
    assert found.pixel_range == network.pixel_range
    assert (found.image_shape, found.deslanted) == ((2, 3), True)
    assert (found.activation, found.loss) == ("tanh", "softmax_cross_entropy")
    np.testing.assert_array_equal(found.scores(np.ones(6)), network.scores(np.ones(6)))
    for a, b in zip(found.weights + found.biases, network.weights + network.biases, strict=True):
        assert a.dtype == dtype
        np.testing.assert_array_equal(a, b)


def test_an_ensemble_comes_back_as_it_was():
    ensemble = Ensemble([example(), example(np.float64)])
    found = load(io.BytesIO(saved(ensemble)))
    assert isinstance(found, Ensemble)
    assert [member.dtype for member in found.members] == [np.float32, np.float64]
    images = np.ones((2, 6))
    np.testing.assert_array_equal(found.probabilities(images), ensemble.probabilities(images))


def test_equal_networks_give_equal_bytes():
    assert saved(example()) == saved(example())


def test_it_describes_itself_without_pickle():
    with np.load(io.BytesIO(saved(example())), allow_pickle=False) as archive:
        assert str(archive["activation"]) == "tanh"
        assert str(archive["loss"]) == "softmax_cross_entropy"
        assert archive["classes"].tolist() == ["zéro", "one", "two, or more"]
        assert [archive[f"weights_{k}"].shape for k in range(3)] == [(5, 6), (4, 5), (3, 4)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a complete .npz"),
        (b"PK\x03\x04 not a zip", "a complete .npz"),
        (b"hello", "a complete .npz"),
        (saved(example())[:-100], "a complete .npz"),
        (altered(format=None), "the entry `format`.* got 'None'"),
        (altered(format=np.array("something else")), "the entry `format`.* got 'something else'"),
        (altered(activation=np.array("relux")), "expected an activation of .*, got 'relux'"),
        (altered(loss=np.array("hinge")), "a loss of .* and 'hinge'"),
        (altered(loss=None), "missing or malformed"),
        (altered(classes=None), "missing or malformed"),
        (altered(classes=np.array(["a", "b"])), "expected 3 class names"),
        (altered(classes=np.array(["a", "b", "\ud800"])), "surrogates not allowed"),
        (altered(pixel_range=np.array([-3e38, 3e38])), "whose difference fits float32"),
        (altered(image_shape=np.array([1e300, 1e300])), "image_shape"),
        (altered(pixel_range=np.array([1.0, 1.0])), "pixel_range"),
        (altered(pixel_range=np.array([1.0])), "missing or malformed"),
        (altered(weights_1=None), "missing or malformed|weights and one of biases"),
        (altered(biases_2=None), "one of biases"),
        (
            altered(weights_1=np.zeros((4, 7), np.float32)),
            "layer 1: .* .units, 5., got",
        ),
        (altered(biases_0=np.zeros(6, np.float32)), r"layer 0: expected biases of shape .units,."),
        (
            altered(weights_0=np.zeros((5, 6), np.int32)),
            "all float64, got .*int32",
        ),
        (altered(weights_0=np.full((5, 6), np.nan, np.float32)), "expected finite"),
    ],
)
def test_other_files_are_refused(content, reason):
    with pytest.raises(ModelFileError, match=reason):
        load(io.BytesIO(content))


def test_an_npy_file_and_a_pickle_are_refused():
    array, pickled = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros(3))
    np.savez(pickled, format=np.array({"a": 1}, dtype=object))
    for file in (array, pickled):
        file.seek(0)
        with pytest.raises(ModelFileError):
            load(file)


def one_class(network):
    network.weights[-1], network.biases[-1] = network.weights[-1][:1], network.biases[-1][:1]
    network.classes = network.classes[:1]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda network: network.weights[1].fill(np.nan), "expected finite weights"),
        (lambda network: setattr(network, "classes", ("a", "b")), "expected 3 class names"),
        (one_class, "at least 2, got 1"),
        (lambda network: setattr(network, "pixel_range", (1, 1)), "pixel_range"),
        (lambda network: setattr(network, "image_shape", (5, 5)), "image_shape"),
        (lambda network: network.biases.pop(), "got 3 and 2"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(spoil, reason):
    network, file = example(), io.BytesIO()
    spoil(network)
    with pytest.raises(ValueError, match=reason):
        save(network, file)
    assert file.getvalue() == b""


@pytest.mark.parametrize(
    "shape", ["(True, 6)", "(-5, 6)", "(5, -6)", f"({2**70}, 6)", f"(0, {2**70})", "(" * 3000]
)
def test_headers_with_impossible_shapes_are_refused(shape):
    file = io.BytesIO(saved(example()))
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["weights_0.npy"] = entries["weights_0.npy"].replace(b"(5, 6)", shape.encode())
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(
        ModelFileError, match=r"\.npy file|numbers or text|expected \d+ bytes|NumPy"
    ):
        load(file.seek(0) or file)


def test_an_archive_that_unpacks_to_more_than_its_size_is_not_unpacked():
    file = io.BytesIO()
    np.savez_compressed(file, format=np.array("x"), bomb=np.zeros(10**6))
    with pytest.raises(ModelFileError, match="without compression"):
        load(file.seek(0) or file)


def test_a_flipped_bit_is_noticed_or_harmless():
    whole = saved(example())
    noticed = 0
    for bit in range(0, 8 * len(whole), 3):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        try:
            found = load(io.BytesIO(bytes(content)))
        except ModelFileError:
            noticed += 1
            continue
        # The zip format has bits that nothing depends on (time stamps, say); the content is safe.
        assert saved(found) == whole
    assert noticed > 0.7 * 8 * len(whole) / 3


def test_the_message_names_the_file(tmp_path):
    (tmp_path / "model.npz").write_text("hello")
    with pytest.raises(ModelFileError, match=r"model\.npz: expected a complete"):
        load(tmp_path / "model.npz")


def test_a_truncated_file_is_refused_wherever_it_ends():
    content = saved(example())
    for end in range(0, len(content), 97):
        with pytest.raises(ModelFileError):
            load(io.BytesIO(content[:end]))
    assert zipfile.is_zipfile(io.BytesIO(content))


def test_the_bytes_do_not_depend_on_the_version_of_python_or_the_system():
    weights, biases = np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(2, np.float32)
    file = io.BytesIO()
    save(Network([weights], [biases], ("a", "b")), file)
    # The same with CPython 3.11.2, 3.11.7, 3.12.1 and 3.13.0.
    assert hashlib.sha256(file.getvalue()).hexdigest() == (
        "9d92a44f3cd31fb47bc228fc7181526c3508bfd1c16ae764f89abd0acf7611ae"
    )
