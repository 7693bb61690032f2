"""Who takes part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pygrad
from pygrad import reference
from pygrad.bench.by_hand import NumpyByHand
from pygrad.bench.c_alone import CAlone
from pygrad.bench.contestant import Contestant
from pygrad.bench.fused import Fused
from pygrad.bench.workloads import Workload
from pygrad.bench.written_out import WrittenOut


@dataclass(frozen=True)
class Kind:
    """A contestant, whatever the workload.

    Attributes
    ----------
    title : str
        For people.
    make : callable
        Makes it, given a workload.
    collector : bool
        Whether Python's garbage collector is on while it runs.
    has_graph : bool
        Whether it has nodes, to count and to weigh.
    """

    title: str
    make: Callable[[Workload], Contestant]
    collector: bool = True
    has_graph: bool = True


#: The one that the others are compared to.
BASELINE = "python_gc_off"

#: By the names that stand in JSON.
CONTESTANTS = {
    "python_gc_on": Kind("pure Python, collector on", lambda w: WrittenOut(w, reference.Value)),
    BASELINE: Kind("pure Python, collector off", lambda w: WrittenOut(w, reference.Value), collector=False),
    "numpy_by_hand": Kind("numpy by hand", NumpyByHand, has_graph=False),
    "value_written_out": Kind("Value, written out", lambda w: WrittenOut(w, pygrad.Value)),
    "value_fused": Kind("Value, fused", Fused),
    "c_written_out": Kind("C alone, written out", lambda w: CAlone(w, fused=False)),
    "c_fused": Kind("C alone, fused", lambda w: CAlone(w, fused=True)),
}


def value_class(name: str) -> Any:
    """Return the class of values that a contestant computes with."""
    return reference.Value if name.startswith("python") else pygrad.Value
