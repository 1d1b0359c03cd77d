"""Labelled light curves: readers of each published set and of one's own tables, cards, checks, truth.

It may use ``schemas`` and draws by id; it knows no classifier.
Public: ``sources.load``, ``labelled.Labelled``, ``table``, ``cards``, ``check``.
"""
