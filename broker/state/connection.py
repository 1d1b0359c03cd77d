"""Every Redis client of the broker is made here, with time-outs; and the one circuit breaker of the stream.

The stream must not wait for a Redis that is away. The breaker opens at the first failure, and then answers at once for
:data:`REST_S`. After the rest it lets one attempt through: it closes where that succeeds, and rests again where it
fails. Each outage is reported once when it begins and once when it ends.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from broker.settings import Settings

TIMEOUT_S = 2.0
"""The longest wait for a connection, and for an answer, seconds."""

REST_S = 10.0
"""After a failure Redis is left alone for so long, seconds."""

MISSED_MEANWHILE = "candidates and objects' older points miss what passes now"

log = logging.getLogger(__name__)

T = TypeVar("T")


def client(address: str, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """A client of the Redis at ``redis://host:port/number``; it connects with its first question.

    A connection that Redis closed meanwhile is opened again at once; a time-out is not tried again.
    Raises ValueError where the address has another form. The text does not repeat it: it may hold a password.
    """
    try:
        made: redis.Redis = redis.Redis.from_url(
            address,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
    except ValueError as error:
        raise ValueError(f"redis_url must be an address such as redis://host:6379/0: {error}") from None
    return made


def answers(address: str, timeout_s: float = 5.0) -> bool:
    """Whether the Redis at the address answers PING."""
    with client(address, timeout_s) as asked:
        try:
            return bool(asked.ping())
        except (redis.RedisError, OSError):
            return False


class RedisConnection:
    """One connection with its circuit breaker, for as long as the process that asks; threads may share it.

    ``address`` is asked for before each connection, so that a Redis that was started anew elsewhere is met again.
    """

    def __init__(
        self,
        address: Callable[[], str],
        *,
        timeout_s: float = TIMEOUT_S,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address, self._timeout_s, self._rest_s, self._clock = address, timeout_s, rest_s, clock
        self._client: redis.Redis | None = None
        self._away_since: float | None = None
        self._rests_until = 0.0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Settings) -> RedisConnection:
        """The connection to the Redis that the settings name."""
        return cls(settings.redis_address)

    def ask(self, question: Callable[[redis.Redis], T], otherwise: T) -> T:
        """The answer to ``question``; ``otherwise``, without waiting, while Redis is away. Never raises for Redis."""
        if not self._may_try():
            return otherwise
        try:
            answer = question(self._connected())
        except (redis.RedisError, OSError) as error:
            self._failed(error)
            return otherwise
        self._succeeded()
        return answer

    def close(self) -> None:
        """Leave Redis; the next question connects anew."""
        made, self._client = self._client, None
        if made is not None:
            made.close()

    def _may_try(self) -> bool:
        """True while the breaker is closed, and once after each rest."""
        with self._lock:
            if self._away_since is None:
                return True
            now = self._clock()
            if now < self._rests_until:
                return False
            self._rests_until = now + self._rest_s
            return True

    def _connected(self) -> redis.Redis:
        if self._client is None:
            try:
                self._client = client(self._address(), self._timeout_s)
            except (LookupError, ValueError) as error:  # no address is set and none runs, or it is no address
                raise redis.ConnectionError(str(error)) from error
        return self._client

    def _failed(self, error: Exception) -> None:
        with self._lock:
            now = self._clock()
            begins, self._rests_until = self._away_since is None, now + self._rest_s
            self._away_since = now if begins else self._away_since
            self.close()
        if begins:
            log.warning("Redis is away: %s; the stream continues: %s", MISSED_MEANWHILE, error)

    def _succeeded(self) -> None:
        with self._lock:
            away_since, self._away_since = self._away_since, None
        if away_since is not None:
            log.warning("Redis is back after %.0f s", self._clock() - away_since)
