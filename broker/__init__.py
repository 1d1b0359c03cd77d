"""The broker at work: the Spark job, Kafka, Redis, the command line, subscribers, operation.

The uppermost room, and the only one that knows Spark, Kafka and Redis; its own rooms lie in floors (docs/design.md).
Public: ``client`` for subscribers, ``cli`` for everyone else.
"""
