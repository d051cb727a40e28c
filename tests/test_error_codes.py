"""docs/errors.md tells every code that the program can give, and no other."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
CODE = re.compile(r"[A-Z]{2,}[A-Z0-9]*(_[A-Z0-9]+)*")
RAISES = re.compile(r"(\w*Error|\.error|Finding|Interrupted|NotFinite|_fault|notes\.append|Refusal|refuse)$")
FIRST_WORDS = ("DET", "PROPOSAL")
"""What readers of lines are told to begin their codes with (f"{code}_PARSE")."""
SAID_AT_THE_BOUNDARY = {"INTERNAL", "INTERRUPTED", "MEMORY"}


def given(source: str) -> set[str]:
    """Codes that a module gives: constants in the first argument of errors and findings, or at the head of a pair."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        places: list[ast.AST] = []
        if isinstance(node, ast.Call) and node.args and RAISES.search(ast.unparse(node.func)):
            at = 1 if ast.unparse(node.func).endswith(("Refusal", "refuse")) else 0  # behind the status of HTTP
            places = [*node.args[at : at + 1]]
            for ending in (part for part in ast.walk(node.args[0]) if isinstance(part, ast.JoinedStr)):
                last = ending.values[-1]
                if isinstance(last, ast.Constant) and re.fullmatch(r"(_[A-Z]+)+", last.value):
                    found |= {f"{first}{last.value}" for first in FIRST_WORDS}
        elif isinstance(node, ast.Assign) and re.match(r"code$|\(code, ", ast.unparse(node.targets[0])):
            places = [node.value]
        for place in places:
            constants = (part.value for part in ast.walk(place) if isinstance(part, ast.Constant))
            found |= {value for value in constants if isinstance(value, str) and CODE.fullmatch(value)}
    return found


def documented() -> list[str]:
    """Codes in the tables, in their order."""
    first = re.findall(r"^\| ([A-Z0-9_]+) \|", (ROOT / "docs/errors.md").read_text("utf-8"), re.MULTILINE)
    return [code for code in first if CODE.fullmatch(code)]


def test_every_code_is_told_once_and_is_one():
    codes = Counter(documented())
    assert [code for code, count in codes.items() if count > 1] == []
    sources = [path.read_text("utf-8") for folder in FOLDERS for path in sorted(folder.rglob("*.py"))]
    known = set().union(*map(given, sources)) | SAID_AT_THE_BOUNDARY
    assert sorted(known - set(codes)) == [], "add them to docs/errors.md"
    assert sorted(set(codes) - known) == [], "docs/errors.md tells of codes that nobody gives"


def test_codes_are_found_wherever_they_stand():
    source = """
raise DataError("SOME_CODE", f"{x}: NOT_THIS")
raise core.UsageError("ONE_CODE" if x else "OTHER_CODE", "text")
findings.append(Finding("FOUND", "ELSE"))
notes.append("NOTED")
names.append("NO_CODE")
code, fix = "PAIR_CODE", "text"
raise DataError(f"{code}_PARSE", "text")
"""
    assert given(source) == {
        "SOME_CODE", "ONE_CODE", "OTHER_CODE", "FOUND", "NOTED", "PAIR_CODE", "DET_PARSE", "PROPOSAL_PARSE"
    }  # fmt: skip
