"""Every module has a test file of its name, is imported by a test, or is named here with the tests that hold it."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.documentation import ROOT

ROOMS = ("schemas", "features", "models", "active_learning", "broker")

ELSEWHERE = {
    # modules: the test that holds them, which reaches them through the call that users make
    "active_learning.discoveries": "tests/streaming/test_novelty.py",
    "active_learning.web.*": "tests/web/test_page_security.py",
    "broker.bench.*": "tests/streaming/test_bench_stream.py",
    "broker.commands.*": "tests/unit/test_documentation.py",
    "broker.commands.re[qt]*": "tests/streaming/test_label_loop.py",
    "broker.commands.run": "tests/streaming/test_job.py",
    "broker.demo.*": "tests/end_to_end/test_demo.py",
    "broker.filters.*": "tests/unit/broker/filters/test_expression.py",
    "broker.kafka.diagnosis": "tests/unit/broker/kafka/test_errors.py",
    "broker.kafka.subscription": "tests/streaming/test_listen.py",
    "broker.kafka_security": "tests/unit/broker/test_settings.py",
    "broker.setting_kinds": "tests/unit/broker/test_settings.py",
    "broker.local.*_server": "tests/streaming/test_services.py",
    "broker.operate.discoveries": "tests/streaming/test_novelty.py",
    "broker.operate.dead_letters": "tests/streaming/test_deadletters.py",
    "broker.stream.delivered": "tests/streaming/test_sink.py",
    "broker.stream.output": "tests/streaming/test_sink.py",
    "broker.stream.pinned_model": "tests/streaming/test_source.py",
    "broker.stream.query": "tests/streaming/test_job.py",
    "broker.stream.rescoring": "tests/streaming/test_job.py",
    "broker.stream.warm_up": "tests/conftest.py",
    "broker.stream.worker_daemon": "tests/streaming/test_job.py",
    "features.band_moments": "tests/unit/features/test_constant.py",
    "features.colour": "tests/unit/features/test_blocks.py",
    "features.detections": "tests/unit/features/test_blocks.py",
    "features.mean_flux": "tests/reference/test_gaussian_process.py",
    "features.process": "tests/unit/features/test_blocks.py",
    "features.rounding": "tests/unit/features/test_constant.py",
    "features.smoother": "tests/reference/test_gaussian_process.py",
    "features.statistics": "tests/reference/test_features_light_curve.py",
    "features.variability": "tests/unit/features/test_blocks.py",
    "models.datasets.check": "tests/unit/models/datasets/test_data_command.py",
    "models.datasets.checked": "tests/unit/models/datasets/test_bts.py",
    "models.datasets.plasticc_points": "tests/unit/models/datasets/test_plasticc.py",
    "models.datasets.sexagesimal": "tests/unit/models/datasets/test_bts.py",
    "models.datasets.snana_objects": "tests/unit/models/datasets/test_snana.py",
    "models.datasets.*table*": "tests/unit/models/datasets/test_table_round_trip.py",
    "models.datasets.astropy_meta": "tests/unit/models/datasets/test_table_round_trip.py",
    "models.evaluation.*": "tests/unit/models/evaluation/test_figures_of_merit.py",
    "models.progress": "tests/unit/models/suites/test_suites.py",
    "models.scoring.*": "tests/contracts/test_classifiers.py",
    "models.suites.*": "tests/unit/models/suites/test_suites.py",
    "models.training.*": "tests/unit/models/training/test_train.py",
    "schemas.avro_walk": "tests/contracts/test_packet_values.py",
    "schemas.container": "tests/unit/schemas/test_avro_runs.py",
    "schemas.counts": "tests/unit/test_examples.py",
    "schemas.packet_reader": "tests/contracts/test_packet_readers.py",
    "schemas.packet_tables": "tests/unit/schemas/test_files.py",
    "schemas.surroundings": "tests/contracts/test_packet_surroundings.py",
}


def modules() -> list[str]:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")) if file.name != "__init__.py"]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]


def imported_by(file: Path) -> set[str]:
    """Dotted names that a test imports: modules, and what is taken from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.fixture(scope="module")
def reached() -> set[str]:
    """Modules that some test imports, or that have a test file of their name."""
    tests = sorted((ROOT / "tests").rglob("*.py"))
    names = {file.stem.removeprefix("test_") for file in tests if file.name.startswith("test_")}
    imported = set().union(*(imported_by(file) for file in tests))
    return {module for module in modules() if module in imported or module.rpartition(".")[2] in names}


def test_every_module_has_a_test_or_a_reason(reached: set[str]) -> None:
    rest = [module for module in modules() if module not in reached]
    untested = [module for module in rest if not any(fnmatch(module, pattern) for pattern in ELSEWHERE)]
    assert not untested, "write a test of that name, or tell here which test holds it"


def test_what_is_said_to_hold_them_exists(reached: set[str]) -> None:
    for pattern, file in ELSEWHERE.items():
        assert (ROOT / file).is_file(), file
        assert any(fnmatch(module, pattern) for module in modules() if module not in reached), (
            f"{pattern} is not needed"
        )
