"""Subscribers' filters: which expressions are allowed, where they are kept, and the trial before a job takes them.

Works on the columns of ``records``; Spark is loaded by ``trial`` and ``archive_yield`` only.
Public: ``FilterError``, ``Condition``, ``Filters``, ``parse``, ``load``, ``add``, ``get``, ``remove``, ``file_of``.
"""

from broker.filters.expression import Condition, parse
from broker.filters.store import Filters, add, file_of, get, load, remove
from broker.filters.tokens import FilterError

__all__ = ["Condition", "FilterError", "Filters", "add", "file_of", "get", "load", "parse", "remove"]
