"""The package as it is built: its version, its source distribution, what a machine is told that it lacks."""

import os
import re
import runpy
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import pytest

import pygrad
from pygrad import _engine

ROOT = Path(__file__).resolve().parent.parent
in_checkout = pytest.mark.skipif(
    not (ROOT / "setup.py").exists() or util.find_spec("setuptools") is None,
    reason="needs the source tree, and setuptools",
)


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def program(path: Path, text: str) -> Path:
    """Write an executable shell script, a stand-in for a tool that a machine lacks."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_metadata_module_and_c_library_have_one_version():
    assert metadata.version("pygrad") == pygrad.__version__
    assert _engine.ffi.string(_engine.lib.pg_version()).decode() == pygrad.__version__


def test_extension_uses_the_stable_abi():
    from pygrad import _c

    assert _c.__file__.endswith(".abi3.so")


@pytest.mark.skipif("PYGRAD_SANITIZE" not in os.environ, reason="for `make asan`")
def test_sanitizer_run_tests_the_sanitized_build():
    # The editable install is importable too, and passing with it would prove nothing.
    from pygrad import _c

    assert Path(_c.__file__).parent == ROOT / "build" / "asan" / "lib" / "pygrad"


@in_checkout
def test_source_distribution_holds_all_that_building_and_testing_need(tmp_path):
    result = run(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", tmp_path)
    assert result.returncode == 0, result.stderr
    listed = set((tmp_path / "pygrad.egg-info" / "SOURCES.txt").read_text().splitlines())
    wanted = {"pyproject.toml", "setup.py", "Makefile", "tools/doctor.sh", "LICENSE", "README.md"}
    wanted |= {"pygrad/_cffi_build.py", "pygrad/py.typed"}
    for pattern in ("csrc/**/*.[ch]", "csrc/**/*.def", "demos/*.*", "tests/**/*.[ch]", "tests/**/*.py"):
        wanted |= {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
    assert wanted - listed == set()


@in_checkout
def test_setup_refuses_windows_and_free_threaded_interpreters_in_one_sentence():
    unsupported = runpy.run_path(str(ROOT / "setup.py"))["unsupported"]
    assert unsupported("linux", False) is None
    assert re.fullmatch(r"pygrad does not support Windows[^.\n]*\.", unsupported("win32", False))
    assert re.fullmatch(r"pygrad does not support free-threaded[^.\n]*\.", unsupported("linux", True))


@in_checkout
@pytest.mark.parametrize(("compiler", "lacking"), [("exit 1", "C compiler"), ('! grep -q Python.h "$2"', "Python.h")])
def test_setup_names_what_is_missing_and_the_packages_to_install(compiler, lacking, tmp_path):
    missing = runpy.run_path(str(ROOT / "setup.py"))["missing"]
    message = missing([str(program(tmp_path / "cc", compiler))], [])
    for word in (lacking, "build-essential python3-dev", "python3-devel", "xcode-select --install"):
        assert word in message
    assert "\n" not in message
    assert missing([str(program(tmp_path / "cc", "exit 0"))], []) is None


@in_checkout
def test_build_without_a_compiler_ends_in_that_sentence(tmp_path):
    result = run(sys.executable, "setup.py", "-q", "build", "-b", tmp_path, CC="/nonexistent/cc")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("pygrad needs a C compiler, and `/nonexistent/cc`")


@in_checkout
@pytest.mark.parametrize(
    ("works", "fails_on", "named"),
    [
        (False, "", "build-essential"),
        (True, "True", "python3-venv python3-dev"),
        (True, "version_info", "Python 3.11"),
        (True, "Py_GIL_DISABLED", "free-threaded"),
        (True, "ensurepip", "python3-venv"),
        (True, "Python.h", "python3-dev"),
    ],
)
def test_make_names_what_the_machine_lacks_in_one_line(works, fails_on, named, tmp_path):
    compiler = program(tmp_path / "cc", "exit 0" if works else "exit 1")
    python = program(tmp_path / "python", f'case "$2" in *"{fails_on}"*) exit 1;; esac')
    result = run("sh", "tools/doctor.sh", compiler, python)
    assert result.returncode == 1
    assert named in result.stderr
    assert result.stderr.count("\n") == 1


@in_checkout
def test_builder_drops_from_a_header_what_cffi_cannot_read():
    declarations = runpy.run_path(str(ROOT / "pygrad" / "_cffi_build.py"))["declarations"]
    header = """
/* about // this */
#ifdef __cplusplus
extern "C" {
#endif
#define TWICE(x) \\
    ((x) + (x))
int f(int a); // a comment
#include "more.h"
"""
    assert declarations(header).split() == "int f(int a);".split()
