"""Hooks of mkdocs: pages that lie outside docs/ come in under their own paths, and links between the two hold."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "cards/*.md", "examples/*.ipynb")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages, and the files they name, that the repository keeps elsewhere."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            target = name.replace(".md", ".html")  # README.md would be taken for the first page
            files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls, dest_uri=target))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as the repository has them, made links of the site: there docs/ is the top."""
    return re.sub(r"\]\((?:\.\./(?:docs/)?|docs/|(?=cards/))", "](" + "../" * page.file.src_uri.count("/"), markdown)
