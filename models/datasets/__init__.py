"""Labelled light curves: readers of published sets and of users' tables, cards, checks, truth.

It may import ``schemas`` and ``models.hashing``, but no classifier.
Public: ``sources.load``, ``labelled.Labelled``, ``table``, ``cards``, ``check``.
"""
