# `make help` lists the targets. They need only Python 3.11 or newer: the first target that needs the environment
# `.venv` creates it from the hash-locked requirements.

PORT ?= 8000
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
BIN := .venv/bin
SOURCES := ugly_mugs reporting alerts tests wsgi.py deploy
# Test processes: more than two cores, because the tests of running processes mostly wait.
WORKERS ?= 5
# Without compiled files each process of a test run compiles the project and all tests anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: run install test shuffle bench setup format lint types check demo worker soak house pictures migration upgrade lock help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.made ## try it out: web, worker and sandbox with invented data, on PORT (8000), PORT+1 and PORT+2
	@exec $(BIN)/python -m ugly_mugs.operations.launcher run --port $(PORT)

demo: .venv/.made ## invent the demo data anew; everything typed into the try-out is gone
	@exec $(BIN)/python -m ugly_mugs.operations.launcher demo --port $(PORT)

worker: .venv/.made ## one more worker, beside those of `make run`
	@exec $(BIN)/python -m ugly_mugs.operations.launcher flask --port $(PORT) -- worker

upgrade: .venv/.made ## bring the database up to date
	@exec $(BIN)/python -m ugly_mugs.operations.launcher flask --port $(PORT) -- db upgrade

install: .venv/.made ## what the service needs, and no more: for a server

setup: .venv/.made-dev ## the environment for working on this

test: .venv/.made-dev ## every test, on SQLite and on a PostgreSQL of its own
	$(BIN)/python -m pytest -n $(WORKERS) --durations=20

shuffle: .venv/.made-dev ## every test in three random orders, then on busy cores; SEEDS="1 2 3" repeats orders
	$(BIN)/python -m tests.shuffle --workers $(WORKERS) $(SEEDS)

bench: .venv/.made-dev ## how fast it is, each figure beside its bar
	$(BIN)/python -m tests.benchmarks

soak: .venv/.made-dev ## many people for many minutes (MINUTES=10), while memory and losses are watched
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10)

house: .venv/.made-dev ## the rooms of the code and their imports, drawn anew in docs/pictures/house.svg
	$(BIN)/python -m tests.rules.house

pictures: .venv/.made-dev ## the main pages, light and dark, as pictures in build/pictures
	$(BIN)/python -m tests.journeys.pictures

format: .venv/.made-dev ## lay the code out
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix-only --select I $(SOURCES)

lint: .venv/.made-dev ## layout, habits, import rules, known dangers
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml ugly_mugs reporting alerts wsgi.py

types: .venv/.made-dev ## mypy, strictly
	$(BIN)/mypy

check: lint types ## everything that can be said without running the code
	@mkdir -p build
	$(BIN)/pybabel --quiet extract --keyword lazy_gettext --mapping-file babel.cfg --output-file build/messages.pot .

migration: .venv/.made-dev ## a new step of the database's shape: make migration NAME="what changes"
	@test -n "$(NAME)" || { echo 'Say what changes: make migration NAME="what changes"'; exit 2; }
	@mkdir -p build && rm -f build/migration.sqlite3
	@export UGLY_MUGS_DATABASE_URL=sqlite:///$(CURDIR)/build/migration.sqlite3 UGLY_MUGS_KEYS_DIR=build/keys && \
		number=$$(printf '%04d' $$(( $$(ls ugly_mugs/migrations/versions/*.py 2>/dev/null | wc -l) + 1 ))) && \
		$(BIN)/python -m flask db upgrade && \
		$(BIN)/python -m flask db migrate --message "$(NAME)" --rev-id $$number
	$(BIN)/python -m tests.rules.columns

lock: .venv/.made-dev ## renew the hash locks from pyproject.toml
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate --no-dev -o requirements.txt
	$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-annotate -o requirements-dev.txt

# An incomplete environment, or one whose Python does not run, is deleted and created again.
.venv/.made: requirements.txt
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed, and none was found.'; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		rm -rf .venv && echo 'Making the environment .venv …' && $(PYTHON) -m venv .venv || { \
		echo 'python3 -m venv does not work here. On Debian and Ubuntu: apt install python3-venv'; exit 1; }; }
	@echo 'Installing what the service needs …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/.made-dev: requirements-dev.txt .venv/.made
	@echo 'Installing what working on it needs …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
