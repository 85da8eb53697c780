# Two commands for a newcomer: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test suite check docs benchmarks clean

demo: $(VENV)/.demo                ## install, run the main job on real mails, open the report
	$(BIN)/labelmill demo

test: $(VENV)/.browser             ## install what tests need, check and test side by side
	$(MAKE) --jobs=2 check suite

suite: $(VENV)/.browser
	$(BIN)/python -m pytest -n 3

check: $(VENV)/.test               ## style, types, floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs                ## the documentation, into site/
	$(BIN)/mkdocs build --strict

benchmarks: $(VENV)/.test          ## both sides in one run, into benchmarks/RESULTS.md (an hour; not in CI)
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) site dist

$(VENV)/bin/python:
	PYTHON=$(PYTHON) sh scripts/make_venv.sh $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]'
	touch $@ $(VENV)/.demo

$(VENV)/.browser: $(VENV)/.test scripts/install_browser.sh
	sh scripts/install_browser.sh $(BIN)
	touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@
