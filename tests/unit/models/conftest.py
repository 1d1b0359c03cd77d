"""Fixtures of the tests of models."""

from tests.unit.models.small_bundle import small

__all__ = ["small"]
