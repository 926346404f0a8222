# make run | make test | make check        PORT=8501 CITY=demo SCENARIO= SPEED=1 WALL=
PYTHON ?= python3
PORT ?= 8501
export CITY ?= demo

VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/ready-run
DEV_READY := $(VENV)/ready-dev

.PHONY: run test check format browser clean

run: $(RUN_READY)
	$(BIN)/streamlit run dashboard.py --server.port $(PORT) $(if $(WALL),-- $(WALL))

test: $(DEV_READY) browser
	$(BIN)/python -m pytest -q

check: $(DEV_READY) browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q

format: $(DEV_READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser: $(DEV_READY)
	@$(BIN)/python tests/browser/provide.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than 3.11: install Python 3.11 or newer, or say which: make PYTHON=python3.12 run" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment: install it first (Debian: apt-get install python3-venv)" >&2; exit 2; }

$(RUN_READY): $(VENV)/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV_READY): $(VENV)/bin/python requirements.txt requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(RUN_READY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
