"""The base class of layers and networks: it finds the parameters, names them, saves and restores them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np

from .._engine import Tensor, native
from ..autograd import no_grad
from ..creation import as_tensor
from ..dtypes import float32, float64
from ..value import Value
from .parameter import Parameter

__all__ = ["IncompatibleKeys", "Module"]


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` passed over when it was not strict."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A layer or a network: a function with parameters.

    A subclass sets parameters, buffers and other modules as attributes, and writes `forward`. Whatever is a `Parameter`
    or a `Module` among the attributes is found in the order in which it was set; ``super().__init__()`` is not needed.
    Modules of scalar values, written as for micrograd, keep their values where they like and override `parameters`.

    Examples
    --------
    >>> import pygrad
    >>> class Affine(Module):
    ...     def __init__(self):
    ...         self.scale = Parameter([2.0])
    ...         self.shift = Parameter([0.5])
    ...
    ...     def forward(self, x):
    ...         return self.scale * x + self.shift
    >>> model = Affine()
    >>> model(pygrad.tensor([1.0, 3.0])).tolist()
    [2.5, 6.5]
    >>> [name for name, _ in model.named_parameters()]
    ['scale', 'shift']
    """

    training: bool = True
    #: Names of buffers, and whether `state_dict` has them. Replaced by a module's own at its first buffer.
    _buffers: Mapping[str, bool] = MappingProxyType({})

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs for the inputs; written by each subclass."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``forward`` of the inputs."""
        return self.forward(*args, **kwargs)

    # ---- registration ------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        # A plain tensor in a parameter's place would silently no longer be trained.
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            if isinstance(self.__dict__.get(name), Parameter):
                raise TypeError(f"cannot assign a plain Tensor as parameter {name!r} (a Parameter or None is wanted)")
        object.__setattr__(self, name, value)

    def _register(self, kind: str, wanted: type, name: str, value: Any) -> None:
        if not isinstance(value, wanted) and value is not None:
            raise TypeError(f"{kind} {name!r} has to be a {wanted.__name__} or None, not {type(value).__name__}")
        if not name or "." in name:
            raise KeyError(f"the name of a {kind} cannot be empty or contain a dot, like {name!r}")
        if hasattr(self, name):
            raise KeyError(f"attribute {name!r} already exists")
        setattr(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Set a parameter by name; None says that there is none.

        Raises
        ------
        TypeError, KeyError
            When it is no Parameter; when the name is taken or has a dot in it.
        """
        self._register("parameter", Parameter, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Set a tensor that belongs to the state but is not trained, such as a running mean.

        Parameters
        ----------
        name : str
            The attribute.
        tensor : Tensor or None
            Its first value.
        persistent : bool
            Whether `state_dict` has it.

        Raises
        ------
        TypeError, KeyError
            As for `register_parameter`.
        """
        self._register("buffer", Tensor, name, tensor)
        self._buffers = {**self._buffers, name: persistent}

    def add_module(self, name: str, module: Module | None) -> None:
        """Set a submodule by name.

        Raises
        ------
        TypeError, KeyError
            As for `register_parameter`.
        """
        self._register("module", Module, name, module)

    # ---- what it consists of -----------------------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the submodules set on this one, each once, with their names."""
        seen: set[int] = set()
        for name, child in list(self.__dict__.items()):
            if isinstance(child, Module) and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        """Yield the submodules set on this one, each once."""
        for _, child in self.named_children():
            yield child

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it, each once, with names such as ``'encoder.0'``; this one's is empty."""
        seen: set[int] = set()
        for name, module in self._walk(prefix):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield every path to a module, one that several share more than once."""
        yield prefix, self
        for name, child in list(self.__dict__.items()):
            if isinstance(child, Module):
                yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        for _, module in self.named_modules():
            yield module

    def parameters(self) -> list[Any]:
        """Return the parameters of this module and of those below it, each once, in the order they were set.

        A list, where PyTorch gives an iterator; those of scalar modules are Values.
        """
        own: list[Any] = [value for value in self.__dict__.values() if isinstance(value, Parameter)]
        below = [p for child in self.children() for p in child.parameters()]
        return list({id(p): p for p in own + below}.values())

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters that are tensors, each once, with names such as ``'0.weight'``.

        Examples
        --------
        >>> from pygrad import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(3, 2), nn.ReLU()).named_parameters()]
        ['0.weight', '0.bias']
        """
        seen: set[int] = set()
        for name, value in self._named_tensors(prefix):
            if isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers, each once, with their names."""
        seen: set[int] = set()
        for name, value in self._named_tensors(prefix):
            if not isinstance(value, Parameter) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def buffers(self) -> Iterator[Tensor]:
        """Yield the buffers of this module and of those below it, each once."""
        for _, buffer in self.named_buffers():
            yield buffer

    def _named_tensors(self, prefix: str = "", persistent: bool = False) -> Iterator[tuple[str, Tensor]]:
        """Yield parameters and buffers module by module, under every name they have."""
        for path, module in self._walk(prefix):
            dot = f"{path}." if path else ""
            for name, value in module.__dict__.items():
                if isinstance(value, Parameter):
                    yield dot + name, value
            for name, kept in module._buffers.items():
                value = module.__dict__.get(name)
                if value is not None and (kept or not persistent):
                    yield dot + name, value

    def num_parameters(self) -> int:
        """Return how many numbers training changes.

        Examples
        --------
        >>> from pygrad import nn
        >>> nn.MLP([784, 256, 128, 10]).num_parameters(), nn.MLP(2, [16, 1]).num_parameters()
        (235146, 65)
        """
        return sum(1 if isinstance(p, Value) else p.numel() for p in self.parameters())

    # ---- modes and gradients -----------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set `training` on this module and all below it; return this one.

        Examples
        --------
        >>> from pygrad import nn
        >>> model = nn.Sequential(nn.Linear(3, 2))
        >>> model.eval()[0].training, model.train()[0].training
        (False, True)
        """
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Return this module out of training mode: ``train(False)``."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters: None for tensors, as in PyTorch, 0 for scalar values.

        Examples
        --------
        >>> import pygrad
        >>> model = pygrad.nn.Linear(3, 2)
        >>> model(pygrad.ones(1, 3)).sum().backward()
        >>> model.zero_grad()
        >>> model.bias.grad is None
        True
        """
        params = self.parameters()
        if params and isinstance(params[0], Value):
            native.zero_grad(params)
        else:
            native.tensor_zero_grad(params)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say of every parameter whether `backward` computes its gradient; return this module.

        Examples
        --------
        >>> from pygrad import nn
        >>> nn.Linear(3, 2).requires_grad_(False).weight.requires_grad
        False
        """
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call a function with every module, those below first; return this one.

        Examples
        --------
        >>> from pygrad import nn
        >>> _ = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).apply(lambda m: print(type(m).__name__))
        Linear
        ReLU
        Sequential
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, dtype: Any) -> Self:
        """Convert all floating-point parameters and buffers, which stay the same objects; return this module.

        Examples
        --------
        >>> from pygrad import nn
        >>> nn.Linear(3, 2).to("float64").weight.dtype
        pygrad.float64
        """
        for tensor in {id(t): t for _, t in self._named_tensors()}.values():
            if tensor.is_floating_point() and tensor.dtype != dtype:
                grad, requires_grad = tensor.grad, tensor.requires_grad
                tensor.grad = None
                tensor.requires_grad_(False)  # what is trained keeps its dtype
                tensor.data = tensor.detach().to(dtype)
                tensor.requires_grad_(requires_grad)
                tensor.grad = None if grad is None else grad.to(dtype)
        return self

    def float(self) -> Self:
        """Convert to float32; see `to`."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert to float64; see `to`."""
        return self.to(float64)

    # ---- saving and restoring ----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Return parameters and persistent buffers by name: detached tensors that share the module's memory.

        Raises
        ------
        TypeError
            When the module has scalar values, which have no names.

        Examples
        --------
        >>> from pygrad import nn
        >>> list(nn.Linear(3, 2).state_dict())
        ['weight', 'bias']
        """
        if any(isinstance(p, Value) for p in self.parameters()):
            raise TypeError(f"{type(self).__name__} is made of scalar Values: save [p.data for p in parameters()]")
        return {name: tensor.detach() for name, tensor in self._named_tensors(persistent=True)}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values from a `state_dict` into the parameters and buffers: all of them, or none.

        Parameters
        ----------
        state_dict : mapping of str to Tensor or ndarray
            Of the same shapes; numbers are converted to the module's dtypes.
        strict : bool
            Whether the names have to be the very ones of this module.

        Returns
        -------
        IncompatibleKeys
            The names that were only here or only there; both empty when `strict`.

        Raises
        ------
        RuntimeError
            When names or shapes do not fit. The message lists all that is wrong, and the module is as before.

        Examples
        --------
        >>> from pygrad import nn
        >>> a, b = nn.Linear(3, 2), nn.Linear(3, 2)
        >>> _ = b.load_state_dict(a.state_dict())
        >>> a.weight.tolist() == b.weight.tolist()
        True
        """
        own = self.state_dict()
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        given = {name: _tensor(name, state_dict[name]) for name in own if name in state_dict}
        wrong = []
        if strict and missing:
            wrong.append("Missing key(s) in state_dict: " + ", ".join(f'"{name}"' for name in missing) + ".")
        if strict and unexpected:
            wrong.append("Unexpected key(s) in state_dict: " + ", ".join(f'"{name}"' for name in unexpected) + ".")
        wrong += [
            f"size mismatch for {name}: {tuple(tensor.shape)} is given, the module has {tuple(own[name].shape)}."
            for name, tensor in given.items()
            if tuple(tensor.shape) != tuple(own[name].shape)
        ]
        if wrong:
            lines = "".join(f"\n\t{line}" for line in wrong)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:{lines}")
        with no_grad():
            for name, tensor in given.items():
                own[name].copy_(tensor)
        return IncompatibleKeys(missing, unexpected)

    # ---- printing ----------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of the repr of a module without submodules."""
        return ""

    def __repr__(self) -> str:
        head, children = self.extra_repr(), [(k, v) for k, v in self.__dict__.items() if isinstance(v, Module)]
        if not children:
            return f"{type(self).__name__}({head})"
        lines = [head] if head else []
        lines += [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in children]
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


def _tensor(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, np.ndarray):
        return as_tensor(value)
    raise TypeError(f"state_dict[{name!r}] has to be a Tensor or an ndarray, not {type(value).__name__}")
