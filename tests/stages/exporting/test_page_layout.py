"""The page on wide and narrow screens, in light and dark."""

import numpy as np
import pytest
from drawings import STROKES, draw, examples

from nn import Network
from stages.common.models.snapshots import Snapshots, parameters_of

pytestmark = pytest.mark.xdist_group("browser")  # one worker trains the network

PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}


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
        # Nothing sticks out of its panel, either.
        page.locator("#thumbnails button").first.click()
        for panel in page.locator("section:visible").all():
            assert panel.evaluate("(e) => e.scrollWidth <= e.clientWidth")
        for bar in page.locator("#bars .bar").all():
            assert bar.bounding_box()["width"] >= 40


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


def test_on_a_phone_paper_verdict_and_slider_fit_one_screen(network, opened):
    images, labels = examples(3)
    snapshots = Snapshots(
        np.arange(8), np.linspace(0.1, 0.98, 8), np.tile(parameters_of(network), (7, 1))
    )
    with opened(network, images, labels, snapshots=snapshots, **PHONE) as page:
        draw(page, STROKES["7"])
        for part in ("#paper", "#verdict", "#seen", "#epochs"):
            box = page.locator(part).bounding_box()
            assert box["y"] >= 0, part
            assert box["y"] + box["height"] <= 667, part
        assert not page.locator("#units").is_visible()
        page.locator("summary").tap()
        assert page.locator("#units button").first.is_visible()


def test_on_a_wide_screen_the_paper_and_the_verdict_are_the_largest(network, opened):
    images, labels = examples(3)
    with opened(network, images, labels, viewport={"width": 1200, "height": 800}) as page:
        draw(page, STROKES["7"])
        paper, *others = (
            page.locator(part).bounding_box()["width"]
            for part in ("#paper", "#seen", "section.answer", ".probabilities")
        )
        assert paper > max(others)
        sizes = page.evaluate(
            "[...document.querySelectorAll('body *')]"
            ".map((e) => parseFloat(getComputedStyle(e).fontSize))"
        )
        verdict = page.locator("#verdict .answer")
        assert max(sizes) == verdict.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")
        assert page.locator("#units").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_inactive_units_stay_visible(scheme, network, opened):
    images, labels = examples(3)
    with opened(network, images, labels, color_scheme=scheme) as page:
        draw(page, STROKES["7"])
        tiles = page.locator("#units button")
        strengths = tiles.evaluate_all(
            "(all) => all.map((t) => +t.style.getPropertyValue('--strength'))"
        )
        assert max(strengths) == 1
        assert min(strengths) < 0.3
        opacities = tiles.evaluate_all(
            "(all) => all.map((t) => +getComputedStyle(t.querySelector('canvas')).opacity)"
        )
        assert set(opacities) == {1}
