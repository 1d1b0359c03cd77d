"""How a bundle is made: moments of light curves, copies, training rows, classifier, calibration, novelty.

It may use the data sets and everything that scores; it knows no published test.
Public: ``training.train``, ``training_rows``, ``snapshots``, ``copies``, ``extraction``.
"""
