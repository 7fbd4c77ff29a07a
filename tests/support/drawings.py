"""Digits to draw on the page, by hand or by a browser's pointer."""

import json

import numpy as np
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

from stages.common.photographs.image_preparation import prepare_image

DIGITS, LABELS = load_digits().images / 16, load_digits().target
# Strokes as a hand draws them, in parts of the paper.
STROKES = {
    "0": [(0.5 + 0.2 * np.sin(t), 0.5 - 0.3 * np.cos(t)) for t in np.linspace(0, 2 * np.pi, 24)],
    "1": [(0.5, 0.2), (0.5, 0.8)],
    "7": [(0.3, 0.2), (0.7, 0.2), (0.55, 0.5), (0.45, 0.8)],
}


def pen(points, rng):
    """A drawing along the points, with an unsteady hand."""
    picture = Image.new("L", (280, 280))
    places = [tuple(280 * (np.array(point) + rng.normal(0, 0.02, 2))) for point in points]
    ImageDraw.Draw(picture).line(places, fill=255, width=20, joint="curve")
    return np.asarray(picture) / 255


def examples(count):
    images = [
        prepare_image(np.kron(digit, np.ones((9, 9)))).reshape(-1) for digit in DIGITS[:count]
    ]
    return np.array(images), [str(label) for label in LABELS[:count]]


def call(page, function, *arguments):
    """Call a JavaScript function; large arrays as JSON, which Playwright would encode slowly."""
    return page.evaluate(f"(text) => ({function})(...JSON.parse(text))", json.dumps(arguments))


def settle(page):
    """Wait until the page has drawn what has happened."""
    frame = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frame)


def draw(page, points):
    """One stroke of the mouse."""
    box = page.locator("#paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=2)
    page.mouse.up()
    settle(page)


def write(page, strokes):
    """Strokes as the pointer would leave them, at once."""
    page.evaluate("(places) => { strokes = places; }", placed(page, [strokes])[0])


def placed(page, drawings):
    """Strokes of drawings, in pixels of the page's paper."""
    width, height = page.evaluate("[paper.width, paper.height]")
    return [
        [
            [{"x": round(float(x) * width), "y": round(float(y) * height)} for x, y in stroke]
            for stroke in strokes
        ]
        for strokes in drawings
    ]
