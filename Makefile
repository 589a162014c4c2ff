# The two commands of the README do all their set-up: a virtual environment in .venv, made once.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# tox finds interpreters on PATH; those that pyenv built are added, and none is ever downloaded.
PYENV_ROOT ?= $(HOME)/.pyenv
space := $(subst ,, )
interpreters := $(subst $(space),:,$(wildcard $(PYENV_ROOT)/versions/3.1[123].*/bin))
export PATH := $(PATH):$(interpreters)
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := demo
.PHONY: demo test nightly benchmark clean

demo: .venv/installed
	$(BIN)/rpolab run site-loss $(ARGS)

test: .venv/tools
	$(BIN)/tox run $(ARGS)

nightly: .venv/tools
	$(BIN)/tox run -e nightly,whole-py312,whole-py313 $(ARGS)

benchmark: .venv/tools
	$(BIN)/tox run -e benchmark $(ARGS)

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo 'rpolab needs Python 3.11, 3.12 or 3.13; name one with: make PYTHON=python3.12 ...'; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/tools: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'tox>=4.23' 'tox-uv>=1.17'
	@touch $@

clean:
	rm -rf .venv .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis out
