"""Kafka and Redis on this machine, for one home: what ``gueststar up``, ``down`` and ``status`` do.

A home's servers are found in the table of processes, by working folder and command line, never by a remembered process
id alone: a run that was killed half-way is taken up where it stands, and nobody else's process is ended.
"""

from broker.local.java import java_home
from broker.local.services import start, stop

__all__ = ["java_home", "start", "stop"]
