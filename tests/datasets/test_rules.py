"""The table of rules against the code that finds, and against the page that explains it."""

import ast
import re
from pathlib import Path

from googlenet_rcnn.datasets.rules import RULES, fix_of

ROOT = Path(__file__).parents[2]
# Codes of what is asked for rather than of what is in the data, and of what is written rather than read.
_OTHER = {"DATA_MISSING", "DATA_UNRECOGNISED", "DATA_AMBIGUOUS", "DATA_UNREADABLE", "LABELS_UNKNOWN"}
_OTHER |= {"ARCHIVE_UNSAFE", "ARCHIVE_UNREADABLE", "OUT_EXISTS", "CLASS_UNWRITABLE", "ID_UNWRITABLE", "IGNORE_LOST"}


def codes_in(path):
    """Every text in a file that looks like a code and is the argument of a call."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call | ast.IfExp):
            parts = node.args if isinstance(node, ast.Call) else (node.body, node.orelse)
            for part in parts:
                if isinstance(part, ast.Constant) and re.fullmatch(r"[A-Z]{3,}(_[A-Z]+)+", str(part.value)):
                    yield part.value


def test_every_code_that_reading_or_looking_can_give_has_a_rule():
    files = [*(ROOT / "datasets").glob("*.py"), ROOT / "core" / "images.py", ROOT / "core" / "image_size.py"]
    used = {code for path in files for code in codes_in(path)}
    assert {"ANN_PARSE", "SPLIT_LEAK", "IMG_CORRUPT", "BOX_ROTATED"} <= used
    assert used - _OTHER - set(RULES) == set()


def test_every_rule_is_used():
    text = "".join(path.read_text("utf-8") for folder in ("datasets", "core") for path in (ROOT / folder).glob("*.py"))
    assert [code for code in RULES if text.count(f'"{code}"') < 2] == []


def test_rules_are_in_order_and_say_what_to_do():
    assert list(RULES) == sorted(RULES)
    for code, rule in RULES.items():
        assert rule.level.startswith(("error", "warning", "info")), code
        assert fix_of(code) == rule.fix, code
        assert all(text and text[0].islower() and not text.endswith(".") for text in (rule.meaning,)), code
    assert fix_of("SOMETHING_ELSE")


def test_the_page_has_the_same_table():
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/check.md").read_text("utf-8"), re.M
    )
    assert {code: (level, meaning, fix) for code, level, meaning, fix in rows} == {
        code: tuple(rule) for code, rule in RULES.items()
    }
