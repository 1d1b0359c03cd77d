"""From features to calibrated classes and novelty: data sets, training, scoring, registry, published tests.

It may use ``features`` and ``schemas``, and knows neither Spark, Kafka nor Redis.
Public: ``scoring.scorer.Scorer``, ``training.train``, ``registry.versions.Registry``, ``datasets``, ``suites``.
"""
