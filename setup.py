"""The build of the C extension. Everything else about the package stands in pyproject.toml."""

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

INSTALL = (
    "Debian/Ubuntu `apt install build-essential python3-dev`, Fedora `dnf install gcc make python3-devel`, "
    "macOS `xcode-select --install`"
)


def unsupported(platform: str, free_threaded: bool) -> str | None:
    """Return why this interpreter is refused, or None."""
    if platform == "win32":
        return "pygrad does not support Windows yet: use Linux, macOS or the Windows Subsystem for Linux."
    if free_threaded:
        return (
            "pygrad does not support free-threaded Python, because the interpreter lock is what protects its "
            "graphs: use a standard build of CPython."
        )
    return None


def missing(compiler: list[str], include_dirs: list[str]) -> str | None:
    """Return in one sentence what this compiler command lacks for building an extension, or None."""

    def compiles(text: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(text)
            includes = [f"-I{path}" for path in include_dirs]
            command = [*compiler, *includes, "-c", str(source), "-o", str(source.with_suffix(".o"))]
            try:
                return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
            except OSError:
                return False

    if not compiles("#include <math.h>\nint probe;\n"):
        return f"pygrad needs a C compiler, and `{compiler[0]}` does not work as one; to install: {INSTALL}."
    if not compiles("#include <Python.h>\nint probe;\n"):
        python = "Python {}.{}".format(*sys.version_info)
        return f"pygrad needs the C headers of {python}, and Python.h is missing; to install: {INSTALL}."
    return None


class CheckedBuild(build_ext):
    """`build_ext` that names what is missing before it compiles."""

    def build_extensions(self) -> None:
        lack = missing(self.compiler.compiler_so, self.compiler.include_dirs)
        if lack:
            raise SystemExit(lack)
        super().build_extensions()


if __name__ == "__main__":
    refusal = unsupported(sys.platform, bool(sysconfig.get_config_var("Py_GIL_DISABLED")))
    if refusal:
        raise SystemExit(refusal)
    os.chdir(Path(__file__).resolve().parent)  # the paths of the sources are relative to it
    setup(
        cmdclass={"build_ext": CheckedBuild},
        cffi_modules=["pygrad/_cffi_build.py:ffibuilder"],
        options={"bdist_wheel": {"py_limited_api": "cp311"}},
    )
