"""The process that Spark's Python workers are forked from (``spark.python.daemon.module``): it warms everything once.

A cold worker pays seconds for imports, compiled code and the first score; forked from here it pays nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time

import pyspark.daemon

# Every process that Spark plans with begins here: what takes time to import, only the warm one imports.

log = logging.getLogger(__name__)


def warm() -> None:
    """Import what workers use, load the scorer in production, and score one light curve."""
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401

    import broker.kafka.fetching  # noqa: F401  no client is made here: its threads would not survive the fork
    from broker.settings import Settings
    from broker.stream import warm_up
    from broker.stream.session import WARM_MODEL
    from broker.stream.worker import worker_of

    sha256 = os.environ.get(WARM_MODEL)
    if not sha256:
        return
    began = time.monotonic()
    warm_up.rows()
    worker_of(Settings().home).scorer(sha256).score(warm_up.packets())
    log.warning("worker daemon warmed the model %s in %.1f s", sha256[:16], time.monotonic() - began)


def main() -> None:
    """Warm up where workers that read and write come from (not planning processes), then do as Spark's own daemon."""
    if sys.argv[1:] == ["pyspark.worker"]:
        with contextlib.redirect_stdout(sys.stderr):  # Spark reads the port from standard output
            try:
                warm()
            except Exception:
                log.exception("the worker daemon could not warm up; its workers start cold")
    pyspark.daemon.manager()


if __name__ == "__main__":
    main()
