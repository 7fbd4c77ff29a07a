"""A real browser for the tests of the page."""

import os
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import Error, sync_playwright

OPTIONS = [
    "--no-sandbox",  # as root, in a container, Chromium cannot make a sandbox of its own
    "--in-process-gpu",  # without a graphics processor, pages are drawn faster so
]


@contextmanager
def chromium():
    """Chromium; the test is skipped where none is installed, unless CHROMIUM says which."""
    program = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        except Error as error:
            if "CHROMIUM" in os.environ:
                raise
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
