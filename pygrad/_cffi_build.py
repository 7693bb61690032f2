"""Builder of `pygrad._c`: every C source under csrc/ in one extension, declared as in csrc/pygrad.h.

setuptools runs this file while it builds (`cffi_modules` in setup.py); nothing imports it afterwards. The
folder of setup.py has to be the current one, because setuptools takes paths of sources as relative to it.

With PYGRAD_SANITIZE=1 in the environment the extension is built for AddressSanitizer and UBSan (`make asan`).
"""

import os
import re
import runpy
from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parent.parent


def declarations(header: str) -> str:
    """Return the text of a C header without comments and preprocessor lines, which cffi does not read."""
    header = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header, flags=re.DOTALL)
    header = re.sub(r"#ifdef __cplusplus.*?#endif", "", header, flags=re.DOTALL)
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", header, flags=re.MULTILINE)


def below_csrc(*suffixes: str) -> list[str]:
    """Return the files with these suffixes under csrc/, sorted, relative to the root."""
    files = (ROOT / "csrc").rglob("*")
    return sorted(path.relative_to(ROOT).as_posix() for path in files if path.suffix in suffixes)


# Never -ffast-math: a library linked with it makes the whole process flush denormal numbers to zero.
# Never -march=native: a wheel runs on other machines than the one that built it.
flags = ["-std=gnu11", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"]
link_flags: list[str] = []
macros: list[tuple[str, str | None]] = []
if os.environ.get("PYGRAD_SANITIZE") == "1":
    # -fno-wrapv, because Python's own -fwrapv would hide signed overflow; PG_NO_CACHE switches the free lists
    # off, which would hide a use after free.
    link_flags = ["-fsanitize=address,undefined"]
    flags += ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", "-fno-wrapv", *link_flags]
    macros = [("PG_NO_CACHE", None)]

version = runpy.run_path(str(ROOT / "pygrad" / "_version.py"))["__version__"]

ffibuilder = FFI()
ffibuilder.cdef(declarations((ROOT / "csrc" / "pygrad.h").read_text(encoding="utf-8")))
ffibuilder.cdef("void *pg_python_module(int64_t gc_head_bytes);")
ffibuilder.set_source(
    "pygrad._c",
    '#include "pygrad.h"\n#include "python/module.h"\n',
    sources=below_csrc(".c"),
    include_dirs=["csrc"],
    # setuptools rebuilds when one of these is newer than the extension.
    depends=[*below_csrc(".c", ".h", ".def"), "pygrad/_cffi_build.py", "pygrad/_version.py"],
    # The limited API of 3.11. Left to itself cffi asks for that of 3.2, in which a later function is declared
    # implicitly, so that the pointer it returns is cut to an int.
    define_macros=[("Py_LIMITED_API", "0x030b0000"), ("PG_VERSION", f'"{version}"'), *macros],
    py_limited_api=True,
    extra_compile_args=[*flags, "-Werror=implicit-function-declaration"],
    extra_link_args=link_flags,
    libraries=["m", "pthread"],
)
