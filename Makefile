# Every target does its own set-up; `make setup` twice costs about a second.
PY := .venv/bin/python
SEED ?=

.PHONY: help setup setup-test demo check test test-long test-pythons sim bench lock clean

help:            ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1|/' | column -t -s '|'

setup:           ## what the demo needs: .venv/bin/pasokh, the pages, a voice
	@tools/setup.sh demo

setup-test:      ## that, and what the tests need: Asterisk, SIPp, Redis, PostgreSQL, Chromium
	@tools/setup.sh test

demo: setup      ## a whole center on this machine, at http://127.0.0.1:8080/wall
	@.venv/bin/pasokh demo $(DEMO)

check: setup-test        ## style, types, import rules, the pages' types
	@$(PY) tools/run_tests.py check

test: setup-test         ## check, and every test but the long ones: about twelve minutes on two cores
	@$(PY) tools/run_tests.py test

test-long: setup-test    ## the tests that need more real time
	@$(PY) tools/run_tests.py long

test-pythons: setup-test ## the pure tests on every other supported Python that is here
	@$(PY) tools/run_tests.py pythons

sim: setup-test          ## seeded worlds on virtual time; SEED=n repeats one exactly
	@if [ -e tests/sim/run.py ]; then $(PY) -m tests.sim.run $(if $(SEED),--seed $(SEED)); \
	else PASOKH_SEED=$(SEED) $(PY) -m pytest tests/sim; fi

bench: setup-test        ## measurements
	@if [ -d tests/bench ]; then $(PY) -m pytest tests/bench -m bench -s; else echo "bench: nothing to measure yet"; fi

lock:            ## write requirements/ anew from pyproject.toml; UPGRADE=1 takes the newest
	@UPGRADE=$(UPGRADE) tools/lock.sh

clean:           ## take away what was built; the caches outside the checkout stay
	rm -rf .venv realtime/web/node_modules realtime/web/dist .mypy_cache .pytest_cache .ruff_cache \
	  .hypothesis .import_linter_cache .setup.lock .setup.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
