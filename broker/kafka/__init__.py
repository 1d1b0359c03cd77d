"""The one room that speaks to Kafka: names and creation of topics, reading, writing.

It may use the settings and the message formats of ``schemas``, nothing else of the broker.
Public: ``topics``, ``writing``.
"""
