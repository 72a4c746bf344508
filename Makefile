# make demo   the whole product on embedded mail servers, nothing configured
# make test   every test (with Dovecot installed, the end-to-end tests run against it too)
# make lint   ruff, mypy --strict, import-linter
# make fixtures  how well mails are read that other packages publish (fetches them; no part of the tests)
# make examples  train the model of the classifier again, after its example sentences were changed (takes minutes)
# make bench  what a mail, a flush and a start cost, beside the budgets; then reading alone, and the costliest patterns
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint examples bench fixtures clean

demo: $(READY)
	$(BIN)/mailbot demo

test: $(READY)
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

examples: $(READY)
	$(BIN)/python -m mailbot.runtime.classifier.training $${TMPDIR:-/tmp}/mailbot-vectors.npz check

bench: $(READY)
	$(BIN)/python tests/bench/bench.py
	$(BIN)/python tests/bench/reading.py

fixtures: $(READY)
	$(BIN)/python tests/fixtures/measure.py

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
