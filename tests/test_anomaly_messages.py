"""detect_anomaly: the operation, the shapes and the lines that its errors name.

The lines are marked by comments; what a message has to say of them is looked up in this file.
"""

from __future__ import annotations

import zlib
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anomaly_support import Cube, autograd, detect_anomaly, failure, lines
from tensor_backend import TORCH, array, leaf, pg
from tensor_table import TABLE, Case, Row

pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
SOURCE = Path(__file__).read_text(encoding="utf-8").splitlines()


def at(mark: str, function: str) -> str:
    """Return how a message shows the line that ends with this comment."""
    (number,) = (i for i, text in enumerate(SOURCE, 1) if text.endswith(f"# {mark}"))
    return f'File "{__file__}", line {number}, in {function}\n    {SOURCE[number - 1].strip()}'


@lines
def test_message_has_shapes_dtypes_and_the_line() -> None:
    def forward(x: Any) -> Any:
        return (x.sqrt() * 2).sum()  # sqrt of x

    text = failure(lambda: forward(leaf([[4.0, -1.0, 0.0]], "float32")).backward())
    assert "given a gradient of float32 [1, 3]; Sqrt took float32 [1, 3] and gave float32 [1, 3]." in text
    assert "In the forward pass nan first appeared in what it gave." in text
    assert text.endswith(f"\nSqrt ran at\n  {at('sqrt of x', 'forward')}")


@lines
def test_line_is_the_users_that_called_a_module_or_a_loss() -> None:
    model = pg.nn.Sequential(pg.nn.Linear(2, 3), pg.nn.ReLU(), pg.nn.Linear(3, 1))
    with pg.no_grad():
        for p in model.parameters():
            p.fill_(1.0)
    x, target = pg.tensor([[np.inf, -np.inf]]), pg.zeros(1, 1)

    def forward() -> Any:
        out = model(x)  # the model
        return pg.mse_loss(out, target)  # the loss

    text = failure(lambda: forward().backward())
    assert text.startswith("Function 'MseLossBackward0' returned nan")
    assert f"MseLoss ran at\n  {at('the loss', 'forward')}\n" in text
    assert "first appeared in what Linear gave: it took float32 [1, 2], float32 [3, 2], float32 [3] and gave" in text
    assert text.endswith(f"Linear ran at\n  {at('the model', 'forward')}")


@lines
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_that_first_appeared_in_another_operation_is_told_with_its_line(dtype: str) -> None:
    def forward(x: Any) -> Any:
        later = x * 3
        y = (x - 1).log()  # where nan begins
        z = y * later  # where nan goes on
        return z.sum()

    text = failure(lambda: forward(leaf([0.5, 2.0], dtype)).backward())
    assert text.startswith("Function 'MulBackward0' returned nan values in its 1th output.")
    assert f"nan first appeared in what Log gave: it took {dtype} [2] and gave {dtype} [2].\n" in text
    places = f"Mul ran at\n  {at('where nan goes on', 'forward')}\nLog ran at\n  {at('where nan begins', 'forward')}"
    assert text.endswith(places)


@lines
def test_of_two_operations_that_gave_nan_the_first_in_time_is_told() -> None:
    def forward(x: Any, swapped: bool) -> Any:
        a = x.log() if swapped else x.log1p()  # first
        b = x.log1p() if swapped else x.log()
        return ((b + a) * x).sum()

    for swapped, name in ((False, "Log1p"), (True, "Log")):
        text = failure(lambda swapped=swapped: forward(leaf([-2.0]), swapped).backward())
        assert f"first appeared in what {name} gave" in text
        assert text.endswith(at("first", "forward"))


@lines
def test_nan_that_came_in_from_outside_is_told_as_such() -> None:
    def forward(x: Any) -> Any:
        y = x + 1  # the first that sees it
        return (y * y).sum()

    text = failure(lambda: forward(leaf([nan, 1.0])).backward())
    assert "In the forward pass nan came in with what Add took: it took float64 [2] and gave float64 [2]." in text
    assert text.endswith(f"Add ran at\n  {at('the first that sees it', 'forward')}")


@lines
def test_gradient_that_was_nan_from_the_start_is_not_the_operations_fault() -> None:
    x = leaf([1.0, 2.0])
    seed = pg.tensor([1.0, nan], dtype=pg.float64)
    for work in (lambda: (x * 2).backward(seed), lambda: autograd.grad(x * 2, x, seed)):
        text = failure(work)
        assert "float64 [2], which holds nan already: the gradient that backward() or grad() was given does;" in text
        assert "forward pass" not in text
    text = failure(lambda: x.add(-3).sqrt().backward(seed[:1].expand(2)))
    assert text.startswith("Function 'SqrtBackward0'")
    assert "already" not in text
    x.grad = None
    with detect_anomaly():
        x.backward(seed)  # where no function runs
    assert np.isnan(array(x.grad)).tolist() == [False, True]


@lines
def test_gradient_that_a_hook_made_nan_or_a_sum_of_infinities_is_not_the_operations_fault() -> None:
    x = leaf([1.0])

    def hooked() -> None:
        y = x * 2
        y.register_hook(lambda g: g * nan)
        y.sum().backward()

    def summed() -> None:
        y = x * 2
        (y * np.inf).sum().backward(retain_graph=True)
        ((y * np.inf).sum() + (y * -np.inf).sum() * 2).backward()

    for work in (hooked, summed):
        text = failure(work)
        assert text.startswith("Function 'MulBackward0' returned nan")
        assert "holds nan already: a hook returned it, or infinite gradients of both signs were added;" in text


@lines
def test_forward_outside_is_told_to_be_so() -> None:
    y = leaf([-1.0, 1.0]).sqrt()
    text = failure(lambda: y.sum().backward())
    assert "; it had saved float64 [2]." in text
    assert "\nSqrt ran outside of detect_anomaly" in text


@lines
def test_backward_outside_finds_nothing() -> None:
    x = leaf([-1.0, 1.0])
    with detect_anomaly():
        y = x.sqrt().sum()
    y.backward()
    assert np.isnan(array(x.grad)).tolist() == [True, False]


@lines
def test_changes_in_place_have_their_line() -> None:
    def forward(x: Any) -> Any:
        y = x * 1
        y.log_()  # in place
        return y

    text = failure(lambda: forward(leaf([0.0, 1.0])).mul(0).sum().backward())
    assert text.startswith("Function 'LogBackward0' returned nan")
    assert f"Log ran at\n  {at('in place', 'forward')}\n" in text


@lines
@pytest.mark.parametrize("part", [slice(None), slice(1)])
def test_nan_that_a_change_in_place_overwrites_is_not_where_it_began(part: slice) -> None:
    def work() -> None:
        base = leaf([1.0, 1.0]) / pg.tensor([0.0, 1.0], dtype=pg.float64) * 0  # gives nan
        base[part].fill_(-1.0)
        base.sqrt().sum().backward()

    def work_without() -> None:
        base = leaf([nan, 1.0]) * 1
        base[part].fill_(-1.0)
        base.sqrt().sum().backward()

    assert at("gives nan", "work") in failure(work)
    assert "first appeared in what it gave" in failure(work_without)


@lines
@pytest.mark.parametrize("check_nan", [False, True])
def test_other_errors_of_backward_tell_the_line(check_nan: bool) -> None:
    def spoiled() -> None:
        y = leaf([1.0]).exp()  # what is saved
        z = y * 2
        y.zero_()
        z.sum().backward()

    def twice() -> None:
        y = leaf([1.0]).exp().sum()  # what is freed
        y.backward()
        y.backward()

    text = failure(spoiled, check_nan)
    assert text.startswith("Exp: one of the variables needed for gradient computation has been modified by an inplace")
    assert text.endswith(f"\nExp ran at\n  {at('what is saved', 'spoiled')}")
    text = failure(twice, check_nan)
    assert text.startswith("Exp: Trying to backward through the graph a second time")
    assert text.endswith(f"\nExp ran at\n  {at('what is freed', 'twice')}")


@lines
def test_many_and_large_shapes_are_cut() -> None:
    x = leaf(np.full((1,) * 8, -1.0))
    text = failure(lambda: pg.cat([x] * 50).sqrt().sum().backward())
    assert "Sqrt took float64 [50, 1, 1, 1, 1, 1, 1, 1] and" in text
    text = failure(lambda: (pg.cat([x] * 50) * nan).sum().backward())
    text = failure(lambda: pg.cat([x] * 50).sum().backward(pg.tensor(nan, dtype=pg.float64)))
    assert text.startswith("Function 'SumBackward0'")
    text = failure(lambda: pg.cat([x] * 50).backward(pg.full((50, *(1,) * 7), nan, dtype=pg.float64)))
    assert "Cat took float64 [1, 1, 1, 1, 1, 1, 1, 1], float64 [1, 1, 1, 1, 1, 1, 1, 1]" in text
    assert "... and gave float64 [50, 1, 1, 1, 1, 1, 1, 1].\n" in text


# ---- functions in Python, checkpoints, derivatives of derivatives ----------------------------------------------------


@lines
def test_function_in_python_has_its_line() -> None:
    def forward(x: Any) -> Any:
        return Cube.apply(2.0, x)  # a Function

    text = failure(lambda: forward(leaf([1.0, 2.0])).sum().backward())
    assert "Cube took float64 [2] and gave float64 [2]." in text
    assert text.endswith(f"Cube ran at\n  {at('a Function', 'forward')}")


@lines
def test_nan_that_a_function_in_python_gave_is_told() -> None:
    class Log(autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.log(), x * 2

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0]

    def forward(x: Any) -> Any:
        y, _ = Log.apply(x)  # gives it
        return (y * y).sum()

    text = failure(lambda: forward(leaf([-1.0])).backward())
    assert "nan first appeared in what Log gave: it took float64 [1] and gave float64 [1], float64 [1]." in text
    assert text.endswith(f"Log ran at\n  {at('gives it', 'forward')}")


@lines
@pytest.mark.parametrize("kind", [ValueError, RuntimeError, KeyboardInterrupt])
def test_what_a_function_in_python_raises_is_raised_with_a_note(kind: type[BaseException]) -> None:
    raised = kind("mine")

    class Raises(autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise raised

    def forward(x: Any) -> Any:
        return Raises.apply(x)  # a Function that raises

    with pytest.raises(kind) as caught, detect_anomaly():
        forward(leaf([1.0])).sum().backward()
    assert caught.value is raised
    assert str(raised) == "mine"
    assert raised.__notes__ == [f"Raises ran at\n  {at('a Function that raises', 'forward')}"]


@lines
def test_checkpoint_tells_the_line_within_and_that_of_the_checkpoint() -> None:
    def part(x: Any) -> Any:
        return x.sqrt() * 2  # within

    def forward(x: Any) -> Any:
        return autograd.checkpoint(part, x)  # around

    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        forward(leaf([-1.0, 4.0])).sum().backward()
    assert str(caught.value).startswith("Function 'SqrtBackward0' returned nan")
    assert str(caught.value).endswith(f"Sqrt ran at\n  {at('within', 'part')}")
    assert caught.value.__notes__ == [f"CheckpointFunction ran at\n  {at('around', 'forward')}"]


@lines
def test_derivative_of_a_derivative_tells_what_was_differentiated() -> None:
    def forward(x: Any) -> Any:
        return (x**1.5).sum()  # of order one half

    def work() -> None:
        x = leaf([0.0, 4.0])
        (first,) = autograd.grad(forward(x), x, create_graph=True)  # the first derivative
        autograd.grad((first * 0).sum(), x, create_graph=True)

    text = failure(work)
    assert text.startswith("Function 'PowBackward0' returned nan")
    first, power = at("the first derivative", "work"), at("of order one half", "forward")
    assert text.endswith(f"Pow ran at\n  {first}\nto differentiate what ran at\n  {power}")


@lines
def test_rules_that_differentiate_within_themselves_are_told_by_their_own_name() -> None:
    """Normalisation's gradient, recorded, is found by a pass within the pass."""

    def forward(x: Any) -> Any:
        return pg.layer_norm(x, (2,))  # normalised

    x = leaf([[1.0, 2.0]])

    def work() -> None:
        seed = pg.tensor([[nan, 1.0]], dtype=pg.float64)
        autograd.grad(forward(x), x, seed, create_graph=True)

    text = failure(work)
    assert text.startswith("Function 'NativeLayerNormBackward0' returned nan")
    assert text.endswith(f"NativeLayerNorm ran at\n  {at('normalised', 'forward')}")


@lines
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("row", "c"),
    [pytest.param(row, row.cases[0], id=row.name) for row in TABLE if row.result == "float" and row.differentiable()],
)
def test_every_operation_notes_its_line(row: Row, c: Case, create_graph: bool) -> None:
    """Each that passes on nan from a seed."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    tensors = []
    for given, shape in zip(row.inputs, c.shapes, strict=True):
        t = pg.tensor(np.asarray(given.sample(rng, shape), dtype="float64" if given.dtype == "float" else given.dtype))
        tensors.append(t.requires_grad_() if given.differentiable else t)
    with detect_anomaly():
        out = row(*tensors, **c.options)  # the operation
    wanted = [tensors[i] for i in row.differentiable()]
    try:
        with detect_anomaly():
            autograd.grad(out, wanted, pg.full_like(out, nan), create_graph=create_graph, allow_unused=True)
    except RuntimeError as error:
        text = str(error)
    else:
        found = autograd.grad(row(*tensors, **c.options), wanted, pg.full_like(out, nan), allow_unused=True)
        assert not any(np.isnan(array(g)).any() for g in found if g is not None)
        return
    assert text.startswith("Function '")
    assert "; it had saved" not in text
    assert "holds nan already: the gradient that" in text
    assert text.count(" ran at\n") == 1
    assert at("the operation", "test_every_operation_notes_its_line") in text or "tensor_table" in text


if TORCH:
    del test_every_operation_notes_its_line  # the table's rows are of this library's names
