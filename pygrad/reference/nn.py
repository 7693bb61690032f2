"""Multi-layer perceptrons of single values, with the interface of micrograd's `nn`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pygrad.reference.engine import Operand, Value

if TYPE_CHECKING:
    from pygrad.random import Generator

# Name of an activation -> name of a neuron that has it, and the function.
ACTIVATIONS: dict[str, tuple[str, Callable[[Value], Value]]] = {
    "linear": ("Linear", lambda x: x),
    "relu": ("ReLU", Value.relu),
    "leaky_relu": ("LeakyReLU", Value.leaky_relu),
    "elu": ("ELU", Value.elu),
    "gelu": ("GELU", Value.gelu),
    "gelu_tanh": ("GELUTanh", Value.gelu_tanh),
    "silu": ("SiLU", Value.silu),
    "softplus": ("Softplus", Value.softplus),
    "selu": ("SELU", Value.selu),
    "mish": ("Mish", Value.mish),
    "relu6": ("ReLU6", Value.relu6),
    "sigmoid": ("Sigmoid", Value.sigmoid),
    "logsigmoid": ("LogSigmoid", Value.logsigmoid),
    "tanh": ("Tanh", Value.tanh),
    "hardtanh": ("Hardtanh", Value.hardtanh),
    "sin": ("Sin", Value.sin),
}
ALIASES = {"identity": "linear", "leaky": "leaky_relu", "swish": "silu"}


class Module:
    """What has parameters.

    Examples
    --------
    >>> Module().parameters()
    []
    """

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, before the next `backward` adds to it."""
        for p in self.parameters():
            p.grad = 0.0

    def parameters(self) -> list[Value]:
        """Return the values that training changes."""
        return []


class Neuron(Module):
    """A weighted sum and an activation, y = f(b + w_1 x_1 + ... + w_n x_n).

    Parameters
    ----------
    nin : int
        Number of inputs, n.
    nonlin : bool
        False leaves the activation out.
    activation : str
        A name in `ACTIVATIONS`, or one of the `ALIASES` 'leaky', 'swish' and 'identity'.
    init : str or sequence of float
        The scheme of `pygrad.init` that draws the weights, 'auto' for the one that suits the activation (He
        for the relu family, else Xavier); or the n weights themselves. The bias starts at 0.
    seed : int, pygrad.random.Generator or None
        What the weights are drawn from; None takes a seed from Python's `random`.

    Examples
    --------
    >>> neuron = Neuron(2, init=[0.5, -1.0])
    >>> neuron.b.data = 2.5
    >>> neuron([1.0, 2.0])
    Value(data=1.0, grad=0.0)
    >>> neuron
    ReLUNeuron(2)
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: str = "relu",
        init: str | Sequence[float] = "auto",
        seed: int | Generator | None = None,
    ) -> None:
        self.nonlin = nonlin
        self._name, self._function = ACTIVATIONS[_canonical(activation)]
        weights = _draw(init, activation, nin, 1, seed) if isinstance(init, str) else init
        if len(weights) != nin:
            raise ValueError(f"Neuron({nin}): init holds {len(weights)} weights, not {nin}")
        self.w = [Value(w) for w in weights]
        self.b = Value(0.0)

    def __call__(self, x: Sequence[Operand]) -> Value:
        """Return the output for nin inputs."""
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return self._function(act) if self.nonlin else act

    def parameters(self) -> list[Value]:
        """Return the weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{self._name if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """A list of neurons that share their inputs.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nout : int
        Number of neurons.
    **kwargs
        `nonlin`, `activation`, `init` and `seed` as in `Neuron`; the nout * nin weights are drawn, or given,
        neuron by neuron.

    Examples
    --------
    >>> layer = Layer(2, 2, activation="linear", init=[1.0, 2.0, 3.0, 4.0])
    >>> layer([10, 1])
    [Value(data=12.0, grad=0.0), Value(data=34.0, grad=0.0)]
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        init, seed = kwargs.pop("init", "auto"), kwargs.pop("seed", None)
        activation = kwargs.get("activation", "relu")
        weights = _draw(init, activation, nin, nout, seed) if isinstance(init, str) else init
        if len(weights) != nin * nout:
            raise ValueError(f"Layer({nin}, {nout}): init holds {len(weights)} weights, not {nin * nout}")
        self.neurons = [Neuron(nin, init=weights[i * nin : (i + 1) * nin], **kwargs) for i in range(nout)]

    def __call__(self, x: Sequence[Operand]) -> Value | list[Value]:
        """Return the list of outputs, or the output itself if there is one neuron."""
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        """Return the parameters of the first neuron, then those of the second, ..."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(str(neuron) for neuron in self.neurons)}]"


class MLP(Module):
    """Layers one after the other, a multi-layer perceptron.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nouts : sequence of int
        Number of neurons of each layer.
    activation, output_activation : str
        Those of the hidden layers and of the last layer.
    init : str
        A scheme of `pygrad.init`; 'auto' is the one that suits `activation`, in all layers.
    seed : int, pygrad.random.Generator or None
        One generator draws all weights, layer by layer and neuron by neuron. A seed gives the same weights
        here and in `pygrad.nn.MLP`.

    Examples
    --------
    >>> model = MLP(3, [4, 4, 1], seed=1)
    >>> len(model.parameters())
    41
    >>> y = model([2.0, 3.0, -1.0])
    >>> y.backward()
    >>> MLP(2, [2, 1], activation="tanh", seed=1)
    MLP of [Layer of [TanhNeuron(2), TanhNeuron(2)], Layer of [LinearNeuron(2)]]
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str = "relu",
        output_activation: str = "linear",
        init: str = "auto",
        seed: int | Generator | None = None,
    ) -> None:
        scheme, generator = _scheme(init, activation), _generator(seed)
        sizes = [nin, *nouts]
        activations = [activation] * (len(nouts) - 1) + [output_activation]
        self.layers = [
            Layer(n, m, activation=f, init=scheme, seed=generator)
            for n, m, f in zip(sizes, nouts, activations, strict=False)
        ]

    def __call__(self, x: Sequence[Operand]) -> Value | list[Value]:
        """Return what the last layer returns: a list, or a single value if it has one neuron."""
        out = self.layers[0](x)
        for layer in self.layers[1:]:
            out = layer([out] if isinstance(out, Value) else out)
        return out

    def parameters(self) -> list[Value]:
        """Return the parameters of the first layer, then those of the second, ..."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"


def _canonical(activation: str) -> str:
    name = ALIASES.get(activation, activation)
    if name not in ACTIVATIONS:
        known = ", ".join(sorted([*ACTIVATIONS, *ALIASES]))
        raise ValueError(f"unknown activation {activation!r}: choose one of {known}")
    return name


# The generator is compiled, and shared with `pygrad.nn`; the engine above must not need anything compiled.


def _generator(seed: int | Generator | None) -> Generator:
    from pygrad.random import Generator

    return Generator(seed)


def _scheme(init: str, activation: str) -> str:
    from pygrad.init import scheme_for

    return scheme_for(_canonical(activation)) if init == "auto" else init


def _draw(init: str, activation: str, nin: int, nout: int, seed: int | Generator | None) -> list[float]:
    from pygrad.init import weights

    return weights(_scheme(init, activation), nin, nout, nin * nout, _generator(seed))
