# make demo        sets up, then makes a song and its dance: build/demo/
# make test        sets up, then checks style, format and types, and runs the quick tests
# make test-all    the slow tests too
# make lint        style, format and types alone
# make extension   build/footlight-VERSION.zip, to be installed in Blender (needs no environment)
# make extension OFFLINE=linux-x64|windows-x64|macos-arm64
#                  the same with the engine inside, for computers without a network; PYTHONS="3.11 3.13" for these alone
# make bench       the table of speeds
# make clean       takes build/ away;  make distclean  the environment too
#
# Everything is kept in .venv.  PYTHON=/path/to/python3.11 chooses the Python that it is made with;
# PIP_INDEX_URL and pip's other variables are honoured.

PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test test-all lint extension bench clean distclean

demo: $(VENV)/.ready
	@echo "== make demo: composing a song, dancing to it, filming the dance; it says when each result is there"
	@$(RUN) -m train.demo --out build/demo

test: lint
	@echo "== make test: running the quick tests"
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -q --numprocesses=auto --maxprocesses=4 --dist=loadfile --cov --cov-report=
	@echo "== make test: how much of core and train they reach, and the ten files that they reach least"
	@$(RUN) -m coverage report --sort=cover | awk '/^TOTAL/ || NR > 2 && NR < 13'

test-all: $(VENV)/.ready
	@echo "== make test-all: running all tests, the slow ones too"
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -q -m "" --numprocesses=auto --maxprocesses=4 --dist=loadfile

lint: $(VENV)/.ready
	@echo "== make lint: checking style, format and types"
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m basedpyright

# Any Python from 3.11 on will do: no environment is needed.
extension:
	@for python in $(PYTHON) python3 python python3.14 python3.13 python3.12 $(RUN); do \
		$$python -c 'import tomllib' 2>/dev/null || continue; \
		exec $$python train/tools/build_extension.py --out build \
			$(if $(OFFLINE),--offline $(OFFLINE)) $(foreach python,$(PYTHONS),--python $(python)); \
	done; echo "missing: Python 3.11 or newer; say: make extension PYTHON=/path/to/python3"; exit 1

bench: $(VENV)/.ready
	@echo "== make bench: timing (some minutes)"
	@$(RUN) -m train.bench

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
		echo "missing: Python 3.11, for which Blender's module is built (Debian 12: apt install python3 python3-venv; elsewhere" \
		"pyenv or uv); is $(PYTHON) one? Then say: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "missing: Python's venv module (Debian: apt install python3-venv)"; exit 1; }
	@echo "== setting up $(VENV), once: the environment"
	@$(PYTHON) -m venv $(VENV)
	@echo "== setting up $(VENV): torch (0.2 GB, or 3 GB where it comes with CUDA)"
	@$(PIP) torch
	@echo "== setting up $(VENV): Blender's module (0.4 GB) and the rest, exact versions from constraints.txt"
	@$(PIP) --editable '.[train,blender,dev]'
	@$(RUN) -c 'import bpy' 2>$(VENV)/bpy.log || { \
		echo "missing: a system library of Blender: $$(tail -n 1 $(VENV)/bpy.log)" \
		"(Debian: apt install libgl1 libsm6 libxi6 libxkbcommon0 libxrender1 libxfixes3)"; exit 1; }
	@echo "== setting up $(VENV): compiling loops of librosa, half a minute"
	@$(RUN) tests/compile_librosa.py
	@touch $@

clean:
	rm -rf build

distclean: clean
	rm -rf $(VENV)
