# make run | make test | make check | make wheelhouse        PORT=8501 CITY=demo SCENARIO= SPEED=1 WALL=
PYTHON ?= python3
PORT ?= 8501
export CITY ?= demo

VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/ready-run
DEV_READY := $(VENV)/ready-dev
ALONE := tests/browser tests/offline
# Where a packed wheelhouse lies, what `make run` needs comes from there and nothing is fetched.
PACKED := $(wildcard wheelhouse/packed)
FROM := $(if $(PACKED),--no-index --find-links wheelhouse)

.PHONY: run install test check format browser wheelhouse clean

run: install
	$(BIN)/streamlit run dashboard.py --server.port $(PORT) $(if $(WALL),-- $(WALL))

install: $(RUN_READY)

# All that a machine without internet needs, for this Python and this kind of processor: a folder, and one file to carry.
wheelhouse: $(VENV)/bin/python
	@rm -rf wheelhouse city-offline.tar
	@$(MAKE) --no-print-directory wheelhouse/packed
	@if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then \
	  git ls-files -z --cached --others --exclude-standard | \
	    tar --null --transform 's,^,city/,' -cf city-offline.tar -T - wheelhouse && \
	  echo "city-offline.tar holds this folder and its wheelhouse: unpack it there, then make run"; \
	else echo "carry this whole folder there, with wheelhouse/, then make run"; fi

wheelhouse/packed $(VENV)/wheelhouse/packed: $(VENV)/bin/python requirements.txt
	@rm -rf $(@D)
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --wheel-dir $(@D) -r requirements.txt
	@$(BIN)/python -c 'import platform as p; print("Python", ".".join(p.python_version_tuple()[:2]), "on", p.machine())' > $@

# Browsers and servers want the machine for themselves; all other tests share its cores. Both are run, whatever the first says.
test: $(DEV_READY) browser $(VENV)/wheelhouse/packed
	$(BIN)/python -m pytest -q -n auto --dist loadfile $(addprefix --ignore=,$(ALONE)); said=$$?; \
	$(BIN)/python -m pytest -q $(ALONE) && exit $$said

check: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(MAKE) --no-print-directory test

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
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(FROM) -r requirements.txt || \
	  { test -z "$(PACKED)" || echo "error: wheelhouse/ was packed for $$(cat wheelhouse/packed) and holds not all that" \
	  "requirements.txt asks for $$($(BIN)/python -V) on $$(uname -m): pack it anew, or remove the folder to fetch" >&2; exit 2; }
	@touch $@

$(DEV_READY): $(VENV)/bin/python requirements.txt requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(RUN_READY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
