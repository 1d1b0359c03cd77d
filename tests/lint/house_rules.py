"""The house's own rules for every tracked file: ``python tests/lint/house_rules.py`` prints what breaks one, and fails.

- A survey's name appears only under schemas/ (code, pages, scripts, configuration; tests and documentation are free).
- Files have at most 400 lines, functions at most 40 (docstrings do not count).
- A variable's name says what it holds: see VAGUE_NAMES.
- No private folder and no package index is named anywhere, and files of the build hold no download address.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40

SURVEYS = re.compile(r"lsst|ztf|rubin|elasticc", re.IGNORECASE)
SURVEY_FILES = ("*.py", "*.html", "*.js", "*.toml")
SURVEY_FREE = ("schemas/*", "tests/*", "docs/*")

SIZED_FILES = ("*.py", "*.html", "*.js", "*.css")

VAGUE_NAMES = ("found", "known", "own", "told")
"""No variable and no argument has such a name: say what the value is, as ``with_redshift`` does."""

PRIVATE = re.compile(r"(?<![\w.])/work/")
INDEX = re.compile(r"(?<!emit-)index-url|find-links")
ADDRESS = re.compile(r"https?://(?!127\.0\.0\.1|localhost)")
BUILD_FILES = ("Makefile", ".ci/*", "deploy/*.xml", "deploy/*.sh", "deploy/*.py", "pyproject.toml", "requirements.lock")

ALLOWED = {
    # (file, text that must stand in the line): the reason
    ("pyproject.toml", '"lsst-alert-packet'): "the published name of a package",
    ("pyproject.toml", '"lsst.*"'): "the name that package is imported by",
    ("pyproject.toml", 'name = "lsst-alert-packet"'): "the published name of a package",
    ("tests/lint/house_rules.py", "PRIVATE ="): "the rule itself",
    ("tests/lint/house_rules.py", "INDEX ="): "the rule itself",
}

LONG_FUNCTIONS: dict[str, str] = {
    # "file:function": the reason
    "schemas/avro_walk.py:walk": "compiled; the hot loop of the reader, slower when it is cut up",
}


def broken(name: str, text: str) -> Iterator[str]:
    """A line for each rule that the file breaks; `name` is its path in the checkout."""
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        allowed = any(name == file and part in line for file, part in ALLOWED)
        for what in () if allowed else _forbidden(name, line):
            yield f"{name}:{number}: {what}: {line.strip()[:100]}"
    if _is(name, SIZED_FILES) and len(lines) > MAX_FILE_LINES:
        yield f"{name}: {len(lines)} lines, at most {MAX_FILE_LINES} may be"
    if name.endswith(".py"):
        yield from _long_functions(name, text)
        yield from _vague_names(name, text)


def _forbidden(name: str, line: str) -> Iterator[str]:
    if _is(name, SURVEY_FILES) and not _is(name, SURVEY_FREE) and SURVEYS.search(line):
        yield "a survey's name outside schemas/"
    if PRIVATE.search(line):
        yield "a private folder"
    if INDEX.search(line) or (_is(name, BUILD_FILES) and ADDRESS.search(line)):
        yield "a download address"


def _long_functions(name: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{name}:{node.name}" not in LONG_FUNCTIONS:
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
            if lines > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, at most {MAX_FUNCTION_LINES} may be"


def _vague_names(name: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            variable = node.id
        elif isinstance(node, ast.arg):
            variable = node.arg
        else:
            continue
        if variable in VAGUE_NAMES:
            yield f"{name}:{node.lineno}: {variable} says nothing: name the value"


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node) is None:
        return 0
    return (node.body[0].end_lineno or 0) - node.body[0].lineno + 1


def _is(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def main(root: Path) -> int:
    """Check every tracked file below `root`; 1 where a rule is broken."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    names = [name for name in tracked.split("\0") if name and (root / name).is_file()]
    complaints = [line for name in names for line in broken(name, (root / name).read_text(errors="replace"))]
    print("\n".join(complaints) or f"The house's rules hold in {len(names)} files.")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
