"""Drawing on the page, and its prediction, in a real browser."""

import numpy as np
import pytest
from drawings import DIGITS, STROKES, call, draw, examples, settle, write
from handwriting import HANDS, SHAPES

from nn import Ensemble, Network
from nn.images.framing import Framing
from stages.common.photographs.image_preparation import prepare_image
from stages.common.photographs.verdict import UNLIKE, UNSURE, verdict

pytestmark = pytest.mark.xdist_group("browser")  # one worker trains the network

NOTHING = "Draw something."
PROBABILITIES = "(images) => images.map((image) => network.probabilities(image))"
PREPARE = "(...values) => Array.from(prepareImage(...values))"


def answer(page):
    return page.locator("#verdict .answer").inner_text()


def said(page):
    """All that the verdict says."""
    return page.locator("#verdict").inner_text()


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "quadratic"),
        ("sigmoid", "softmax_cross_entropy"),
        ("tanh", "cross_entropy"),
        ("relu", "softmax_cross_entropy"),
    ],
)
def test_its_probabilities_are_numpys(loss, activation, opened):
    images, labels = examples(50)
    network = Network.initialize(
        [784, 20, 15, 10], np.random.default_rng(0), activation=activation, loss=loss
    )
    with opened(network, images[:1], labels[:1]) as page:
        found = call(page, PROBABILITIES, images.tolist())
    np.testing.assert_allclose(found, network.probabilities(images), atol=1e-4)


@pytest.mark.parametrize("loss", ["quadratic", "softmax_cross_entropy"])
def test_the_probabilities_of_an_ensemble_are_numpys(loss, opened):
    images, labels = examples(20)
    rng = np.random.default_rng(0)
    members = [
        Network.initialize([784, *hidden, 10], rng, activation=activation, loss=loss)
        for hidden, activation in (([20], "sigmoid"), ([12, 9], "tanh"), ([], "relu"))
    ]
    ensemble = Ensemble(members)
    with opened(ensemble, images[:1], labels[:1]) as page:
        found = call(page, PROBABILITIES, images.tolist())
        assert "784-20-10, 784-12-9-10, 784-10" in page.locator("header").inner_text()
        assert page.locator("#first-member").is_visible()
    np.testing.assert_allclose(found, ensemble.probabilities(images), atol=1e-4)


def framed(shape):
    """Objects as wide and high as possible, whose centre is in the upper left."""
    height, width = map(float, shape)
    whole = (0.0, 99.0)
    box, centre = (height, width), (height / 3, width / 4)
    return Framing(True, box, centre, 0.9, whole, whole, whole, whole)


@pytest.mark.parametrize("shape", [(28, 28), (20, 31)])
def test_it_prepares_pictures_as_predict_does(shape, network, opened):
    images, labels = examples(1)
    rng = np.random.default_rng(0)
    with opened(network, images, labels) as page:
        for digit in DIGITS[:6]:
            size = rng.integers(80, 120, 2)
            picture = np.full(size, 0.9)
            top, left = (rng.integers(0, n - 72) for n in size)
            picture[top : top + 72, left : left + 72] -= 0.7 * np.kron(digit, np.ones((9, 9)))
            picture += rng.normal(0, 0.002, picture.shape)
            height, width = (int(n) for n in size)
            values = {"height": height, "width": width, "values": picture.ravel().tolist()}
            for deslanted in (False, True):
                found = call(page, PREPARE, values, shape, deslanted)
                expected = prepare_image(picture, shape, deslanted=deslanted).reshape(-1)
                # Deslanted images are rounded to 255 levels: one level, where both differ in that.
                tolerance = 1.01 / 255 if deslanted else 1e-5
                np.testing.assert_allclose(found, expected, atol=tolerance)
            for framing in (framed(shape), framed(shape)._replace(drawings=False)):
                found = call(page, PREPARE, values, shape, False, framing._asdict())
                expected = prepare_image(picture, shape, framing=framing).reshape(-1)
                np.testing.assert_allclose(found, expected, atol=1e-5)

        assert (
            page.evaluate("prepareImage({height: 2, width: 2, values: [1, 1, 1, 1]}, [28, 28])")
            is None
        )


@pytest.mark.parametrize(
    ("scores", "name", "doubt"),
    [
        ([0.95, 0.01, 0.02], "a", None),
        ([0.35, 0.24, 0.02], "a?", UNSURE),
        ([0.8, 0.01, 0.9], "c?", UNSURE),
        ([0.29, 0.01, 0.02], "?", UNLIKE),
        ([0.0, 0.0, 0.0], "?", UNLIKE),
    ],
)
def test_it_doubts_what_predict_doubts(scores, name, doubt, opened):
    network = Network.initialize([16, 5, 3], np.random.default_rng(0), classes=("a", "b", "c"))
    with opened(network, np.zeros((1, 16), np.float32), ["a"]) as page:
        assert page.evaluate("verdict", scores) == doubt == verdict(scores)
        page.evaluate("(scores) => showPrediction(scores, 'b')", scores)
        assert answer(page) == name
        assert ("Not sure" in said(page)) == (doubt == UNSURE)
        assert ("does not look like any of the classes" in said(page)) == (doubt == UNLIKE)
        assert "The truth: b" in said(page)
        assert page.locator("#bars .first").count() == (3 if max(scores) == 0 else 1)


def test_the_rule_of_the_verdict_is_pythons(opened):
    rng = np.random.default_rng(0)
    cases = (rng.random((500, 4)) ** rng.uniform(0.2, 4, (500, 1))).tolist()
    network = Network.initialize([16, 5, 3], rng)
    with opened(network, np.zeros((1, 16), np.float32), ["0"]) as page:
        found = call(page, "(cases) => cases.map(verdict)", cases)
    assert found == [verdict(case) for case in cases]
    assert {None, UNSURE, UNLIKE} == set(found)


@pytest.mark.parametrize("digit", STROKES)
def test_a_drawn_digit_is_recognised_and_can_be_wiped_off(digit, network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        assert said(page) == NOTHING
        draw(page, STROKES[digit])
        assert answer(page) == digit
        assert page.locator("#bars .first .name").inner_text() == digit
        seen = page.evaluate("Array.from(prepared())")
        assert max(seen) == pytest.approx(1.0)
        page.click("#clear")
        assert said(page) == NOTHING
        assert page.evaluate("prepared()") is None


def test_how_large_it_is_drawn_hardly_matters(network, opened):
    """Also tiny writing is no blob: the pen is as wide as that of the same shape in large."""
    images, labels = examples(3)
    seen = {}
    with opened(network, images, labels) as page:
        for hand in ("upright", "large", "small", "tiny"):
            found = []
            for _, strokes in SHAPES[::3]:
                write(page, [HANDS[hand](stroke) for stroke in strokes])
                found.append(page.evaluate("Array.from(prepared())"))
            seen[hand] = np.array(found)
    for hand in ("large", "small", "tiny"):
        difference = np.abs(seen[hand] - seen["upright"]).mean(axis=1)
        assert np.median(difference) < (0.03 if hand == "tiny" else 0.015), hand
        assert max(difference) < 0.09, hand  # the centre of mass is rounded to the next pixel


def test_a_dot_is_seen(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        draw(page, [(0.2, 0.8), (0.2, 0.8)])
        assert max(page.evaluate("Array.from(prepared())")) == pytest.approx(1.0)


@pytest.mark.parametrize("drawings", [True, False])
def test_ink_is_1_and_the_paper_0_for_photographs_too(drawings, opened):
    images, labels = examples(3)
    framing = framed((28, 28))._replace(drawings=drawings)
    network = Network.initialize([784, 5, 10], np.random.default_rng(0), framing=framing)
    with opened(network, images, labels) as page:
        draw(page, STROKES["1"])
        seen = page.evaluate("Array.from(prepared())")
        assert max(seen) > 0.8
        assert np.median(seen) == 0


def test_undo_takes_the_last_stroke_back(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        draw(page, STROKES["1"])
        before = page.evaluate("Array.from(prepared())")
        draw(page, [(0.1, 0.1), (0.9, 0.9)])
        assert page.evaluate("Array.from(prepared())") != before
        page.click("#undo")
        assert page.evaluate("Array.from(prepared())") == before


def test_by_keyboard_alone(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "paper"
        for _ in range(8):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Space")
        for _ in range(16):
            page.keyboard.press("ArrowDown")
        settle(page)
        assert answer(page) == "1"
        page.keyboard.press("Escape")
        assert said(page) == NOTHING


def test_a_finger_on_a_phone(network, opened):
    images, labels = examples(3)
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with opened(network, images, labels, **phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        box = page.locator("#paper").bounding_box()
        touch = page.context.new_cdp_session(page)
        for kind, points in (
            ("touchStart", STROKES["7"][:1]),
            *(("touchMove", [point]) for point in STROKES["7"][1:]),
            ("touchEnd", []),
        ):
            places = [
                {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
                for x, y in points
            ]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
        settle(page)
        assert answer(page) == "7"


def test_two_fingers_draw_two_strokes(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels, has_touch=True) as page:
        box = page.locator("#paper").bounding_box()
        touch = page.context.new_cdp_session(page)
        for kind, height in (("touchStart", 0.3), ("touchMove", 0.5), ("touchEnd", None)):
            places = [
                {"x": box["x"] + x * box["width"], "y": box["y"] + height * box["height"], "id": k}
                for k, x in enumerate((0.3, 0.7))
                if height is not None
            ]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
        settle(page)
        strokes = page.evaluate("strokes.map((stroke) => stroke.map((point) => point.x))")
        assert len(strokes) == 2
        for places in strokes:
            assert max(places) - min(places) < 5


def test_wiping_in_the_middle_of_a_stroke(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        box = page.locator("#paper").bounding_box()
        page.mouse.move(box["x"] + 50, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 90)
        page.keyboard.press("Escape")
        page.mouse.move(box["x"] + 150, box["y"] + 150)
        page.mouse.up()
        assert page.evaluate("strokes.length") == 0
        page.locator("#paper").focus()
        for key in ("ArrowUp", "Space", "ArrowUp"):
            page.keyboard.press(key)
        page.evaluate("document.getElementById('undo').click()")
        page.keyboard.press("ArrowUp")
        settle(page)
        assert page.evaluate("strokes.length") == 0
