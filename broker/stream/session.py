"""The Spark session: settings of the engine, with the reason beside each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from broker.local import java_home
from broker.settings import Settings
from schemas import compiled_code

if TYPE_CHECKING:
    import pyarrow as pa

MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "268435456",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
}
"""glibc gives freed arrays back to the system, only to ask again; keeping them saves workers a tenth of their time."""

FEW_CORES = "-XX:TieredStopAtLevel=1"
"""Java's quick compiler alone: the thorough one takes whole cores in the first minutes, for a JVM that only passes rows
on. The job is ready seconds earlier, and an alert costs the JVM no more."""

CHECKPOINT_FILES = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
"""Spark's default sets the permissions of every checkpoint file, for which Hadoop starts a shell: a tenth of a second
each, twice a micro-batch. This one writes under another name and renames as well, and starts nothing."""

WARM_MODEL = "GUESTSTAR_WARM_MODEL"
"""Variable that tells worker daemons which bundle to load before they fork."""

LOG_FILE = Path("logs") / "job.log"
"""In the home: what the Java side and the workers say."""


def session(settings: Settings, warm_model: str = "") -> SparkSession:
    """A session on ``settings.spark_master``, or on what spark-submit gives where that started this process.

    Java's and the workers' messages go to <home>/logs/job.log, except under spark-submit, which has its own place.
    """
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    export(settings)
    os.environ.update(_worker_environment(warm_model))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else workers take another Python
    conf = _configuration(settings, warm_model)
    if submitted:
        return SparkSession.builder.config(conf=conf).getOrCreate()
    conf.setMaster(settings.spark_master).set("spark.driver.memory", f"{settings.spark_driver_memory_gib}g")
    if settings.spark_master.startswith("local"):
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        conf.set("spark.ui.enabled", "false")
        conf.set("spark.driver.extraJavaOptions", FEW_CORES)
    os.environ["JAVA_HOME"] = str(java_home(settings.home))
    log_file = settings.home / LOG_FILE
    log_file.parent.mkdir(parents=True, exist_ok=True)
    print("starting Spark …", file=sys.stderr, flush=True)
    with log_file.open("ab") as log:
        # A session of its own: Ctrl-C and signals to the group are for this process alone, which finishes the batch.
        gateway = launch_gateway(conf, popen_kwargs={"stdout": log, "stderr": log, "start_new_session": True})
    SparkContext(conf=conf, gateway=gateway)
    return SparkSession.builder.getOrCreate()


def warm_workers(spark: SparkSession) -> None:
    """Start a Python worker for each core, and with the first the process that they are forked from.

    Beside the planning of the first batch, which keeps one core busy: else the batch would wait for them.
    """
    cores = spark.sparkContext.defaultParallelism
    with suppress(Exception):  # a job that is stopped meanwhile; the first batch starts what is missing
        spark.range(0, cores, numPartitions=cores).mapInArrow(_same, "id long").collect()


def _same(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return batches


def export(settings: Settings) -> None:
    """Put what was set into the environment, where the processes of Spark find it: its options are seen in plans."""
    os.environ.update(settings.variables())
    compiled_code.use_cache(settings.home / "cache" / "numba")


def _configuration(settings: Settings, warm_model: str) -> SparkConf:
    conf = SparkConf().setAppName("gueststar")
    conf.set("spark.python.daemon.module", "broker.stream.worker_daemon")  # workers fork warm
    conf.set("spark.sql.streaming.checkpointFileManagerClass", CHECKPOINT_FILES)
    conf.set("spark.sql.streaming.noDataMicroBatches.enabled", "false")  # the job keeps no state that needs them
    conf.set("spark.sql.streaming.numRecentProgressUpdates", "2")  # progress goes to the listener
    conf.set("spark.sql.pyspark.jvmStacktrace.enabled", "true")  # there stands the Python error behind a failure
    conf.set("spark.ui.showConsoleProgress", "false")
    for name, value in (_executor_environment() | _worker_environment(warm_model)).items():
        conf.set(f"spark.executorEnv.{name}", value)
    return conf


def _worker_environment(warm_model: str) -> dict[str, str]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**MALLOC, **one_thread, WARM_MODEL: warm_model}  # one task a core: more threads only get in their way


def _executor_environment() -> dict[str, str]:
    """The settings for executors on other machines, without secrets: Spark shows its configuration.

    Give executors GUESTSTAR_KAFKA_PASSWORD in their own environment, as from a Kubernetes secret
    (spark.kubernetes.executor.secretKeyRef.GUESTSTAR_KAFKA_PASSWORD).
    """
    secret = {
        f"GUESTSTAR_{name.upper()}" for name, field in Settings.model_fields.items() if field.annotation is SecretStr
    }
    secret |= {"GUESTSTAR_REDIS_URL"}  # its address may hold a password
    names = [name for name in os.environ if name.startswith("GUESTSTAR_") or name == compiled_code.VARIABLE]
    return {name: os.environ[name] for name in names if name not in secret}
