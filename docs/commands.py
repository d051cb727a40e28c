"""Writes docs/commands.md: each command's flags, and calls from docs/calls.toml with what they really print.

python docs/commands.py      (or `make commands`; every call is run in a folder with three photographs)
"""

import argparse
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import typer

from googlenet_rcnn.cli.main import app

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "commands.md"
CLASSES = ("cat", "person", "motorbike", "bicycle")
# Objects as class, x1, y1, x2, y2 in pixels, drawn by hand on photographs that come with scikit-image.
PHOTOS = {
    "chelsea": [("cat", 24, 6, 396, 286)],
    "astronaut": [("person", 20, 14, 400, 512)],
    "motorcycle_left": [("motorbike", 92, 72, 684, 452), ("bicycle", 0, 95, 165, 230)],
}
ENVIRONMENT = {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
MASKS = (
    (r"\x1b\[[0-9;]*m", ""),  # what libraries of others send to a terminal in the end
    (r"\b\d+(\.\d+)? (s|ms|min|minutes|h)\b", "…"),
    (r"(compiling|measuring|building) .*once.*\n", ""),
    (r"(?m)^.*\d/\d.*, … left\b.*\n", ""),
)
"""What differs from machine to machine, or from one second to the next."""


class Calls(NamedTuple):
    """Calls of a command that show what it does, one that fails, and what is left out of what the good ones print.

    What runs for ever is stopped once it has printed `until`; `say` is what a reader should know.
    """

    good: tuple[str, ...]
    bad: str
    masks: tuple[tuple[str, str], ...]
    until: str
    say: str


def find_commands(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of the application by its full name, groups looked into, in the order of the help."""
    group = typer.main.get_command(app) if group is None else group
    for name, command in group.commands.items():
        full = f"{above} {name}".strip()
        if hasattr(command, "commands"):
            yield from find_commands(command, full)
        else:
            yield full, command


def read_calls(path: Path = DOCS / "calls.toml") -> dict[str, Calls]:
    """The calls of each command in the file's order; KeyError for a command without, ValueError for no command."""
    listed = tomllib.loads(path.read_text("utf-8"))
    listed.pop("page", None)
    names = [name for name, _ in find_commands()]
    for name in names:
        if lacking := [key for key in ("good", "bad") if not listed.get(name, {}).get(key)]:
            raise KeyError(
                f'add {" and ".join(lacking)} below ["{name}"] in {path}: calls to show, then `make commands`'
            )
    if unknown := sorted(set(listed) - set(names)):
        raise ValueError(f"{path} has calls of {', '.join(unknown)}, which is no command")
    return {
        name: Calls(
            good=tuple(one["good"]),
            bad=one["bad"],
            masks=tuple((find, put) for find, put in one.get("masks", ())),
            until=one.get("until", ""),
            say=one.get("say", ""),
        )
        for name, one in listed.items()
    }


def prepare(folder: Path) -> None:
    """Lays out the photographs and data sets that the calls use."""
    import skimage
    from PIL import Image

    source = Path(skimage.__file__).parent / "data"
    (folder / "photos" / "images" / "train").mkdir(parents=True)
    (folder / "photos" / "labels" / "train").mkdir(parents=True)
    (folder / "photos" / "data.yaml").write_text("names:\n" + "".join(f"  - {name}\n" for name in CLASSES))
    for name, objects in PHOTOS.items():
        picture = source / f"{name}.png"
        width, height = Image.open(picture).size
        lines = [
            f"{CLASSES.index(label)} {(x1 + x2) / 2 / width:.6f} {(y1 + y2) / 2 / height:.6f} "
            f"{(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}\n"
            for label, x1, y1, x2, y2 in objects
        ]
        (folder / "photos" / "labels" / "train" / f"{name}.txt").write_text("".join(lines))
        kind = folder / "kinds" / objects[0][0]
        kind.mkdir(parents=True)
        for place in (folder, kind, folder / "photos" / "images" / "train"):
            shutil.copy(picture, place)
    (folder / "page.jpg").write_text("<html><body>404 Not Found</body></html>\n")


def run(call: str, folder: Path, until: str = "") -> str:
    """What a call prints on a terminal of 80 columns that shows no colours, and its exit status if that is not 0."""
    master, slave = pty.openpty()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    cache = {"XDG_CACHE_HOME": str(folder / ".cache")} if "train" in call else {}
    process = subprocess.Popen(
        shlex.split(call), cwd=folder, stdout=slave, stderr=slave, stdin=subprocess.DEVNULL,
        env=os.environ | ENVIRONMENT | cache | {"PATH": path},
    )  # fmt: skip
    os.close(slave)
    told = b""
    try:
        while part := os.read(master, 4096):
            told += part
            if until and until in told.decode(errors="ignore"):
                time.sleep(2)  # it listens to signals only a little later
                process.send_signal(signal.SIGINT)
                until = ""
    except OSError:  # what Linux says when the other end is closed
        pass
    os.close(master)
    return told.decode().replace("\r\n", "\n") + status_line(process.wait())


def status_line(status: int) -> str:
    """The line below an output that tells its exit status."""
    return f"(exit status {status})\n" if status else ""


def masked(text: str, masks: tuple[tuple[str, str], ...] = ()) -> str:
    """The text without what differs from machine to machine."""
    for find, put in (*MASKS, *masks):
        text = re.sub(find, put, text)
    return text


def flag_rows(command: Any) -> Iterator[str]:
    """A row of Markdown for each flag and argument: how it is written, what it means, and what holds without it."""
    for one in command.params:
        switch = getattr(one, "is_flag", False)
        names = [*one.opts, *one.secondary_opts]
        if one.param_type_name == "argument":
            names = [one.name.upper() + ("..." if one.nargs == -1 else "")]
        help, _, told = (one.help or "").partition(" [default: ")
        plain = isinstance(one.default, str | int | float)
        default = told.rstrip("]") or (one.default if plain else "")
        if switch:
            default = "" if one.default is False else names[0]
        default = "required" if one.required else default
        yield f"| {', '.join(f'`{name}`' for name in names)} | {help.replace('|', chr(92) + '|')} | {default} |"


def render(outputs: Mapping[str, str]) -> str:
    """The page, with what each call printed."""
    scripts = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    listed = ", ".join(f"`{name}`" for name in scripts if name != "googlenet-rcnn")
    parts = [tomllib.loads((DOCS / "calls.toml").read_text("utf-8"))["page"].replace("SCRIPTS", listed)]
    every = read_calls()
    for name, command in find_commands():
        calls = every[name]
        parts.append(f"## {name}\n\n{' '.join((command.help or '').split())}\n")
        parts += [f"{calls.say}\n"] if calls.say else []
        parts += [_console(call, outputs.get(call)) for call in calls.good]
        parts.append("When something is wrong:\n\n" + _console(calls.bad, outputs[calls.bad]))
        rows = "\n".join(flag_rows(command))
        parts.append(f"| flag | what | default |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def outputs_in(page: str) -> dict[str, str]:
    """What a page says that each of its calls prints."""
    return dict(re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n", page))


def _console(call: str, output: str | None) -> str:
    """A call with its output, or alone until it has been run."""
    return f"```sh\n{call}\n```\n" if output is None else f"```console\n$ {call}\n{output}```\n"


def main() -> None:
    """Runs every call, or those of the commands named, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", help="run the calls of these only, after one another [default: all]")
    wanted = parser.parse_args().commands
    outputs = outputs_in(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        for command, calls in read_calls().items():
            if not wanted or command in wanted:
                for call in (*calls.good, calls.bad):
                    print(f"$ {call}", file=sys.stderr)
                    masks = calls.masks if call in calls.good else ()
                    outputs[call] = masked(run(call, Path(name), calls.until), masks)
                    print(outputs[call], file=sys.stderr)
    PAGE.write_text(render(outputs), encoding="utf-8")


if __name__ == "__main__":
    main()
