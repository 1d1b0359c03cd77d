"""The registry of bundles: versions, aliases, the shipped model, cards.

It may import ``models.scoring`` to load and check bundles; it trains nothing.
Public: ``versions.Registry``, ``shipped``, ``named_model``, ``card``.
"""
