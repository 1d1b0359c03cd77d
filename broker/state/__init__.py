"""What the broker keeps in Redis, all of which can be rebuilt from Kafka and the archive.

It may use the settings and active_learning's rules of candidates, nothing else of the broker. Only this room imports
the Redis client.
Public: ``keys``, ``connection``, ``candidates``, ``object_history``.
"""
