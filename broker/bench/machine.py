"""What a measurement was made on."""

from __future__ import annotations

import ctypes
import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from broker.stream.session import MALLOC

PACKAGES = ("numpy", "numba", "scikit-learn", "george", "fastavro", "pyspark", "confluent-kafka", "pyarrow")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Names of <malloc.h>."""


def machine() -> dict[str, str | int | float]:
    """Processor, cores this process may use, memory in GiB, load before the measurement, system and Python."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Versions of the packages that do the work, ours or the peers'."""
    return {"gueststar": version("gueststar"), **{name: version(name) for name in PACKAGES}}


def allocate_as_workers_do() -> None:
    """Keep freed arrays in this process, as the streaming job's workers do by their environment (glibc alone can)."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, int(MALLOC["MALLOC_MMAP_THRESHOLD_"]))
        libc.mallopt(_M_TRIM_THRESHOLD, int(MALLOC["MALLOC_TRIM_THRESHOLD_"]))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
