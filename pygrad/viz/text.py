"""What a user wrote, made safe and short enough to stand in a DOT label.

Labels and op names come from users, so nothing in them may end the quoted string, open a field of a record,
start an HTML entity, or reach the SVG as a character that XML forbids.
"""

from __future__ import annotations

import re
from numbers import Real

MAX_CHARS = 40

# XML 1.0 has no way at all to write these, and a NUL would end the string inside graphviz.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

# A bare "&" must go too: graphviz reads "&lt;" in a label as an entity.
_IN_STRING = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;", "\n": r"\n"})
_IN_RECORD = str.maketrans({c: "\\" + c for c in "{}|<>"})


def quoted(text: object) -> str:
    r"""Escape a text for a double-quoted DOT string.

    Parameters
    ----------
    text : object
        Anything; ``str(text)`` is what is shown, cut at 40 characters.

    Returns
    -------
    str
        The text without the surrounding quotes. Line breaks become ``\n``; characters that XML cannot hold
        become U+FFFD.

    Examples
    --------
    >>> print(quoted('say "a & b"'))
    say \"a &amp; b\"
    """
    shown = str(text)
    if len(shown) > MAX_CHARS:
        shown = shown[: MAX_CHARS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    shown = shown.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", shown).translate(_IN_STRING)


def record_field(text: object) -> str:
    r"""Escape a text for one field of a record-shaped DOT node.

    Parameters
    ----------
    text : object
        As for :func:`quoted`.

    Returns
    -------
    str
        What :func:`quoted` gives, with the characters that structure a record escaped too.

    Examples
    --------
    >>> print(record_field("{w|b}"))
    \{w\|b\}
    """
    return quoted(text).translate(_IN_RECORD)


def number(x: object) -> str:
    """Write a number in four significant digits.

    Parameters
    ----------
    x : object
        A Python or numpy number; anything else is shown as its ``str``.

    Returns
    -------
    str
        Not escaped yet.

    Examples
    --------
    >>> number(1 / 3), number(5), number(float("nan")), number(None)
    ('0.3333', '5', 'nan', 'None')
    """
    if isinstance(x, Real):
        try:
            return f"{float(x):.4g}"
        except OverflowError:  # an int beyond the range of a double
            pass
    return str(x)
