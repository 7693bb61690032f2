"""The demos, in C and in Python: their numbers, their input, and that they are twins.

The C programs are compiled here, with the flags of the library and with $CC or cc.
"""

from __future__ import annotations

import io
import os
import pty
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pygrad import nn
from pygrad._engine import ffi, find_op, lib

ROOT = Path(__file__).resolve().parent.parent
DEMOS = ROOT / "demos"
COMPILER = shlex.split(os.environ.get("CC", "cc"))
# Preloaded sanitizers are for the Python extension; a compiler finds leaks of its own with them.
CLEAN = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}

needs_demos = pytest.mark.skipif(not DEMOS.exists(), reason="the demos are not beside the tests")

Result = subprocess.CompletedProcess[str]
Runner = Callable[..., Result]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the C demos compiled."""
    if not (ROOT / "csrc").exists():
        pytest.skip("the C sources are not beside the tests")
    if shutil.which(COMPILER[0]) is None:
        pytest.skip(f"no C compiler: {COMPILER[0]}")
    folder = tmp_path_factory.mktemp("demos")
    flags = ["-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Werror"]
    flags += ["-I", str(ROOT / "csrc")]
    sources = [path for part in ("core", "ops", "nn") for path in sorted((ROOT / "csrc" / part).glob("*.c"))]

    def run(*command: str | Path) -> None:
        done = subprocess.run([*map(str, command)], cwd=folder, env=CLEAN, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    run(*COMPILER, *flags, "-c", *sources)
    # From an archive the linker takes what the demos call: the scalar engine, which needs no kernels.
    run("ar", "rcs", "libpygrad.a", *sorted(folder.glob("*.o")))
    for demo in sorted(DEMOS.glob("*.c")):
        run(*COMPILER, *flags, demo, "libpygrad.a", "-lm", "-o", demo.stem)
    return folder


def run_python(name: str, text: str = "", *arguments: str) -> Result:
    command = [sys.executable, str(DEMOS / f"{name}.py"), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True)


@pytest.fixture
def run_c(compiled: Path) -> Runner:
    """Run a C demo with this text on standard input."""

    def run(name: str, text: str = "", *arguments: str) -> Result:
        command = [str(compiled / name), *arguments]
        return subprocess.run(command, input=text, env=CLEAN, capture_output=True, text=True)

    return run


@pytest.fixture(params=["c", "python"])
def run(request: pytest.FixtureRequest) -> Runner:
    """Run a demo, once in C and once in Python."""
    if not DEMOS.exists():
        pytest.skip("the demos are not beside the tests")
    if request.param == "python":
        return run_python
    runner: Runner = request.getfixturevalue("run_c")
    return runner


@pytest.fixture(params=["c", "python"])
def refused(request: pytest.FixtureRequest) -> Runner:
    """Run a demo that will refuse its input: in C, and in Python in this process, because there are many."""
    if not DEMOS.exists():
        pytest.skip("the demos are not beside the tests")
    if request.param == "c":
        runner: Runner = request.getfixturevalue("run_c")
        return runner
    monkeypatch, capsys = request.getfixturevalue("monkeypatch"), request.getfixturevalue("capsys")

    def run(name: str, text: str = "", *arguments: str) -> Result:
        path = str(DEMOS / f"{name}.py")
        monkeypatch.syspath_prepend(DEMOS)
        monkeypatch.setattr(sys, "argv", [path, *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        with pytest.raises(SystemExit) as left:
            runpy.run_path(path, run_name="__main__")
        return Result(path, int(str(left.value)), *capsys.readouterr())

    return run


def command(request: pytest.FixtureRequest, language: str, name: str) -> list[str]:
    if language == "python":
        return [sys.executable, str(DEMOS / f"{name}.py")]
    return [str(request.getfixturevalue("compiled") / name)]


# ---- 4301 ------------------------------------------------------------------------------------------------------------


def rows(output: str) -> Iterator[tuple[str, float, float]]:
    """Yield name, data and gradient of each node in the tables."""
    for line in output.splitlines():
        found = re.fullmatch(r"    (\S+(?: p| q)?)  .*?(-?\d+\.\d{6}) +(-?\d+\.\d{6})", line)
        if found and "=" not in line:
            yield found[1], float(found[2]), float(found[3])


def test_4301_shows_the_worked_numbers(run):
    result = run("4301_scalar_autograd")
    assert (result.returncode, result.stderr) == (0, "")
    assert "WRONG" not in result.stdout
    assert result.stdout.count(" ok\n") == 13
    product, neuron = result.stdout.split("(2)")
    assert list(rows(product)) == [("a", 2, 5), ("b", 3, 5), ("c", 5, 5), ("d", 5, 5), ("L", 25, 1)]
    by_name = {name: (data, grad) for name, data, grad in rows(neuron.split("by hand")[0])}
    assert by_name["w"] == (0.5, -0.663624)
    assert by_name["x"] == (2.0, -0.165906)
    assert by_name["b"] == (-0.3, -0.331812)
    assert by_name["z"] == (0.7, -0.331812)
    assert by_name["p"] == (0.668188, -1.496585)
    assert by_name["L"] == (0.403186, 1.0)


def test_4301_takes_its_numbers_from_standard_input(run):
    result = run("4301_scalar_autograd", "1 -2 3\n1.5 -2 .25 0\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert next(data for name, data, _ in rows(result.stdout) if name == "L") == -3.0
    assert "y = 0\n" in result.stdout
    assert "WRONG" not in result.stdout


@pytest.mark.parametrize(
    "numbers",
    [
        "0 0 0 0 0 0 0.5",
        "1 2 3 1 2 -2 0.25",
        "1 2 3 15 1 0 0",
        "1 2 3 -15 1 0 1",
        "1 2 3 16 1 0 0",
        "1 2 3 -1000 1000 0 1",
        "1 2 3 1000 1000 0 0.5",
        "-1e6 -1e6 1e6 1e6 1e6 -1e6 1",
        "1e-6 1e6 -1e-6 1e-6 1e6 1e6 0.999999",
        "+1. .5 1E0 0 1e6 37 0",
    ],
)
def test_4301_agrees_with_the_calculation_by_hand_everywhere(run, numbers):
    result = run("4301_scalar_autograd", numbers)
    assert (result.returncode, result.stderr) == (0, "")
    assert "WRONG" not in result.stdout
    assert "nan" not in result.stdout and "inf" not in result.stdout


# ---- 4302 ------------------------------------------------------------------------------------------------------------


def untimed(output: str) -> str:
    return re.sub(r"update: .*", "update", output)


def test_4302_learns_xor_and_shows_how(run):
    result = run("4302_mlp_xor")
    assert (result.returncode, result.stderr) == (0, "")
    assert "2-16-1 network, 65 parameters" in result.stdout
    table = re.findall(r"^ +(\d+) +([\d.]+)((?: +[\d.]+){4})  (\d) of 4$", result.stdout, flags=re.MULTILINE)
    assert [int(row[0]) for row in table] == list(range(0, 1001, 100))
    losses = [float(row[1]) for row in table]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.01
    assert [float(p) > 0.5 for p in table[-1][2].split()] == [False, True, True, False]
    assert all(row[3] == "4" for row in table[2:])
    assert "accuracy 4 of 4\n" in result.stdout
    assert re.search(r"74 nodes per step, .* [\d.]+ ns per node", result.stdout)
    assert "by hand: ok\n" in result.stdout


def test_4302_takes_its_settings_from_standard_input(run):
    result = run("4302_mlp_xor", "8 0.25 150 7")
    assert (result.returncode, result.stderr) == (0, "")
    assert "2-8-1 network, 33 parameters" in result.stdout
    assert "seed 7, " in result.stdout and "lr 0.25, 150 epochs" in result.stdout
    assert [int(epoch) for epoch in re.findall(r"^ +(\d+) .* of 4$", result.stdout, flags=re.MULTILINE)] == [
        0,
        100,
        150,
    ]


def test_4302_reports_a_dead_start_and_does_not_call_it_an_error(run):
    # The one hidden neuron starts with two negative weights: it is off for all four samples, for ever.
    seed = next(s for s in range(100) if all(w.data < 0 for w in nn.MLP(2, [1, 1], seed=s).layers[0].neurons[0].w))
    result = run("4302_mlp_xor", f"1 0.5 100 {seed}")
    assert (result.returncode, result.stderr) == (0, "")
    assert "dead start: no hidden neuron responds to" in result.stdout
    assert "accuracy 2 of 4" in result.stdout


def test_4302_says_when_it_has_not_learnt(run):
    result = run("4302_mlp_xor", "16 1e-9 1 0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "not learnt" in result.stdout


def test_4302_curve_is_the_loss_before_training_and_after_each_epoch(run):
    table = run("4302_mlp_xor", "16 0.5 100 3").stdout
    result = run("4302_mlp_xor", "16 0.5 100 3", "--curve")
    assert (result.returncode, result.stderr) == (0, "")
    curve = [float(line) for line in result.stdout.splitlines()]
    assert len(curve) == 101
    assert f" {curve[0]:.6f} " in table and f" {curve[100]:.6f} " in table


# ---- input -----------------------------------------------------------------------------------------------------------

BAD = [
    ("4301_scalar_autograd", "2 3 5", "3 numbers on standard input; wanted are 7 (a b c w x b y)"),
    ("4301_scalar_autograd", "1 2 3 4 5 6 1 8", "8 numbers"),
    ("4301_scalar_autograd", "1 2 x 4 5 6 1", "c has to be a number from -1000000 to 1000000, not 'x'"),
    ("4301_scalar_autograd", "nan 2 3 4 5 6 1", "not 'nan'"),
    ("4301_scalar_autograd", "1 inf 3 4 5 6 1", "not 'inf'"),
    ("4301_scalar_autograd", "1 2 3 4 5 6 1.5", "y has to be a number from 0 to 1, not '1.5'"),
    ("4301_scalar_autograd", "1 2 3 4 5 6 -0.1", "not '-0.1'"),
    ("4301_scalar_autograd", "1 2 3 4 1e300 6 1", "x has to be"),
    ("4301_scalar_autograd", "1 2 3 4 1e999 6 1", "x has to be"),
    ("4301_scalar_autograd", "0x10 2 3 4 5 6 1", "not '0x10'"),
    ("4301_scalar_autograd", "1_0 2 3 4 5 6 1", "not '1_0'"),
    ("4301_scalar_autograd", "1,2,3,4,5,6,1", "1 numbers"),
    ("4301_scalar_autograd", "1 2 3 4 5 6 1e", "not '1e'"),
    ("4301_scalar_autograd", "1 2 3 4 5 6 --1", "not '--1'"),
    ("4302_mlp_xor", "16 0.5 1000", "3 numbers on standard input; wanted are 4 (hidden lr epochs seed)"),
    ("4302_mlp_xor", "0 0.5 100 0", "hidden has to be a whole number from 1 to 4096, not '0'"),
    ("4302_mlp_xor", "1.5 0.5 100 0", "hidden has to be a whole number"),
    ("4302_mlp_xor", "1e9 0.5 100 0", "hidden has to be a whole number"),
    ("4302_mlp_xor", "16 0 100 0", "lr has to be a number above 0, up to 1000, not '0'"),
    ("4302_mlp_xor", "16 -0.5 100 0", "lr has to be"),
    ("4302_mlp_xor", "16 nan 100 0", "lr has to be"),
    ("4302_mlp_xor", "16 inf 100 0", "lr has to be"),
    ("4302_mlp_xor", "16 0.5 0 0", "epochs has to be a whole number from 1 to 10000000, not '0'"),
    ("4302_mlp_xor", "16 0.5 1e400 0", "epochs has to be"),
    ("4302_mlp_xor", "16 0.5 100 -1", "seed has to be a whole number from 0 to 9007199254740991, not '-1'"),
    ("4302_mlp_xor", "16 0.5 100 2e99", "seed has to be"),
    ("4302_mlp_xor", "sixteen", "1 numbers"),
    ("4302_mlp_xor", "1 " * 5000, "4096 bytes or more"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD, ids=[f"{name}: {text[:20]}" for name, text, _ in BAD])
def test_bad_input_gets_one_line_and_exit_status_2(refused, name, text, message):
    result = refused(name, text)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith(f"{name}: ")
    assert message in result.stderr


def test_bad_input_reaches_the_shell_as_exit_status_2(run):
    assert run("4301_scalar_autograd", "1").returncode == 2
    assert run("4302_mlp_xor", "1").returncode == 2


@pytest.mark.parametrize("name", ["4301_scalar_autograd", "4302_mlp_xor"])
def test_unknown_arguments_are_refused(refused, name):
    result = refused(name, "", "--no-such-option")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1 and "--no-such-option" in result.stderr


@pytest.mark.parametrize("name", ["4301_scalar_autograd", "4302_mlp_xor"])
def test_blank_input_means_the_defaults(run, name):
    assert untimed(run(name, " \n\t\r\n").stdout) == untimed(run(name).stdout)


@needs_demos
@pytest.mark.parametrize("language", ["c", "python"])
@pytest.mark.parametrize("name", ["4301_scalar_autograd", "4302_mlp_xor"])
def test_a_terminal_is_not_waited_on(request, name, language):
    ours, theirs = pty.openpty()
    try:
        result = subprocess.run(command(request, language, name), stdin=theirs, capture_output=True, timeout=120)
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.returncode == 0


@needs_demos
@pytest.mark.parametrize("language", ["c", "python"])
@pytest.mark.parametrize("name", ["4301_scalar_autograd", "4302_mlp_xor"])
def test_a_closed_standard_input_means_the_defaults_and_a_folder_is_refused(request, name, language):
    demo = command(request, language, name)
    closed = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *demo], capture_output=True, text=True)
    assert (closed.returncode, closed.stderr) == (0, "")
    folder = subprocess.run(["sh", "-c", 'exec "$@" </', "sh", *demo], capture_output=True, text=True)
    assert folder.returncode != 0


# ---- twins -----------------------------------------------------------------------------------------------------------


@needs_demos
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("4301_scalar_autograd", ""),
        ("4301_scalar_autograd", "1 2 3 1 2 -2 0.25"),
        ("4301_scalar_autograd", "1 2 3 9 9 9 0"),
        ("4302_mlp_xor", ""),
        ("4302_mlp_xor", "1 0.5 250 0"),
        ("4302_mlp_xor", "5 0.1 50 12345678901234"),
    ],
)
def test_c_and_python_print_the_same(run_c, name, text):
    assert untimed(run_c(name, text).stdout) == untimed(run_python(name, text).stdout)


@needs_demos
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 42, 984, 2**53 - 1])
def test_xor_curves_of_c_and_python_are_the_same(run_c, seed):
    of_c = run_c("4302_mlp_xor", f"16 0.5 1000 {seed}", "--curve").stdout.split()
    of_python = run_python("4302_mlp_xor", f"16 0.5 1000 {seed}", "--curve").stdout.split()
    assert len(of_c) == 1001
    assert [float(loss) for loss in of_c] == pytest.approx([float(loss) for loss in of_python], rel=1e-12, abs=1e-12)


# ---- XOR over many starts --------------------------------------------------------------------------------------------

INPUTS, LABELS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)], [0.0, 1.0, 1.0, 0.0]


@contextmanager
def c_network(seed: int) -> Iterator[tuple[Any, Any]]:
    """Yield a graph of the C library and on it the network of 4302."""
    graph = lib.pg_graph_new()
    network = lib.pg_mlp_new(graph, 2, [2, 16, 1], find_op("relu"), -1, seed)
    try:
        yield graph, network
    finally:
        lib.pg_mlp_free(network)
        lib.pg_graph_free(graph)


@pytest.mark.parametrize("seed", [0, 1, 42, 2**64 - 1])
def test_c_and_python_start_from_the_same_weights(seed):
    python = nn.MLP(2, [16, 1], init="he", seed=seed).parameters()
    with c_network(seed) as (_, network):
        count = ffi.new("int64_t *")
        params = ffi.unpack(lib.pg_mlp_parameters(network, count), 65)
        assert count[0] == 65
        assert [lib.pg_data(p) for p in params] == [p.data for p in python]


def correct_after(epochs: int, seed: int) -> int:
    """Train as 4302 does and return how many of the four predictions are right."""
    bce, div = find_op("bce_with_logits"), find_op("div")
    inputs = [ffi.new("double[]", x) for x in INPUTS]
    logits, losses, count = ffi.new("pg_value *[4]"), ffi.new("pg_value *[4]"), ffi.new("int64_t *")
    sgd = ffi.new("pg_sgd *", {"lr": 0.5})
    with c_network(seed) as (graph, network):
        params = lib.pg_mlp_parameters(network, count)
        for step in range(1, epochs + 2):
            lib.pg_clear(graph)
            for i, x in enumerate(inputs):
                lib.pg_mlp_forward(graph, network, 1, x, logits + i)
                losses[i] = lib.pg_binary_number(graph, bce, logits[i], LABELS[i])
            if step > epochs:
                break
            lib.pg_zero_grad(count[0], params)
            lib.pg_backward(graph, lib.pg_binary_number(graph, div, lib.pg_sum(graph, 4, losses), 4.0))
            lib.pg_sgd_step(sgd, step, count[0], params, ffi.NULL)
        assert lib.pg_graph_status(graph) == lib.PG_OK
        return sum((lib.pg_data(z) > 0) == (y > 0.5) for z, y in zip(logits, LABELS, strict=True))


def test_at_least_997_of_the_first_1000_seeds_learn_xor_in_200_epochs():
    stuck = [seed for seed in range(1000) if correct_after(200, seed) < 4]
    assert len(stuck) <= 3, stuck


# ---- 4303 ------------------------------------------------------------------------------------------------------------


@needs_demos
def test_4303_recognises_nine_of_ten_held_out_digits():
    result = run_python("4303_digits_scalar")
    assert (result.returncode, result.stderr) == (0, "")
    assert "64-16-10 network, 1210 parameters, 28 nodes per sample" in result.stdout
    reached = re.search(r"([\d.]+)% of the held-out digits recognised", result.stdout)
    assert reached is not None and float(reached[1]) >= 90.0
    epochs = re.findall(r"^ +\d+ +([\d.]+) +[\d.]+% +[\d.]+ +\d+$", result.stdout, flags=re.MULTILINE)
    assert len(epochs) == 10 and float(epochs[-1]) < float(epochs[0])


# ---- 4305 ------------------------------------------------------------------------------------------------------------


@needs_demos
def test_4305_agrees_with_itself_and_says_how_many_passes_it_took():
    result = run_python("4305_jacobian_cost")
    assert (result.returncode, result.stderr) == (0, "")
    assert "WRONG" not in result.stdout
    number = r" +(\d+) +\d+\.\d{3}"
    rows = re.findall(rf"^(?:\w+ )+ +(\d+) +(\d+){number}{number}{number} +ok$", result.stdout, flags=re.MULTILINE)
    assert len(rows) == 4
    for row in rows:
        n, m, *passes = map(int, row)
        assert passes == [m, 1 + n, 2 * n]
    assert len(re.findall(r"^forward over reverse.* ok$|^H v alone.* ok$", result.stdout, flags=re.MULTILINE)) == 2


@needs_demos
@pytest.mark.parametrize(("name", "wrong"), [("jacobian", 6), ("hessian", 2), ("hvp", 1)])
def test_4305_notices_a_wrong_derivative(monkeypatch, capsys, name, wrong):
    # A wrong Jacobian makes the Hessian wrong, which is one.
    from pygrad.autograd import functional

    right = getattr(functional, name)

    def off(*args: Any, **how: Any) -> Any:
        result = right(*args, **how)
        return tuple(t * 1.000001 for t in result) if name == "hvp" else result * 1.000001

    monkeypatch.setattr(functional, name, off)
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(DEMOS / "4305_jacobian_cost.py"), run_name="__main__")
    assert left.value.code == 1
    assert capsys.readouterr().out.count("WRONG") == wrong
