"""Modules that are made of modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from .module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules one after the other, each with the output of the one before.

    Parameters
    ----------
    *modules : Module, or one dict of str to Module
        Their names are '0', '1' and so on, or those of the dict.

    Raises
    ------
    TypeError
        When one is no Module.

    Examples
    --------
    >>> from pygrad import nn
    >>> nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """

    def __init__(self, *modules: Module | dict[str, Module]) -> None:
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], dict) else None
        for name, module in named.items() if named is not None else enumerate(modules):
            self._append(str(name), module)

    def _append(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__} is made of Modules; {name!r} is a {type(module).__name__}")
        self.add_module(name, module)

    def append(self, module: Module) -> Sequential:
        """Put a module behind the others; return this one."""
        self._append(str(len(self)), module)
        return self

    def forward(self, x: Any) -> Any:
        """Return the output of the last module."""
        for module in tuple(self.__dict__.values()):
            if isinstance(module, Module):
                x = module(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        for module in list(self.__dict__.values()):
            if isinstance(module, Module):
                yield module

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module | Sequential:
        """Return a module, or those of a slice as a Sequential that shares them."""
        named = [(name, module) for name, module in self.__dict__.items() if isinstance(module, Module)]
        if isinstance(index, slice):
            return Sequential(dict(named[index]))
        try:
            return named[index][1]
        except IndexError:
            raise IndexError(f"index {index} is out of range for {len(named)} modules") from None
