"""The browser check sees what is wrong with a page; the reports of the command pass it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile import encoded, photo, write
from served import application, flat, running
from tiny_voc import annotation, devkit, thing

CHECK = Path(__file__).parents[1] / "benchmarks" / "report" / "browser_check.py"

needs_browser = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium (make browser-check)")


def run(*flags):
    command = [sys.executable, str(CHECK), "--height", "900", *map(str, flags)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


@needs_browser
def test_a_report_passes(tmp_path):
    xml = {f"{n:06d}": annotation(thing("cat", (11, 11, 60, 60)), thing("dog", (101, 11, 160, 80))) for n in range(8)}
    root = devkit(tmp_path / "devkit", xml, split="val")
    result = run("--data", root, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout[result.stdout.index("{") :])
    assert (seen["charts"], seen["requests"], seen["refused"], seen["console"]) == (4, [], [], [])
    assert seen["buttons"] > 0
    for name in ("desktop", "narrow"):
        assert Path(seen[name]).read_bytes().startswith(b"\x89PNG")


@needs_browser
def test_the_report_of_detect_passes_with_keys_and_its_strict_policy(tmp_path):
    picture = write(tmp_path, "<b>one.png", encoded(photo(60, 80), "PNG"))
    result = run("--detect", picture, write(tmp_path, "empty.png", b""), "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout[result.stdout.index("{") :])
    assert (seen["images"], seen["keys"], seen["requests"], seen["refused"]) == (1, [], [], [])


@needs_browser
@pytest.mark.parametrize(("colour", "wrong"), [("red", ""), ("gray", "dropped, slider")])
def test_the_page_of_serve_passes_where_something_is_found(tmp_path, colour, wrong):
    data = flat("red") if colour == "red" else encoded(np.full((10, 20, 3), 128, np.uint8), "PNG")
    photo = write(tmp_path, "photo.png", data)
    script = CHECK.with_name("serve_check.py")
    with running(application()) as port:
        command = [sys.executable, script, photo, "--address", f"http://127.0.0.1:{port}/", "--out", tmp_path / "out"]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == bool(wrong)
    assert result.stderr == (f"error: SERVE_PAGE: {wrong}\n" if wrong else "")
    assert len(list((tmp_path / "out").glob("*.png"))) == 5


@needs_browser
@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ('<img src="http://example.invalid/a.png">', {"unseen", "requests"}),
        ('<img src="data:image/png;base64,AAAA">', {"unseen"}),
        ("<script>console.error('oh')</script>", {"console"}),
        ('<div style="width: 3000px">x</div>', {"overflow"}),
        ("<input>", {"nameless"}),
        ("<p>fine</p>", set()),
    ],
)
def test_each_fault_of_a_page_is_told(tmp_path, body, faults):
    (tmp_path / "page.html").write_text(f"<!DOCTYPE html><html><head></head><body>{body}</body></html>")
    result = run("--page", tmp_path / "page.html", "--out", tmp_path / "out")
    assert result.returncode == bool(faults)
    told = result.stderr.partition("look at ")[2].removesuffix(" above\n")
    assert set(filter(None, told.split(", "))) == faults


def test_without_a_browser_it_says_what_to_install(tmp_path):
    (tmp_path / "page.html").write_text("<html><head></head></html>")
    result = run("--page", tmp_path / "page.html", "--out", tmp_path / "out", "--chromium", "no-such-browser")
    assert result.returncode == 1
    assert "NO_BROWSER" in result.stderr
    assert "Traceback" not in result.stderr
