"""Draw docs/page.png: the page in data/export/, with a drawing and an explanation.

python tests/support/page_picture.py     # after `dvc repro`, in the project's folder
"""

from pathlib import Path

import browser
from drawings import settle, write
from handwriting import SHAPES


def main():
    """Write the picture of the page after 30 epochs, with a 5 and its strongest unit."""
    five = next(strokes for digit, strokes in SHAPES if digit == "5")
    with browser.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 1180, "height": 1280})
        page.goto(Path("data/export/page.html").resolve().as_uri())
        write(page, five)
        page.evaluate("update()")
        page.locator("#bars button").nth(5).click()
        page.locator(".arguments .for button").first.click()
        page.evaluate("scrollTo(0, 0)")
        settle(page)
        page.screenshot(path="docs/page.png")


if __name__ == "__main__":
    main()
