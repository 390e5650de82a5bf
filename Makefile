# Everything from a bare clone. Needs python3 >= 3.11 and make, nothing else: each target sets up what it uses.

.DEFAULT_GOAL := help
.PHONY: help run demo test lint fmt bench lock clean

BIN := .venv/bin
PYTEST_WORKERS ?= 4

# Which Python to build .venv with; make PYTHON=/path/to/python3 overrides the search.
PYTHON ?=
# The machine's own Python, never one that uv would fetch; our .venv, whichever else is active.
export UV_PYTHON_DOWNLOADS := never
# Compile while installing, so that not every start does it.
export UV_COMPILE_BYTECODE := 1
# Where the machine keeps its own list of certificate authorities, trust that: companies put their proxy's there.
SYSTEM_CAS := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt))
ifneq ($(SYSTEM_CAS),)
export UV_SYSTEM_CERTS ?= 1
export PIP_CERT ?= $(SYSTEM_CAS)
endif
UV := $(BIN)/uv --quiet
UV_HERE := --python $(BIN)/python

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo '  PORT=9000 and SEVTRACKER_CONFIG=file.toml are honoured: make run PORT=9000'

run: .venv/.run ## start web and worker on http://127.0.0.1:8000
	@$(BIN)/sevtracker run

demo: .venv/.run ## live through an incident with real parts, in compressed time
	@$(BIN)/sevtracker demo $(ARGS)

test: .venv/.test ## install what the tests need, then lint and test everything
	@$(BIN)/python -m tests.servers.install
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS)

lint: .venv/.test ## style, types, who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict sevtracker
	$(BIN)/lint-imports --no-logo

fmt: .venv/.test ## put the style right
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.test ## measure, as ratios beside bare references
	@$(BIN)/python -m tests.servers.install
	$(BIN)/python -m bench $(ARGS)

lock: .venv/.uv ## resolve the dependencies anew, within pyproject.toml (ARGS=--upgrade for newer ones)
	$(UV) pip compile pyproject.toml --extra demo --group build $(LOCK) $(ARGS) -o requirements.lock
	$(UV) pip compile pyproject.toml --extra test --group build -c requirements.lock $(LOCK) $(ARGS) -o requirements-test.lock

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean: ## remove .venv and caches; never var/, where the data is
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis .coverage* htmlcov dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- setting up ------------------------------------------------------------------------------------------------------
# Python's own venv and pip bring a uv that is pinned by hash; uv brings the rest, pinned by hash as well.

FIND_PYTHON = for candidate in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11 python3; do \
	if [ -n "$$candidate" ] && "$$candidate" -c \
		'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo "$$candidate"; break; fi; done

.venv/.uv: requirements-bootstrap.lock
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "sevtracker needs Python 3.11 or later with its venv module; python3 here is:" \
			"$$(python3 --version 2>&1 || echo none)." >&2; \
		echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Another one: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	echo "Setting up .venv with $$("$$python" --version)"; \
	"$$python" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-bootstrap.lock
	@touch $@

.venv/.run: .venv/.uv requirements.lock pyproject.toml
	@echo 'Installing the locked dependencies'
	@$(UV) pip sync $(UV_HERE) --require-hashes requirements.lock
	@$(UV) pip install $(UV_HERE) --no-deps --no-build-isolation --editable .
	@rm -f .venv/.test
	@touch $@

# Holds all that .run does, so neither command undoes the other's work.
.venv/.test: .venv/.uv requirements-test.lock requirements.lock pyproject.toml
	@echo 'Installing the locked dependencies, with what the tests use'
	@$(UV) pip sync $(UV_HERE) --require-hashes requirements-test.lock
	@$(UV) pip install $(UV_HERE) --no-deps --no-build-isolation --editable .
	@touch .venv/.run $@
