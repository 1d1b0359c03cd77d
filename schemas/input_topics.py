"""The Kafka topics that alerts come in by. Kept apart from the readers, so that the settings load fast."""

DEFAULT_TOPIC = "lsst-alerts-v11"
"""Where the LSST's alerts are published, schema version 11."""
