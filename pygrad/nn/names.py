"""Names of activations: what people type, and what the op table calls it."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ALIASES", "activation_name"]

ALIASES = {"leaky": "leaky_relu", "swish": "silu", "identity": "linear"}


def activation_name(name: str, known: Iterable[str]) -> str:
    """Return the name that stands in a table for what was typed.

    Parameters
    ----------
    name : str
        A name of the table, or one of `ALIASES`.
    known : iterable of str
        The names of the table.

    Raises
    ------
    ValueError
        When there is no such activation; the message lists all.

    Examples
    --------
    >>> activation_name("swish", ["relu", "silu"])
    'silu'
    """
    wanted, names = ALIASES.get(name, name), list(known)
    if wanted not in names:
        typed = [*names, *(alias for alias, meaning in ALIASES.items() if meaning in names)]
        raise ValueError(f"no activation is named {name!r}; there are {', '.join(sorted(typed))}")
    return wanted
