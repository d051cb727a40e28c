"""Where errors become one clear line and an exit status; nothing below cli/ prints or exits."""

import errno
import io
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from googlenet_rcnn.core.errors import Exit, ProjectError, ResourceError, lacks_memory

__all__ = ["one_line", "run_command"]


def run_command(command: Callable[[], int | None]) -> NoReturn:
    """Runs a command and ends the process with its exit status; faults are told in one line on stderr."""
    _give_streams()
    _quieten_pillow()
    _quieten_colorama()
    try:
        status = command() or Exit.OK
        sys.stdout.flush()
    except ProjectError as error:
        status = error.exit
        _tell(str(error))
    except KeyboardInterrupt:
        status = Exit.INTERRUPTED
        _tell("INTERRUPTED: stopped by the user; what was written is kept, and the same command goes on from there")
    except BrokenPipeError:
        # The reader (head, less) has gone: not a fault.
        _drop_output()
        status = Exit.OK
    except Exception as error:
        status = ResourceError.exit if (lack := _lack(error)) else Exit.INTERNAL
        what = next(iter(str(error).splitlines()), "")
        _tell(lack or f"INTERNAL: {type(error).__name__}: {what} (a bug; the traceback is in {_keep_traceback()})")
    sys.exit(int(status))


def _quieten_pillow() -> None:
    """What Pillow says of odd files, in several lines, a code tells already."""
    warnings.filterwarnings("ignore", module=r"PIL\b")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)


def _quieten_colorama() -> None:
    """Where it is installed, numba starts it, and at exit it would write an escape code to any terminal."""
    with suppress(ImportError):
        from colorama import initialise

        initialise.atexit_done = True


def one_line(text: str) -> str:
    """The text without anything that breaks a line or a terminal: odd characters of file names are escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _give_streams() -> None:
    """Closed standard streams swallow what is written; those that cannot encode a letter escape it."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - lives as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Python must not try to write the rest of standard output again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lack(error: Exception) -> str:
    """What the machine ran out of, if that is the fault."""
    if lacks_memory(error):
        return "MEMORY: not enough memory; use a smaller image, fewer --threads or another machine"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        _drop_output()
        return f"DISK_FULL: no space left while writing {error.filename or 'the output'}: free some and run again"
    return ""


def _keep_traceback() -> Path:
    text = traceback.format_exc().encode("utf-8", "backslashreplace")
    with tempfile.NamedTemporaryFile(prefix="googlenet-rcnn-", suffix=".log", delete=False) as stream:
        stream.write(text)
    return Path(stream.name)


def _tell(message: str) -> None:
    with suppress(OSError):  # nobody reads it any more
        sys.stderr.write(f"error: {one_line(message)}\n")
        sys.stderr.flush()
