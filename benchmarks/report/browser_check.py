"""Opens a report in headless Chromium: does any request leave it, are all images shown, how does it look?"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path

# Runs in a copy of the page once it has loaded, and leaves what it saw in the page itself.
_PROBE = """<script>
const broken = [];
addEventListener("securitypolicyviolation", event => broken.push(event.blockedURI));
addEventListener("load", () => setTimeout(() => {
  const images = [...document.images], seen = document.createElement("pre");
  for (const head of document.querySelectorAll("th button")) head.click();
  seen.id = "probe";
  seen.textContent = JSON.stringify({
    images: images.length,
    unseen: images.filter(one => !one.complete || !one.naturalWidth).length,
    charts: document.querySelectorAll("svg.chart").length,
    buttons: document.querySelectorAll("th button").length,
    requests: performance.getEntriesByType("resource").map(one => one.name).filter(name => !name.startsWith("data:")),
    refused: broken,
    overflow: document.documentElement.scrollWidth - innerWidth,
  });
  document.body.append(seen);
}, 100));
</script></head>"""


def main() -> int:
    """Checks the page that the flags name, prints what was seen, and ends with 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--page", type=Path, help="a report.html that is there")
    source.add_argument("--data", type=Path, help="data set to make an example report of, from noisy detections")
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=200, help="images of the example")
    parser.add_argument("--out", type=Path, required=True, help="folder for the screenshots and the example")
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--height", type=int, default=12000, help="of the screenshots in pixels")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    page = flags.page or example(flags.data, flags.split, flags.first, flags.out)
    seen = probe(flags.chromium, page)
    for name, width in (("desktop", 1280), ("narrow", 500)):
        picture = (flags.out / f"{name}.png").resolve()
        browse(flags.chromium, page, f"--screenshot={picture}", f"--window-size={width},{flags.height}")
        seen[name] = str(picture)
    print(json.dumps(seen, indent=2))
    faults = [name for name in ("unseen", "requests", "refused", "console") if seen[name]]
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


def probe(chromium: str, page: Path) -> dict[str, object]:
    """What a script inside the page saw, and what the console said."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(page.read_text("utf-8").replace("</head>", _PROBE, 1), encoding="utf-8")
        result = browse(chromium, copy, "--dump-dom", "--virtual-time-budget=5000", "--window-size=500,900")
        found = re.search(r'<pre id="probe">(.*?)</pre>', result.stdout, re.DOTALL)
        if not found:
            raise SystemExit(f"error: REPORT_PAGE: {page}: its scripts did not run\n{result.stderr[-2000:]}")
        console = [line for line in result.stderr.splitlines() if ":CONSOLE" in line]
        return {**json.loads(unescape(found[1])), "console": console}


def browse(chromium: str, page: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    """Runs the browser on a page with no host to be found and nothing of its own to load."""
    quiet = ("background-networking", "component-update", "sync", "extensions", "default-apps", "domain-reliability")
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
            *(f"--disable-{name}" for name in quiet), "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr", f"--user-data-dir={profile}", *flags, page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        except FileNotFoundError:
            raise SystemExit(f"error: NO_BROWSER: {chromium}: not found; apt-get install chromium") from None


if __name__ == "__main__":
    sys.exit(main())
