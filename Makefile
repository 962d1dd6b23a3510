# Two commands for a newcomer, `make demo` and `make test`; the rest is for those who work on the package.
PYTHON ?= python3
VENV ?= .venv$(if $(filter-out python3 python,$(PYTHON)),-$(notdir $(PYTHON)))
BIN = $(VENV)/bin
# pyenv's shims start the versions that are chosen; its folder has the others.
INTERPRETER = $(shell $(PYTHON) -c "import sys; print(sys.executable)" 2>/dev/null || ls $(HOME)/.pyenv/versions/*/bin/$(PYTHON) 2>/dev/null | tail -n 1)
QUICK = tests/test_house.py tests/test_config.py tests/content tests/recording tests/tracing tests/wrapping tests/view \
	tests/clients/test_parts.py tests/clients/test_openai.py tests/clients/test_anthropic.py --ignore-glob=*/test_page*.py
ENVIRONMENTS = BESIDE="$(BESIDE)" $(INTERPRETER) -m tests.environments

# Where it is set, as in many containers, each Python that starts compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick shaken shuffled check fuzz soak bill mutants lock clients client-suites programs frameworks older pythons newest suites wheel lowest benchmarks agent-benchmark e2e-servers clean

demo: $(BIN)/.demo ## a small agent, traced: no key, no server
	$(BIN)/python examples/quickstart.py

# Four processes for two cores: many tests wait for processes, and for time that passes.
test: $(BIN)/.test ## every test
	$(BIN)/python -m pytest -p tests.processes --processes=4 --cov --cov-report=; tests=$$?; $(BIN)/coverage report && exit $$tests

quick: $(BIN)/.test ## what to run after each edit: under a minute, without servers, kernels, browsers and most clients
	$(BIN)/python -m pytest -q -p tests.processes --processes=3 $(QUICK)

shaken: $(BIN)/.test ## the tests that wait, twenty times in another order on a machine that is kept busy
	$(BIN)/python -m tests.shaken

shuffled: $(BIN)/.test ## every test alone, the last first, and in a random order whose seed is printed
	$(BIN)/python -m pytest -n 2 --dist worksteal -p tests.alone
	$(BIN)/python -m pytest -n 2 --dist worksteal --reverse
	$(BIN)/python -m pytest -n 2 --dist worksteal -p randomly

fuzz: $(BIN)/.test ## each property test, with EXAMPLES=1000 or a fixed part or multiple of them
	EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python -m pytest -q -n 2 --dist worksteal -m hypothesis --hypothesis-profile=fuzz

soak: $(BIN)/.test ## load, faults and kills together, and what became of each span: MINUTES=3, and as long again, by SEED=1
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),3) --seed $(or $(SEED),1)

mutants: $(BIN)/.test ## faults planted at random, and those that no test notices: N=60 of them, by SEED=1, in ROOM="export/" alone, EACH=1 of a line
	$(BIN)/python -m tests.mutants --number $(or $(N),60) --seed $(or $(SEED),1) --matching "$(MATCHING)" --room "$(ROOM)" $(if $(EACH),--each)

check: $(BIN)/.check ## lint, format, types, of the page's scripts too
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.page_tools

$(BIN)/.%: pyproject.toml locks/%.txt locks/test.txt locks/install.txt
	$(ENVIRONMENTS) install $(VENV) $*
	touch $@

bill: $(BIN)/.test ## for a release: what an installation brings, as CycloneDX, in dist/
	mkdir -p dist && $(BIN)/python -m tests.environments.bill > dist/agentops-otel-bridge.cdx.json

lock: $(BIN)/.test ## the versions that everything here installs, renewed
	$(BIN)/python -m tests.environments lock

clients: ## the tests of the clients that make test leaves out: many, or not to be had beside the newest openai
	$(ENVIRONMENTS) run clients litellm backends second

client-suites: $(BIN)/.test ## the test suites of clients themselves, without us and with us, test by test: NAMES="groq ollama" K="stream"
	$(BIN)/python -m tests.client_suites $(NAMES) $(if $(K),-k "$(K)")

programs: $(BIN)/.test ## programs that others have written, plain, under run and with init(): the newest releases, or NAMES="llm flask"
	$(BIN)/python -m tests.other_programs $(NAMES)

frameworks: ## the tests of the agent frameworks, in an environment each
	$(ENVIRONMENTS) run frameworks

older: ## the tests of openai 1 and 2, anthropic 0 and 1, google-genai 1 and 2, together 1
	$(ENVIRONMENTS) run older-1 older-2 older-together

pythons: ## the tests on every Python of this machine that we name, but those of BESIDE="3.11"
	$(ENVIRONMENTS) run pythons

newest: ## the tests with what the registry has today, and what in the vendors' surfaces nobody has decided on
	$(ENVIRONMENTS) run newest-test newest-clients newest-litellm

suites: ## all of these two at a time, then alone what failed; RUN=first or RUN=again for the one or the other
	$(ENVIRONMENTS) $(or $(RUN),run) clients pythons newest-test backends litellm second frameworks newest-clients newest-litellm

wheel: $(BIN)/.test ## the wheel alone, in an empty environment of each Python
	$(BIN)/python -m pytest -m wheel tests/test_wheel.py

lowest: ## the tests with the lowest versions that pyproject.toml allows
	$(ENVIRONMENTS) run lowest

benchmarks: $(BIN)/.test ## ratios against a raw OpenTelemetry span
	$(BIN)/python -m benchmarks

agent-benchmark: ## what a run of an agent costs with us, OpenInference and OpenLLMetry
	$(ENVIRONMENTS) install .venv-agent-benchmark agent-benchmark
	.venv-agent-benchmark/bin/python benchmarks/agent_step.py

e2e-servers: ## a real Collector and a real Jaeger, built from the Go module registry and cached; Chromium, axe-core
	$(INTERPRETER) -m tests.e2e.install_servers

clean:
	rm -rf $(VENV) .venv-* .coverage* .mypy_cache .ruff_cache .pytest_cache
