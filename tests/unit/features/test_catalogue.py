"""The list of features, and its fingerprint."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys

import pytest

from features import catalogue


def test_names_are_unique_and_plain() -> None:
    assert len(set(catalogue.NAMES)) == len(catalogue.NAMES) == len(catalogue.CATALOGUE)
    for name in catalogue.NAMES:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name


def test_nothing_that_a_stream_cannot_have() -> None:
    for feature in catalogue.CATALOGUE:
        text = f"{feature.name} {feature.description}".lower()
        assert not any(word in text for word in ("redshift", "spectroscop", "future", "next point")), feature.name


def test_fingerprint_is_a_sha256_that_stays() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", catalogue.fingerprint())
    assert catalogue.fingerprint() == catalogue.fingerprint()


def test_fingerprint_follows_names_units_order_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {catalogue.fingerprint()}
    first, *rest = catalogue.CATALOGUE
    for changed in (
        (dataclasses.replace(first, name="other"), *rest),
        (dataclasses.replace(first, unit="furlong"), *rest),
        (*rest, first),
    ):
        monkeypatch.setattr(catalogue, "CATALOGUE", changed)
        seen.add(catalogue.fingerprint())
    monkeypatch.setattr(catalogue, "VERSION", catalogue.VERSION + 1)
    seen.add(catalogue.fingerprint())
    assert len(seen) == 5


def test_importing_features_compiles_nothing() -> None:
    code = "import features, sys; sys.exit('numba' in sys.modules or 'george' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_names_are_named() -> None:
    import features

    with pytest.raises(AttributeError, match="'extrakt'"):
        features.extrakt  # noqa: B018
