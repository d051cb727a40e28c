"""Opens reports in headless Chromium: do requests leave them, are images shown, do keys work, how do they look?"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from chromium import Browser

_SEEN = """(() => {
  const images = [...document.images];
  images.forEach(one => { one.loading = "eager"; });
  for (const head of document.querySelectorAll("th button")) head.click();
  return Promise.all(images.map(one => one.decode().then(() => true, () => false))).then(shown => ({
    images: images.length,
    unseen: shown.filter(one => !one).length,
    charts: document.querySelectorAll("svg.chart").length,
    buttons: document.querySelectorAll("th button").length,
    nameless: [...document.querySelectorAll("input, button")].filter(
      one => !one.labels?.length && !one.textContent.trim() && !one.getAttribute("aria-label")).length,
    overflow: document.documentElement.scrollWidth - innerWidth,
  }));
})()"""


def main() -> int:
    """Checks the page that the flags name, prints what was seen, and ends with 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--page", type=Path, help="a page that is there")
    source.add_argument("--data", type=Path, help="data set to make an example report of, from noisy detections")
    source.add_argument("--detect", type=Path, nargs="+", help="images to make a report of `detect` of")
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=200, help="images of the example")
    parser.add_argument("--out", type=Path, required=True, help="folder for the screenshots and the example")
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--height", type=int, default=12000, help="of the screenshots in pixels")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    if flags.detect:
        page = detect_report(flags.detect, flags.out)
    else:
        page = flags.page or example(flags.data, flags.split, flags.first, flags.out)
    seen = look(flags.chromium, page, flags.out, flags.height)
    print(json.dumps(seen, indent=2))
    faults = [name for name in ("unseen", "requests", "refused", "console", "nameless", "keys") if seen.get(name)]
    faults += ["overflow"] * (seen["overflow"] > 0)
    if faults:
        print(f"error: REPORT_PAGE: {page}: look at {', '.join(faults)} above", file=sys.stderr)
    return int(bool(faults))


def example(data: Path, split: str, first: int, folder: Path) -> Path:
    """A report on noisy detections of the first images of a split."""
    from noisy_detections import write_noisy_detections

    from googlenet_rcnn.cli.evaluate import run_evaluate_detections
    from googlenet_rcnn.cli.scoring import read_split

    detections = folder / "noisy.jsonl"
    write_noisy_detections(read_split(data, split, first), detections)
    run_evaluate_detections(
        data, split, "voc07", detections, first=first, bootstrap=500, report=folder / "report", overwrite=True
    )
    return folder / "report" / "report.html"


def detect_report(images: list[Path], folder: Path) -> Path:
    """The report of `detect` on images."""
    page = folder / "detect.html"
    command = [sys.executable, "-m", "googlenet_rcnn.cli.main", "detect", *map(str, images), "--quiet"]
    done = subprocess.run([*command, "--report", str(page), "--overwrite"], check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 4):  # 4: some images could not be read, which the report tells
        raise SystemExit(done.returncode)
    return page


def look(chromium: str, page: Path, folder: Path, height: int) -> dict[str, Any]:
    """What can be seen of a page in a narrow window and in a wide one, and what it asked for and said."""
    address = page.resolve().as_uri()
    with Browser(chromium) as browser:
        browser.open(address, 500, 900)
        seen = dict(browser.evaluate(_SEEN))
        if browser.evaluate("!!document.getElementById('least')"):
            seen["keys"] = _keys(browser)
        for name, width in (("desktop", 1280), ("narrow", 360)):
            browser.resize(width, height)
            browser.evaluate("new Promise(done => setTimeout(done, 300))")
            seen["overflow"] = max(
                seen["overflow"], browser.evaluate("document.documentElement.scrollWidth - innerWidth")
            )
            seen[name] = str((folder / f"{name}.png").resolve())
            browser.screenshot(Path(seen[name]))
        asked = [one for one in browser.requests if not one.startswith("data:") and one != address]
        return seen | {"requests": asked, "refused": browser.refused, "console": browser.console}


def _keys(browser: Browser) -> list[str]:
    """What of a report of `detect` does not follow the keyboard."""
    faults = []
    browser.evaluate("document.body.focus()")
    browser.press("Tab")
    if browser.evaluate("document.activeElement.id") != "least":
        faults.append("the first Tab does not reach the slider")
    before = browser.evaluate("document.querySelectorAll('.box').length")
    browser.press("Home")
    after = browser.evaluate("document.querySelectorAll('.box').length")
    if not after >= before or browser.evaluate("document.getElementById('value').textContent") > "0.05":
        faults.append("Home does not show what has the least score")
    browser.press("Tab")
    browser.press(" ")
    if not browser.evaluate("document.querySelectorAll('.proposal').length"):
        faults.append("Space does not show the proposals")
    return faults


if __name__ == "__main__":
    sys.exit(main())
