from importlib import metadata

import pytest

from googlenet_rcnn.cli import packages
from googlenet_rcnn.cli.packages import Package, extra_packages, installed, opencv_wheels, required_packages


@pytest.fixture
def environment(monkeypatch):
    """Pretends that these packages are installed, and what googlenet-rcnn requires."""

    def pretend(requirements, **versions):
        versions = {name.replace("_", "-"): text for name, text in versions.items()}

        def version(name):
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(packages, "version", version)
        monkeypatch.setattr(packages, "requires", lambda name: requirements)

    return pretend


@pytest.mark.parametrize(
    ("version", "least", "serves"),
    [
        ("2.10.0", "2.10", True),
        ("2.9.1", "2.10", False),
        ("2.10", "2.10.1", False),
        ("3", "2.10", True),
        ("2.14.1+cpu", "2.14.1", True),
        ("13.0.0rc1", "13", True),
        ("1.0", "", True),
        (None, "", False),
    ],
)
def test_a_version_serves_if_it_is_not_older(version, least, serves):
    assert Package("x", version, least).serves == serves


def test_requirements_without_those_of_extras(environment):
    environment(
        ["numpy>=2.0", "plain", "ranged<3,>=1.5", 'ray>=2; extra == "ray"', 'colorama; sys_platform == "win32"'],
        numpy="1.9", googlenet_rcnn="0.1", ranged="2.0",
    )  # fmt: skip
    found = required_packages()
    assert found == [Package("numpy", "1.9", "2.0"), Package("plain", None, ""), Package("ranged", "2.0", "1.5")]
    assert [one.serves for one in found] == [False, False, True]


def test_packages_of_an_extra(environment):
    listed = ["numpy>=2.0", 'ray[data]>=2; extra == "ray"', "pyarrow>=17 ; extra == 'ray'", 'fastapi; extra == "serve"']
    environment(listed, googlenet_rcnn="0.1")
    assert extra_packages("ray") == ["ray", "pyarrow"]
    assert extra_packages("serve") == ["fastapi"]
    assert extra_packages("nothing") == []
    environment(listed)
    assert extra_packages("ray") == []


def test_any_opencv_wheel_serves(environment):
    environment(["opencv-python-headless>=4.10"], googlenet_rcnn="0.1", opencv_contrib_python="5.0.0.93")
    assert required_packages() == [Package("opencv-contrib-python", "5.0.0.93", "4.10")]
    assert opencv_wheels() == ["opencv-contrib-python"]


def test_without_any_wheel_the_named_one_is_lacking(environment):
    environment(["opencv-python-headless>=4.10"], googlenet_rcnn="0.1")
    assert required_packages() == [Package("opencv-python-headless", None, "4.10")]


def test_a_tree_that_is_not_installed_requires_nothing(environment):
    environment(["numpy>=2.0"])
    assert required_packages() == []


def test_this_environment_has_what_it_needs():
    assert installed("numpy")
    assert installed("no-such-package-anywhere") is None
    assert all(one.serves for one in required_packages())
