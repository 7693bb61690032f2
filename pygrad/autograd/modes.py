"""Whether operations are recorded."""

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


class _GradMode:
    """A context, and a decorator of functions and generators, in which recording is on or off, for this thread."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(native.set_grad_enabled(self.mode))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        native.set_grad_enabled(self._before.pop())

    def __call__(self, function: F) -> F:
        mode = self.mode
        if inspect.isgeneratorfunction(function):
            decorated: F = _generator(function, mode)
            return decorated

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _GradMode(mode):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def _generator(function: Any, mode: bool) -> Any:
    """Wrap a generator function so that its own code runs in the mode, and the code between its steps does not."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, steps)
        while True:
            try:
                with _GradMode(mode):
                    item = resume()
            except StopIteration as end:
                return end.value
            try:
                sent = yield item
                resume = functools.partial(steps.send, sent)
            except GeneratorExit:
                with _GradMode(mode):
                    steps.close()
                raise
            except BaseException as error:
                resume = functools.partial(steps.throw, error)

    return wrapped


class no_grad(_GradMode):
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
        super().__init__(False)


class enable_grad(_GradMode):
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
        super().__init__(True)


class set_grad_enabled(_GradMode):
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
        super().__init__(bool(mode))
        self._outside = native.set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        native.set_grad_enabled(self.mode)
        self._before.append(self._outside)

    def __call__(self, function: F) -> F:
        """Decorate a function: the setting is for its calls alone."""
        native.set_grad_enabled(self._outside)
        return super().__call__(function)
