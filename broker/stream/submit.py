"""What spark-submit is given: ``spark-submit --master spark://… broker/stream/submit.py [--available-now]``.

The settings are GUESTSTAR_… variables or lie in gueststar.toml; every machine sees the home at the same path.
"""

from __future__ import annotations

import json
import sys

from broker.settings import Settings
from broker.stream import job


def main() -> int:
    """Run with the settings of the environment, with ``--available-now`` or nothing."""
    try:
        totals = job.run(Settings(), available_now="--available-now" in sys.argv[1:])
        print(json.dumps(totals))
    except (RuntimeError, LookupError, OSError, ValueError) as error:
        print(f"gueststar: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
