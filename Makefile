# The one entry for people and CI; `make help` lists the targets.
#
# The C library, its tests and the C demos are built under $(BUILD) with $(CC) and $(CFLAGS): other compilers and the
# sanitizers are the same rules with another folder. The Python package is installed in editable form into .venv, which
# is created when there is none.

PYTHON ?= python3
CC ?= cc
BUILD ?= build
CFLAGS ?= -O3 -g
WERROR ?=
FUZZ_PROGRAMS ?= 1000000
FUZZ_FLAGS ?=
# What runs a cross-compiled program, such as qemu-aarch64.
RUN ?=
# make V=1 shows the compiler's command lines.
Q := $(if $(V),,@)

export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' pygrad/_version.py)
C_SOURCES := $(sort $(shell find csrc -name '*.c'))
C_HEADERS := $(sort $(shell find csrc -name '*.h' -o -name '*.def'))
LIBRARY := $(BUILD)/libpygrad.a
OBJECTS := $(patsubst csrc/%.c,$(BUILD)/csrc/%.o,$(filter-out csrc/python/%,$(C_SOURCES)))
C_TESTS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/c/test_*.c)))
C_DEMOS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard demos/*.c)))
FIRST_DEMOS := $(wildcard demos/4301_scalar_autograd.py demos/4302_mlp_xor.py)
PY_DEMOS := $(FIRST_DEMOS) $(filter-out $(FIRST_DEMOS),$(sort $(wildcard demos/*.py)))
C_FORMATTED = $(sort $(shell find csrc demos tests -name '*.[ch]'))

# No -ffast-math, no -march=native: pygrad/_cffi_build.py says why.
ALL_CFLAGS := -std=gnu11 -Icsrc -Wall -Wextra -fno-math-errno -fno-trapping-math -DPG_VERSION='"$(VERSION)"' \
    -pthread $(CFLAGS) $(WERROR)
ASAN_CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DPG_NO_CACHE
TSAN_CFLAGS := -O1 -g -fsanitize=thread
# Thread sanitizer wants a fixed address space; not every container permits that, nor every kernel needs it.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test fuzz build bench lint format types asan tsan wheel ctest cdemo clean always

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# ---- what people call -------------------------------------------------------------------------------------------

demo: .venv/.installed cdemo ## run the demos: in C, then in Python
	@set -e; for demo in $(PY_DEMOS); do echo "== $$demo"; .venv/bin/python $$demo </dev/null; done

test: .venv/.installed ctest ## run the tests: in C, then in Python with the doctests
	.venv/bin/python -m pytest -q </dev/null

fuzz: .venv/.installed ## run 1,000,000 random programs on the engine and on oracles (FUZZ_PROGRAMS, FUZZ_FLAGS)
	.venv/bin/python -m tests.fuzz --programs $(FUZZ_PROGRAMS) --out build/fuzz $(FUZZ_FLAGS) </dev/null

build: .venv/.installed $(LIBRARY) ## build the package into .venv, and build/libpygrad.a

bench: .venv/.installed ## measure pygrad against its peers
	.venv/bin/python -m pygrad bench </dev/null

lint: .venv/.dev ## check style: ruff, and clang-format where it is installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	@if command -v clang-format >/dev/null; then set -x; clang-format --dry-run -Werror $(C_FORMATTED); fi

format: .venv/.dev ## apply that style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	@if command -v clang-format >/dev/null; then set -x; clang-format -i $(C_FORMATTED); fi

types: .venv/.dev .venv/.installed ## check the types: mypy --strict, and the stubs against the compiled module
	.venv/bin/mypy
	.venv/bin/python -m mypy.stubtest --mypy-config-file pyproject.toml \
	    --allowlist tools/stubtest-allowlist.txt --ignore-unused-allowlist pygrad

asan: .venv/.installed ## run C tests, C demos and Python tests under AddressSanitizer and UBSan (Linux, gcc)
	$(MAKE) ctest cdemo BUILD=build/asan CFLAGS='$(ASAN_CFLAGS)'
	PYGRAD_SANITIZE=1 CC='$(CC)' .venv/bin/python setup.py -q build -b build/asan/python --build-lib build/asan/lib
	cd build/asan && PYGRAD_SANITIZE=1 PYGRAD_TEST_SAMPLE=16 PYTHONPATH='$(CURDIR)/build/asan/lib' PYTHONMALLOC=malloc \
	    LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0 \
	    ../../.venv/bin/python -m pytest -q --import-mode=importlib ../../tests </dev/null

tsan: ## run the threads driver under ThreadSanitizer
	$(MAKE) build/tsan/tests/c/threads BUILD=build/tsan CFLAGS='$(TSAN_CFLAGS)'
	$(FIXED_ADDRESSES) build/tsan/tests/c/threads </dev/null

wheel: .venv/.dev ## build dist/: the source distribution, and the wheel from it
	rm -rf dist
	.venv/bin/python -m build -C=--global-option=--quiet
	.venv/bin/abi3audit --strict dist/*.whl

ctest: $(C_TESTS) ## run the C tests
	@set -e; for test in $(C_TESTS); do echo "== $$test"; $(RUN) $$test </dev/null; done

cdemo: $(C_DEMOS) ## run the C demos
	@set -e; for demo in $(C_DEMOS); do echo "== $$demo"; $(RUN) $$demo </dev/null; done

clean: ## remove everything that was built; .venv stays
	rm -rf build dist *.egg-info pygrad/*.so .venv/.installed .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# ---- the C library, its tests and its demos ----------------------------------------------------------------------

# Compiler and flags, rewritten only when they differ: a change of either rebuilds everything.
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@sh tools/doctor.sh '$(CC)'
	@echo '$(CC) $(subst ','\'',$(ALL_CFLAGS))' | cmp -s - $@ || echo '$(CC) $(subst ','\'',$(ALL_CFLAGS))' >$@

$(BUILD)/csrc/%.o: csrc/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "$(CC) $< ..."
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(OBJECTS)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/%: %.c $(LIBRARY)
	@mkdir -p $(@D)
	@echo "$(CC) $< ..."
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $< $(LIBRARY) -lm -o $@

-include $(OBJECTS:.o=.d) $(C_TESTS:=.d) $(C_DEMOS:=.d)

# ---- the Python package ------------------------------------------------------------------------------------------

.venv/bin/python:
	@sh tools/doctor.sh '$(CC)' '$(PYTHON)'
	rm -rf .venv
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q $$(.venv/bin/python -c \
	    "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'])")

# Without build isolation: a rebuild after a change in csrc/ needs no network. What setuptools keeps in build/ is
# rebuilt whole when any C file, the version or the builder is newer.
.venv/.installed: pyproject.toml setup.py pygrad/_cffi_build.py pygrad/_version.py $(C_SOURCES) $(C_HEADERS) \
    | .venv/bin/python
	.venv/bin/pip install -q --no-build-isolation -e '.[test]'
	@touch $@

.venv/.dev: pyproject.toml | .venv/.installed
	.venv/bin/pip install -q --no-build-isolation -e '.[dev]'
	@touch $@
