# The verbs of the project. Each works on a fresh machine: it sets up what it needs first.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# Compiled code is kept whatever the environment says: many processes are started, each would compile everything anew.
RUN := env PYTHONDONTWRITEBYTECODE= PYTHONPATH=.:worker_container .venv/bin/python
BIN := .venv/bin

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-zA-Z_-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Start here

.PHONY: setup
setup: ## Install everything into .venv and .venv-sam, and a Chromium where there is none
	@$(PYTHON) -m infra.local.setup

.PHONY: demo
demo: setup ## Crawl stores and play 30 nights (NIGHTS=N) against replicas, draw build/demo/index.html (KEEP=1 stays up)
	@$(RUN) -m infra.local.demo $(if $(NIGHTS),--nights $(NIGHTS)) $(if $(KEEP),--keep)

##@ Run

.PHONY: dev
dev: setup ## Keep the embedded stack up until Ctrl-C: Postgres, Redis, API, workers, janitor, Beat
	@exec $(RUN) -m infra.local dev

.PHONY: worker
worker: setup ## One more worker for the running stack (WORKER_QUEUES selects its queues)
	@exec $(RUN) -m infra.local worker

.PHONY: beat
beat: setup ## Beat alone, for the running stack
	@exec $(RUN) -m infra.local beat

.PHONY: flower
flower: setup ## The Celery monitor for the running stack, on port 5555
	@exec $(RUN) -m infra.local flower

.PHONY: nightly
nightly: setup ## One EventBridge event through the fan-out function (DATE=YYYY-MM-DD sets its KST date)
	@$(RUN) -m infra.local nightly $(if $(DATE),--date $(DATE))

##@ Prove

# What takes longest begins first, so that all processes end at about the same time.
TESTS := tests/acceptance tests/packaging tests/integration tests/contract tests/infrastructure tests/unit
# Most of the time of a test is waiting: three side by side on two cores, each process with servers of its own.
TEST_PROCESSES ?= 3

# Whole systems that lose parts of themselves, or are asked by many at once. They run after `make check` in CI.
LONG_TESTS := tests/acceptance/store_crawls tests/acceptance/site_crawls_survive tests/acceptance/site_crawls_shared

.PHONY: test
test: setup ## Run the tests against the real Postgres, Redis, Chromium and Lambda runtime (ONLY="paths" picks)
	@$(RUN) -m pytest -n $(TEST_PROCESSES) $(or $(ONLY),$(TESTS) $(addprefix --ignore=,$(LONG_TESTS)))

.PHONY: test-long
test-long: setup ## Tests of whole systems that lose parts of themselves, or are asked by many at once
	@$(RUN) -m pytest -n $(TEST_PROCESSES) $(LONG_TESTS)

.PHONY: check
check: setup locks lint types imports ## What has to hold: locks, lint, format, types, imports, tests (all but test-long)
	@$(MAKE) test

.PHONY: locks
locks: setup # The lock files fit pyproject.toml
	@$(RUN) -m infra.local.locks check

.PHONY: lint
lint: setup ## Lint, and check the format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: setup ## mypy, strict
	@$(BIN)/mypy

.PHONY: imports
imports: setup ## The import direction, as contracts
	@PYTHONPATH=.:worker_container $(BIN)/lint-imports

.PHONY: bench
bench: setup ## Speed as ratios, measured side by side (ONLY=fanout,http picks rows; ONLY=curve draws what a page costs)
	@$(RUN) -m infra.local.bench $(if $(ONLY),--only $(ONLY))

.PHONY: soak
soak: setup ## Memory over one long crawl in the browser engine (PAGES=10000; not part of make check)
	@$(RUN) -m infra.local.bench.soak $(if $(PAGES),--pages $(PAGES))

##@ Keep

.PHONY: lock
lock: $(BIN)/uv ## Make the lock files anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@$(RUN) -m infra.local.locks write $(if $(UPGRADE),--upgrade)

# Not the whole set-up: a lock that no longer installs must not stand in the way of making it anew.
$(BIN)/uv:
	@$(MAKE) setup

.PHONY: clean
clean: ## Remove environments, builds, caches and the local data
	@$(PYTHON) -m infra.local.state || { echo "clean: a stack runs on .nightjar; stop it first" >&2; exit 1; }
	@rm -rf .venv .venv-sam .venv-peers .nightjar .aws-sam build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Build

# The Python that will run the functions (Runtime in template.yaml). Where this machine has it, the code is compiled too.
LAMBDA_PYTHON ?= 3.13
PACKAGE := $(RUN) -m infra.local.package --python $(LAMBDA_PYTHON)

.PHONY: build
build: setup ## Package the functions into build/*.zip, each time from nothing
	@$(PACKAGE) zip --into build

# What `sam build --build-in-source` calls; without that option SAM would copy the environments first. Never with
# `--cached`: it has shipped old shared code and said that it succeeded.
.PHONY: build-ApiFunction build-JanitorFunction build-LiveUpdatesFunction build-NightlyFanoutFunction
build-ApiFunction:
	@$(PACKAGE) unpack api --into $(ARTIFACTS_DIR)
build-JanitorFunction:
	@$(PACKAGE) unpack janitor --into $(ARTIFACTS_DIR)
build-LiveUpdatesFunction:
	@$(PACKAGE) unpack live_updates --into $(ARTIFACTS_DIR)
build-NightlyFanoutFunction:
	@$(PACKAGE) unpack nightly_fanout --into $(ARTIFACTS_DIR)

.PHONY: test-containers
test-containers: setup ## Build the images and try them, and the zips in Lambda's own image (needs a container engine)
	@$(RUN) -m pytest tests/containers
