"""The classifier: scikit-learn's own checks, and what its users asked of MLPClassifier."""

import io
import pickle
from dataclasses import fields

import numpy as np
import pytest
from classifiers import classifier, same
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from nn import DivergedError, NetworkClassifier, TrainingConfig, load, save


# Some checks have few or random samples.
@pytest.mark.filterwarnings(
    "ignore::nn.NotLearningWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)
@parametrize_with_checks([NetworkClassifier()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_every_field_of_the_config_is_an_argument():
    names = {field.name for field in fields(TrainingConfig)}
    assert names < set(NetworkClassifier().get_params())


def test_the_articles_network_by_its_config(digits):
    article = NetworkClassifier(**vars(TrainingConfig()), tol=0, random_state=0).fit(*digits)
    assert article.network_.sizes == (64, 100, 10)
    assert article.network_.loss == "quadratic"
    assert article.score(*digits) > 0.99


def test_pipelines_searches_and_calibration(digits):
    x, y = digits[0][:900], digits[1][:900]
    pipeline = make_pipeline(StandardScaler(), classifier(epochs=30))
    assert cross_val_score(pipeline, x, y, cv=3).min() > 0.85
    grid = GridSearchCV(pipeline, {"networkclassifier__hidden": [(2,), (30,)]}, cv=2).fit(x, y)
    assert grid.best_params_ == {"networkclassifier__hidden": (30,)}
    calibrated = CalibratedClassifierCV(pipeline, cv=2).fit(x, y)
    assert log_loss(y, calibrated.predict_proba(x)) < 0.3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype, digits):
    x, y = digits
    fitted = classifier(epochs=1).fit(x.astype(dtype), y)
    assert fitted.network_.dtype == dtype
    assert fitted.predict_proba(x.astype(dtype)).dtype == dtype
    assert classifier(epochs=1).fit((x * 16).astype(int), y).network_.dtype == np.float64


@pytest.mark.parametrize("names", [["b", "a", "c"], [10, -5, 3], [True, False]], ids=str)
def test_labels_of_any_kind(names):
    x, y = make_classification(
        n_features=8, n_informative=5, class_sep=2.0, n_classes=len(names), random_state=0
    )
    labels = np.array(names)[y]
    fitted = classifier(epochs=100).fit(x, labels)
    assert fitted.classes_.tolist() == sorted(names)
    assert (fitted.predict(x) == labels).mean() > 0.95
    assert fitted.network_.classes == tuple(map(str, sorted(names)))


def test_the_network_is_one_of_this_project(digits, tmp_path):
    x, y = digits
    fitted = classifier().fit(x, y)
    file = io.BytesIO()
    save(fitted.network_, file)
    file.seek(0)
    np.testing.assert_array_equal(load(file).probabilities(x), fitted.predict_proba(x))


def test_pickled_it_predicts_and_trains_on_as_before(digits):
    x, y = digits
    fitted = classifier(warm_start=True, epochs=2).fit(x, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(x), fitted.predict_proba(x))
    again.fit(x, y)
    fitted.fit(x, y)
    np.testing.assert_array_equal(again.predict_proba(x), fitted.predict_proba(x))


def test_class_weight(digits):
    # scikit-learn's issue 9113
    x, y = digits
    rare = np.flatnonzero((y != 8) | (np.arange(len(y)) % 10 == 0))
    recalls = []
    for weight in (None, "balanced", {8: 10.0}):
        fitted = classifier(class_weight=weight, epochs=10, hidden=(10,)).fit(x[rare], y[rare])
        recalls.append(fitted.score(x[y == 8], y[y == 8]))
    assert min(recalls[1:]) > recalls[0] + 0.05


def test_sample_weights_and_class_weights_multiply(digits):
    x, y = digits
    counts = np.bincount(y)
    by_hand = (len(y) / (10 * counts))[y]
    first = classifier(epochs=3).fit(x, y, by_hand)
    second = classifier(epochs=3, class_weight="balanced").fit(x, y, np.full(len(y), 7.0))
    np.testing.assert_allclose(first.predict_proba(x), second.predict_proba(x), rtol=1e-6)


def test_validation_curve_and_dropout(digits):
    # scikit-learn's issue 18507
    x, y = digits
    fitted = classifier(dropout_hidden=0.3).fit(x[:1000], y[:1000], X_val=x[1000:], y_val=y[1000:])
    assert len(fitted.validation_curve_) == len(fitted.loss_curve_) == 15
    last = fitted.validation_curve_[-1]
    assert last.accuracy == fitted.score(x[1000:], y[1000:])
    assert last.loss == pytest.approx(log_loss(y[1000:], fitted.predict_proba(x[1000:])))
    assert fitted.loss_curve_[-1] == pytest.approx(
        log_loss(y[:1000], fitted.predict_proba(x[:1000]))
    )


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_early_stopping_watches_what_it_is_told_to(monitor, digits):
    # scikit-learn's issue 24411
    options = {"epochs": 500, "patience": 4, "learning_rate": 0.02, "monitor": monitor}
    fitted = classifier(**options).fit(*digits)
    values = [getattr(score, monitor) for score in fitted.validation_curve_]
    best = int(np.argmin(values) if monitor == "loss" else np.argmax(values))
    assert fitted.n_iter_ == len(values) == best + 1 + 4 < 500
    # The best weights are back.
    same_length = classifier(**options | {"epochs": best + 1, "patience": 100}).fit(*digits)
    assert same(fitted, same_length)


def test_iteration_instead_of_callbacks(digits):
    seen = []
    for fitted in classifier(epochs=50).iterate(*digits):
        seen.append(fitted.score(*digits))
        if seen[-1] > 0.9:
            break
    assert fitted.n_iter_ == len(seen) < 50
    assert clone(fitted).fit(*digits).n_iter_ == 50
    assert fitted.score(*digits) == seen[-1]


def test_augmented_digits(digits):
    x, y = digits
    fitted = classifier(shift=0.5, elastic=0.3, smoothness=2.0, epochs=30).fit(x, y)
    assert fitted.score(x, y) > 0.95
    wide = x[:, :60]  # 6 by 10, if one says so
    with pytest.raises(
        ValueError, match="image_shape: expected height and width of the images of 60"
    ):
        classifier(shift=0.5).fit(wide, y)
    classifier(shift=0.5, image_shape=(6, 10), epochs=1).fit(wide, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": (0,)}, "hidden: "),
        ({"hidden": 30}, "hidden: expected a list, each element an integer from 1"),
        ({"l2": "0.1"}, "l2: expected a number from 0 to 1e\\+06, got '0.1'"),
        ({"class_weight": {8: -1.0}}, "class_weight: "),
        ({"loss": "hinge"}, "loss: expected one of quadratic, .*, got 'hinge'"),
        ({"learning_rate": -1}, "learning_rate: "),
        ({"batch_size": 2.5}, "batch_size: "),
        ({"epochs": 0}, "epochs: "),
        ({"warmup": 99}, "warmup: "),
        ({"dropout_input": 1}, "dropout_input: "),
        ({"rotation": -3}, "rotation: "),
        ({"ema_decay": 1.5}, "ema_decay: "),
        ({"patience": 1, "validation_fraction": 1.5}, "validation_fraction: "),
        ({"monitor": "f1"}, "monitor: "),
    ],
)
def test_impossible_arguments_are_named_when_it_is_fitted(options, message, digits):
    estimator = clone(classifier(**options))
    with pytest.raises(ValueError, match=f"^{message}"):
        estimator.fit(*digits)


def test_validation_samples_need_labels(digits):
    x, y = digits
    for half in ({"X_val": x}, {"y_val": y}):
        with pytest.raises(ValueError, match="X_val and y_val: expected both"):
            classifier().fit(x, y, **half)


def test_it_is_not_fitted_before_an_epoch_is_done(digits):
    unfitted = classifier(learning_rate=-1.0)
    with pytest.raises(ValueError, match="learning_rate"):
        unfitted.fit(*digits)
    with pytest.raises(NotFittedError):
        unfitted.predict(digits[0])


def test_a_diverged_training_leaves_no_network(digits):
    diverging = classifier(optimizer="sgd", learning_rate=1e6, l2=1.0)
    with pytest.raises(DivergedError), np.errstate(all="ignore"):
        diverging.fit(*digits)
    with pytest.raises(NotFittedError):
        diverging.predict(digits[0])


def test_exact_arithmetic_makes_a_float32_network(digits):
    fitted = classifier(arithmetic="exact", epochs=2).fit(*digits)
    assert fitted.network_.dtype == np.float32
    again = classifier(arithmetic="exact", epochs=2).fit(digits[0].astype(np.float32), digits[1])
    for one, other in zip(fitted.network_.weights, again.network_.weights, strict=True):
        np.testing.assert_array_equal(one, other)
