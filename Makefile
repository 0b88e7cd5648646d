# All that is needed is Python 3.11 or later and make. Everything is installed into .venv beside this file.
PYTHON ?= python3
TORCH ?= torch==2.13.0
JOBS ?= 2
APPIUM ?= appium@3.8.0 appium-uiautomator2-driver@8.7.0
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := tapwise tests benchmarks scripts

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow test-appium test-ocr fuzz lint format bench-phone bench-chaos bench-farm bench-steps bench-clients bench-learning bench-offline bench-import bench-judge pictures clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

install: $(INSTALLED) ## create .venv with tapwise and its tools

# torch comes first and alone, so that a build for this machine's processor can be chosen with TORCH.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tapwise needs Python 3.11 or later: name one with make PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,gym,hub,lora,grpc,appium,ray,metrics]' --group dev
	touch $@

demo: $(INSTALLED) ## train an agent from nothing on virtual phones and write a report
	$(BIN)/tapwise demo $(ARGS)

test: $(INSTALLED) ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n $(JOBS) $(ARGS)

test-slow: $(INSTALLED) ## run the tests that take minutes; none collected (status 5) is fine
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -m slow $(ARGS) || test $$? -eq 5

test-appium: $(INSTALLED) ## run the tests with the real Appium, which is installed into .appium
	@command -v npm >/dev/null || { echo "npm is not installed: the tests with Appium are left out"; exit 0; }; \
	  mkdir -p .appium && npm install --silent --no-audit --no-fund --prefix .appium $(APPIUM) && \
	  TAPWISE_APPIUM=.appium $(BIN)/pytest -q -m appium tests/appium $(ARGS)

test-ocr: $(INSTALLED) ## run the tests that read the text of screens, with the package that reads it
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[ocr]'
	OMP_NUM_THREADS=1 $(BIN)/pytest -q tests/evaluator/test_ocr.py $(ARGS)

fuzz: $(INSTALLED) ## throw random packets, programs and gestures at the phone for a minute
	TAPWISE_FUZZ_EXAMPLES=3000 $(BIN)/pytest -q -n $(JOBS) tests/fuzz $(ARGS)

lint: $(INSTALLED) ## check style, types and import contracts
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## rewrite the sources in the common style
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench-phone: $(INSTALLED) ## measure what a virtual phone costs
	$(BIN)/python benchmarks/phone.py --out benchmarks/results/phone.json $(ARGS)

bench-chaos: $(INSTALLED) ## play under faults: what is lost, and how long recovery takes
	$(BIN)/tapwise farm chaos --out benchmarks/results/chaos.json $(ARGS)

bench-farm: $(INSTALLED) ## compare ways to collect from uneven devices, crashes included
	$(BIN)/python benchmarks/farm_throughput.py --out benchmarks/results/farm_throughput.json $(ARGS)

bench-steps: $(INSTALLED) ## measure environment steps per second
	$(BIN)/python benchmarks/env_steps.py $(ARGS)

bench-clients: $(INSTALLED) ## measure the calls of uiautomator2
	$(BIN)/python benchmarks/client_calls.py $(ARGS)

bench-learning: $(INSTALLED) ## measure how much is learned, over several seeds
	$(BIN)/python benchmarks/learning.py $(ARGS)

bench-judge: $(INSTALLED) ## measure judges on labelled episodes, and what a cascade saves
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[ocr]'
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/judge.py --out benchmarks/results/judge.json $(ARGS)

bench-import: $(INSTALLED) ## measure the import of AitW shards against the plain way
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[fast-import]' --group bench
	$(BIN)/python benchmarks/import_aitw.py --out benchmarks/results/import_aitw.json $(ARGS)

bench-offline: $(INSTALLED) ## compare methods that learn from data, over several seeds
	$(BIN)/python benchmarks/offline.py $(ARGS)

pictures: $(INSTALLED) ## draw the pictures of the documentation again
	$(BIN)/python scripts/make_contact_sheet.py

clean: ## remove .venv and all that tools leave behind; runs are kept
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find tapwise tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
