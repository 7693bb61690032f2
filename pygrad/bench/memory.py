"""Bytes per node, as the growth of the memory that the system counts for a process.

Every measurement runs in a process of its own, because one that has freed memory before grows by less than it uses.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import subprocess
import sys
from pathlib import Path

from pygrad.bench.contestants import CONTESTANTS, value_class
from pygrad.bench.workloads import WORKLOADS


def resident_bytes() -> int:
    """Return the bytes of memory that this process occupies; on systems without /proc, the most it ever did."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def chain_growth(name: str, nodes: int) -> float:
    """Return the growth per node of a chain of sums, each of the one before and a leaf."""
    Value = value_class(name)
    x = y = Value(1.0)
    before = resident_bytes()
    for _ in range(nodes):
        x = x + y
    return (resident_bytes() - before) / nodes


def step_growth(workload: str, name: str, nodes: int, per_step: int) -> float:
    """Return the growth per node of a step's graph, over as many graphs as have so many nodes together."""
    contestant = CONTESTANTS[name].make(WORKLOADS[workload]())
    graphs = max(1, nodes // per_step)
    before = resident_bytes()
    contestant.forward_and_keep(graphs)
    return (resident_bytes() - before) / (graphs * per_step)


def measure(workload: str, name: str, nodes: int, per_step: int = 1) -> float:
    """Return the bytes per node of a contestant, measured in a fresh process.

    Parameters
    ----------
    workload : str
        'chain', or a name in `WORKLOADS`.
    name : str
        A name in `CONTESTANTS` that has a graph.
    nodes : int
        How many to measure over.
    per_step : int
        Nodes that a step makes, for a workload of steps: those of its graph less the parameters.

    Raises
    ------
    RuntimeError
        When the process fails.
    """
    command = [sys.executable, "-m", __name__, workload, name, str(nodes), str(per_step)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise RuntimeError(f"bench: measuring the memory of {name} failed: {why}")
    return float(done.stdout)


def main() -> None:
    """Measure what the command line says and print the bytes per node."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("name")
    parser.add_argument("nodes", type=int)
    parser.add_argument("per_step", type=int)
    args = parser.parse_args()
    gc.disable()
    if args.workload == "chain":
        print(chain_growth(args.name, args.nodes))
    else:
        print(step_growth(args.workload, args.name, args.nodes, args.per_step))
    sys.stdout.flush()
    os._exit(0)  # a long chain of pure Python takes its time to die


if __name__ == "__main__":
    main()
