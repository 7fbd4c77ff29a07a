"""The classifier trained in several calls: `partial_fit` and `warm_start`."""

import joblib
import numpy as np
import pytest
from classifiers import classifier, same

OPTIONS = {"optimizer": "adam", "dropout_hidden": 0.2, "ema_decay": 0.9, "batch_size": 64}


def test_partial_fit_equals_fit(digits):
    # scikit-learn's issue 12505
    whole = classifier(**OPTIONS, epochs=4, schedule="cosine").fit(*digits)
    parts = classifier(**OPTIONS, epochs=4, schedule="cosine")
    for _ in range(4):
        parts.partial_fit(*digits)
    assert same(whole, parts)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 4


def after_another_call(fitted, x, y):
    """The classifier after `partial_fit`; and whether its weights were memory-mapped before."""
    weights = fitted.network_.weights[0]
    while isinstance(weights, np.ndarray) and not isinstance(weights, np.memmap):
        weights = weights.base
    return fitted.partial_fit(x, y), isinstance(weights, np.memmap)


@pytest.mark.parametrize("options", [{}, OPTIONS], ids=["sgd", "adam"])
def test_a_memory_mapped_classifier_goes_on_learning(options, digits, tmp_path):
    x, y = (array[:200] for array in digits)
    fitted = classifier(**options).partial_fit(x, y)
    joblib.dump(fitted, tmp_path / "classifier")
    loaded = joblib.load(tmp_path / "classifier", mmap_mode="r")
    # Processes of joblib map arrays of more than `max_nbytes`, those in a classifier too.
    in_processes = joblib.Parallel(n_jobs=2, max_nbytes=100)(
        joblib.delayed(after_another_call)(fitted, x, y) for _ in range(2)
    )
    found = [after_another_call(loaded, x, y), *in_processes]
    fitted.partial_fit(x, y)
    for other, was_mapped in found:
        assert was_mapped
        assert same(other, fitted)


def test_partial_fit_with_classes_that_come_later(digits):
    x, y = digits
    fitted = classifier(batch_size=32)
    fitted.partial_fit(x[y < 5], y[y < 5], classes=np.arange(10))
    for _ in range(20):
        fitted.partial_fit(x, y)
    assert fitted.score(x, y) > 0.9
    with pytest.raises(ValueError, match=r"y: expected labels among \[0, 1, 2.*, got \[10\]"):
        fitted.partial_fit(x, y + 1)
    with pytest.raises(ValueError, match=r"classes: expected those of the first call"):
        fitted.partial_fit(x, y, classes=np.arange(11))


def test_partial_fit_takes_weights_as_they_are(digits):
    x, y = digits
    options = {"activation": "sigmoid", "optimizer": "sgd", "learning_rate": 0.5, "ema_decay": 0.0}
    one, double, silent = (classifier(**options) for _ in range(3))
    for _ in range(5):
        one.partial_fit(x, y)
        double.partial_fit(x, y, sample_weight=np.full(len(y), 2.0))
        silent.partial_fit(x, y, sample_weight=np.full(len(y), 1e-12))
    assert double.loss_curve_[0] < one.loss_curve_[0] < silent.loss_curve_[0] - 0.1
    with pytest.raises(ValueError, match="class_weight: balanced needs all samples"):
        classifier(class_weight="balanced").partial_fit(x, y)


def test_partial_fit_beyond_the_end_of_the_schedule(digits):
    fitted = classifier(epochs=2, schedule="cosine")
    fitted.partial_fit(*digits).partial_fit(*digits)
    with pytest.raises(ValueError, match="epochs: all 2 epochs are done, over which the learning"):
        fitted.partial_fit(*digits)
    fitted.set_params(schedule="constant").partial_fit(*digits)
    assert fitted.n_iter_ == 3


def test_partial_fit_goes_on_after_early_stopping(digits):
    fitted = classifier(patience=1, learning_rate=0.1, epochs=500).fit(*digits)
    done = fitted.n_iter_
    assert done < 500
    assert fitted.partial_fit(*digits).n_iter_ == done + 1


def test_a_warm_start_obeys_changed_arguments(digits):
    fitted = classifier(warm_start=True, epochs=2).fit(*digits)
    fitted.set_params(epochs=500, patience=1, learning_rate=0.1).fit(*digits)
    assert 2 < len(fitted.loss_curve_) < 502
    assert fitted.n_iter_ == len(fitted.loss_curve_) - 2
    with pytest.raises(ValueError, match="hidden: expected"):
        fitted.set_params(hidden=(7,)).fit(*digits)


def test_warm_start_keeps_the_state_of_adam(digits):
    # scikit-learn's issue 6091
    whole = classifier(**OPTIONS, epochs=6).fit(*digits)
    halves = classifier(**OPTIONS, epochs=3, warm_start=True).fit(*digits).fit(*digits)
    assert same(whole, halves)
    assert halves.loss_curve_ == whole.loss_curve_
    cold = classifier(**OPTIONS, epochs=3).fit(*digits).fit(*digits)
    assert not same(whole, cold)
