# Two commands for a newcomer, `make demo` and `make test`; the rest is for those who work on the package.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test check clients older lowest benchmarks e2e-servers clean

demo: $(BIN)/.demo ## a small agent, traced: no key, no server
	$(BIN)/python examples/quickstart.py

test: $(BIN)/.test ## every test
	$(BIN)/python -m pytest --cov

check: $(BIN)/.check ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(BIN)/.demo: $(BIN)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e . "openai>=1.60"
	touch $@

# --group needs a pip of 2025 or later; the one that comes with Python 3.11 is older.
$(BIN)/.pip: $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	touch $@

# TaskWeaver is on no package index, and its version wants the variable. Its tests skip where it cannot be had.
$(BIN)/.test: $(BIN)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet -e . --group test
	BUILD_SOURCEBRANCHNAME=main $(BIN)/python -m pip install --quiet --group test --group taskweaver || echo "TaskWeaver could not be installed: its tests skip"
	touch $@

$(BIN)/.check: $(BIN)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet -e . --group check
	touch $@

clients: ## the tests of the clients that make test leaves out: many, or not to be had beside the newest openai
	$(PYTHON) tests/clients/environments.py

older: ## the tests of openai 1 and 2, anthropic 0 and 1, google-genai 1 and 2, together 1
	$(PYTHON) tests/clients/environments.py older

lowest: ## the tests with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	.venv-lowest/bin/python -m pip install --quiet -e . --group lowest --constraint tests/lowest.txt
	.venv-lowest/bin/python -m pytest

benchmarks: $(BIN)/.test ## ratios against a raw OpenTelemetry span
	$(BIN)/python -m benchmarks

e2e-servers: ## a real Collector and a real Jaeger, built from the Go module registry and cached
	$(PYTHON) tests/e2e/install_servers.py

clean:
	rm -rf $(VENV) .venv-* .coverage* .mypy_cache .ruff_cache .pytest_cache
