"""The training of a bundle: snapshots of light curves, copies, training rows, classifier, calibration, novelty.

It may import the data sets and ``models.scoring``, but no published test.
Public: ``training.train``, ``training_rows``, ``snapshots``, ``copies``, ``extraction``.
"""
