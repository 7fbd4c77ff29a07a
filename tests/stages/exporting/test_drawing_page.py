"""The page to draw on, in a real browser."""

import os
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from drawings import DIGITS, LABELS, STROKES, draw, examples, pen, settle
from playwright.sync_api import Error, sync_playwright

from nn import Network, Trainer, TrainingConfig
from stages.exporting.drawing_page import drawing_page
from stages.exporting.image_preparation import prepare_image


@pytest.fixture(scope="module")
def chromium():
    """A browser; the tests are skipped where none is installed, unless CHROMIUM says which."""
    program = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        try:
            # As root, in a container, Chromium cannot make a sandbox of its own.
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except Error as error:
            if "CHROMIUM" in os.environ:
                raise
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def network():
    """Knows scikit-learn's digits, and some that were drawn as above."""
    rng = np.random.default_rng(0)
    drawn = [(int(label), pen(points, rng)) for label, points in STROKES.items() for _ in range(50)]
    pictures = [np.kron(digit, np.ones((9, 9))) for digit in DIGITS] + [p for _, p in drawn]
    images = [prepare_image(picture).reshape(-1) for picture in pictures]
    targets = np.eye(10, dtype=np.float32)[[*LABELS, *(label for label, _ in drawn)]]
    config = TrainingConfig(
        hidden=(40,), loss="softmax_cross_entropy", optimizer="adam", learning_rate=0.003,
        epochs=20, shift=1.0, rotation=8.0,
    )  # fmt: skip
    trainer = Trainer(config, sizes=(784, 10), seed=0)
    list(trainer.train_epochs(np.array(images), targets))
    return trainer.result


@pytest.fixture
def opened(chromium, tmp_path):
    """Open a page of a network; in the end nothing may have gone wrong or left it."""

    @contextmanager
    def open_page(network, images, labels, units=30, **options):
        path = tmp_path / "page.html"
        path.write_text(drawing_page(network, images, labels, units), encoding="utf-8")
        page = chromium.new_page(**options)
        faults, requests = [], []
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        yield page
        page.close()
        assert faults == []
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]

    return open_page


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
    images, labels = examples(200)
    network = Network.initialize(
        [784, 20, 15, 10], np.random.default_rng(0), activation=activation, loss=loss
    )
    with opened(network, images[:1], labels[:1]) as page:
        found = page.evaluate(
            "images => images.map((image) => network.probabilities(image))", images.tolist()
        )
    np.testing.assert_allclose(found, network.probabilities(images), atol=1e-4)


@pytest.mark.parametrize("shape", [(28, 28), (20, 31)])
def test_it_prepares_pictures_as_predict_does(shape, network, opened):
    images, labels = examples(1)
    rng = np.random.default_rng(0)
    with opened(network, images, labels) as page:
        for digit in DIGITS[:15]:
            size = rng.integers(80, 120, 2)
            picture = np.full(size, 0.9)
            top, left = (rng.integers(0, n - 72) for n in size)
            picture[top : top + 72, left : left + 72] -= 0.7 * np.kron(digit, np.ones((9, 9)))
            picture += rng.normal(0, 0.002, picture.shape)
            height, width = (int(n) for n in size)
            values = {"height": height, "width": width, "values": picture.ravel().tolist()}
            for deslanted in (False, True):
                found = page.evaluate(
                    "(values) => Array.from(prepareImage(...values))", [values, shape, deslanted]
                )
                expected = prepare_image(picture, shape, deslanted=deslanted).reshape(-1)
                # Deslanted images are rounded to 255 levels: one level, where both differ in that.
                tolerance = 1.01 / 255 if deslanted else 1e-5
                np.testing.assert_allclose(found, expected, atol=tolerance)
        assert (
            page.evaluate("prepareImage({height: 2, width: 2, values: [1, 1, 1, 1]}, [28, 28])")
            is None
        )


@pytest.mark.parametrize("digit", STROKES)
def test_a_drawn_digit_is_recognised_and_can_be_wiped_off(digit, network, opened):
    images, labels = examples(3)
    with opened(network, images, labels) as page:
        assert page.locator("#verdict").inner_text() == "Draw something."
        draw(page, STROKES[digit])
        assert page.locator("#verdict").inner_text().startswith(f"{digit}, ")
        assert page.locator("#bars .first .name").inner_text() == digit
        seen = page.evaluate("Array.from(prepared())")
        assert max(seen) == pytest.approx(1.0)
        strengths = page.evaluate(
            "[...document.querySelectorAll('#units canvas')].map((c) => +c.style.opacity)"
        )
        assert len(strengths) == 30
        assert max(strengths) > min(strengths)
        page.click("#clear")
        assert page.locator("#verdict").inner_text() == "Draw something."
        assert page.evaluate("prepared()") is None


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
        assert page.locator("#verdict").inner_text().startswith("1, ")
        page.keyboard.press("Escape")
        assert page.locator("#verdict").inner_text() == "Draw something."


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
        assert page.locator("#verdict").inner_text().startswith("7, ")


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


@pytest.mark.parametrize("shape", [(28, 28), (8, 96), (96, 8)])
@pytest.mark.parametrize("width", [360, 1000])
def test_everything_fits_the_screen(shape, width, opened):
    names = ["a class with a rather long name", "Donaudampfschifffahrtsgesellschaft", "c"]
    rng = np.random.default_rng(0)
    pixels = shape[0] * shape[1]
    network = Network.initialize([pixels, 5, 3], rng, image_shape=shape, classes=names)
    images = rng.random((3, pixels), np.float32)
    viewport = {"width": width, "height": 740}
    with opened(network, images, names, viewport=viewport) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        draw(page, [(0.3, 0.3), (0.7, 0.7)])
        for bar in page.locator("#bars .bar").all():
            assert bar.bounding_box()["width"] >= 40


def test_examples_are_shown_as_they_are_and_wrong_ones_are_marked(network, opened):
    images, labels = examples(20)
    wrong = ["9" if label != "9" else "0" for label in labels[10:]]
    with opened(network, images, labels[:10] + wrong) as page:
        buttons = page.locator("#thumbnails button")
        said = network.predict(np.rint(images * 255) / np.float32(255))
        for k, label in enumerate(labels[:10] + wrong):
            is_wrong = "wrong" in (buttons.nth(k).get_attribute("class") or "")
            assert is_wrong == (str(said[k]) != label)
        buttons.nth(4).click()
        assert page.locator("#verdict").inner_text().startswith(f"{said[4]}, ")
        found = page.evaluate("Array.from(prepared())")
        np.testing.assert_allclose(found, np.rint(images[4] * 255) / 255, atol=1e-6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(scheme, network, opened):
    images, labels = examples(3)
    with opened(network, images, labels, color_scheme=scheme) as page:
        colours = page.evaluate(
            "(() => { const style = getComputedStyle(document.body);"
            " return [style.color, style.backgroundColor]; })()"
        )
        text, ground = (
            np.mean([float(n) for n in c[c.index("(") + 1 : -1].split(",")[:3]]) for c in colours
        )
        assert abs(text - ground) > 180
        assert (text > ground) == (scheme == "dark")
