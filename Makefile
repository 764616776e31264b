# Everything sets itself up: Python 3.11 or newer and make are all it takes.
PYTHON ?= python3
TABLES ?= emulator/tables.toml
SECONDS ?= 60
STAGE ?= default
MESSAGES ?= 1000
PYTHON_313 ?= python3.13
# Of the tests: they wait as well, so half as many again as there are processors.
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) * 3 // 2 or 1)')
LOCK = uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links

BIN = .venv/bin
SAM = .venv-sam/bin/sam
# Only where AWS is not asked: a deployment, and its end, goes where your own environment or profile says.
ifeq ($(filter deploy delete,$(MAKECMDGOALS)),)
export AWS_DEFAULT_REGION ?= eu-west-1
endif
export SAM_CLI_TELEMETRY = 0

.PHONY: demo local deploy delete test test-all rights test-deploy test-debian test-rspamd check docs site sam scan reproducible bench bench-relay picture fuzz faults lock release clean help

help:  ## List the targets
	@sed -nE 's/^([a-z0-9-]+):.*  ## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: .venv/packages  ## Send real messages through the whole system, and check what arrives
	$(BIN)/python -m emulator demo

local: .venv/ready  ## Run the whole system on this machine until Ctrl-C; TABLES=file.toml PORTS="--smtp 2526 ..."
	$(BIN)/python -m emulator local --tables $(TABLES) $(PORTS)

# owner.yaml, or owner.dev.yaml for STAGE=dev: all parameters, for the build too.
OWNER = owner$(if $(filter-out default,$(STAGE)),.$(STAGE)).yaml

deploy: .venv/ready .venv-sam/ready  ## Check owner.yaml, build and deploy; STAGE=dev, STAGE=relay
	@$(BIN)/postern init --check --config-env $(STAGE)
	MACHINE=$$(grep -q '^Architecture: *"*x86_64' $(OWNER) && echo x86_64 || echo aarch64) \
		$(SAM) build --config-env $(STAGE) --parameter-overrides file://$(OWNER)
	$(SAM) deploy --config-env $(STAGE)

delete: .venv-sam/ready  ## Delete the stack; tables, mail, identities and DNS records stay (docs/tearing-down.md); STAGE=dev
	$(SAM) delete --config-env $(STAGE)

# In several processes, the tests of a file in one, in the order they are found.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

test: .venv/ready  ## Run the fast tests: those not marked slow or deploy
	$(PYTEST) -m "not slow and not deploy and not rights and not rspamd and not debian"

test-all: .venv/ready  ## Run all tests except test-deploy, test-debian and test-rspamd, then `rights`
	$(PYTEST) -m "not deploy and not rights and not rspamd and not debian $(MORE)"
	$(MAKE) rights

rights: .venv/ready  ## Check that the tests of this code used every permission of every function
	$(BIN)/python -m pytest -q -m rights tests/template/test_permissions.py

test-313: .venv-3.13/ready  ## Run the tests of the Lambda code on the functions' Python; PYTHON_313=its name
	.venv-3.13/bin/python -m pytest -q -n $(PROCESSES) tests/unit tests/messages tests/contract -m "not slow"

test-deploy: .venv/ready .venv-sam/ready .venv-ministack/ready  ## Build, deploy the last release, upgrade, use and delete the stack, on ministack
	$(BIN)/python -m pytest -q -x -m "deploy $(MORE)" tests/deploy

test-debian: .venv/ready  ## Install the relay in a clean Debian 12 and 13 (debootstrap); as root
	POSTERN_REQUIRE_POSTFIX=1 $(BIN)/python -m pytest -q -m debian tests/relay/test_debian.py

test-rspamd: .venv/ready  ## Check forwards with a real rspamd; as root on Debian, it installs a missing one
	command -v rspamd >/dev/null || apt-get install -y --no-install-recommends rspamd
	$(BIN)/python -m pytest -q -m rspamd tests/rspamd

check: .venv/ready  ## Check style, types, spelling and generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell README.md CHANGELOG.md Makefile template.yaml command docs emulator functions layers relay bench .ci
	$(BIN)/python -m docs.generate --check
	$(BIN)/python relay/generate.py --check

docs: .venv/ready  ## Write the generated documents and the files in relay/template.yaml
	$(BIN)/python -m docs.generate
	$(BIN)/python relay/generate.py

site: .venv-site/ready  ## Build the docs as a web site in build/site; broken links fail
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict --site-dir build/site

sam: .venv-sam/ready  ## Validate and build both stacks, as for `sam deploy`
	$(SAM) validate --lint
	$(SAM) build
	$(SAM) validate --config-env relay
	$(SAM) build --config-env relay

scan: .venv-checkov/ready  ## Check the stack for insecure settings; .checkov.yaml explains exceptions
	.venv-checkov/bin/checkov --file template.yaml relay/template.yaml --skip-download --compact --quiet

reproducible: .venv-sam/ready  ## Build the stack twice and compare every byte
	$(SAM) build --no-cached --build-dir .aws-sam/first >/dev/null
	$(SAM) build --no-cached --build-dir .aws-sam/second >/dev/null
	diff --recursive .aws-sam/first .aws-sam/second && echo "both builds are equal"
	rm -rf .aws-sam/first .aws-sam/second

# On the functions' Python where there is one; it is not a test, so that a goal missed fails nothing.
HAS_313 = $(shell $(PYTHON_313) -c 'import sys; print(sys.version_info[:2] == (3, 13))' 2>/dev/null)

bench: .venv/ready $(if $(filter True,$(HAS_313)),.venv-3.13/ready)  ## Run the benchmarks: ratios within one run, and a message's cost against bare boto3
	-$(BIN)/python -m bench.messages $(if $(filter True,$(HAS_313)),.venv-3.13/bin/python)
	$(BIN)/python -m bench.rewriting
	$(BIN)/python -m bench.planning
	$(BIN)/python -m bench.tables
	-$(BIN)/python -m bench.screening
	-$(BIN)/python -m bench.header_rules
	-$(BIN)/python -m bench.page

picture: .venv/ready .venv-browser/ready  ## Make docs/pictures/page.png again, in Chromium
	$(BIN)/python -m tests.e2e.browser.picture

bench-relay: .venv/ready  ## Benchmark the relay's Postfix; as root
	$(BIN)/python -m bench.relay

fuzz: .venv/fuzz  ## Look for messages that break the rewriter, SECONDS long
	$(BIN)/python -m tests.fuzz -max_total_time=$(SECONDS) -max_len=4096 -timeout=10 \
		-artifact_prefix=.local/ .local/corpus tests/fuzz/corpus tests/messages

faults: .venv/ready  ## Send MESSAGES messages with 5 % random faults: none lost, none doubled unexplained
	POSTERN_FAULT_MESSAGES=$(MESSAGES) $(BIN)/python -m pytest -q tests/faults

release: .venv/ready .venv-sam/ready  ## Build and try the wheel, the source distribution and the stack's zip, in dist/
	.ci/release

lock:  ## Update the pinned requirements (needs uv)
	$(LOCK) pyproject.toml --extra page --group dev --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --group demo --constraint requirements/dev.txt --output-file requirements/demo.txt
	$(LOCK) --group sam --output-file requirements/sam.txt
	$(LOCK) --group checkov --output-file requirements/checkov.txt
	$(LOCK) --group ministack --output-file requirements/ministack.txt
	$(LOCK) --group site --output-file requirements/site.txt
	$(LOCK) --group browser --output-file requirements/browser.txt
	$(LOCK) --group fuzz --output-file requirements/fuzz.txt
	$(LOCK) layers/dependencies/requirements.in --output-file layers/dependencies/requirements.txt

clean:  ## Remove everything that was installed and built here
	rm -rf .venv .venv-3.13 .venv-sam .venv-checkov .venv-ministack .venv-site .venv-browser .aws-sam .local build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

PIP = PYTHON=$(PYTHON) .ci/pip
LOCKED = --require-hashes --requirement

# Two steps: what the demo needs, quickly, and what the tests and checks need besides. The first compiles nothing; it
# takes setuptools, which builds two packages that have no wheel and our own, then both halves of the list at once.
.venv/packages: requirements/demo.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Installing what the demo needs into .venv (once, about 10 seconds): setuptools,"
	@rm -rf .venv && mkdir .venv
	@awk '/^[a-z]/ {part = /^setuptools=/ ? 0 : /^[a-l]/ ? 1 : 2} {print > ".venv/" part ".txt"}' $<
	@$(PIP) .venv --no-compile $(LOCKED) .venv/0.txt
	@echo "50 packages, and Postern itself, side by side ..."
	@printf '%s\n' '--no-compile $(LOCKED) .venv/1.txt' '--no-compile $(LOCKED) .venv/2.txt' '--editable .' | \
		PYTHON=$(PYTHON) xargs -L 1 -P 3 .ci/pip .venv --no-build-isolation
	@touch $@

.venv/ready: .venv/locked pyproject.toml
	$(PIP) .venv --no-build-isolation --editable .
	touch $@

.venv/fuzz: .venv/ready requirements/fuzz.txt
	$(PIP) .venv $(LOCKED) requirements/fuzz.txt
	mkdir -p .local/corpus
	touch $@

.venv/locked: .venv/packages requirements/dev.txt
	$(PIP) .venv $(LOCKED) requirements/dev.txt
	touch $@

.venv-3.13/ready: requirements/dev.txt
	@$(PYTHON_313) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || { echo "Python 3.13 is needed: make PYTHON_313=..."; exit 1; }
	rm -rf .venv-3.13
	PYTHON=$(PYTHON_313) .ci/pip .venv-3.13 $(LOCKED) requirements/dev.txt
	PYTHON=$(PYTHON_313) .ci/pip .venv-3.13 --no-build-isolation --editable .
	touch $@

# Tools with pins of their own: an environment each.
.venv-sam/ready .venv-checkov/ready .venv-site/ready .venv-browser/ready .venv-ministack/ready: .venv-%/ready: requirements/%.txt
	rm -rf .venv-$*
	$(PIP) .venv-$* $(LOCKED) requirements/$*.txt
	touch $@
