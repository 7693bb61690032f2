"""Does the fuzzer see? Plants the defects of `defects.py` in a copy of the sources, one at a time, and lets it look."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .defects import DEFECTS, Defect

ROOT = Path(__file__).parents[2]
PARTS = ["csrc", "pygrad", "tests/fuzz", "setup.py", "pyproject.toml", "README.md", "LICENSE"]
INCLUDE = re.compile(r'#\s*include "([^"]+)"')


class Copy:
    """A copy of the sources, built, of which single files are built again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            source, target = ROOT / part, folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
            elif source.exists():
                shutil.copy(source, target)
        built = self.run(sys.executable, "setup.py", "build_ext", "--inplace")
        commands = [shlex.split(line) for line in built.stdout.splitlines() if " -o " in line]
        self.compile = {command[command.index("-c") + 1]: command for command in commands if "-c" in command}
        (self.link,) = (command for command in commands if "-shared" in command)
        (self.library,) = (folder / "pygrad").glob("*.so")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True)

    def affected(self, path: str) -> list[str]:
        """Return the sources that a file is or that include it, by whatever way."""
        includes = {
            str(file.relative_to(self.folder)): {f"csrc/{name}" for name in INCLUDE.findall(file.read_text())}
            for file in (self.folder / "csrc").rglob("*.*")
        }
        found = {path}
        while more := {file for file, names in includes.items() if names & found} - found:
            found |= more
        return sorted(found & set(self.compile))

    def build(self, path: str) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda source: self.run(*self.compile[source]), self.affected(path)))
        self.run(*self.link)
        shutil.copy(self.folder / self.link[self.link.index("-o") + 1], self.library)


def fuzz(copy: Copy, programs: int, jobs: int) -> str:
    """Return what the fuzzer said of the copy, or nothing when it found nothing."""
    command = [sys.executable, "-m", "tests.fuzz", "--programs", str(programs), "--jobs", str(jobs), "--stop"]
    done = subprocess.run(command, cwd=copy.folder, check=False, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    said = (done.stdout + done.stderr).strip().splitlines()
    return next((line for line in reversed(said) if "found after" in line), said[-1] if said else "a crash")


def look_for(defect: Defect, copy: Copy, programs: int, jobs: int) -> str:
    """Return what the fuzzer said of the copy with the defect in it."""
    file = copy.folder / defect.path
    right = file.read_text()
    if right.count(defect.old) != 1:
        raise ValueError(f"{defect.name}: {defect.path} holds {right.count(defect.old)} times {defect.old!r}")
    file.write_text(right.replace(defect.old, defect.new))
    try:
        copy.build(defect.path)
        return fuzz(copy, programs, jobs)
    finally:
        file.write_text(right)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.plant", description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000, help="after how many the fuzzer gives up")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="defects with this in their names")
    given = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        if found := fuzz(copy, given.programs, given.jobs):
            print(f"without a defect: {found}")
            return 1
        dirty: list[str] = []
        for defect in DEFECTS:
            if given.only not in defect.name:
                continue
            start = time.monotonic()
            for path in dirty:
                copy.build(path)
            found = look_for(defect, copy, given.programs, given.jobs)
            dirty = [defect.path]
            missed += not found
            print(f"{defect.name:60} {found or 'NOT FOUND'} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{missed} not found")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
