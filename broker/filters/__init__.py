"""Subscribers' filters: which expressions are allowed, and where they are kept."""

from broker.filters.expression import FilterError, render
from broker.filters.store import add, file_of, get, load, remove

__all__ = ["FilterError", "add", "file_of", "get", "load", "remove", "render"]
