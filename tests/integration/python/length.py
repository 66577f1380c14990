"""Measures a page in Chromium and prints as JSON how long it is for those who read it on a screen, a phone and paper.

    length.py FILE.html
"""

import json
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

# What is folded on the screen and is to be open on paper, but is not.
FOLDED = """() => [...document.querySelectorAll('details.both > :not(summary, .screen)')].filter(
  element => !element.checkVisibility()
).length"""


def height(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    measured = page.evaluate("document.documentElement.scrollHeight")
    page.close()
    return measured


def main():
    address = Path(sys.argv[1]).resolve().as_uri()
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or sys.exit("chromium is missing: tests/run installs it")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        papers = [page.pdf(format=size, prefer_css_page_size=True) for size in ("A4", "Letter")]
        page.emulate_media(media="print")
        measured = {
            "screen": height(browser, address, 1280),
            "phone": height(browser, address, 390),
            "pages": max(len(re.findall(rb"/Type\s*/Page\b", paper)) for paper in papers),
            "folded_on_paper": page.evaluate(FOLDED),
        }
        browser.close()
    json.dump(measured, sys.stdout)


main()
