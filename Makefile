# The front door. Needs Linux, make and Python 3.11 or newer (another than python3: make PYTHON=/path/to/python3).
# Everything is installed below this folder: .venv, and .uv for the installer.

PYTHON ?= python3

.PHONY: help install test fuzz lint demo model lock kafka-jars clean

help:
	@echo "make install     a virtual environment in .venv, from requirements.lock"
	@echo "make demo        the whole broker at work on this machine (ARGS='--objects 500 --exit')"
	@echo "make test        all tests, against a real Kafka, Spark, Redis and Chromium (ARGS=tests/unit)"
	@echo "make fuzz        1,000,000 damaged packets and 20,000 files of each kind through the readers (ARGS='--kind tables')"
	@echo "make lint        ruff, mypy, the direction of imports, the house's own rules"
	@echo "make model       the model that ships anew, from public data, and its card"
	@echo "make lock        requirements.lock anew from pyproject.toml (ARGS=--upgrade)"
	@echo "make kafka-jars  deploy/kafka-jars.sha256 anew from deploy/ivy.xml"
	@echo "make clean       remove what the others made in this folder"

install:
	@$(PYTHON) deploy/install.py

demo: install
	@.venv/bin/gueststar demo $(ARGS)

test: install
	@deploy/install_chromium.sh
	@.venv/bin/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder $(ARGS)

fuzz: install
	@.venv/bin/python -m tests.fuzz $(ARGS)

lint: install
	@.venv/bin/ruff check --quiet --output-format concise .
	@.venv/bin/ruff format --quiet --check . || { .venv/bin/ruff format --check .; false; }
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/python tests/lint/house_rules.py

model: install
	@.venv/bin/gueststar train --data plasticc --copies 2 --donors plasticc-test --out models/bundle_of_plasticc $(ARGS)
	@.venv/bin/gueststar models card shipped --out docs/model-card.md

lock:
	@$(PYTHON) deploy/install.py uv
	@.uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--group dev pyproject.toml -o requirements.lock $(ARGS)

kafka-jars: install
	@.venv/bin/python deploy/pin_kafka_jars.py

clean:
	rm -rf .venv .uv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
