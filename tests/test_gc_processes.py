"""The collector at any moment and at the end of the interpreter; attributes are those of one value."""

import weakref

import pytest
from gc_support import (
    STEPS,
    Witness,
    in_fresh_process,
    no_garbage_of_others,  # noqa: F401
)

from pygrad import Value

# ---- the collector at any moment ------------------------------------------------------------------------------------

MIXED = """
import gc
import numpy as np
import pygrad
from pygrad import reference

def program(engine, functional):
    V = engine.Value
    class Node(V):
        pass
    def square(x):
        out = V(x.data**2, (x,), "square")
        def _backward():
            x.grad += 2 * x.data * out.grad
        out._backward = _backward
        return out
    leaves = [V(0.1 * i - 0.35) for i in range(8)]
    grads = []
    for k in range(STEPS):
        h = [(a * b + 1.5).tanh() - np.float64(0.25) for a, b in zip(leaves, leaves[1:])]
        h += [square(h[k % 7]), Node(leaves[1].data) * leaves[1], 2 ** leaves[2], leaves[3].exp()]
        h[0].note, h[1].note, h[2].label = [h], {"self": h[1]}, "h2"
        s = functional.sum(h) + functional.dot(h, h[::-1]) * 0.1 + functional.logsumexp(h[:4])
        loss = square(s) * 0.01
        for v in leaves:
            v.grad = 0.0
        loss.backward()
        grads.append([v.grad for v in leaves] + [v.grad for v in h] + [loss.data])
        leaves[k % 8].data += 0.01
        del h, s, loss
    return grads
"""


@pytest.mark.parametrize("threshold", [(1,), (3, 2, 2), (0,)])
def test_collector_running_all_the_time_changes_nothing(threshold):
    in_fresh_process(
        MIXED.replace("STEPS", str(40 // STEPS))
        + f"""
gc.set_threshold(*{threshold})
ours = program(pygrad, pygrad.functional)
gc.set_threshold(700)
theirs = program(reference, reference.functional)
np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
""",
    )


# ---- the end of the interpreter -------------------------------------------------------------------------------------

SHUTDOWN = """
import gc
import sys
import threading
import time
from pygrad import MLP_OR_NOTHING

class Node(Value):
    pass

class Loud(Value):
    def __del__(self):
        (Value(1.0) * 2 + self.data).backward()

def square(x):
    out = Value(x.data**2, (x,), "square")
    def _backward():
        x.grad += 2 * x.data * out.grad
    out._backward = _backward
    return out

x = Value(2.0)
chain = x
for _ in range(10_000):
    chain = chain + x
custom = square(square(chain * 1e-4))
custom.note = [custom]
kept = Node(1.0, (custom,))
kept.self = kept
loud = Loud(1.0, (kept,))
loud.self = loud
model = MLP(2, [8, 1], seed=0)
loss = model([x, custom])
loss.backward()
sys.modules["kept_by_a_module"] = [loss, square(loss)]
sys.graph = square(loss)

def forever():
    y = Value(1.0)
    while True:
        z = square(y * 2)
        z.backward()

def asleep():
    z = Value(1.0) * 2
    z._backward = lambda: time.sleep(1000)
    (z + 1).backward()

if THREADS:
    for target in forever, asleep:
        threading.Thread(target=target, daemon=True).start()
    time.sleep(0.05)
gc.disable()
""".replace("from pygrad import MLP_OR_NOTHING", "from pygrad import Value\nfrom pygrad.nn import MLP")


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ((), {}),
        (("-X", "dev"), {}),
        ((), {"PYTHONMALLOC": "debug"}),
        (("-W", "error"), {}),
        (("-O",), {}),
    ],
    ids=["plain", "dev mode", "debug malloc", "warnings are errors", "optimised"],
)
def test_interpreter_ends_silently_over_live_graphs(options, environment, threads):
    in_fresh_process(SHUTDOWN.replace("THREADS", str(threads)), *options, **environment)


# ---- attributes of one value are not those of all --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["__len__", "__setattr__", "__new__", "__module__", "__name__", "__call__", "__float__", "__eq__", "mro"]
)
def test_attribute_of_one_value_with_a_special_name_changes_no_other(name):
    """Refused or kept, it is that one's: the type goes on as before."""
    in_fresh_process(
        f"""
        import gc, pickle
        import numpy as np
        from pygrad import Value

        def marvel(*_):
            raise AssertionError("called")

        before = repr(Value), Value.__module__, Value.__name__, callable(Value(1.0)), Value.mro()
        v, w = Value(1.0), Value(2.0)
        try:
            setattr(v, {name!r}, marvel)
        except (AttributeError, TypeError):
            pass
        del v
        assert (repr(Value), Value.__module__, Value.__name__, callable(Value(1.0)), Value.mro()) == before
        assert w and bool(w + w)
        w.data = 3.0
        w.note = [w]
        assert not hasattr(w, "nothing") and w == w and w in {{w}}
        assert pickle.loads(pickle.dumps(Value(5.0))).data == 5.0
        assert type(np.array([w])[0]) is Value
        for convert in float, list, len, iter:
            try:
                convert(w)
            except TypeError:
                pass
            else:
                raise AssertionError(convert)
        y = w * 2 + 1
        y.backward()
        assert (y.data, w.grad) == (7.0, 2.0)
        del w, y
        gc.collect()
        """
    )


def test_attribute_that_hides_a_method_hides_it_on_that_value_alone():
    v, w = Value(-1.0), Value(-2.0)
    v.relu = "mine"
    assert v.relu == "mine"
    assert w.relu().data == 0.0
    assert Value.relu(v).data == 0.0
    del v.relu
    assert v.relu().data == 0.0


def test_class_attribute_of_a_subclass_without_a_dict_stays_its_own():
    class Slim(Value):
        __slots__ = ()
        unit = "metre"

    v = Slim(1.0)
    try:
        v.unit = "foot"
    except AttributeError:
        assert v.unit == "metre"
    else:
        assert v.unit == "foot"
    assert Slim(2.0).unit == "metre"
    assert not hasattr(Value(3.0), "unit")


def test_what_the_type_holds_cannot_be_applied_to_other_objects():
    """A descriptor of a C type that is called with any object must not take it for one of its own."""
    in_fresh_process(
        """
        from pygrad import Value

        v = Value(1.0)
        v.colour = "red"

        class Other:
            __slots__ = ()

        def use(attribute, other):
            for call in (
                lambda: attribute.__get__(other, type(other)),
                lambda: attribute.__set__(other, 1.0),
                lambda: attribute.__delete__(other),
                lambda: attribute(other),
                lambda: attribute(other, v),
                lambda: attribute(v, other),
            ):
                try:
                    call()
                except (TypeError, AttributeError, ValueError, RuntimeError):
                    pass

        for name, attribute in list(vars(Value).items()):
            if name not in ("__new__", "__init__", "to_dot"):
                for other in Other(), 5, "text" * 100, None, [1.0]:
                    use(attribute, other)
        Copy = type("Copy", (), {"colour": vars(Value)["colour"], "data": vars(Value)["data"]})
        for name in "colour", "data":
            try:
                getattr(Copy(), name)
            except (TypeError, AttributeError):
                pass
            else:
                raise AssertionError(name)
        v.backward()
        """
    )


def test_values_with_attributes_that_die_inside_a_destructor_die_at_once():
    alive = weakref.WeakSet()
    most = 0

    class Maker:
        def __del__(self) -> None:
            nonlocal most
            for _ in range(1000):
                v = Value(1.0)
                v.witness = Witness()
                alive.add(v.witness)
                del v
                most = max(most, len(alive))

    v = Value(1.0)
    v.maker = Maker()
    del v
    assert most <= 1
