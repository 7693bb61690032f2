"""What the figures were measured on."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pygrad
from pygrad._engine import ffi, lib


def _first_match(path: str, pattern: str) -> str | None:
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    except OSError:
        return None
    return match.group(1).strip() if match else None


def _cpu() -> str:
    """Return the processor's model."""
    if platform.system() == "Darwin":
        libc = ctypes.CDLL(None)
        text, size = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
        if libc.sysctlbyname(b"machdep.cpu.brand_string", text, ctypes.byref(size), None, 0) == 0:
            return text.value.decode()
    model = _first_match("/proc/cpuinfo", r"^(?:model name|Model|cpu model)\s*:(.*)$")
    return model or platform.processor() or platform.machine()


def _compiler() -> str | None:
    """Return what compiled the extension, by the mark that compilers leave in what they make."""
    files = sorted(Path(pygrad.__file__).parent.glob("_c.*"))
    text = files[0].read_bytes() if files else b""
    marks = re.findall(rb"GCC: \([^)\0]*\) [\d.]+|(?:Apple )?clang version [\d.]+", text)
    return " and ".join(sorted({mark.decode() for mark in marks})) or None


def _blas() -> str | None:
    """Return numpy's linear algebra library, and which processor it takes this one for."""
    try:
        info = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except (TypeError, KeyError):
        return None
    name = f"{info.get('name')} {info.get('version')}"
    function = _openblas_function("get_corename")
    if function is None:
        return name
    function.restype = ctypes.c_char_p
    return f"{name}, core type {function().decode()}"


def _openblas_function(name: str) -> Any:
    """Return a function of the OpenBLAS that comes in numpy's wheels, or None when numpy has another library."""
    for file in sorted((Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*")):
        function = getattr(ctypes.CDLL(str(file)), f"scipy_openblas_{name}64_", None)
        if function is not None:
            return function
    return None


def set_blas_threads() -> Callable[[int], object] | None:
    """Return the function that sets how many threads numpy's linear algebra has, or None when it is not known."""
    function: Callable[[int], object] | None = _openblas_function("set_num_threads")
    return function


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _torch() -> str | None:
    """Return the version of PyTorch without importing it, which takes a second."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def facts() -> dict[str, Any]:
    """Return the processor, the system and the versions; no names of machines or people.

    Returns
    -------
    dict
        'cpu', 'cores', 'usable_cores', 'os', 'python', 'numpy', 'blas', 'torch', 'pygrad', 'isa' (the
        instruction set of pygrad's kernels), 'compiler'; None where unknown or not installed.
    """
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}",
        "numpy": np.__version__,
        "blas": _blas(),
        "torch": _torch(),
        "pygrad": pygrad.__version__,
        "isa": ffi.string(lib.pg_isa()).decode(),
        "compiler": _compiler(),
    }
