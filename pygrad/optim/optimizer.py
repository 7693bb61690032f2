"""What all optimisers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._engine import Tensor, native
from ..creation import as_tensor, zeros
from ..value import Value

__all__ = ["Optimizer", "checked"]


def checked(name: str, value: float, low: float = 0.0, high: float = float("inf")) -> float:
    """Return a setting as a float.

    Raises
    ------
    ValueError
        When it is not in [low, high); nan is in no range.
    """
    if not low <= value < high:
        raise ValueError(f"{name} has to be in [{low:g}, {high:g}), not {value}")
    return float(value)


class Optimizer:
    """Parameters, the settings of a rule, and what the rule remembers of each parameter.

    Settings are attributes and may be changed between steps. A subclass names its settings and its state, and writes
    `_update_values` or `_update_tensors` or both.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of Value
        Leaves, all of one kind.
    lr : float
        The learning rate.

    Attributes
    ----------
    params : list
    steps : int
        How many steps were taken.

    Raises
    ------
    ValueError
        When there are no parameters, when one was computed by an operation, or when a setting is out of its range.
    TypeError
        When a parameter is neither a Tensor nor a Value, or not of the kind of the first.
    """

    #: The attributes that `state_dict` holds.
    settings: tuple[str, ...] = ("lr",)

    def __init__(self, params: Iterable[Any], lr: float) -> None:
        if isinstance(params, Tensor):  # which is iterable too: over its rows
            raise TypeError("params has to be an iterable of Tensors, not a Tensor")
        self.params: list[Any] = list(params)
        if not self.params:
            raise ValueError("optimizer got an empty parameter list")
        self._scalar = isinstance(self.params[0], Value)
        for p in self.params:
            self._check(p)
        self.lr = checked("lr", lr)
        self.steps = 0
        # By name: for Values one array of numbers; for Tensors a list, with None for those that had no gradient yet.
        self._state: dict[str, Any] = {}
        # The steps that the state has seen: one number for all parameters, until a tensor without a gradient was passed
        # over; from then on one for each.
        self._count = 0
        self._counts: list[int] | None = None

    def _check(self, p: Any) -> None:
        if self._scalar:
            if not isinstance(p, Value):
                raise TypeError(f"parameters have to be Values, like the first, not {p!r} of type {type(p).__name__}")
            if p._children:
                raise ValueError(f"can't optimize a non-leaf Value: {p!r} was made by {p._op!r}")
            return
        if not isinstance(p, Tensor):
            kind = "Tensors, like the first" if isinstance(self.params[0], Tensor) else "Tensors or Values"
            raise TypeError(f"parameters have to be {kind}, not a {type(p).__name__}")
        if not p.is_leaf:
            raise ValueError(f"can't optimize a non-leaf Tensor of shape {tuple(p.shape)}")
        if not p.is_floating_point():
            raise ValueError(f"can't optimize a Tensor of {p.dtype}: float32 or float64 is wanted")

    def zero_grad(self) -> None:
        """Forget the gradients: None for Tensors, as in PyTorch, 0 for Values."""
        if self._scalar:
            native.zero_grad(self.params)
        else:
            native.tensor_zero_grad(self.params)

    def step(self) -> None:
        """Update the parameters by their gradients; Tensors without one stay as they are."""
        names = self._state_names()
        if len(self._state) < len(names):  # at first, or when momentum is switched on
            self._count, self._counts = 0, None
            self._state = {name: self._no_state() for name in names}
        states = [self._state[name] for name in names]
        if self._scalar:
            self._update_values(self._count + 1, self.params, *states)
            self._count += 1
        else:
            self._step_tensors(states)
        self.steps += 1

    def _no_state(self) -> Any:
        return np.zeros(len(self.params)) if self._scalar else [None] * len(self.params)

    def _step_tensors(self, states: list[Any]) -> None:
        if self._counts is None:
            for p in self.params:
                if p.grad is None:
                    self._counts = [self._count] * len(self.params)
                    self._step_groups(self._counts, states)
                    return
            if self._count == 0:
                self._start(range(len(self.params)), states)
            self._update_tensors(self._count + 1, self.params, *states)
            self._count += 1
        else:
            self._step_groups(self._counts, states)

    def _step_groups(self, counts: list[int], states: list[Any]) -> None:
        """Update the tensors that have a gradient, those whose state has seen equally many steps in one call."""
        active = [i for i, p in enumerate(self.params) if p.grad is not None]
        for count in sorted({counts[i] for i in active}, reverse=True):  # downwards, because a group's count rises
            group = [i for i in active if counts[i] == count]
            if count == 0:
                self._start(group, states)
            self._update_tensors(count + 1, *([items[i] for i in group] for items in (self.params, *states)))
            for i in group:
                counts[i] += 1

    def _start(self, group: Iterable[int], states: list[Any]) -> None:
        """Make the state of tensors before their first step."""
        for i, state in product(group, states):
            state[i] = zeros(tuple(self.params[i].shape), dtype=self.params[i].dtype)

    def _state_names(self) -> tuple[str, ...]:
        """Return the names of what the rule remembers of every parameter."""
        return ()

    def _update_values(self, step: int, params: list[Value], *states: NDArray[np.float64]) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no rule for Values")

    def _update_tensors(self, step: int, params: list[Tensor], *states: list[Tensor]) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no rule for Tensors")

    # ---- saving and restoring ----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return settings and state in PyTorch's layout; the tensors are the optimiser's own.

        Returns
        -------
        dict
            ``{"state": {0: {"step": 3, "exp_avg": ..., ...}, ...}, "param_groups": [{"lr": ..., "params": [0, ...]}]}``
        """
        counts = self._counts or [self._count] * len(self.params)
        state = {
            i: {"step": count, **{name: _item(values[i]) for name, values in self._state.items()}}
            for i, count in enumerate(counts)
            if count > 0
        }
        group = {name: getattr(self, name) for name in self.settings}
        return {"state": state, "param_groups": [{**group, "params": list(range(len(self.params)))}]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take settings and state from a `state_dict`: all, or nothing when they do not fit.

        Raises
        ------
        ValueError
            When the number of parameters, the settings, the names or the shapes are others; names what differs.
        """
        state, groups = state_dict["state"], state_dict["param_groups"]
        if len(groups) != 1 or len(groups[0]["params"]) != len(self.params):
            given = [len(group["params"]) for group in groups]
            raise ValueError(f"state of groups of {given} parameters for an optimiser of {[len(self.params)]}")
        settings = {name: value for name, value in groups[0].items() if name != "params"}
        if set(settings) != set(self.settings):
            raise ValueError(f"settings {sorted(settings)} for {type(self).__name__}, which has {list(self.settings)}")
        counts = [int(state[i]["step"]) if i in state else 0 for i in range(len(self.params))]
        names = sorted({name for entry in state.values() for name in entry} - {"step"})
        loaded = {name: self._no_state() for name in names}
        for i, entry in state.items():
            if sorted(entry) != sorted([*names, "step"]):
                raise ValueError(f"state of parameter {i} has {sorted(entry)}, and others {[*names, 'step']}")
            for name in names:
                loaded[name][i] = self._fitting(name, i, entry[name])
        self.__dict__.update(settings)
        self._state, self._count, self.steps = loaded, counts[0], max(counts)
        self._counts = None if len(set(counts)) == 1 else counts

    def _fitting(self, name: str, i: int, value: Any) -> Any:
        if self._scalar:
            return float(value)
        p, tensor = self.params[i], as_tensor(value)
        if tuple(tensor.shape) != tuple(p.shape):
            raise ValueError(f"{name} of parameter {i} is of shape {tuple(tensor.shape)}, and that of {tuple(p.shape)}")
        return tensor.detach().to(p.dtype).clone()

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)
        return f"{type(self).__name__}({len(self.params)} parameters, {settings})"


def _item(value: Any) -> Any:
    return float(value) if isinstance(value, np.floating) else value
