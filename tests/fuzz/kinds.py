"""Every kind of file that is fuzzed."""

from __future__ import annotations

from tests.fuzz import sets, tables
from tests.fuzz.files import Kind

KINDS: dict[str, Kind] = {"tables": tables.KIND, **sets.KINDS}
