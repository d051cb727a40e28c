"""Headless Chromium, told what to do over a pipe with its DevTools protocol; nothing but the browser is needed."""

import base64
import json
import os
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

__all__ = ["Browser"]

_QUIET = ("background-networking", "component-update", "sync", "extensions", "default-apps", "domain-reliability")
_KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35}


class Browser:
    """A page in a browser of its own, which finds no host but this machine; keeps what it asked for and said."""

    def __init__(self, chromium: str = "chromium") -> None:
        self.requests: list[str] = []
        self.console: list[str] = []
        self.refused: list[str] = []
        self._stack = ExitStack()
        self._answers: dict[int, dict[str, Any]] = {}
        self._last = 0
        self._text = b""
        profile = self._stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        command = [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
            *(f"--disable-{name}" for name in _QUIET), "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank",
        ]  # fmt: skip
        (heard, says), (reads, writes) = os.pipe(), os.pipe()

        def as_three_and_four() -> None:
            # Both first out of the way of 3 and 4, which they may be.
            far = os.dup2(heard, 60), os.dup2(writes, 61)
            os.dup2(far[0], 3)
            os.dup2(far[1], 4)

        try:
            self._process = subprocess.Popen(
                command, close_fds=False, preexec_fn=as_three_and_four, stderr=subprocess.DEVNULL
            )
        except FileNotFoundError:
            raise SystemExit(f"error: NO_BROWSER: {chromium}: not found; apt-get install chromium") from None
        os.close(heard)
        os.close(writes)
        self._out, self._in = says, reads
        os.set_blocking(reads, False)
        pages = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in pages if one["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        os.close(self._out)
        os.close(self._in)
        self._stack.close()

    def open(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Goes to an address in a window of this size, and waits until it has loaded."""
        self.resize(width, height)
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def resize(self, width: int, height: int) -> None:
        """Gives the window another size in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def evaluate(self, script: str) -> Any:
        """The value of JavaScript in the page, once it is there."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"].get("exception", {}).get("description", script))
        return told["result"].get("value")

    def wait(self, script: str, seconds: float = 60) -> Any:
        """Waits until JavaScript in the page is true."""
        until = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            if time.monotonic() > until:
                raise SystemExit(f"error: REPORT_PAGE: it never came to {script}")
            time.sleep(0.05)
        return value

    def press(self, key: str, times: int = 1) -> None:
        """Presses a key of the keyboard."""
        text = {"Enter": "\r", " ": " "}.get(key)
        told = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": _KEYS[key]}
        for _ in range(times):
            self.call("Input.dispatchKeyEvent", type="keyDown", **told, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Fills a file field."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path.resolve()) for path in paths])

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """Keeps what the window, or the whole page, looks like."""
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its answer."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 60
        while self._last not in self._answers:
            if time.monotonic() > until or self._process.poll() is not None:
                raise SystemExit(f"error: NO_BROWSER: no answer to {method}")
            self._listen()
        answer = self._answers.pop(self._last)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _listen(self) -> None:
        try:
            self._text += os.read(self._in, 1 << 20)
        except BlockingIOError:
            time.sleep(0.005)
            return
        *messages, self._text = self._text.split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, event: str, told: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif event == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(one.get("value", "")) for one in told["args"]))
        elif event == "Runtime.exceptionThrown":
            self.console.append(told["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif event == "Log.entryAdded" and told["entry"]["source"] != "network":  # requests tell of those
            text = f"{told['entry']['text']} {told['entry'].get('url', '')}"
            (self.refused if "Content Security Policy" in text else self.console).append(text)
