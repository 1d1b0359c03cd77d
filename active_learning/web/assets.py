"""The scripts the page is made of, served from this program: nothing is fetched from elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"

_PACKAGED = {
    "htmx.js": ("django_htmx", "static/django_htmx/htmx-2.min.js"),
    "plotly.js": ("plotly", "package_data/plotly.min.js"),
}
"""Name on the page: package whose data it is (found, never imported), and the file in it."""


def script(name: str) -> Path:
    """The file of a packaged script; LookupError says which package to install."""
    package, file = _PACKAGED[name]
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (asset := Path(folder) / file).is_file():
            return asset
    raise LookupError(
        f"the labelling page needs {file} of the package {package!r}: install {package.replace('_', '-')}"
    )
