"""The rows between source and sink, as Arrow columns, as Avro messages and as files of the archive.

It may use the settings and the room for Kafka, but neither Spark nor Redis.
Public: ``fields``, ``build``, ``avro``, ``archive``.
"""
