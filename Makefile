# Commands of the handbook; README.md describes them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .peers
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help site serve check test fast fuzz mutation bench bench-large bench-suite screenshots lint lock clean
.DELETE_ON_ERROR:

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# Each stamp file is newer than its lock file, so make installs only after a lock changes.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.site: requirements/site.txt pyproject.toml | $(VENV)/.created
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/site.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.site
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

site: $(VENV)/.site ## check everything and build the site into site/
	@$(BIN)/handbook build

serve: $(VENV)/.site ## preview on http://127.0.0.1:8000/, rebuilt on every change
	@$(BIN)/handbook serve

check: $(VENV)/.site ## run only the checks
	@$(BIN)/handbook check

test: $(VENV)/.test ## run the whole test suite
	@$(BIN)/python -m tests all

fast: $(VENV)/.test ## run the fast tests (no site build, no browser), in about a minute
	@$(BIN)/python -m tests fast

screenshots: $(VENV)/.test site ## take the pictures of the README from the built site
	@$(BIN)/python -m tests.screenshots

# The tools that only the benchmarks need. The results name a tool that cannot be installed.
$(PEERS)/.installed: requirements/peers.txt benchmarks/package-lock.json | $(VENV)/.test
	rm -rf $(PEERS)
	$(BIN)/python -m venv $(PEERS)
	-$(PEERS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	-$(BIN)/python -m benchmarks.peers
	@touch $@

bench: $(VENV)/.test $(PEERS)/.installed ## compare the speed with other tools, up to 1,000 records, and write benchmarks/RESULTS.md (20 minutes)
	@$(BIN)/python -m benchmarks.run bench

bench-large: $(VENV)/.test $(PEERS)/.installed ## the same with up to 10,000 records (35 minutes)
	@$(BIN)/python -m benchmarks.run large

bench-suite: $(VENV)/.test ## measure the time of make fast and make test, and write benchmarks/RESULTS.md (14 minutes)
	@$(BIN)/python -m benchmarks.run suite

mutation: $(VENV)/.test ## mutation test: break every record in every known way, and report what the checks miss (ten minutes)
	@$(BIN)/python -m tests.mutation

fuzz: $(VENV)/.test ## fuzz the parsers with mutated real files; EXAMPLES=… (default: 50,000 for each parser), SEED=…; then edit a preview at random, EDITS=… (default: 2,000)
	@seed=$${SEED:-$$(date +%s)}; echo "seed $$seed"; FUZZ_EXAMPLES=$${EXAMPLES:-50000} \
		$(BIN)/python -m pytest --quiet --numprocesses auto --hypothesis-seed="$$seed" tests/reading/test_fuzz.py tests/history/test_fuzz.py; \
	PREVIEW_EDITS=$${EDITS:-2000} PREVIEW_SEED="$$seed" $(BIN)/python -m pytest --quiet --numprocesses auto tests/engines/test_kept_builds.py

lock: $(VENV)/.test ## update the lock files
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --extra site --group build pyproject.toml --output-file requirements/site.txt
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --constraint requirements/site.txt --extra site --group build --group test pyproject.toml --output-file requirements/test.txt
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --group pyproject.toml:peers --output-file requirements/peers.txt

clean: ## remove build output and caches
	rm -rf $(VENV) $(PEERS) site .site.new .site.old .pytest_cache .mypy_cache .ruff_cache
