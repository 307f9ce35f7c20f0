# make demo   sets up and makes a dance from the demo song: build/demo/
# make test   sets up and passes the tests
# make extension   build/footlight-VERSION.zip, to be installed in Blender

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check

.PHONY: demo test test-all lint extension bench clean

demo: $(VENV)/.ready
	@echo "== make demo: composing the demo song, dancing to it, rendering (about five minutes on two cores)"
	@$(RUN) -m train.demo --out build/demo

test: $(VENV)/.ready
	@echo "== make test: linting and running the quick tests"
	@$(RUN) -m ruff check .
	@$(RUN) -m pytest -q

test-all: $(VENV)/.ready
	@echo "== make test-all: the slow tests too"
	@$(RUN) -m pytest -q -m ""

lint: $(VENV)/.ready
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

extension: $(VENV)/.ready
	@echo "== make extension: building the zip"
	@$(RUN) -m train.build_extension --out build

bench: $(VENV)/.ready
	@$(RUN) -m train.bench

$(VENV)/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "missing: Python 3.11 (Debian: apt install python3 python3-venv)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "missing: Python 3.11, for which the exact versions are pinned; found $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "missing: the venv module (Debian: apt install python3-venv)"; exit 1; }
	@echo "== setting up $(VENV) (torch, bpy and others: about 1.5 GB, a few minutes, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install -q -c constraints.txt torch==2.13.0
	@$(PIP) install -q -c constraints.txt -e '.[train,blender,dev]'
	@touch $@

clean:
	rm -rf build
