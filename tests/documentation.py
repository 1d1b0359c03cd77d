"""The pages a user reads, and the blocks in them that a user would run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def pages() -> list[Path]:
    """README, CONTRIBUTING and the pages of docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The page's fenced blocks of a language, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def commands(page: Path) -> list[list[str]]:
    """The arguments of every ``$ gueststar …`` line in the page's console blocks, in their order."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
    words = [shlex.split(line.removeprefix("$ ")) for line in lines]
    assert all(program == "gueststar" for program, *_ in words), words
    return [arguments for _, *arguments in words]
