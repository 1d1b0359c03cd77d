"""Make .venv from requirements.lock: ``make install`` calls this with the Python that .venv shall have.

``python3 deploy/install.py uv`` only fetches uv, the installer, into .uv. Both do nothing where nothing is to be done.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV_VERSION = "0.13.9"
UV = ROOT / ".uv" / "bin" / "uv"
VENV = ROOT / ".venv"
STAMP = VENV / "installed-from"
OLDEST_PYTHON = (3, 11)


def main(arguments: list[str]) -> None:
    """Install what is missing; ends the program with a sentence where that cannot be done."""
    if sys.version_info < OLDEST_PYTHON:
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"gueststar needs Python 3.11 or newer, {sys.executable} is {version}: make PYTHON=/path/to/python3")
    if arguments == ["uv"]:
        get_uv()
    elif not (STAMP.exists() and STAMP.read_text() == state()):
        begun = time.monotonic()
        get_uv()
        make_venv()
        print(f"gueststar is installed in {VENV.name} ({time.monotonic() - begun:.0f} s)")


def state() -> str:
    """What .venv depends on: the lock, pyproject.toml and the interpreter."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return f"{digest.hexdigest()} {sys.version} {sys.base_prefix}\n"


def make_venv() -> None:
    """Bring .venv to exactly what the lock names, every hash checked, and gueststar itself to where it stands."""
    python = VENV / "bin" / "python"
    if not _same_python(python):
        run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
    STAMP.unlink(missing_ok=True)
    print("Installing from requirements.lock (about 1 GB when all is new)", flush=True)
    run(UV, "pip", "sync", "--quiet", "--python", python, "--require-hashes", "requirements.lock")
    editable = ("--no-deps", "--no-build-isolation", "--editable", ".")
    run(UV, "pip", "install", "--quiet", "--python", python, *editable)
    STAMP.write_text(state())


def get_uv() -> None:
    """Put the pinned uv into .uv by whichever of pip and venv this Python has."""
    if UV.exists() and UV_VERSION in subprocess.run([UV, "--version"], capture_output=True, text=True).stdout:
        return
    print(f"Fetching uv {UV_VERSION}", flush=True)
    os.environ["PIP_ROOT_USER_ACTION"] = "ignore"  # in a folder of its own, root does no harm
    shutil.rmtree(ROOT / ".uv", ignore_errors=True)
    wanted = ("install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}")
    if _works(sys.executable, "-c", "import ensurepip"):
        run(sys.executable, "-m", "venv", ROOT / ".uv")
        run(ROOT / ".uv" / "bin" / "python", "-m", "pip", *wanted)
    elif _works(sys.executable, "-m", "pip", "--version"):  # Debian's Python without the package python3-venv
        run(sys.executable, "-m", "pip", *wanted, "--target", ROOT / ".uv")
    elif os.geteuid() == 0 and shutil.which("apt-get"):
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-qq", "-y", "--no-install-recommends", version)
        get_uv()
    else:
        sys.exit(f"{sys.executable} has neither pip nor ensurepip: install one (Debian: apt-get install python3-venv)")


def run(*command: str | Path) -> None:
    """Run a command from the checkout; ends the program where it fails (it has said why)."""
    done = subprocess.run([str(word) for word in command], cwd=ROOT)
    if done.returncode:
        sys.exit(f"this failed: {' '.join(map(str, command))}")


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _same_python(python: Path) -> bool:
    """Whether .venv is there and made from the same Python as the one that runs this."""
    ask = "import sys; print(sys.version, sys.base_prefix)"
    if not python.exists():
        return False
    answer = subprocess.run([python, "-c", ask], capture_output=True, text=True).stdout.strip()
    return answer == f"{sys.version} {sys.base_prefix}"


if __name__ == "__main__":
    main(sys.argv[1:])
