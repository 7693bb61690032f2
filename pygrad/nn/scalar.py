"""Networks of scalar values, with micrograd's interface.

A neuron is one node of the graph, whatever the number of its inputs; the numbers are those of the written-out
``activation(b + w[0] * x[0] + w[1] * x[1] + ...)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import init as _init
from .._engine import find_op, native
from ..random import Generator
from ..value import Value
from .module import Module
from .names import activation_name

__all__ = ["MLP", "Layer", "Neuron"]

_NAMES = {
    "relu": "ReLU", "tanh": "Tanh", "sigmoid": "Sigmoid", "gelu": "GELU", "gelu_tanh": "GELUTanh", "silu": "SiLU",
    "softplus": "Softplus", "logsigmoid": "LogSigmoid", "selu": "SELU", "mish": "Mish", "relu6": "ReLU6",
    "hardtanh": "Hardtanh", "sin": "Sin", "leaky_relu": "LeakyReLU", "elu": "ELU", "linear": "Linear",
}  # fmt: skip
_PARAMETERS = {"leaky_relu": 0.01, "elu": 1.0}  # the slope alpha of those that have one


def _activation(name: str) -> str:
    return activation_name(name, _NAMES)


class Neuron(Module):
    """``activation(b + w . x)``.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nonlin : bool
        False for a linear neuron, whatever `activation` says.
    activation : str
        'relu', 'tanh', 'sigmoid', 'gelu', 'gelu_tanh', 'silu' ('swish'), 'softplus', 'logsigmoid', 'selu', 'mish',
        'relu6', 'hardtanh', 'sin', 'leaky_relu' ('leaky'), 'elu' or 'linear' ('identity').
    init : str
        A scheme of `pygrad.init.weights`; 'auto' for the one that suits the activation. The bias starts at 0.
    seed : int or Generator, optional
        Where the weights come from.
    fan_out : int
        Neurons in the layer, which some schemes ask for.

    Attributes
    ----------
    w : list of Value
    b : Value
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: str = "relu",
        init: str = "auto",
        seed: int | Generator | None = None,
        fan_out: int = 1,
    ) -> None:
        if nin < 1:
            raise ValueError(f"a neuron needs at least 1 input, not {nin}")
        self._activation = _activation(activation)
        self._nonlin = bool(nonlin)
        self._choose_op()
        scheme = _init.scheme_for(self._activation) if init == "auto" else init
        self.w = [Value(w) for w in _init.weights(scheme, nin, fan_out, nin, Generator(seed))]
        self.b = Value(0.0)

    def _choose_op(self) -> None:
        """Set what the engine reads: the activation's row in the op table and its parameter."""
        self._op = find_op(self._activation) if self._nonlin and self._activation != "linear" else -1
        self._parameter = _PARAMETERS.get(self._activation, 0.0)

    @property
    def nonlin(self) -> bool:
        """Whether the activation is applied."""
        return self._nonlin

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        self._nonlin = bool(nonlin)
        self._choose_op()

    @property
    def activation(self) -> str:
        """The name of the activation."""
        return self._activation

    @activation.setter
    def activation(self, name: str) -> None:
        self._activation = _activation(name)
        self._choose_op()

    def __call__(self, x: Sequence[Value | float]) -> Value:
        """Return the output for the inputs x."""
        output: Value = native.layer([self], x, type(self))[0]
        return output

    def parameters(self) -> list[Value]:
        """Return the weights and then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{_NAMES[self._activation if self._nonlin else 'linear']}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons that share their inputs.

    Parameters
    ----------
    nin, nout : int
        Number of inputs and of neurons.
    **kwargs
        For each `Neuron`.
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        if nout < 1:
            raise ValueError(f"a layer needs at least 1 neuron, not {nout}")
        kwargs["seed"] = Generator(kwargs.get("seed"))
        self.neurons = [Neuron(nin, fan_out=nout, **kwargs) for _ in range(nout)]

    def __call__(self, x: Sequence[Value | float] | Value) -> Any:
        """Return the outputs for the inputs x: a list, or the Value itself when there is one neuron."""
        inputs = [x] if isinstance(x, Value) else x  # which a layer of one neuron gave
        outputs = native.layer(self.neurons, inputs, Neuron)
        return outputs[0] if len(outputs) == 1 else outputs

    def parameters(self) -> list[Value]:
        """Return the parameters of the neurons, in order."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(str(neuron) for neuron in self.neurons)}]"


class MLP(Module):
    """A multi-layer perceptron: hidden layers with an activation, a linear last layer.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nouts : sequence of int
        Number of neurons of each layer.
    activation : str
        Of the hidden layers; see `Neuron`.
    output_activation : str
        Of the last layer.
    init : str
        See `Neuron`; 'auto' chooses by `activation`, for all layers.
    seed : int or Generator, optional
        Where the weights come from, layer by layer and neuron by neuron. The same seed gives the same weights as in
        C (`pg_mlp_new`) and in `pygrad.reference`.

    Examples
    --------
    >>> model = MLP(2, [16, 1], seed=0)
    >>> len(model.parameters())
    65
    >>> MLP(3, [2, 1], activation="tanh")
    MLP of [Layer of [TanhNeuron(3), TanhNeuron(3)], Layer of [LinearNeuron(2)]]
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
        if len(nouts) == 0:
            raise ValueError("an MLP needs at least one layer, and nouts is empty")
        generator = Generator(seed)
        if init == "auto":
            init = _init.scheme_for(_activation(activation))
        sizes = [nin, *nouts]
        names = [activation] * (len(nouts) - 1) + [output_activation]
        self.layers = [
            Layer(n, m, nonlin=_activation(name) != "linear", activation=name, init=init, seed=generator)
            for n, m, name in zip(sizes, sizes[1:], names, strict=False)
        ]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        """Return the outputs for the inputs x: a list, or the Value itself when there is one."""
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self) -> list[Value]:
        """Return the parameters of the layers, in order."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"
