# Two commands matter: `make run` and `make test`. Both make what they need.

BIN = .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTHON = $(BIN)/python
# Not all modules are compiled: half of the time of an installation, for many that never run.
INSTALL = $(PYTHON) -m pip install -qq --disable-pip-version-check --no-compile \
	--constraint constraints.txt
# One process per core; every process computes on one thread.
PYTEST_ARGS ?= --numprocesses=auto
# PyQt5 has no wheel for Linux on ARM: there the library is installed alone.
APP = $(if $(filter Linux-aarch64,$(shell uname -sm | tr ' ' -)),,app)
FORMS = $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
# For how long `make fuzz` begins new rounds.
MINUTES ?= 10
# How often `make kills` kills and cuts the power, and for how long `make soak` watches.
KILLS ?= 1000
CUTS ?= 200
# How many gestures `make gestures` makes.
STEPS ?= 10000
# How many small changes `make mutants` makes (0: all there are), and which.
MUTANTS ?= 120
SEED ?= 0
HOURS ?= 8

.DEFAULT_GOAL := help
.PHONY: help run test docs bundle bare coverage mutants fuzz kills gestures soak screenshots hooks format
.PHONY: constraints clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv/.installed ## open the application; without a display, track the demo clip headless
	@if [ -z "$$CI" ] && { [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" != Linux ]; }; then \
		if [ "$$(uname)" = Linux ]; then .ci/system-packages qt || exit 1; fi; \
		$(BIN)/facetrack app; \
	else \
		$(BIN)/facetrack demo; \
	fi

test: .venv/.installed-for-tests ## run linters, types, import rules and all tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(wildcard .github/workflows/*.yml)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms $(FORMS)
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest $(PYTEST_ARGS)

docs: .venv/.installed-for-docs ## build the documentation's site: output/docs/docs/index.html
	$(PYTHON) -m sphinx -q -W -E -b html -c docs . output/docs

bundle: ## freeze everything into one program that needs no Python: dist/facetrack-*.tar.xz
	.ci/bundle/make

bare: ## time clone and wheel to the tracked demo on a bare Debian; as root, with debootstrap
	.ci/bare-debian

coverage: .venv/.installed-for-tests ## run all tests and print what no test runs
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest $(PYTEST_ARGS) \
		--cov --cov-report=term:skip-covered

# A run that was stopped goes on. Why a survivor may live stands in tests/mutants/survivors.toml.
mutants: .venv/.installed-for-tests ## change the method at random and see tests notice: make mutants MUTANTS=120
	mkdir -p output
	OMP_NUM_THREADS=1 $(PYTHON) -m benchmarks mutants --count $(MUTANTS) --seed $(SEED) \
		--json output/mutants.json

# Rounds with new damage each, until the time is over or something fails; with 8 GB of addresses.
fuzz: .venv/.installed-for-tests ## damage files and videos at random: make fuzz MINUTES=10
	ulimit -v 8000000; end=$$(($$(date +%s) + 60 * $(MINUTES))); \
	while [ $$(date +%s) -lt $$end ]; do \
		OMP_NUM_THREADS=1 $(PYTHON) -m pytest -q -m fuzz --hypothesis-profile=fuzz $(PYTEST_ARGS) \
			|| exit 1; \
	done

kills: .venv/.installed-for-tests ## kill the application and its disk at random: make kills KILLS=1000 CUTS=200
	OMP_NUM_THREADS=1 FACETRACK_KILLS=$(KILLS) FACETRACK_CUTS=$(CUTS) \
		$(PYTHON) -m pytest -q -n0 tests/app/services/test_durability.py

gestures: .venv/.installed-for-tests ## random gestures: whose a point is, tracking that overlaps: make gestures STEPS=10000
	OMP_NUM_THREADS=1 FACETRACK_STEPS=$(STEPS) $(PYTHON) -m pytest -q $(PYTEST_ARGS) \
		tests/app/views/test_truth.py tests/app/services/test_overlapping.py

soak: .venv/.installed-for-tests ## watch the synthetic camera for long: make soak HOURS=8
	OMP_NUM_THREADS=1 $(PYTHON) -m benchmarks application soak --minutes $$((60 * $(HOURS)))

screenshots: .venv/.installed-for-tests ## render pictures of the application: output/screenshots
	OMP_NUM_THREADS=1 $(PYTHON) docs/screenshots.py

hooks: .venv/.installed-for-tests ## have git run the linters before every commit
	$(BIN)/pre-commit install

format: .venv/.installed-for-tests ## repair and format the sources
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

constraints: .venv/.installed-for-tests ## resolve the newest versions into constraints.txt
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--all-extras --group dev --group bundle --strip-extras --no-emit-index-url --no-annotate \
		--custom-compile-command "make constraints" --output-file constraints.txt

clean: ## remove .venv, caches and what runs wrote
	rm -rf .venv .cache build dist output *.egg-info
	rm -rf .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps are written last: a run that was stopped is simply done again.
.venv/.installed: pyproject.toml constraints.txt
	@.ci/python-env
	@echo "installing Facetrack into .venv"
	@$(INSTALL) --editable '.[$(APP)]'
	@touch $@

.venv/.installed-for-tests: .venv/.installed
	@echo "installing what the tests need into .venv"
	@$(INSTALL) --editable '.[$(APP),cluster,train]' --group dev
	@touch $@

.venv/.installed-for-docs: .venv/.installed
	@echo "installing what the documentation needs into .venv"
	@$(INSTALL) --editable '.[$(APP)]' --group docs
	@touch $@
