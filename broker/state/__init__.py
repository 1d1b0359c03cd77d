"""What the broker keeps in Redis, all of which can be rebuilt from Kafka and the archive.

It may use the settings, nothing else of the broker.
Public: ``night_histogram``, ``object_history``.
"""
