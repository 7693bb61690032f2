"""Finding where a nan came from: errors of backward that name the operation, the shapes and the line of its forward."""

from __future__ import annotations

import linecache
import os

from .._engine import native
from .modes import Mode, Setting

__all__ = ["detect_anomaly", "set_detect_anomaly"]

_OFF, _NOTE, _NAN = 0, 1, 2


def _detecting(check_nan: bool) -> int:
    if not isinstance(check_nan, bool):
        raise TypeError(f"check_nan is a bool, not {check_nan!r}; the decorator is written @detect_anomaly()")
    return _NAN if check_nan else _NOTE


class detect_anomaly(Mode):
    """Context and decorator, of this thread, in which backward stops at the first gradient with nan in it.

    Forward and backward both belong inside. While it is on, every recorded operation notes its shapes, the line that it
    runs for, which is the innermost outside of pygrad, and whether its output holds nan where no input did. In backward

    - a function that returns nan is a RuntimeError, which begins as PyTorch's and goes on with the shapes, the line of
      the operation, and the operation, shapes and line where nan first appeared in the forward pass, if it did;
    - any other error of the engine's has the line of the operation added to its message; what Python code raises, a
      `Function` or what a checkpoint calls, is raised as it is, with the line as a note (``add_note``).

    It is for finding faults: each operation takes about two microseconds longer, and a look at each of its elements.

    Parameters
    ----------
    check_nan : bool
        False: lines are noted, and nan is let pass.

    Examples
    --------
    >>> import pygrad
    >>> x = pygrad.tensor([4.0, 0.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     y = x.sqrt() * 0
    ...     y.sum().backward()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    It was given a gradient of float32 [2]; Sqrt took float32 [2] and gave float32 [2].
    Sqrt ran at
      File "...", line 2, in <module>
        y = x.sqrt() * 0
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(native.set_anomaly_mode, _detecting(check_nan))


class set_detect_anomaly(Setting):
    """Set whether this thread detects anomalies, as in `detect_anomaly`: at once, and, as a context, until its end.

    Parameters
    ----------
    mode : bool
        On or off.
    check_nan : bool
        False: lines are noted, and nan is let pass.

    Examples
    --------
    >>> with set_detect_anomaly(True):
    ...     pass
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        detecting = _detecting(check_nan)
        super().__init__(native.set_anomaly_mode, detecting if mode else _OFF)


# ---- what errors say -------------------------------------------------------------------------------------------------

_Place = tuple[str | None, int, str | None]


def _line(place: _Place) -> str:
    file, number, function = place
    if file is None:
        return "  a place that is not known"
    source = linecache.getline(file, number).strip()
    return f'  File "{file}", line {number}, in {function}' + (f"\n    {source}" if source else "")


def _ran(name: str, places: list[_Place] | None) -> str:
    if places is None:
        return f"{name} ran outside of detect_anomaly, which notes the line: put the forward pass into it too"
    return f"{name} ran at\n" + "\nto differentiate what ran at\n".join(map(_line, places))


def _told(error: BaseException, is_ours: bool, ran: list[tuple[str, list[_Place] | None]]) -> None:
    """Add to an error of backward where the operations ran; called by the engine.

    Of each there are the name and the places: where it ran, and, if that was in backward, what it differentiated.
    """
    text = "\n".join(_ran(name, places) for name, places in ran)
    if is_ours:
        error.args = (f"{error}\n{text}",)
    else:
        error.add_note(text)


# As the code of this package has it, which need not be where it lies.
_package = os.path.dirname(os.path.dirname(_told.__code__.co_filename))
native.set_anomaly_helper(_package + os.sep, _told)
