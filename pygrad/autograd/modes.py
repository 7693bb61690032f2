"""Settings of a thread, as contexts and decorators: whether operations are recorded."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeVar

from .._engine import native

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]

F = TypeVar("F", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Tell whether operations of this thread are recorded.

    Examples
    --------
    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """
    return native.is_grad_enabled()


class Mode:
    """A context, and a decorator of functions and generators, in which a setting of this thread has another value."""

    def __init__(self, change: Callable[[Any], Any], mode: Any) -> None:
        """Take the function that sets it, and returns what it was, and the value."""
        self._change = change
        self.mode = mode
        self._before: list[Any] = []

    def __enter__(self) -> None:
        self._before.append(self._change(self.mode))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._change(self._before.pop())

    def __call__(self, function: F) -> F:
        enter = functools.partial(Mode, self._change, self.mode)
        if inspect.isgeneratorfunction(function):
            decorated: F = _generator(function, enter)
            return decorated

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with enter():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class Setting(Mode):
    """The same, set at once, and, as a context, until its end."""

    def __init__(self, change: Callable[[Any], Any], mode: Any) -> None:
        super().__init__(change, mode)
        self._outside = change(mode)

    def __enter__(self) -> None:
        self._change(self.mode)
        self._before.append(self._outside)

    def __call__(self, function: F) -> F:
        """Decorate a function: the setting is for its calls alone."""
        self._change(self._outside)
        return super().__call__(function)


def _generator(function: Any, enter: Callable[[], Mode]) -> Any:
    """Wrap a generator function so that its own code runs in the mode, and the code between its steps does not."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, steps)
        while True:
            try:
                with enter():
                    item = resume()
            except StopIteration as end:
                return end.value
            try:
                sent = yield item
                resume = functools.partial(steps.send, sent)
            except GeneratorExit:
                with enter():
                    steps.close()
                raise
            except BaseException as error:
                resume = functools.partial(steps.throw, error)

    return wrapped


class no_grad(Mode):
    """Context and decorator in which operations are not recorded: their results require no gradient.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.ones(2, requires_grad=True)
    >>> with pygrad.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        """Return a context, or the function decorated, for the form ``@no_grad`` without parentheses."""
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(native.set_grad_enabled, False)


class enable_grad(Mode):
    """Context and decorator in which operations are recorded, inside `no_grad` too.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.ones(2, requires_grad=True)
    >>> with pygrad.no_grad(), pygrad.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    def __new__(cls, function: Any = None) -> Any:
        """Return a context, or the function decorated, for the form ``@enable_grad`` without parentheses."""
        made = super().__new__(cls)
        if function is None:
            return made
        made.__init__()  # type: ignore[misc]
        return made(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(native.set_grad_enabled, True)


class set_grad_enabled(Setting):
    """Set whether operations of this thread are recorded: at once, and, as a context, until its end.

    Examples
    --------
    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    >>> is_grad_enabled()
    True
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(native.set_grad_enabled, bool(mode))
