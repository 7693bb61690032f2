"""The stubs say what is there: names and arguments. (Their types are for a type checker to judge.)"""

import ast
import inspect
from pathlib import Path
from types import FunctionType

import pytest

import pygrad
from pygrad import Tensor, _engine

PACKAGE = Path(pygrad.__file__).parent


def body_of(stub: str, name: str) -> dict[str, ast.stmt]:
    """Return what a class of a stub declares, by name; of overloads the last."""
    tree = ast.parse((PACKAGE / stub).read_text())
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    declared: dict[str, ast.stmt] = {}
    for node in found.body:
        if isinstance(node, ast.FunctionDef):
            declared[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            declared[node.target.id] = node
    return declared


TENSOR = body_of("_tensor.pyi", "Tensor")


def test_stub_of_the_engine_names_every_function():
    there = {name for name, value in vars(_engine.native).items() if inspect.isbuiltin(value)}
    assert set(body_of("_engine.pyi", "_Native")) == there


def test_stub_of_tensor_names_every_public_attribute():
    there = {name for name in vars(Tensor) if not name.startswith("_")}
    assert {name for name in TENSOR if not name.startswith("_")} == there


def test_stub_of_the_op_table_names_every_function():
    from pygrad import _op_functions

    tree = ast.parse((PACKAGE / "_op_functions.pyi").read_text())
    declared = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    declared |= {node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)} - {"_T"}
    assert declared == set(_op_functions.__all__)


@pytest.mark.parametrize("name", sorted(name for name, value in vars(Tensor).items() if type(value) is FunctionType))
def test_method_takes_what_its_stub_says(name):
    if name not in TENSOR or name.startswith("_"):
        pytest.skip("not in the stub")
    declared = TENSOR[name]
    assert isinstance(declared, ast.FunctionDef)
    if any(isinstance(decorator, ast.Name) for decorator in declared.decorator_list):
        pytest.skip("overloads share the arguments among them")
    arguments = declared.args
    names = [x.arg for x in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
    names += [x.arg for x in (arguments.vararg, arguments.kwarg) if x is not None]
    defaults = len(arguments.defaults) + sum(x is not None for x in arguments.kw_defaults)
    parameters = inspect.signature(vars(Tensor)[name]).parameters
    assert set(names) == set(parameters)
    assert defaults == sum(p.default is not p.empty for p in parameters.values())
