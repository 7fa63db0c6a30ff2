# On a fresh machine these two commands do everything:
#   make run    the service with its database and demo data, on http://127.0.0.1:8000
#   make test   all tests
FIT := import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do $$p -c '$(FIT)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
export PYTHONDONTWRITEBYTECODE :=# many processes start in the tests: what one has compiled the others need not
.DELETE_ON_ERROR:
.PHONY: run test check bench shots soak container sbom lock clean

run: .venv/run
	@EARMARK_DEMO=$${EARMARK_DEMO:-1} $(BIN)/python -m app serve

test: .venv/test check
	@$(BIN)/python tests/install_packages.py
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: .venv/test
	$(BIN)/ruff check app migrations tests
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/test
	@$(BIN)/python -m tests.benchmarks $(ARGS)

# Pictures of every page in var/shots/; `make shots ARGS=/payments` for those of some.
shots: .venv/test
	@$(BIN)/python tests/install_packages.py
	@$(BIN)/python -m tests.browser.shots $(ARGS)

# Every promise tried for longer, and a table of what was found; `make soak ARGS="--minutes 5"` for less.
soak: .venv/test
	@$(BIN)/python tests/install_packages.py
	@$(BIN)/python -m tests.soak $(ARGS)

# The image, checked, built and tried without a container engine (Debian, as root); ARGS=IMAGE builds on another base.
container: .venv/release
	$(BIN)/hadolint Dockerfile
	@$(BIN)/python -m tests.container $(ARGS)

# What the service ships, package by package with hashes, as CycloneDX in var/sbom.json.
sbom: .venv/release
	@mkdir -p var
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible --validate --output-file var/sbom.json requirements.txt

# For the maintainer: new versions, with hashes and without any address.
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock: .venv/test
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(LOCK) --constraint requirements-dev.txt --output-file requirements-release.txt requirements-release.in

.venv/run: requirements.txt
	@$(or $(PYTHON),false) -c '$(FIT)' 2>/dev/null || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)."; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(PIP) -r requirements.txt
	@touch $@

.venv/test: .venv/run requirements-dev.txt requirements-standards.txt
	$(PIP) -r requirements-dev.txt
	@$(BIN)/python tests/iati_standard.py
	@touch $@

.venv/release: .venv/test requirements-release.txt
	$(PIP) -r requirements-release.txt
	@touch $@

clean:
	rm -rf .venv var
