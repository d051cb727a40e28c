"""Opens every page of the built site in headless Chromium: does one ask another host for anything, or not fit?"""

import argparse
import sys
from pathlib import Path

from chromium import Browser


def main() -> int:
    """Prints what is wrong with which page, and ends with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=Path("build/site"))
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each page")
    flags = parser.parse_args()
    pages = [page for page in sorted(flags.site.rglob("*.html")) if page.name != "404.html"]
    with Browser(flags.chromium) as browser:
        faults = [f"{page}: {fault}" for page in pages for fault in look(browser, page, flags.pictures)]
        faults += browser.console
    print("\n".join(faults) or f"{len(pages)} pages ask nobody, show their pictures and fit into 400 pixels")
    return int(bool(faults) or not pages)


def look(browser: Browser, page: Path, pictures: Path | None) -> list[str]:
    """What is wrong with a page, opened as a file."""
    before = len(browser.requests)
    browser.open(page.resolve().as_uri(), 1280, 900)
    browser.evaluate("new Promise(done => setTimeout(done, 200))")
    asked = [one for one in browser.requests[before:] if not one.startswith(("file:", "data:", "blob:"))]
    unseen = browser.evaluate("[...document.images].filter(one => !one.naturalWidth).map(one => one.src)")
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        browser.screenshot(pictures / f"{page.stem}.png")
    browser.resize(400, 900)
    wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
    faults = [f"asks for {one}" for one in asked] + [f"does not show {one}" for one in unseen]
    return faults + [f"is {wide} pixels too wide for 400"] * (wide > 0)


if __name__ == "__main__":
    sys.exit(main())
