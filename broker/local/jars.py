"""The Kafka server's jars: named in ``deploy/ivy.xml``, fetched by pyspark's Ivy, checked against committed sums."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections import deque
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from broker.local.processes import locked

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
"""Files for running servers, beside the package ``broker``."""

CHECKSUMS = DEPLOY / "kafka-jars.sha256"


FETCH_DEADLINE_S = 1800.0
"""How long to wait for another process that fetches them, seconds; 60 s is usual."""


class JarError(ValueError):
    """A jar is not what the committed list of SHA-256 sums says, or cannot be had."""


def read_checksums(file: Path = CHECKSUMS) -> dict[str, str]:
    """Jar name to SHA-256, from a file as ``sha256sum`` writes it."""
    return {name: digest for digest, name in (line.split() for line in file.read_text().splitlines())}


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def ready(folder: Path, expected: dict[str, str]) -> bool:
    """Whether every expected jar lies in `folder`; raises JarError where one has another sum than expected."""
    present = [folder / name for name in expected if (folder / name).exists()]
    for file in present:
        jar_sha256 = sha256_of(file)
        if jar_sha256 != expected[file.name]:
            raise JarError(
                f"{file} is not the jar that {CHECKSUMS.name} names: expected SHA-256 {expected[file.name]}, "
                f"found {jar_sha256}; delete the file to download it again"
            )
    return len(present) == len(expected)


def ensure_jars(folder: Path, java: Path, ivy_settings: str = "", expected: dict[str, str] | None = None) -> list[Path]:
    """The Kafka server's jars in `folder`, fetched where missing; only jars whose sums are right ever lie there.

    `ivy_settings` is the path of an Ivy settings file, for networks that need a mirror. Raises JarError.
    """
    expected = expected or read_checksums()
    if not ready(folder, expected):
        with locked(folder / ".lock", FETCH_DEADLINE_S):  # several homes may share the folder
            if not ready(folder, expected):
                _fill(folder, java, ivy_settings, expected)
    return [folder / name for name in expected]


def _fill(folder: Path, java: Path, ivy_settings: str, expected: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as fresh:
        fetch(Path(fresh), java, ivy_settings, cache=folder / ".ivy", jars=len(expected))
        if not ready(Path(fresh), expected):
            missing = sorted(set(expected) - {file.name for file in Path(fresh).iterdir()})
            raise JarError(f"fetched the Kafka server, but without {', '.join(missing)}, named in {CHECKSUMS}")
        for name in expected:
            (Path(fresh) / name).replace(folder / name)
    shutil.rmtree(folder / ".ivy")


def fetch(folder: Path, java: Path, ivy_settings: str, cache: Path, jars: int) -> None:
    """Let Ivy put the Kafka server's jars into `folder`; `cache` keeps what it has if the network fails half-way."""
    command = [str(java), f"-Divy.default.ivy.user.dir={cache}", "-jar", str(ivy_jar()), "-cache", str(cache)]
    command += ["-settings", ivy_settings] if ivy_settings else []
    command += ["-ivy", str(DEPLOY / "ivy.xml"), "-retrieve", f"{folder}/[artifact]-[revision].[ext]"]
    last: deque[str] = deque(maxlen=400)
    with (
        Progress(console=Console(stderr=True), transient=True) as bars,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as ivy,
    ):
        bar = bars.add_task(f"Fetching the Kafka server ({jars} jars, once)", total=2 * jars)
        assert ivy.stdout is not None
        for line in ivy.stdout:
            last.append(line)
            # Ivy names each jar twice: when it has found where to get it, and when it has it.
            bars.advance(bar, line.lstrip().startswith(("found ", "[SUCCESSFUL")))
    if ivy.returncode:
        raise JarError(f"could not fetch the Kafka server's jars: {_reason(list(last))}")


def ivy_jar() -> Path:
    """The Apache Ivy that pyspark ships; found without importing pyspark."""
    spec = find_spec("pyspark")
    ivy_jars = sorted((Path(spec.origin).parent / "jars").glob("ivy-*.jar")) if spec and spec.origin else []
    if not ivy_jars:
        raise JarError("pyspark's jars/ivy-*.jar is missing: install pyspark from its wheel (`make install`)")
    return ivy_jars[-1]


def _reason(lines: list[str]) -> str:
    """Ivy's own words for what went wrong, and what to do."""
    signs = ("access error", ": not found", "exception")
    complaints = [line.strip(" \t\n:") for sign in signs for line in lines if sign in line.lower()]
    return (
        f"{complaints[0] if complaints else ''.join(lines[-3:]).strip()}. The network must reach the central Maven "
        f"repository; where it needs a mirror, name an Ivy settings file in GUESTSTAR_IVY_SETTINGS"
    )
