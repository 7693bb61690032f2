"""Importing pygrad: what it costs, what it says when it cannot work, where it works from."""

import ast
import builtins
import importlib.util
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pygrad
from pygrad import Value

PACKAGE = Path(pygrad.__file__).parent

#: What would make `import pygrad` slow or fail where it is not installed. Each is imported where it is used.
HEAVY = {
    "IPython", "asyncio", "cffi", "concurrent", "email", "graphviz", "html", "http", "hypothesis",
    "importlib.metadata", "inspect", "logging", "matplotlib", "multiprocessing", "pandas", "pycparser", "pytest",
    "scipy", "sklearn", "socket", "ssl", "subprocess", "tempfile", "torch", "unittest", "urllib", "xml",
}  # fmt: skip


def python(
    *arguments: str | Path, cwd: Path | None = None, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with another one first on its path."""
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def output(*arguments: str | Path, cwd: Path | None = None, path: Path | None = None) -> str:
    done = python(*arguments, cwd=cwd, path=path)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


# ---- what it costs ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that pygrad imports beyond numpy's."""
    program = """
import sys
import numpy
before = set(sys.modules)
import pygrad
print(*sorted(set(sys.modules) - before))
"""
    return set(output("-c", program).split())


def test_import_brings_no_heavy_module(imported):
    assert not imported & HEAVY
    assert not {name for name in imported if name.split(".")[0] in HEAVY}


def test_import_brings_few_modules(imported):
    others = {name for name in imported if not name.startswith("pygrad")}
    assert len(others) <= 12, sorted(others)
    assert "_cffi_backend" in others


def test_import_leaves_demos_benches_and_drawing_until_they_are_used(imported):
    assert not {name for name in imported if re.match(r"pygrad\.(bench|cli|demos|reference|viz)\b", name)}


def test_import_leaves_data_training_and_checks_until_they_are_used(imported):
    assert not {name for name in imported if re.match(r"pygrad\.(data|train|check)\b", name)}
    program = """
import pygrad
assert pygrad.data.xor and pygrad.train.fit and pygrad.gradcheck and pygrad.GradcheckError
assert pygrad.data is pygrad.data
try:
    pygrad.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error)
else:
    raise AssertionError
"""
    assert output("-c", program) == ""


def test_import_changes_nothing_of_the_process():
    program = """
import gc, os, random, signal, sys, threading, warnings
import numpy as np

def state():
    return (
        random.getstate(), np.random.get_state()[1].tolist(), np.geterr(), warnings.filters[:], sys.path[:],
        gc.get_threshold(), gc.isenabled(), sys.getrecursionlimit(), signal.getsignal(signal.SIGINT),
        threading.active_count(), dict(os.environ), 5e-324 / 1.0,  # which a flush to zero would lose
    )

before = state()
import pygrad
assert state() == before
"""
    assert output("-c", program) == ""


# ---- where it works --------------------------------------------------------------------------------------------------

USE = """
from pygrad import Value
x = Value(3.0)
(x * x * x).backward()
print(x.grad)
"""


def test_works_from_another_folder(tmp_path):
    # The checkout or the installation, wherever the package of this process came from.
    assert output("-c", USE, cwd=tmp_path, path=PACKAGE.parent) == "27.0"


def test_works_as_a_script(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(USE)
    assert output(script, cwd=tmp_path, path=PACKAGE.parent) == "27.0"


@pytest.mark.parametrize("options", [["-I"], ["-I", "-S"], ["-P"], ["-O"], ["-OO"], ["-B"], ["-X", "utf8=0"]])
def test_works_with_the_options_of_python(options, tmp_path):
    """Also where the path is not taken from the environment, and where docstrings are stripped."""
    program = f"import sys; sys.path[:] = {[str(PACKAGE.parent), *sys.path]!r}\n{USE}"
    assert output(*options, "-c", program, cwd=tmp_path) == "27.0"


def test_works_when_it_is_imported_a_second_time():
    program = f"""
import gc
import sys
import pygrad
x = pygrad.Value(2.0)
y = x * 2
for name in [name for name in sys.modules if name.split(".")[0] == "pygrad"]:
    del sys.modules[name]
del pygrad
gc.collect()
{USE}
from pygrad import functional
z = functional.sum([x, y, 1.0]).leaky_relu() + Value(-1.0).elu() + x.gelu().swish()
z.backward()
"""
    assert output("-c", program) == "27.0"


#: As text, because a child cannot import this module wherever pytest found it.
CHILD = """
from pygrad import Value
x = Value(3.0)
(x * x * x).backward()
assert x.grad == 27.0
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_works_in_a_child_process(method):
    kept = [Value(float(i)) * 2 for i in range(10_000)]
    process = multiprocessing.get_context(method).Process(target=exec, args=(CHILD, {}))
    process.start()
    process.join()
    assert process.exitcode == 0
    kept[-1].backward()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_graph_of_the_parent_works_in_a_forked_child():
    program = """
import os
from pygrad import Value
x = Value(1.0)
y = x
for _ in range(100_000):
    y = y + x
pid = os.fork()
y.backward()
assert x.grad == 100_001.0
z = y * 2
del y
z.backward()
assert x.grad == 300_003.0
del z
if pid == 0:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print("both")
"""
    assert output("-c", program) == "both"


# ---- what it says when it cannot work ------------------------------------------------------------------------------


@pytest.fixture
def copy_of_the_package(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "pygrad", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def importing(folder: Path, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """Import the copy, and nothing but the copy: without `site`, which lets an editable install stand in for it."""
    program = f"import sys; sys.path[:] = {[str(folder), *sys.path]!r}; {before}; import pygrad; print(pygrad.__file__)"
    return python("-S", "-c", program, cwd=folder)


def test_copy_of_the_package_works(copy_of_the_package):
    done = importing(copy_of_the_package)
    assert done.stderr == ""
    assert Path(done.stdout.strip()) == copy_of_the_package / "pygrad" / "__init__.py"


def test_extension_of_another_version_is_refused_by_name(copy_of_the_package):
    version = copy_of_the_package / "pygrad" / "_version.py"
    version.write_text('__version__ = "99.0.0"\n')
    line = last_line(importing(copy_of_the_package))
    assert line.startswith("ImportError: ")
    assert "pygrad 99.0.0 found a C extension that was built for version " + pygrad.__version__ in line
    assert "pip install" in line


def test_missing_extension_says_what_to_do(copy_of_the_package):
    for extension in (copy_of_the_package / "pygrad").glob("_c.*"):
        extension.unlink()
    line = last_line(importing(copy_of_the_package))
    assert line.startswith("ImportError: ")
    assert "C extension is not built" in line
    assert "pip install" in line


def test_missing_cffi_is_not_taken_for_a_missing_extension(copy_of_the_package):
    """The extension is there; what it needs at run time is not."""
    line = last_line(importing(copy_of_the_package, 'sys.modules["_cffi_backend"] = None'))
    assert "cffi" in line
    assert "not built" not in line


def test_broken_extension_is_not_hidden(copy_of_the_package):
    for extension in (copy_of_the_package / "pygrad").glob("_c.*"):
        extension.write_bytes(b"not a library")
    line = last_line(importing(copy_of_the_package))
    assert line.startswith("ImportError: ")
    assert "_c." in line


def test_free_threaded_interpreters_are_refused(copy_of_the_package):
    line = last_line(importing(copy_of_the_package, 'sys.abiflags = "t"'))
    assert line.startswith("ImportError: ")
    assert "free-threaded" in line


# ---- who imports what ----------------------------------------------------------------------------------------------


def imports(source: Path) -> set[str]:
    """The names of what a module imports, wherever in it, relative ones made absolute."""
    found = set()
    package = [PACKAGE.name, *source.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def test_only_one_module_imports_the_extension():
    importers = {
        source.relative_to(PACKAGE).as_posix()
        for source in PACKAGE.rglob("*.py")
        if any(name == "pygrad._c" or name.startswith("pygrad._c.") for name in imports(source))
    }
    assert importers == {"_engine.py"}


def test_nothing_imports_more_at_the_top_than_the_standard_library_numpy_and_pygrad():
    def at_the_top(source: Path) -> set[str]:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        names = set()
        for node in tree.body:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                names.add(node.module)
        return {name.split(".")[0] for name in names}

    allowed = {*sys.stdlib_module_names, "numpy", "pygrad"}
    more = {
        source.relative_to(PACKAGE).as_posix(): names - allowed
        for source in PACKAGE.rglob("*.py")
        if source.name != "_cffi_build.py" and (names := at_the_top(source)) - allowed
    }
    assert more == {}


def test_type_and_modules_have_their_public_names():
    assert f"{Value.__module__}.{Value.__qualname__}" == "pygrad.Value"
    assert importlib.util.find_spec("pygrad").origin == pygrad.__file__  # type: ignore[union-attr]
    assert not {name for name in pygrad.__all__ if not hasattr(pygrad, name)}
    assert len(pygrad.__all__) == len(set(pygrad.__all__))


def documented(thing: object, path: str) -> Iterator[tuple[str, bool]]:
    """Yield the paths of a public thing and of a class's public attributes, and whether each has a docstring."""
    yield path, bool(getattr(thing, "__doc__", None))
    if isinstance(thing, type) and (thing.__module__ or "").startswith("pygrad"):
        for name, value in vars(thing).items():
            if not name.startswith("_") and (callable(value) or isinstance(value, property)):
                yield f"{path}.{name}", bool(value.__doc__)


def test_every_public_name_has_a_docstring():
    modules = [pygrad, pygrad.nn, pygrad.optim, pygrad.data, pygrad.train, pygrad.autograd, pygrad.random]
    missing = []
    for module in modules:
        for name in {*module.__all__, *(name for name in vars(module) if not name.startswith("_"))}:
            thing = getattr(module, name)
            if callable(thing) and getattr(thing, "__module__", "").startswith("pygrad"):
                missing += [path for path, there in documented(thing, f"{module.__name__}.{name}") if not there]
    assert missing == []


def test_star_import_leaves_the_builtins_alone():
    program = """
import builtins
from pygrad import *
shadowed = [name for name in dir(builtins) if not name.startswith("_") and globals().get(name, None) is not None]
print(*shadowed, sum([1, 2]), max(1, 2), float(1), Tensor.__name__)
"""
    assert output("-c", program) == "3 2 1.0 Tensor"


@pytest.mark.parametrize("name", ["sum", "max", "min", "abs", "pow", "all", "any", "bool", "int", "float"])
def test_names_that_builtins_have_too_are_attributes_of_the_package(name):
    assert getattr(pygrad, name) is not getattr(builtins, name)
    assert name not in pygrad.__all__
