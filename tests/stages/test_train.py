"""train: what it writes, what it never reads, what it refuses."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from nn import Network, load, score
from stages import train
from stages.common.pictures.hidden_units import units_picture

LONGER = ("--hidden", 8, "--epochs", 20, "--learning-rate", 1)
QUICK = ("--hidden", 8, "--epochs", 4, "--learning-rate", 1)
COUNT = "expected an integer from 1 to 1000000000, got "
UNITS = "expected an integer from 1 to 65536, got "
RATE = "expected a number from 1e-08 to 1e+06, got "
FRACTION = "expected a number from 0 to below 1, got "
AMOUNT = "expected a number from 0 to 1e+06, got "


def test_model_and_live_curves(run, prepared, tmp_path):
    result = run(train, *QUICK, "--hidden", 5)
    assert result.exit_code == 0, result.output
    network = load(tmp_path / "data/model/model.npz")
    assert network.sizes == (16, 8, 5, 3)
    assert network.classes == ("circle", "$\\foo$", "a, b")
    assert network.pixel_range == (0, 255)

    training = tmp_path / "data" / "training"
    last = json.loads((training / "metrics.json").read_text())
    assert last["step"] == 4
    scores = {
        part: score(network, *(np.load(prepared / f"{part}_{k}.npy") for k in ("images", "labels")))
        for part in ("train", "validation")
    }
    assert last["validation"] == vars(scores["validation"])
    # On the training images it is the mean over the epoch, of the forward passes that training
    # makes: before the network has learned from them.
    assert last["train"]["loss"] > scores["train"].loss
    for part in ("train", "validation"):
        for metric in ("loss", "accuracy"):
            lines = (training / f"plots/metrics/{part}/{metric}.tsv").read_text().splitlines()
            assert lines[0] == f"step\t{metric}"
            assert [line.split("\t")[0] for line in lines[1:]] == ["1", "2", "3", "4"]


def test_the_curves_on_training_images_are_the_score_of_weights_that_do_not_move(
    run, prepared, tmp_path
):
    assert run(train, "--epochs", 1, "--learning-rate", 1e-8).exit_code == 0
    last = json.loads((tmp_path / "data/training/metrics.json").read_text())
    images, labels = (np.load(prepared / f"train_{k}.npy") for k in ("images", "labels"))
    found = score(load(tmp_path / "data/model/model.npz"), images, labels)
    # Training looks sigmoid up in a table, with an error below 2^-14.
    assert last["train"] == pytest.approx(vars(found), rel=1e-3)


def content_of(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_same_seed_same_bytes_and_another_seed_another_network(run, prepared, tmp_path):
    def artifacts(*options):
        assert run(train, *QUICK, *options).exit_code == 0
        return content_of(tmp_path / "data/model") | content_of(tmp_path / "data/training")

    first = artifacts("--seed", 7)
    assert artifacts("--seed", 7) == first
    assert artifacts("--seed", 8) != first


def test_it_never_opens_the_test_set(run, prepared):
    for path in prepared.glob("test_*"):
        path.unlink()
    assert run(train, *QUICK).exit_code == 0


def test_an_untouched_terminal_log_stays_quiet(run, prepared):
    output = run(train, *QUICK).output
    assert len(output.splitlines()) == 1
    assert "\r" not in output


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (("--hidden", 0), f"train.hidden: {UNITS}'0'"),
        (("--hidden", -3), f"train.hidden: {UNITS}'-3'"),
        (("--hidden", 10**12), f"train.hidden: {UNITS}'1000000000000'"),
        (("--hidden", "x"), f"train.hidden: {UNITS}'x'"),
        (("--hidden", 2.5), f"train.hidden: {UNITS}'2.5'"),
        ((("--hidden", 65536) * 9), "train.hidden: layers of 8, 65536, 65536"),
        (("--learning-rate", 0), f"train.learning_rate: {RATE}'0'"),
        (("--learning-rate", -1), f"train.learning_rate: {RATE}'-1'"),
        (("--learning-rate", "nan"), f"train.learning_rate: {RATE}'nan'"),
        (("--learning-rate", "inf"), f"train.learning_rate: {RATE}'inf'"),
        (("--learning-rate", "1e-45"), f"train.learning_rate: {RATE}'1e-45'"),
        (("--learning-rate", "1e300"), f"train.learning_rate: {RATE}'1e300'"),
        (("--learning-rate", "fast"), f"train.learning_rate: {RATE}'fast'"),
        (("--batch-size", 0), f"train.batch_size: {COUNT}'0'"),
        (("--batch-size", 141), "train.batch_size: expected at most the 140 training"),
        (("--batch-size", 10**15), f"train.batch_size: {COUNT}'1000"),
        (("--epochs", 0), f"train.epochs: {COUNT}'0'"),
        (("--epochs", "1e3"), f"train.epochs: {COUNT}'1e3'; write 1000."),
        (("--epochs", "10.0"), f"train.epochs: {COUNT}'10.0'; write 10."),
        (("--epochs", "1.5"), f"train.epochs: {COUNT}'1.5'."),
        (("--epochs", "0.0"), f"train.epochs: {COUNT}'0.0'."),
        (("--epochs", "\u0661"), f"train.epochs: {COUNT}'\u0661'"),  # a digit of Arabic script
        (("--epochs", 10**30), f"train.epochs: {COUNT}'1000"),
        (("--activation", "relux"), "train.activation: 'relux' is not"),
        (("--loss", "None"), "train.loss: 'None' is not"),
        (("--initialization", ""), "train.initialization: '' is not one of"),
        (("--optimizer", "sdg"), "train.optimizer: 'sdg' is not"),
        (("--seed", -1), "train.seed: expected an integer from 0 to 4294967295, got '-1'"),
        (("--momentum", 1), f"train.momentum: {FRACTION}'1'"),
        (("--momentum", "nan"), f"train.momentum: {FRACTION}'nan'"),
        (("--beta2", -0.1), f"train.beta2: {FRACTION}'-0.1'"),
        (("--schedule", "linear"), "schedule.schedule: 'linear' is not one of"),
        (("--warmup", 4), "schedule.warmup: expected fewer than the 4 epochs, got 4.0"),
        (("--lr-decay", 0), "schedule.lr_decay: expected a number above 0 and at most 1, got '0'"),
        (("--lr-decay-epochs", 0), "schedule.lr_decay_epochs: expected a number above 0"),
        (("--l2", -1), f"regularization.l2: {AMOUNT}'-1'"),
        (("--weight-decay", "inf"), f"regularization.weight_decay: {AMOUNT}'inf'"),
        (("--max-norm", "x"), f"regularization.max_norm: {AMOUNT}'x'"),
        (("--dropout-input", 1), f"regularization.dropout_input: {FRACTION}'1'"),
        (("--dropout-hidden", -0.5), f"regularization.dropout_hidden: {FRACTION}'-0.5'"),
        (("--label-smoothing", 1), f"regularization.label_smoothing: {FRACTION}'1'"),
        (("--ema-decay", 1), f"regularization.ema_decay: {FRACTION}'1'"),
        (("--rotation", 181), "augmentation.rotation: expected a number from 0 to 180, got '181'"),
        (("--scaling", 1), "augmentation.scaling: expected a number from 0 to 0.9, got '1'"),
        (("--smoothness", 0), "augmentation.smoothness: expected a number from 1 to 1000, got '0'"),
        (("--class-weight", "rare"), "train.class_weight: 'rare' is not one of"),
        (("--patience", -1), "regularization.patience: expected an integer from 0 to 1000000,"),
        (("--monitor", "f1"), "regularization.monitor: 'f1' is not one of"),
        (("--learnig_rate", 1), "train.learnig_rate: there is no such parameter. Did you mean"),
        (("--lr_decai", 1), "schedule.lr_decai: there is no such parameter. Did you mean "),
    ],
)
def test_impossible_parameters(options, start, refused, prepared, tmp_path):
    model = tmp_path / "data/model/model.npz"
    model.parent.mkdir()
    model.write_bytes(b"the old model")
    quick = {"--epochs": 4, "--learning-rate": 1}
    rest = [part for pair in quick.items() if pair[0] not in options for part in pair]
    assert refused(train, "--hidden", 8, *rest, *options).startswith(start)
    assert model.read_bytes() == b"the old model"
    assert content_of(model.parent).keys() == {model.relative_to(model.parent)}


def test_training_that_diverges_says_so_and_keeps_the_old_model(
    refused, prepared, tmp_path, monkeypatch
):
    model = tmp_path / "data/model/model.npz"
    model.parent.mkdir()
    model.write_bytes(b"the old model")
    initialize = Network.initialize

    def unlucky(*args, **options):
        network = initialize(*args, **options)
        network.weights[0][0, 0] = np.inf
        return network

    monkeypatch.setattr(Network, "initialize", unlucky)
    curves = tmp_path / "data/training/metrics.json"
    curves.parent.mkdir()
    curves.write_text("the old curves")
    line = refused(train, *QUICK)
    assert line.startswith("train.learning_rate: training diverged, weights are no longer finite")
    assert model.read_bytes() == b"the old model"
    assert content_of(curves.parent) == {curves.relative_to(curves.parent): b"the old curves"}


def test_patience_stops_early_and_takes_the_best_weights(run, prepared, tmp_path):
    options = ("--hidden", 8, "--epochs", 500, "--learning-rate", 0.3, "--patience", 3)
    result = run(train, *options, "--monitor", "accuracy")
    assert result.exit_code == 0, result.output
    path = tmp_path / "data/training/plots/metrics/validation/accuracy.tsv"
    values = [float(line.split("\t")[1]) for line in path.read_text().splitlines()[1:]]
    assert len(values) < 500
    assert int(np.argmax(values)) == len(values) - 4
    network = load(tmp_path / "data/model/model.npz")
    images, labels = (np.load(prepared / f"validation_{k}.npy") for k in ("images", "labels"))
    assert score(network, images, labels).accuracy == pytest.approx(max(values))


def test_balanced_classes_make_up_for_rare_ones(run, prepared, tmp_path):
    labels = np.load(prepared / "train_labels.npy")
    images = np.load(prepared / "train_images.npy")
    rows = np.flatnonzero((labels[:, 2] == 0) | (np.arange(len(labels)) < 9))  # three of class 2
    np.save(prepared / "train_images.npy", images[rows])
    np.save(prepared / "train_labels.npy", labels[rows])
    on_rare = []
    for weight in ("equal", "balanced"):
        assert run(train, *LONGER, "--class-weight", weight).exit_code == 0
        rare = labels[:, 2] == 1
        network = load(tmp_path / "data/model/model.npz")
        on_rare.append(network.probabilities(images[rare])[:, 2].mean())
    assert on_rare[1] > on_rare[0] + 0.1


def test_examples_are_the_images_as_the_network_saw_them(run, prepared, tmp_path):
    images = np.load(prepared / "train_images.npy")[:20]
    assert run(train, *QUICK).exit_code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "data/model/examples.npy"), images)
    assert run(train, *QUICK, "--shift", 1).exit_code == 0
    assert not np.allclose(np.load(tmp_path / "data/model/examples.npy"), images, atol=0.1)


def test_a_picture_of_the_hidden_units_after_every_epoch(run, prepared, tmp_path):
    assert run(train, *QUICK, "--pictures-path", "pictures").exit_code == 0
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    assert set(pictures) == {"1.png", "2.png", "3.png", "4.png"}
    assert len(set(pictures.values())) == 4
    network = load("data/model/model.npz")
    assert pictures["4.png"] == units_picture(network, 50)
    assert run(train, "--hidden", 2, "--epochs", 65, "--pictures-path", "many").exit_code == 0
    numbers = {int(path.stem) for path in (tmp_path / "many").iterdir()}
    assert numbers == {*range(1, 31), 60}
    with Image.open(io.BytesIO(pictures["4.png"])) as picture:
        assert picture.size == (10 * 5, 5)  # 8 units of 4×4 pixels in a line for 10


def test_training_that_does_not_learn_is_one_warning(run, prepared):
    result = run(train, "--hidden", 500, "--learning-rate", 30, "--epochs", 75)
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stderr.splitlines() if "Warning" in line]
    assert line.startswith("Warning: the network does not learn: its loss is ")
    assert line.endswith("its output units are saturated; choose learning_rate: 0.2, not 30.")
    suggested = run(train, "--hidden", 500, "--learning-rate", 0.2, "--epochs", 75)
    assert "Warning" not in suggested.output


def test_a_short_training_is_checked_at_its_end(run, prepared):
    result = run(train, "--hidden", 8, "--epochs", 4, "--learning-rate", 1e-3)
    (line,) = [line for line in result.stderr.splitlines() if "Warning" in line]
    assert line.endswith("learning_rate: 0.001 is too small; choose learning_rate: 3.")


def test_training_that_learns_is_no_warning(run, prepared):
    assert "Warning" not in run(train, "--hidden", 10, "--epochs", 75).output
