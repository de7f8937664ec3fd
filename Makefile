# Two commands do all set-up: `make lab` for learners, `make test` for developers.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
LAB_ARGS ?=
WORKSPACE ?= workspace
# JupyterLab refuses to run as root unless told that this is meant.
ROOT_ARGS := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
# Two processes, each with whole files of tests.
TEST_ARGS ?= -n 2 --dist loadfile

# Threads that spin while they wait slow each other down many times over.
export OMP_WAIT_POLICY := PASSIVE
export MPLBACKEND ?= Agg
# nbgrader starts alembic by its bare name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help lab test demo notebooks bench system

help:
	@echo "make lab        set up and open the course in JupyterLab (LAB_ARGS passes options on)"
	@echo "make test       set up and run every test"
	@echo "make demo       release the stages, simulate a class of 20, grade it, print the report"
	@echo "make notebooks  rebuild the learner's notebooks from their text sources"
	@echo "make bench      print every benchmark's figures beside their bars"

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This course needs Python 3.11 or newer; name one with: make PYTHON=python3.11 ...")'
	@echo "Installing the pinned packages (a few minutes the first time) ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@rm -f .venv/ready-* && touch $@

system:
	@sh scripts/system-packages

lab: $(READY)
	@$(BIN)/autograder workspace $(WORKSPACE)
	cd $(WORKSPACE) && jupyter lab $(ROOT_ARGS) $(LAB_ARGS)

test: $(READY) system
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TEST_ARGS)

demo: $(READY)
	@$(BIN)/python -m scripts.demo

notebooks: $(READY)
	@$(BIN)/autograder build

bench: $(READY)
	@status=0; for name in faces crowd realism interviewer stage coverage exam; do $(BIN)/python -m benchmarks.$$name || status=1; done; exit $$status
