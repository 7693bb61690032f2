"""The long run: `python -m tests.fuzz --programs 1000000 --jobs 2`, or `--replay FILE`."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from . import batch, coverage
from .program import dumps, load, text
from .shrink import failure


def run(first: int, programs: int, jobs: int, stop: bool, out: Path | None, torch: bool) -> int:
    hits: Counter[Any] = Counter()
    kinds: Counter[str] = Counter()
    start = time.monotonic()
    shown = 0
    for more, found in batch.run_all(range(first, first + -(-programs // batch.SIZE)), jobs, torch):
        hits.update(more)
        for each in found:
            kinds[each.kind] += 1
            if kinds[each.kind] == 1:
                print(each, flush=True)
                if out is not None:
                    out.mkdir(parents=True, exist_ok=True)
                    name = re.sub(r"\W+", "-", f"{each.kind.partition(':')[0]} {each.where}")
                    (out / f"{name}.json").write_text(dumps(each.steps, found=each.error[:200]))
        if found and stop:
            print(f"found after {hits['programs']} programs")
            return 1
        if hits["programs"] >= shown + 10_000:
            shown = hits["programs"]
            print(f"{shown} programs, {shown / (time.monotonic() - start):.0f} a second, {sum(kinds.values())} failed",
                  flush=True)  # fmt: skip
    print(coverage.table(hits))
    print(f"{hits['programs'] / (time.monotonic() - start):.0f} programs a second")
    for kind, n in kinds.most_common():
        print(f"FAILED {n} times: {kind}")
    return 1 if kinds else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000, help="how many to run")
    parser.add_argument("--seed", type=int, default=0, help="the first batch's number")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--stop", action="store_true", help="stop at the first failure")
    parser.add_argument("--out", type=Path, help="a folder for failing programs, as JSON")
    parser.add_argument("--replay", type=Path, nargs="+", help="run these programs instead")
    parser.add_argument("--torch", action="store_true", help="run everything on PyTorch too, and compare")
    given = parser.parse_args()
    if given.replay:
        failed = 0
        for path in given.replay:
            error = failure(load(path), given.torch)
            failed += error is not None
            print(f"{path.name}: {error or 'fine'}")
            if error:
                print(text(load(path)))
        return int(failed > 0)
    return run(given.seed, given.programs, given.jobs, given.stop, given.out, given.torch)


if __name__ == "__main__":
    sys.exit(main())
