"""Write kafka-jars.sha256 anew after a change of ivy.xml: ``make kafka-jars``. Read the difference before a commit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from broker.local.jars import CHECKSUMS, fetch, read_checksums, sha256_of
from broker.local.java import find_java
from broker.settings import Settings


def main() -> None:
    """Fetch the jars that ivy.xml names, and write down their sums as ``sha256sum`` would."""
    with tempfile.TemporaryDirectory() as folder:
        jars = Path(folder) / "jars"
        jars.mkdir()
        expected = len(read_checksums())
        fetch(jars, find_java().binary, Settings().ivy_settings, cache=Path(folder) / "cache", jars=expected)
        lines = [f"{sha256_of(jar)}  {jar.name}\n" for jar in sorted(jars.iterdir(), key=lambda jar: jar.name)]
    CHECKSUMS.write_text("".join(lines))
    print(f"{len(lines)} jars named in {CHECKSUMS}")


if __name__ == "__main__":
    main()
