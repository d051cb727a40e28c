"""Which packages are installed, found by their metadata alone: nothing is imported."""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

__all__ = [
    "OPENCV_WHEELS",
    "RUNTIME_PACKAGES",
    "Package",
    "extra_packages",
    "installed",
    "opencv_wheels",
    "required_packages",
]

OPENCV_WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
"""All of them bring the same module `cv2`, so that two of them overwrite each other's files."""

RUNTIME_PACKAGES = ("torch", "onnxruntime", "openvino")
"""What can run the network on a processor."""


@dataclass(frozen=True)
class Package:
    """A package by its name, the version that is installed (or None), and the least one that serves ("" for any)."""

    name: str
    version: str | None
    least: str

    @property
    def serves(self) -> bool:
        """Whether it is there and new enough."""
        return self.version is not None and _release(self.version) >= _release(self.least)


def installed(name: str) -> str | None:
    """The version of a package, None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def required_packages(of: str = "googlenet-rcnn") -> list[Package]:
    """The packages that one cannot do without, as its metadata lists them; any OpenCV wheel serves for another.

    Nothing where it is not installed but merely on the path.
    """
    found = []
    for requirement in (requires(of) if installed(of) else None) or ():
        if ";" in requirement:  # extras, and what other systems need
            continue
        parts = re.match(r"\s*([\w.-]+)(?:.*?>=\s*([\w.]+))?", requirement)
        if parts is None:
            continue
        name, least = parts.groups()
        if name in OPENCV_WHEELS and (wheels := opencv_wheels()):
            name = wheels[0]
        found.append(Package(name, installed(name), least or ""))
    return found


def extra_packages(extra: str, of: str = "googlenet-rcnn") -> list[str]:
    """The packages of an extra, as its metadata lists them; nothing where it is not installed."""
    listed = (requires(of) if installed(of) else None) or ()
    chosen = (one.strip() for one in listed if f'extra == "{extra}"' in one.replace("'", '"'))
    return [re.split(r"[^\w.-]", one)[0] for one in chosen]


def opencv_wheels() -> list[str]:
    """The OpenCV wheels that are installed; more than one is one too many."""
    return [name for name in OPENCV_WHEELS if installed(name) is not None]


def _release(text: str) -> tuple[int, ...]:
    """The numbers of a release: 2.14.1+cpu is (2, 14, 1)."""
    numbers = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in numbers.group().split(".")) if numbers else ()
