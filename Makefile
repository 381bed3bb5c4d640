# Every target works as the first command after a clone: Python 3.11+ and make are enough.
PYTHON ?= python3
BIN    := .venv/bin
SEEN   := .venv/.installed
# Two processes, a file of tests at a time: most tests wait, and what a file has set up is set up once.
BOTH   := --numprocesses 2 --dist loadfile

.PHONY: install demo test check format integration bench native engine fuzz soak reliability lock clean

install: $(SEEN)

$(SEEN): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: install
	$(BIN)/joingate demo

test: install
	$(BIN)/pytest $(BOTH) -m "not integration"

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tests/coverage_by_file.py
	$(BIN)/pytest $(BOTH) -m "not integration" $$($(BIN)/python tests/coverage_by_file.py --ignored)

# What needs real servers or a browser; installs Debian's packages where it may, and fails without them.
integration: install
	tests/integration/install.sh
	$(BIN)/pytest $(BOTH) -m integration tests/integration

# QUICK=1 for a look of two minutes; RESULTS=FOLDER keeps what was measured, a table and plots.
bench: install
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(RESULTS),--results $(RESULTS))

# The path of a join compiled into build/native, for PYTHONPATH: by mypyc, and over sockets of our own in C; and the
# gate's own tests run with it.
native: install
	$(BIN)/python deploy/native/compile.py build/native
	PYTHONPATH=build/native $(BIN)/pytest $(BOTH) -m "not integration and not interpreted" tests/native \
		tests/test_guarantees.py $(wildcard tests/edges/test_gate_*.py) $(wildcard tests/edges/test_serve_*.py)

# The sockets in C alone, into build/engine, under the same source as ever: what CI has the time for.
engine: install
	$(BIN)/python deploy/native/compile.py --engine build/engine
	PYTHONPATH=build/engine $(BIN)/pytest $(BOTH) -m "not integration" tests/native \
		$(wildcard tests/edges/test_gate_*.py)

# Random and damaged input to everything that parses; SECONDS_EACH=600 for a long run.
fuzz: install
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS_EACH),60)

# Mixed load, changes and faults against a serving gate, every answer held against the core; prints what was lost.
# STEADY=1 for constant load alone; SEED=N for another run; REPORT=FILE and SERIES=FILE.json keep what was seen.
soak: install
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) --seed $(or $(SEED),0) $(if $(STEADY),--steady) \
		$(if $(REPORT),--report $(REPORT)) $(if $(SERIES),--series $(SERIES))

# Faults and hostile clients, many times each, and docs/reliability.md written anew from what happened.
reliability: install
	$(BIN)/python -m tests.reliability

# uv resolves for every platform at once; pip, with hashes, is what installs.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml
lock:
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --output-file requirements-dev.lock
	$(LOCK) --group integration --output-file tests/integration/requirements.lock

clean:
	rm -rf .venv build .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
