"""Uses the page of `serve` in headless Chromium as people do: drops photos good and bad, with the keyboard, narrow."""

import argparse
import base64
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from chromium import Browser

_DROP = """(() => {
  const bytes = Uint8Array.from(atob("%s"), letter => letter.charCodeAt(0)), held = new DataTransfer();
  held.items.add(new File([bytes], "%s", {type: "%s"}));
  const event = new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true});
  document.getElementById("drop").dispatchEvent(event);
})()"""
_DONE = "document.getElementById('top').children.length > 0"
_FAULT = "!document.getElementById('fault').hidden"


def main() -> int:
    """Starts a server, goes through the page, prints what was seen, and ends with 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path, help="a photo with something in it that the model knows")
    parser.add_argument("--out", type=Path, required=True, help="folder for the screenshots")
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--address", help="of a server that runs already")
    flags = parser.parse_args()
    flags.out.mkdir(parents=True, exist_ok=True)
    if flags.address:
        return check(flags.chromium, flags.address, flags.photo, flags.out)
    command = [sys.executable, "-m", "googlenet_rcnn.cli.main", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if line.startswith("serving "):
                    return check(flags.chromium, line.partition(" on ")[2].split()[0], flags.photo, flags.out)
            raise SystemExit("error: SERVE_PAGE: the server did not start")
        finally:
            server.send_signal(signal.SIGINT)


def check(chromium: str, address: str, photo: Path, folder: Path) -> int:
    """Everything that the page must do."""
    seen: dict[str, Any] = {}
    with Browser(chromium) as browser:
        browser.open(address, 1280, 1000)
        browser.wait("document.getElementById('model').options.length > 0")
        browser.screenshot(folder / "empty.png")
        browser.evaluate(_DROP % (base64.b64encode(photo.read_bytes()).decode(), "dropped.png", "image/png"))
        browser.wait(_DONE)
        seen["dropped"] = browser.evaluate("document.querySelectorAll('.box').length") > 0
        browser.screenshot(folder / "dropped.png", whole=True)

        browser.evaluate(_DROP % (base64.b64encode(b"<html>no photo").decode(), "<b>page.jpg", "image/jpeg"))
        browser.wait(_FAULT)
        seen["bad file told"] = "<b>page.jpg" in browser.evaluate("document.getElementById('fault').textContent")
        seen["bad file hides the last result"] = browser.evaluate("document.getElementById('result').hidden")
        browser.screenshot(folder / "bad.png", whole=True)

        seen |= _by_keyboard(browser, photo)
        browser.screenshot(folder / "keyboard.png", whole=True)
        browser.resize(360, 800)
        browser.evaluate("new Promise(done => setTimeout(done, 300))")
        seen["fits a narrow screen"] = browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.screenshot(folder / "narrow.png", whole=True)
        own = address.partition("#")[0]
        away = [one for one in browser.requests if not one.startswith((own, "blob:" + own, "data:"))]
        seen["asks nobody else"] = not away
        seen["console empty"] = not browser.console
        seen["nothing refused"] = not browser.refused
        told = {"away": away, "console": browser.console, "refused": browser.refused}
    print(json.dumps(seen | told, indent=2))
    faults = [name for name, right in seen.items() if not right]
    if faults:
        print(f"error: SERVE_PAGE: {', '.join(faults)}", file=sys.stderr)
    return int(bool(faults))


def _by_keyboard(browser: Browser, photo: Path) -> dict[str, bool]:
    """Every control is reached with Tab and obeys its keys."""
    seen = {}
    browser.evaluate("document.activeElement.blur()")
    order = []
    for _ in range(6):
        browser.press("Tab")
        order.append(browser.evaluate("document.activeElement.id || document.activeElement.tagName"))
    seen["tab order"] = order == ["file", "model", "mode", "least", "proposals", "SUMMARY"]
    browser.evaluate("document.getElementById('top').replaceChildren()")
    browser.choose_files("#file", photo)  # what the system's dialog does when it is closed
    browser.wait(_DONE)
    browser.evaluate("document.getElementById('least').focus()")
    browser.press("Home")
    many = browser.evaluate("document.querySelectorAll('.box').length")
    browser.press("End")
    none = browser.evaluate("document.querySelectorAll('.box').length")
    browser.press("Home")
    seen["slider"] = many > 0 and none == 0 and not browser.evaluate(_FAULT)
    browser.press("Tab")
    browser.press(" ")
    seen["proposals"] = browser.evaluate("document.querySelectorAll('.proposal').length") > 0
    return seen


if __name__ == "__main__":
    sys.exit(main())
