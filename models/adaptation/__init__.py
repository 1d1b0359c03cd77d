"""Adaptation: what a stream's own objects and labels change in a finished model, and signs that the stream drifts.

The entry points are :func:`models.adaptation.adapting.adapted` and :mod:`models.adaptation.drift`. This room reads no
archive and no log: it is given arrays. ``models.scoring.adapted`` holds the part that a bundle needs to score.
"""
