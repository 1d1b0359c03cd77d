"""Where bundles are kept: versions, aliases, the model that ships, cards.

It may load and check what ``models.scoring`` defines; it trains nothing.
Public: ``versions.Registry``, ``shipped``, ``named_model``, ``card``.
"""
