"""The checker of the house's own rules finds what it should, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lint"))
from house_rules import MAX_FILE_LINES, MAX_FUNCTION_LINES, broken

PLACE = "work"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("features/colour.py", "# as for ZTF\n", "survey"),
        ("active_learning/web/page.html", "<p>Rubin</p>\n", "survey"),
        ("pyproject.toml", 'name = "elasticc"\n', "survey"),
        ("broker/source.py", f'path = "/{PLACE}/data"\n', "private folder"),
        ("Makefile", "\tpip install --index-" + "url mirror x\n", "download address"),
        ("deploy/ivy.xml", '<x href="https://example.org"/>\n', "download address"),
        ("broker/long.py", "x = 1\n" * (MAX_FILE_LINES + 1), f"{MAX_FILE_LINES + 1} lines"),
        ("broker/f.py", "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES, f"f has {MAX_FUNCTION_LINES + 1} lines"),
        ("features/f.py", "def f(known):\n    return known\n", "known says nothing"),
        ("features/f.py", "for own in ():\n    print(own)\n", "own says nothing"),
    ],
)
def test_a_broken_rule_is_found_once(name: str, text: str, complaint: str) -> None:
    lines = list(broken(name, text))
    assert len(lines) == 1
    assert complaint in lines[0]
    assert lines[0].startswith(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("schemas/ztf.py", "# as for ZTF\n"),
        ("tests/unit/test_x.py", "# as for ZTF\n"),
        ("docs/design.md", "LSST and ZTF, https://example.org\n"),
        ("pyproject.toml", '    "lsst-alert-packet>=1",\n'),
        ("broker/source.py", f"framework/{PLACE}/x = 'net{PLACE}'\n"[:9]),
        ("broker/f.py", "def f():\n" + '    """' + "\n" * 50 + '    """\n' + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)),
        ("Makefile", "\tuv --no-emit-index-" + "url http://127.0.0.1:1\n"),
    ],
)
def test_what_is_allowed_is_not_found(name: str, text: str) -> None:
    assert list(broken(name, text)) == []
