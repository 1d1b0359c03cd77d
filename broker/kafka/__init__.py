"""The one room that speaks to Kafka: names and creation of topics, clients, reading, following, writing, errors.

It may use the settings, the message formats of ``schemas`` and the logs that ``active_learning`` asks for, nothing else
of the broker. Public: ``topics``, ``clients`` (each client is configured there), ``reading`` (a topic between offsets),
``fetching`` (the ranges of a task), ``subscription`` (on and on), ``following`` (a log at hand), ``writing``,
``message_log``, ``packet_fetch``, ``watermarks`` and ``errors``; ``diagnosis`` is theirs.
"""
