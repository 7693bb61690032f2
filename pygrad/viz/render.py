"""The one place that runs graphviz."""

from __future__ import annotations


class GraphvizError(RuntimeError):
    """Graphviz is absent, failed, or took too long; the message says which and what to do."""


def render_svg(dot: str, timeout: float = 30.0) -> str:
    """Lay out a graph with graphviz's ``dot`` program.

    Parameters
    ----------
    dot : str
        A graph in the DOT language.
    timeout : float, default 30.0
        Seconds after which ``dot`` is stopped.

    Returns
    -------
    str
        A whole SVG document.

    Raises
    ------
    GraphvizError
        ``dot`` is not on PATH, cannot be run, reports an error, or is not done in time.

    Examples
    --------
    >>> svg = render_svg("digraph { a -> b }")  # doctest: +SKIP
    >>> svg.rstrip().endswith("</svg>")  # doctest: +SKIP
    True
    """
    import shutil  # here to keep ``import pygrad`` quick: most programs never draw
    import subprocess

    program = shutil.which("dot")
    if program is None:
        raise GraphvizError(
            "an SVG picture needs graphviz, and its program 'dot' is not on PATH: install graphviz "
            "(apt install graphviz, brew install graphviz, ...) or save the text as .dot instead"
        )
    try:
        done = subprocess.run([program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise GraphvizError(
            f"graphviz did not lay the graph out within {timeout:g} s: draw fewer nodes (max_nodes)"
        ) from None
    except OSError as error:
        raise GraphvizError(f"graphviz could not be run: {error}") from error
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise GraphvizError(f"graphviz failed with status {done.returncode}: {reason or 'no message'}")
    return done.stdout.decode()
