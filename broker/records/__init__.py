"""The rows between source and sink, as Arrow columns, as Avro messages and as files of the archive.

It may use the settings and Kafka's names, but neither Spark's session nor Redis.
Public: ``fields``, ``build``, ``avro``, ``archive``.
"""
