"""Alert packets in: placeholder constants until the reader lands."""

DEFAULT_TOPIC = "lsst-alerts-v11"
