"""The site: every page is in its navigation, every page of the navigation is there, and links lead somewhere."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("cards/*.md"), *ROOT.glob("*.md")])


def navigation():
    """Paths of the navigation, as mkdocs has them: relative to docs/, or to the repository for pages elsewhere."""

    def walk(entry):
        if isinstance(entry, str):
            yield entry
        else:
            for one in entry.values() if isinstance(entry, dict) else entry:
                yield from walk(one)

    return list(walk(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))


def headings(path):
    """The anchors that GitHub and mkdocs give to the headings of a page."""
    for line in re.findall(r"(?m)^#+ (.*)", path.read_text("utf-8")):
        yield re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-")


def test_every_page_is_in_the_navigation_once_and_is_there():
    named = navigation()
    assert len(set(named)) == len(named)
    for name in named:
        assert (DOCS / name).is_file() or (ROOT / name).is_file(), f"mkdocs.yml names {name}"
    for page in (*DOCS.glob("*.md"), *ROOT.glob("cards/*.md")):
        home = DOCS if page.parent == DOCS else ROOT
        name = page.relative_to(home).as_posix()
        assert name in named, f"add {name} to nav in mkdocs.yml"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in headings(found), target


def test_every_picture_is_shown_and_all_are_small():
    pictures = list((DOCS / "pictures").iterdir())
    shown = {name for page in PAGES for name in re.findall(r"\]\(pictures/([^)]+)\)", page.read_text("utf-8"))}
    assert shown == {path.name for path in pictures}
    assert sum(path.stat().st_size for path in pictures) < 600_000


def test_the_site_is_set_to_ask_nobody():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert settings["theme"]["font"] is False
    assert "repo_url" not in settings  # its stars would be asked for
    assert "://" not in (ROOT / "mkdocs.yml").read_text("utf-8")
