"""The comparison: its shape, that contestants do the same work, and the counts; no time is asserted anywhere."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import pygrad
from pygrad import cli, reference
from pygrad._engine import lib
from pygrad.bench import command, machine, memory, micro, suite, table, tensors
from pygrad.bench.c_alone import CAlone
from pygrad.bench.contestants import BASELINE, CONTESTANTS
from pygrad.bench.rows import Row
from pygrad.bench.tensor_contestants import TENSOR_BASELINE, tensor_contestants
from pygrad.bench.tensor_problems import TITLES, problems
from pygrad.bench.timing import Entry, check_same_work, cost_of_measuring, first_losses, spread, take_turn
from pygrad.bench.workloads import WORKLOADS, Workload
from pygrad.bench.written_out import WrittenOut

STEP_WORKLOADS = ["xor", "two_moons"]
TENSOR_WORKLOADS = [name for name in TITLES if name != "tensor_mnist_epoch"]
TENSOR_CONTESTANTS = tensor_contestants(quick=True)
WITH_GRAPH = [name for name, kind in CONTESTANTS.items() if kind.has_graph]
EXPECTED_ROWS = [(workload, name) for workload in STEP_WORKLOADS for name in CONTESTANTS] + [
    ("add", "python_gc_on"),
    ("add", "python_gc_off"),
    ("add", "value_written_out"),
    ("add_with_loop", "python_gc_on"),
    ("add_with_loop", "python_gc_off"),
    ("add_with_loop", "value_written_out"),
    ("chain_build", "python_gc_off"),
    ("chain_build", "value_written_out"),
    ("chain_backward", "python_gc_off"),
    ("chain_backward", "value_written_out"),
    ("chain_free", "value_written_out"),
]
EXPECTED_ROWS += [(workload, name) for workload in TENSOR_WORKLOADS for name in TENSOR_CONTESTANTS]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    command_line = [sys.executable, "-m", "pygrad", "bench", "--quick", "--rounds", "1", "--json", "-"]
    done = subprocess.run(command_line, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def rows(document: dict[str, Any]) -> list[Row]:
    return [Row(**row) for row in document["rows"]]


# ---- the JSON document ------------------------------------------------------------------------------------------


def test_json_has_the_schema(document: dict[str, Any]) -> None:
    assert list(document) == ["version", "machine", "settings", "rows"]
    assert document["version"] == 1
    assert document["settings"] == {"rounds": 1, "quick": True}
    assert document["machine"]["pygrad"] == pygrad.__version__
    for row in document["rows"]:
        assert set(row) == set(Row.__dataclass_fields__)


def test_all_rows_are_there_in_order(rows: list[Row]) -> None:
    assert [(row.workload, row.contestant) for row in rows] == EXPECTED_ROWS


def test_times_are_positive_and_ordered(rows: list[Row]) -> None:
    for row in rows:
        assert 0 < row.min_s <= row.q1_s <= row.median_s <= row.q3_s < 3600, row
        assert row.samples == 1


def test_times_per_node_are_times_by_nodes(rows: list[Row]) -> None:
    for row in rows:
        if row.nodes is None:
            assert row.ns_per_node is None
            assert row.contestant == "numpy_by_hand" or row.workload in TENSOR_WORKLOADS
        else:
            assert row.ns_per_node == pytest.approx(row.median_s / row.nodes * 1e9)


def test_ratios_are_to_pure_python_with_the_collector_off_and_of_tensors_to_numpy(rows: list[Row]) -> None:
    baselines = {row.workload: row for row in rows if row.contestant in (BASELINE, TENSOR_BASELINE)}
    for row in rows:
        if row.workload == "chain_free":
            assert row.ratio is None
        elif row.workload.startswith("chain"):
            per_node, baseline = row.ns_per_node, baselines[row.workload].ns_per_node
            assert per_node is not None and baseline is not None
            assert row.ratio == pytest.approx(baseline / per_node)
        else:
            assert row.ratio == pytest.approx(baselines[row.workload].median_s / row.median_s)


def test_steps_have_their_parts(rows: list[Row]) -> None:
    for row in rows:
        parts = [row.forward_s, row.backward_s, row.free_s]
        if row.workload in STEP_WORKLOADS:
            # With one round, the medians are those of the same turn.
            assert math.fsum(p for p in parts if p is not None) == pytest.approx(row.median_s)
            assert row.update_s is not None and row.cpu_share is not None
        else:
            assert parts == [None, None, None]


def test_memory_is_measured_where_there_are_nodes(rows: list[Row]) -> None:
    for row in rows:
        has = (row.workload in STEP_WORKLOADS and row.contestant in WITH_GRAPH) or row.workload == "chain_build"
        assert (row.bytes_per_node is not None) == has
        assert row.bytes_per_node is None or 8 < row.bytes_per_node < 100_000


def test_matrix_products_have_their_operations_per_second(rows: list[Row]) -> None:
    for row in rows:
        sizes = [int(n) for n in row.workload.removeprefix("matmul_").split("x")] if "matmul" in row.workload else []
        if sizes:
            assert row.gflops == pytest.approx(2 * math.prod(sizes) / row.median_s / 1e9)
        else:
            assert row.gflops is None


def test_goals_are_told(rows: list[Row]) -> None:
    goals = {(row.workload, row.contestant): row.goal for row in rows if row.goal}
    assert goals == {
        ("tensor_add", "pygrad"): "<= 0.2 us",
        ("tensor_chain", "pygrad"): "<= 3 us",
        ("tensor_xor_sgd", "pygrad"): "<= 5 us",
        ("tensor_xor_adam", "pygrad"): "<= 6 us",
        ("tensor_mnist_step", "pygrad"): "<= 320 us",
        ("matmul_1024x1024x1024", "pygrad"): ">= 250 GFLOP/s",
        ("matmul_64x784x256", "pygrad"): ">= 200 GFLOP/s",
        ("two_moons", "value_written_out"): "ratio >= 25",
        ("two_moons", "value_fused"): "ratio >= 80",
        ("add", "value_written_out"): "<= 25 ns",
        ("chain_build", "value_written_out"): "<= 100 ns, <= 80 B a node",
        ("chain_backward", "value_written_out"): "<= 100 ns a node",
        ("chain_free", "value_written_out"): "<= 100 ns a node",
    }


# ---- the same work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workload", STEP_WORKLOADS)
def test_written_out_values_and_pure_python_agree_to_the_last_bit(workload: str) -> None:
    # Before the first update, that is: gradients add up in an order that a set of addresses decides in pure Python.
    made = WORKLOADS[workload]()
    wanted = first_losses(WrittenOut(made, reference.Value), steps=1)
    assert first_losses(WrittenOut(made, pygrad.Value), steps=1) == wanted


@pytest.mark.parametrize("workload", STEP_WORKLOADS)
@pytest.mark.parametrize("name", CONTESTANTS)
def test_contestants_have_the_same_losses(workload: str, name: str) -> None:
    made = WORKLOADS[workload]()
    wanted = first_losses(CONTESTANTS["value_written_out"].make(made), steps=10)
    steps = 2 if name.startswith("python") else 10
    # Ten steps of a few hundred additions each, in another order at most.
    assert first_losses(CONTESTANTS[name].make(made), steps) == pytest.approx(wanted[:steps], rel=1e-11)
    assert wanted[-1] < wanted[0]


def test_different_work_is_refused() -> None:
    made = WORKLOADS["xor"]()
    other = Workload(**{**made.__dict__, "weights": [w + 1e-6 for w in made.weights]})
    entries = [
        Entry("right", CONTESTANTS["value_fused"].make(made), True),
        Entry("wrong", CONTESTANTS["value_fused"].make(other), True),
    ]
    with pytest.raises(RuntimeError, match=r"not do the same work: at step 0 the loss is .* for wrong"):
        check_same_work(entries)


def test_tensor_contestants_with_two_threads_are_for_the_long_run() -> None:
    assert [name for name in tensor_contestants(quick=False) if not name.endswith("_2")] == list(TENSOR_CONTESTANTS)
    assert TENSOR_BASELINE in TENSOR_CONTESTANTS and "pygrad" in TENSOR_CONTESTANTS


def test_different_work_with_tensors_is_refused() -> None:
    problem = next(problem for problem in problems(quick=True) if problem.name == "tensor_xor_sgd")
    one = TENSOR_CONTESTANTS["pygrad"].make()
    other = replace(problem, lr=0.4)
    with pytest.raises(RuntimeError, match=r"not do the same work: in tensor_xor_sgd slower is .* away from right"):
        tensors.check_same_work(problem, {"right": one.step(problem), "slower": one.step(other)})


# ---- nodes ----------------------------------------------------------------------------------------------------------


def expected_nodes(workload: Workload, name: str) -> int:
    """Count what the text says.

    `numbers` is 1 where a number that takes part is a leaf of its own.
    """
    sizes, points = workload.sizes, len(workload.X)
    parameters = sum(m * (n + 1) for n, m in pairwise(sizes))
    numbers = 1 if name.startswith("python") else 0
    hidden = sum(sizes[1:-1])
    if name.endswith("fused"):
        loss = 3 if workload.hinge else 1  # -y * score, 1 + that, relu; or the cross-entropy
        penalty = 3 if workload.hinge else 0  # dot, times alpha, added to the data loss
        return parameters + points * (hidden + 1 + loss) + 2 + penalty  # sum, times 1 / n
    inputs = 0 if name.startswith("c_") else sizes[0]  # C takes them as numbers
    products = sum(n * m for n, m in pairwise(sizes))
    loss = 3 + 2 * numbers if workload.hinge else 1 + numbers
    mean = points + numbers + 1 + numbers  # sum() starts from the number 0
    penalty = 2 * parameters + numbers + 1 + numbers + 1 if workload.hinge else 0
    return parameters + points * (inputs + 2 * products + hidden + loss) + mean + penalty


@pytest.mark.parametrize("workload", STEP_WORKLOADS)
@pytest.mark.parametrize("name", WITH_GRAPH)
def test_nodes_are_those_that_the_text_makes(workload: str, name: str) -> None:
    made = WORKLOADS[workload]()
    assert CONTESTANTS[name].make(made).nodes() == expected_nodes(made, name)


def test_the_graph_of_pure_python_has_the_size_of_micrograds(rows: list[Row]) -> None:
    nodes = {row.contestant: row.nodes for row in rows if row.workload == "two_moons"}
    assert nodes["python_gc_on"] == nodes["python_gc_off"] == 65_818
    # Less the numbers: two per point (the label, the 1), two zeros of sum(), 1 / n and alpha.
    assert nodes["value_written_out"] == 65_818 - 2 * 100 - 4


# ---- measuring ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("collector", [True, False])
def test_a_turn_leaves_the_collector_as_it_was(collector: bool) -> None:
    frozen = gc.get_freeze_count()  # CPython 3.12 starts with some
    made = WORKLOADS["xor"]()
    entry = Entry("python", WrittenOut(made, reference.Value), collector, steps=2)
    parts, share = take_turn(entry, cost_of_measuring(made))
    assert 0 < share <= 1
    assert gc.isenabled() and gc.get_freeze_count() in (0, frozen)
    assert parts.step == parts.forward + parts.backward + parts.free > 0


def test_quartiles_of_one_sample_are_the_sample() -> None:
    one = spread([2.0])
    assert (one.median, one.q1, one.q3, one.low, one.count) == (2.0, 2.0, 2.0, 2.0, 1)


def test_a_chain_has_the_gradient_that_it_should() -> None:
    assert len(micro.chain_once(pygrad.Value, 1000)) == 3


def test_c_alone_gives_its_memory_back() -> None:
    made = WORKLOADS["xor"]()
    gc.collect()
    before = lib.pg_live_bytes()
    contestant = CAlone(made, fused=True)
    first_losses(contestant)
    contestant.forward_and_keep(3)
    assert lib.pg_live_bytes() > before
    del contestant
    gc.collect()
    assert lib.pg_live_bytes() <= before


def test_memory_that_cannot_be_measured_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"memory of nobody failed: KeyError: 'nobody'"):
        memory.measure("xor", "nobody", 10)


def test_machine_facts_name_no_machine() -> None:
    import platform

    facts = machine.facts()
    assert facts["cpu"] and facts["cores"] >= facts["usable_cores"] >= 1
    host = platform.node()
    assert len(host) < 4 or host not in json.dumps(facts)


# ---- the command line -----------------------------------------------------------------------------------------------


def test_table_shows_every_row(document: dict[str, Any], rows: list[Row]) -> None:
    text = table.render(document["machine"], rows)
    lines = text.splitlines()
    for row in rows:
        assert any(line.startswith(f"  {row.title}") for line in lines)
    for shown in "65,818", "ratio >= 25", "ratio >= 80", "<= 25 ns", "<= 100 ns, <= 80 B a node", "Two moons":
        assert shown in text
    assert not any(line != line.rstrip() for line in lines)
    assert all(TITLES[workload] in text for workload in TENSOR_WORKLOADS)


@pytest.mark.parametrize(("torch", "told"), [(None, True), ("2.0", False)])
def test_table_says_when_pytorch_is_not_there(
    document: dict[str, Any], rows: list[Row], torch: Any, told: bool
) -> None:
    text = table.render({**document["machine"], "torch": torch}, rows)
    assert ("is not installed" in text) == told


def test_table_says_when_the_machine_was_busy(document: dict[str, Any], rows: list[Row]) -> None:
    quiet = [replace(row, cpu_share=None if row.cpu_share is None else 0.99) for row in rows]
    assert "busy" not in table.render(document["machine"], quiet)
    busy = [replace(quiet[0], cpu_share=0.512), *quiet[1:]]
    assert "for 51% of the time" in table.render(document["machine"], busy)


def test_json_goes_to_a_file_beside_the_table(
    rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def run(rounds: int, quick: bool, progress: Any) -> list[Row]:
        asked.append((rounds, quick))
        return rows

    monkeypatch.setattr(suite, "run", run)
    file = tmp_path / "figures.json"
    assert cli.main(["bench", "--json", str(file)]) == 0
    assert [Row(**row) for row in json.loads(file.read_text())["rows"]] == rows
    assert "XOR trainer" in capsys.readouterr().out
    assert cli.main(["bench", "--quick"]) == cli.main(["bench", "--rounds", "7", "--quick"]) == 0
    assert asked == [(command.ROUNDS, False), (command.QUICK_ROUNDS, True), (7, True)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "command"),
        (["dance"], "dance"),
        (["bench", "--rounds", "0"], "'0'"),
        (["bench", "--rounds", "many"], "'many'"),
        (["bench", "--json"], "--json"),
        (["bench", "--json", "/no/such/folder/figures.json"], "/no/such/folder/figures.json"),
        (["bench", "--faster"], "--faster"),
    ],
)
def test_bad_arguments_are_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err
    assert err.count("\n") == 1 and err.endswith("\n")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"pygrad {pygrad.__version__}\n"
    assert cli.main(["--help"]) == 0
    assert "bench" in capsys.readouterr().out
    assert cli.main(["bench", "--help"]) == 0
    text = capsys.readouterr().out
    assert "example:" in text and "--json" in text and "--quick" in text


def test_interrupting_is_no_error_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(rounds: int, quick: bool, progress: Any) -> list[Row]:
        raise KeyboardInterrupt

    monkeypatch.setattr(suite, "run", run)
    assert cli.main(["bench"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
