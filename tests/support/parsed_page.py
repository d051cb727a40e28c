"""A page read back as a browser would: its elements, and what stands in them."""

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "hr"}


class ParsedPage(HTMLParser):
    """Elements as (tag, attributes), the text of each tag, and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, tag

    def handle_data(self, data):
        if self._open and data.strip():
            self.texts.append((self._open[-1], data))

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of a tag."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        """The texts that stand directly in elements of a tag."""
        return [text for name, text in self.texts if name == tag]

    def addresses(self) -> Iterator[str]:
        """Everything that a browser might go and fetch."""
        for _, attributes in self.elements:
            for name, value in attributes.items():
                if name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
                    yield value
