# The project's commands. `make` alone explains them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
VAR ?= var
PYTEST_ARGS ?=
# `make mutate MODULES="safety/derive" TESTS="tests/test_derive.py"` changes some modules only and runs some tests only;
# with DATABASE=1 tests that need a database judge as well, so name the few that touch the module.
MODULES ?=
TESTS ?=
MUTATED := safety/rules safety/eligibility safety/derive safety/derived safety/grading safety/calendar.py \
	safety/clocks.py safety/stopping.py safety/milestones.py trial/dates.py trial/units.py visits/calc.py \
	visits/conditions.py visits/ranges.py visits/schedule.py visits/timepoints.py dosing/arithmetic.py dosing/levels.py
BENCH_ARGS ?=

PY := .venv/bin/python
WITH := $(PY) -m launch with --var

# uv is quicker, and used when somebody has it; pip does the same with the same hashes.
INSTALL = if command -v uv >/dev/null; then uv pip install -q --python $(PY) --require-hashes --only-binary :all: -r $(1); \
	else $(PY) -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r $(1); fi

.PHONY: help run test lint types bench axe mutate files drill lock clean chromium

help: ## explain these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

run: .venv/.run ## start the study on this machine, demo data included (PORT=8000 VAR=var)
	@$(PY) -m launch run --port $(PORT) --var $(VAR) || test $$? -eq 130  # Ctrl-C is how it ends

test: .venv/.dev chromium ## run all tests (PYTEST_ARGS="-k word")
	@EDC_ENV=test $(if $(PYTEST_ARGS),$(WITH) var/test -- $(PY) -m pytest -q -m "not drill" $(PYTEST_ARGS),$(PY) -m tests.in_two)

lint: .venv/.dev ## check style, format and the order of imports
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports

types: .venv/.dev ## check the types
	@EDC_ENV=test $(PY) -m mypy

bench: .venv/.dev ## measure speed on a server of its own
	@$(WITH) var/bench -- $(PY) -m bench $(BENCH_ARGS)

files: .venv/.dev ## import every row of the third-party vital signs, check 50 MB, print the figures (slow)
	@EDC_ENV=test EDC_FULL_FILES=1 $(WITH) var/test -- $(PY) -m pytest tests/test_files_vs_raw.py -q -s --timeout=3000

axe: .venv/.dev chromium ## walk every kind of page with axe, both languages, light and dark, wide and narrow (slow)
	@EDC_ENV=test $(WITH) var/test -- $(PY) -m pytest tests/test_accessible.py tests/test_review_browser.py -q -m drill $(PYTEST_ARGS)

mutate: .venv/.dev ## change one sign of a rule or derivation at a time and see whether a test notices (slow)
	@EDC_ENV=test nice $(if $(DATABASE),$(WITH) var/test --) $(PY) -m pytest -q -p tests.mutation.plugin \
		-p no:cacheprovider -o timeout=0 $(if $(DATABASE),--mutate-database --mutate-at-once 1) \
		$(if $(MODULES),$(MODULES:%=--mutate %),$(MUTATED:%=--mutate %)) $(PYTEST_ARGS) \
		$(if $(TESTS),$(TESTS),tests --ignore tests/drills --ignore tests/test_launch.py --ignore-glob "*browser*")

drill: .venv/.dev ## kill servers and workers in mid-work and count what is lost (slow)
	@EDC_ENV=test $(WITH) var/drill -- $(PY) -m pytest tests/drills -q -m drill $(PYTEST_ARGS)

lock: .venv/.run ## write the locks anew from pyproject.toml (UPGRADE=--upgrade takes newer releases)
	@test -x var/uv/bin/uv || { $(PY) -m venv var/uv; var/uv/bin/pip install -q uv; }
	@compile() { env -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_FIND_LINKS \
		var/uv/bin/uv pip compile pyproject.toml "$$@" -q --no-config --python-version 3.11 --universal \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
		--custom-compile-command "make lock" $(UPGRADE); }; \
	compile -o requirements.txt; compile --group dev -c requirements.txt -o requirements-dev.txt

clean: ## remove what can be made again; the study's data under var/ stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		var/static var/test var/bench var/drill var/uv
	@find . -path ./var -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

.venv/bin/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; } || \
		{ echo "Python's venv module is missing; install it: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

# One stamp per lock: installed again when the lock changes. The development lock holds the other one.
.venv/.run: requirements.txt | .venv/bin/python
	@echo "Installing what the study is built on (about half a minute) ..." >&2
	@$(call INSTALL,requirements.txt)
	@touch $@

.venv/.dev: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "Installing what the study is built and tested with (about half a minute) ..." >&2
	@$(call INSTALL,requirements-dev.txt)
	@touch .venv/.run $@

chromium:
	@test -x /usr/bin/chromium || \
		{ test "$$(id -u)" = 0 && echo "Installing Chromium for the browser tests ..." >&2 && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk \
		>/dev/null; } || \
		echo "The browser tests need Chromium: sudo apt-get install chromium fonts-noto-cjk" >&2
