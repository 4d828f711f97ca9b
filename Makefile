# The two commands that matter: `make run` and `make test`. Everything else is made on the way.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= ../shared

.PHONY: run test app check bench format clean

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $$(command -v $(PYTHON) || command -v python3) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

run: $(STAMP)  ## review a sample note with its claim
	$(BIN)/chartproof review sample_notes/knee-osteoarthritis/note.txt --claim sample_notes/knee-osteoarthritis/claim.json
	@echo
	@echo "The workbench in the browser: make app"

test: $(STAMP)  ## run the tests
	$(BIN)/python -m pytest

app: $(STAMP)  ## open the workbench on 127.0.0.1
	$(BIN)/chartproof app

check: $(STAMP)  ## format, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_imports.py

bench: $(STAMP)  ## accuracy, speed, memory and growth; DATA names the folder with the labelled data
	$(BIN)/python -m benchmarks $(DATA)

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
