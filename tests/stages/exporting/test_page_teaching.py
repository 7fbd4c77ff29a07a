"""What the page shows of the network: training, hidden units, classes, examples."""

import numpy as np
import pytest
from drawings import STROKES, call, draw, examples, settle

from nn import Network
from stages.common.models.snapshots import Snapshots, parameters_of
from stages.exporting.drawing_page import MAX_BYTES, drawing_page
from stages.exporting.encoding import encode_matrix

pytestmark = pytest.mark.xdist_group("browser")  # one worker trains the network


@pytest.fixture
def training(network):
    """Snapshots of a training that began with random weights: 0, 2 and 5 of 20 epochs."""
    start = parameters_of(Network.initialize(network.sizes, np.random.default_rng(0)))
    end = parameters_of(network)
    rows = np.array([start, (start + end) / 2, end])
    return Snapshots(np.array([0, 2, 5, 20]), np.array([0.1, 0.5, 0.975, 0.9781]), rows)


def move_slider(page, stage):
    page.locator("#epoch").fill(str(stage))
    settle(page)


def numbers(locator):
    return [float(text.replace("−", "-")) for text in locator.all_inner_texts()]


def test_the_slider_shows_the_network_after_each_epoch(network, training, opened):
    images, labels = examples(40)
    with opened(network, images, labels, snapshots=training) as page:
        assert page.locator("#epochs b").all_inner_texts() == ["0", "2", "5", "20"]
        marks = page.locator("#epochs span").all_inner_texts()
        assert marks == ["10.0%", "50.0%", "97.5%", "97.8%"]
        assert "After 20 epochs of training: 97.8%" in page.locator("#stage").inner_text()
        before = page.evaluate("canvasOfWeights(0).toDataURL()")
        for stage, snapshot in enumerate(training.networks(network)):
            move_slider(page, stage)
            found = page.evaluate(
                "(images) => images.map((image) => network.scores(image))", images.tolist()
            )
            expected = snapshot.scores(images)
            assert np.mean(np.argmax(found, 1) == expected.argmax(1)) >= 0.95
            assert np.median(np.abs(found - expected)) < 0.01
        move_slider(page, 0)
        assert "Before training, with random weights: 10.0%" in page.locator("#stage").inner_text()
        assert page.evaluate("canvasOfWeights(0).toDataURL()") != before
        wrong = page.locator("#thumbnails .wrong").count()
        assert wrong > 25
        move_slider(page, 3)
        assert page.evaluate("canvasOfWeights(0).toDataURL()") == before
        assert page.locator("#thumbnails .wrong").count() < 5


def test_the_same_drawing_is_misread_at_first_and_read_in_the_end(network, training, opened):
    images, labels = examples(3)
    with opened(network, images, labels, snapshots=training) as page:
        draw(page, STROKES["7"])
        assert page.locator("#verdict .answer").inner_text() == "7"
        page.locator("#epoch").focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        settle(page)
        assert page.locator("#verdict .answer").inner_text() != "7"
        page.locator("#epochs li").last.click()
        assert page.locator("#verdict .answer").inner_text() == "7"


@pytest.mark.parametrize(
    ("units", "digits", "stages"),
    [(100, [1, 3], 8), (120, [0.5, 3], 8), (200, [0.5, 1], 8), (500, [0.5, 1], 3), (900, [3], 0)],
)
def test_a_larger_network_has_fewer_digits_then_fewer_snapshots_then_no_slider(
    units, digits, stages, opened
):
    rng = np.random.default_rng(0)
    images, labels = rng.random((20, 784), np.float32), ["0"] * 20
    network = Network.initialize([784, units, 10], rng)
    rows = np.array([0.9 * parameters_of(network)] * 7)
    snapshots = Snapshots(np.array([0, 1, 2, 3, 5, 10, 20, 30]), np.linspace(0.1, 0.9, 8), rows)
    html = drawing_page(network, images, labels, 100, snapshots)
    if stages:
        assert len(html.encode()) <= MAX_BYTES
    with opened(network, images, labels, snapshots=snapshots) as page:
        found = page.evaluate(
            "DATA.training.map((stage) => stage.networks[0].layers[0].weights.digits)"
        )
        assert [found[0], found[-1]] == [digits[0], digits[-1]]
        marks = page.locator("#epochs b").all_inner_texts()
        assert marks == ([*map(str, snapshots.epochs[: stages - 1]), "30"] if stages else [])
        words = "too large for this page"
        assert (words in page.locator("#stage").inner_text()) == (stages == 0)
        scores = "(images) => images.map((image) => network.scores(image))"
        found = np.array(page.evaluate(scores, images.tolist()))
        np.testing.assert_allclose(found, network.scores(images), atol=0.05)
        if stages:
            move_slider(page, 0)
            expected = snapshots.networks(network)[0].scores(images)
            np.testing.assert_allclose(page.evaluate(scores, images.tolist()), expected, atol=0.1)
    with opened(network, images, labels) as page:
        assert not page.locator("#training").is_visible()


@pytest.mark.parametrize("digits", [0.5, 1, 2, 3])
def test_encoded_matrices_are_read_as_they_were_rounded(digits, opened):
    rng = np.random.default_rng(0)
    network = Network.initialize([16, 5, 3], rng)
    with opened(network, np.zeros((1, 16), np.float32), ["0"]) as page:
        for shape in ((1, 1), (3, 5), (4, 6)):
            matrix = rng.normal(size=shape)
            found = call(
                page, "(...a) => Array.from(decode(...a))", encode_matrix(matrix, digits), shape[1]
            )
            steps = np.abs(matrix).max(axis=1, keepdims=True) / (64**digits // 2 - 1)
            assert (np.abs(np.reshape(found, shape) - matrix) <= 0.501 * steps).all()


@pytest.mark.parametrize(
    ("hidden", "loss"),
    [([12], "quadratic"), ([12], "softmax_cross_entropy"), ([12, 7], "quadratic")],
)
def test_what_a_unit_adds_is_what_is_missing_without_it(hidden, loss, opened):
    images, labels = examples(3)
    network = Network.initialize([784, *hidden, 10], np.random.default_rng(0), loss=loss)
    without = network.copy()
    without.weights[1][:, 4] = 0

    def output_inputs(of):
        a = images[0]
        for w, b in zip(of.weights[:-1], of.biases[:-1], strict=True):
            a = 1 / (1 + np.exp(-(w @ a + b)))
        return of.weights[-1] @ a + of.biases[-1]

    expected = output_inputs(network) - output_inputs(without)
    with opened(network, images, labels) as page:
        page.locator("#thumbnails button").first.click()
        page.locator("#units button").nth(4).click()
        assert page.locator("#explanation h2").inner_text() == "Hidden unit 5"
        found = numbers(page.locator(".outputs .value"))
        np.testing.assert_allclose(found, expected, atol=0.011)
        assert page.locator(".fan path").count() == 10
        signs = [
            "against" in (path.get_attribute("class") or "")
            for path in page.locator(".fan path").all()
        ]
        strengths = network.weights[1][:, 4] if len(hidden) == 1 else expected
        assert signs == (strengths < 0).tolist()
        # A click on an output shows the other side.
        page.locator(".outputs button").nth(3).click()
        assert page.locator("#explanation h2").inner_text() == "For and against 3"


def test_the_units_for_and_against_a_class(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels, units=20) as page:
        page.locator("#bars button").nth(2).click()
        assert "Draw something" in page.locator("#explanation").inner_text()
        page.locator("#thumbnails button").nth(1).click()
        w, b = network.weights[0], network.biases[0]
        first = 1 / (1 + np.exp(-(w @ (np.rint(images[1] * 255) / 255) + b)))
        additions = np.sort(first * network.weights[1][2])
        found = numbers(page.locator(".arguments .for .value"))
        np.testing.assert_allclose(found, additions[::-1][:8], atol=0.011)
        found = numbers(page.locator(".arguments .against .value"))
        np.testing.assert_allclose(found, additions[:8], atol=0.011)
        page.locator(".arguments .for button").first.click()
        best = int(np.argmax(first * network.weights[1][2]))
        assert page.locator("#explanation h2").inner_text() == f"Hidden unit {best + 1}"
        page.locator("#close").click()
        assert not page.locator("#explanation").is_visible()


def test_units_and_classes_by_keyboard_alone(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        draw(page, STROKES["7"])
        page.locator("#units button").first.focus()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "Enter"):
            page.keyboard.press(key)
        settle(page)
        assert page.locator("#explanation h2").inner_text() == "Hidden unit 2"
        assert page.locator("#units [aria-pressed=true]").count() == 1
        assert page.locator("#units [tabindex='0']").count() == 1
        page.locator(".outputs button").first.focus()
        page.keyboard.press("Enter")
        settle(page)
        assert page.locator("#explanation h2").inner_text() == "For and against 0"
        assert page.evaluate("document.activeElement.tagName") == "H2"
        page.locator("#bars button").nth(7).focus()
        page.keyboard.press("Space")
        settle(page)
        assert page.locator("#explanation h2").inner_text() == "For and against 7"


def test_without_hidden_units_there_is_nothing_to_explain(opened):
    images, labels = examples(3)
    network = Network.initialize([784, 10], np.random.default_rng(0))
    with opened(network, images, labels) as page:
        page.locator("#thumbnails button").first.click()
        page.locator("#bars button").nth(2).click()
        assert not page.locator("#explanation").is_visible()
        assert not page.locator("#units").is_visible()
        found = page.evaluate("(image) => Array.from(network.scores(image))", images[0].tolist())
    np.testing.assert_allclose(found, network.scores(images[0]), atol=1e-4)


def test_a_tap_shows_a_unit(network, opened):
    images, labels = examples(3)
    phone = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}
    with opened(network, images, labels, **phone) as page:
        page.locator("summary").tap()
        page.locator("#units button").nth(9).tap()
        assert page.locator("#explanation h2").inner_text() == "Hidden unit 10"
        page.locator("#bars button").nth(1).tap()
        assert page.locator("#explanation h2").inner_text() == "For and against 1"


def test_examples_are_shown_as_they_are_with_the_truth_beside_them(network, opened):
    images, labels = examples(20)
    labels = labels[:10] + ["9" if label != "9" else "0" for label in labels[10:]]
    with opened(network, images, labels) as page:
        buttons = page.locator("#thumbnails button")
        predicted = network.predict(np.rint(images * 255) / np.float32(255))
        for k, label in enumerate(labels):
            is_wrong = str(predicted[k]) != label
            assert ("wrong" in (buttons.nth(k).get_attribute("class") or "")) == is_wrong
            expected = f"{label}, read as {predicted[k]}" if is_wrong else label
            assert buttons.nth(k).inner_text() == expected
        assert page.locator("#thumbnails [aria-pressed=true]").count() == 0
        buttons.nth(14).click()
        assert page.locator("#thumbnails [aria-pressed=true]").count() == 1
        assert buttons.nth(14).get_attribute("aria-pressed") == "true"
        assert page.locator("#verdict .answer").inner_text().startswith(str(predicted[14]))
        assert page.locator("#verdict .truth").inner_text() == f"The truth: {labels[14]}"
        found = page.evaluate("Array.from(prepared())")
        np.testing.assert_allclose(found, np.rint(images[14] * 255) / 255, atol=1e-6)
        page.click("#clear")
        assert page.locator("#thumbnails [aria-pressed=true]").count() == 0


@pytest.mark.parametrize("size", [(1200, 800), (820, 1180), (375, 667)])
def test_the_answer_to_an_example_is_on_the_screen(size, network, opened):
    images, labels = examples(120)
    viewport = dict(zip(("width", "height"), size, strict=True))
    with opened(network, images, labels, viewport=viewport) as page:
        last = page.locator("#thumbnails button").last
        last.scroll_into_view_if_needed()
        assert page.evaluate("scrollY") > 0
        last.click()
        for part in ("#paper", "#verdict"):
            box = page.locator(part).bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= size[1]


def test_what_rounds_to_zero_has_no_sign(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        found = call(page, "(...values) => values.map(signed)", -0.004, 0.004, 0, -0.006, 1)
    assert found == ["0.00", "0.00", "0.00", "−0.01", "+1.00"]


@pytest.mark.parametrize(
    ("classes", "title", "limits"),
    [
        ("0123456789", "Draw a digit", "It knows digits only"),
        (("cat", "dog"), "Draw cat or dog", "It knows these classes only"),
        ("ABCDEFGHIJ", "Draw one of 10 classes", "It knows these classes only"),
    ],
)
def test_the_title_and_the_limits_suit_the_classes(classes, title, limits, opened):
    rng = np.random.default_rng(0)
    network = Network.initialize([16, 5, len(classes)], rng, classes=tuple(classes))
    with opened(network, np.zeros((1, 16), np.float32), [classes[0]]) as page:
        assert page.title() == page.locator("h1").inner_text() == title
        assert page.locator("#limits").inner_text().startswith(limits)
