"""The scripts, styles and pages that come with the commands, and the policy that lets a page run its own only."""

import base64
import hashlib
from importlib.resources import files

__all__ = ["hash_source", "web_file"]


def web_file(name: str) -> str:
    """The text of a file of `cli/web`."""
    return files(__package__).joinpath("web", name).read_text(encoding="utf-8")


def hash_source(text: str) -> str:
    """How a Content-Security-Policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
