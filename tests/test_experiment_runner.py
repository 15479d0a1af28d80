"""The runner of the papers' experiments: nothing finished is lost, whatever happens, and nothing is solved twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import made_up_experiment
import numpy as np
import pytest
from made_up_experiment import MADE_UP, run_here

from experiments import command, reporting, storage, workers
from experiments.running import run, tasks_of
from experiments.sources import code_version
from experiments.storage import Store
from experiments.tasks import attempt
from experiments.workers import DaskCluster, Here, Processes

_PATHS = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
DIRECT = MADE_UP.outcome(MADE_UP.quick)
DIRECT_FULL = MADE_UP.outcome(MADE_UP.full)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


@pytest.fixture
def said():
    return []


def run_one(store, said, experiment=MADE_UP, workers=None, **options):
    (ran,) = run([experiment], store, workers or Here(), say=said.append, **({"quick": True} | options))
    return ran


def with_mishap(mishap: str, count: int = 4):
    return replace(MADE_UP, quick=dict(count=count, mishap=mishap))


def start(folder: Path, *arguments: str, pause: float) -> subprocess.Popen:
    # What runs in the background of a shell, as these tests may, is deaf to Ctrl-C; the command in question is not.
    hearing = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{hearing}; import made_up_experiment as m; m.main({str(folder)!r}, *{arguments!r}, pause={pause})"
    environment = os.environ | {"PYTHONPATH": _PATHS}
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes)


def wait_for_parts(store: Store, count: int, limit: float = 60.0) -> None:
    began = time.monotonic()
    while len(list(store.folder.rglob("squares-*.npz"))) < count:
        assert time.monotonic() - began < limit
        time.sleep(0.01)


def assert_complete(store: Store, quick: bool, direct) -> None:
    kept = store.read(MADE_UP, quick).outcome
    assert kept.numbers == direct.numbers
    np.testing.assert_array_equal(kept.arrays["curves"], direct.arrays["curves"])


def test_a_run_keeps_numbers_arrays_and_all_that_they_came_from(store, said):
    ran = run_one(store, said)
    assert ran.finished
    assert (ran.parts, ran.kept) == (4, 0)
    assert_complete(store, True, DIRECT)
    facts = json.loads((store.folder / "quick" / "nobody_1900" / "squares.json").read_text())
    assert facts["parameters"] == {"count": 4}
    assert [part["arguments"]["seed"] for part in facts["parts"]] == [10, 11, 12, 13]
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["numbers"]["sum"] == 14
    assert facts["absent"] == {"moon": "there is no moon"}
    assert facts["seconds"] >= 0
    assert len(facts["code"]) == 16
    assert not store.place(MADE_UP, False).with_suffix(".json").exists()
    assert said == [f"nobody_1900/squares: 4 parts, 0 of them from before, {ran.seconds:.1f} s"]


def test_what_parts_find_is_read_as_it_was_found(store, said):
    run_one(store, said)
    task = tasks_of(MADE_UP, True)[2]
    found, kept = MADE_UP.solve(**task.arguments), store.read_part(task)
    assert kept is not None
    assert kept.values.keys() | kept.arrays.keys() == found.keys()
    assert kept.values["third"] == found["third"]
    assert type(kept.values["square"]) is int
    assert kept.values["flag"] is False
    assert kept.values["endless"] == np.inf
    assert kept.values["pair"] == [1, 2.5]
    assert kept.values["single"] == 7
    for name in ("curve", "table"):
        np.testing.assert_array_equal(kept.arrays[name], found[name])
        assert kept.arrays[name].dtype == found[name].dtype


def test_only_what_is_new_is_solved(store, said):
    run_one(store, said)
    file = store.place(MADE_UP, True).with_suffix(".json")
    written = file.stat().st_mtime_ns
    again = run_one(store, said)
    assert (again.parts, again.kept, again.finished) == (4, 4, True)
    assert file.stat().st_mtime_ns == written
    assert said[-1] == "nobody_1900/squares: all 4 parts were there"
    more = run_one(store, said, replace(MADE_UP, quick=dict(count=6)))
    assert (more.parts, more.kept) == (6, 4)
    fewer = run_one(store, said)
    assert fewer.kept == 4
    assert_complete(store, True, DIRECT)
    anew = run_one(store, said, resume=False)
    assert anew.kept == 0


def test_parts_are_solved_again_when_the_code_has_changed(store, said, monkeypatch):
    run_one(store, said)
    monkeypatch.setattr("experiments.running.code_version", lambda modules: "other")
    monkeypatch.setattr("experiments.tasks.code_version", lambda modules: "other")
    assert run_one(store, said).kept == 0
    # Sources that change under a run would be kept under the wrong name.
    monkeypatch.setattr("experiments.tasks.code_version", lambda modules: "a third")
    (failure, *_) = run_one(store, said, resume=False).failures
    assert "differ from those that the run began with" in failure


def test_the_code_is_the_package_and_what_the_experiment_imports(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "invented"
    folder.mkdir()
    for name, text in {
        "__init__": "", "paper": "from invented.numbers import f\nimport invented.draw\nimport json",
        "numbers": "from invented import deep", "deep": "", "draw": "", "unrelated": "",
    }.items():  # fmt: skip
        (folder / f"{name}.py").write_text(text)

    def version() -> str:
        code_version.cache_clear()
        return code_version(frozenset({"invented.paper"}))

    before = version()
    for name, matters in (("paper", True), ("numbers", True), ("deep", True), ("draw", False), ("unrelated", False)):
        file = folder / f"{name}.py"
        text = file.read_text()
        file.write_text(text + "\n# changed\n")
        assert (version() != before) == matters
        file.write_text(text)
    assert version() == before
    monkeypatch.setattr("experiments.sources._package_version", lambda: "another package")
    assert version() != before


@pytest.mark.parametrize(
    ("mishap", "told"),
    [
        ("error", "ArithmeticError: no such number"),
        ("exit", "SystemExit: 3"),
        ("object", "found square, a object, not a number, string or array"),
    ],
)
def test_a_part_that_fails_is_told_with_its_arguments_and_the_others_go_on(store, said, mishap, told):
    ran = run_one(store, said, with_mishap(mishap))
    assert not ran.finished
    (line,) = said
    assert f"with number=1, seed=11, pause=0.0, mishap='{mishap}': " in line
    assert told in line
    assert len(list(store.folder.rglob("squares-*.npz"))) == 3
    details = store.place(MADE_UP, True).with_suffix(".failed.txt")
    assert "Traceback" in details.read_text()
    assert not store.place(MADE_UP, True).with_suffix(".json").exists()
    # What succeeded is not solved again.
    assert run_one(store, said).kept == 3
    assert not details.exists()
    assert_complete(store, True, DIRECT)


def test_parts_that_cannot_be_listed_or_gathered_fail_their_experiment_alone(store, said):
    def stumble(parts, found):
        raise KeyError("size")

    broken = (with_mishap("no list"), replace(MADE_UP, name="others", gather=stumble), replace(MADE_UP, name="sound"))
    first, second, third = run(broken, store, Here(), quick=True, say=said.append)
    assert "cannot be listed: RuntimeError: nothing can be listed" in first.failures[0]
    assert "gathering its parts: KeyError: 'size'" in second.failures[0]
    assert third.finished


@pytest.mark.parametrize(("value", "told"), [(np.nan, "'worst' is NaN"), ("five", "'worst' is 'five', and no number")])
def test_numbers_that_nothing_can_be_compared_with_are_refused(store, said, value, told):
    outcome = made_up_experiment.Outcome({"worst": value})
    ran = run_one(store, said, replace(MADE_UP, gather=lambda parts, found: outcome))
    assert told in ran.failures[0]


def test_what_is_absent_here_is_left_out_with_its_reason(store, said):
    ran = run_one(store, said, with_mishap("absent"))
    assert not ran.finished
    assert not ran.failures
    assert said == ["nobody_1900/squares: not run: there is no moon"]


def test_processes_find_the_same_and_one_that_dies_fails_its_part_alone(store, said):
    ran = run_one(store, said, with_mishap("killed"), Processes(2))
    (failure,) = ran.failures
    assert "mishap='killed': the process that solved it was ended by SIGKILL." in failure
    ran = run_one(store, said, workers=Processes(1))
    assert ran.kept == 3
    assert_complete(store, True, DIRECT)
    # One thread each.
    part = store.read_part(tasks_of(MADE_UP, True)[0])
    assert part is not None
    assert part.values["threads"] == "1"


def test_a_task_that_cannot_be_read_is_a_failure():
    answer = attempt(b"\x80\x04cno_such_module\nsolve\n.")
    assert answer.failure == "ModuleNotFoundError: No module named 'no_such_module'"


@pytest.fixture
def context(monkeypatch):
    """Processes are forked from one that has imported all, so that they begin at once."""
    # That one finds modules by this alone.
    monkeypatch.setenv("PYTHONPATH", _PATHS)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["made_up_experiment"])
    return context


def test_no_finished_part_is_lost_however_often_and_whenever_a_run_is_killed(store, context):
    rng = np.random.default_rng(0)
    tasks, finished, met = tasks_of(MADE_UP, False), 0, set()
    for _ in range(20):
        process = context.Process(target=run_here, args=(str(store.folder),))
        process.start()
        # At any moment of the start, of the parts, and of what is written in the end.
        wait_for_parts(store, min(finished + int(rng.integers(0, 4)), len(tasks)))
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        process.join()
        kept = [task.digest for task in tasks if store.read_part(task) is not None]
        # Every file that has its name is whole.
        assert len(list(store.folder.rglob("parts/*/squares-*.npz"))) == len(kept) >= finished
        finished = len(kept)
        met.add(finished)
        if finished == len(tasks):
            # From the beginning, so that later kills meet writing, too.
            for file in store.folder.rglob("*.npz"):
                file.unlink()
            finished = 0
    process = context.Process(target=run_here, args=(str(store.folder),))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert_complete(store, False, DIRECT_FULL)
    assert len(met) > 3, "the kills came at too few different moments to tell anything"


def test_two_runs_at_once_on_one_folder_leave_it_whole(store, context):
    processes = [context.Process(target=run_here, args=(str(store.folder),)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert_complete(store, False, DIRECT_FULL)
    assert all(store.read_part(task) is not None for task in tasks_of(MADE_UP, False))


def test_an_interrupt_ends_at_once_with_what_is_done_kept(store):
    process = start(store.folder, "run", "--jobs", "2", pause=0.3)
    wait_for_parts(store, 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; what is done is kept" in out
    assert err == ""
    kept = len(list(store.folder.rglob("squares-*.npz")))
    assert 2 <= kept < 8
    again = replace(MADE_UP, full=dict(count=8, pause=0.3))
    tasks = tasks_of(again, False)
    assert sum(store.read_part(task) is not None for task in tasks) == kept


def test_processes_do_not_outlive_a_run_that_is_killed(store):
    process = start(store.folder, "run", "--jobs", "1", pause=0.5)
    wait_for_parts(store, 1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.is_file():
        process.kill()
        process.communicate()
        pytest.skip("needs Linux, which lists the children of a process")
    started = [int(child) for child in children.read_text().split()]
    assert started
    process.kill()
    process.communicate()
    began = time.monotonic()
    while any(Path(f"/proc/{child}").exists() and _runs(child) for child in started):
        assert time.monotonic() - began < 20
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        # Dead ones that nobody has asked after are listed, too.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_damaged_part_is_solved_again_and_leftovers_of_killed_runs_are_removed(store, said):
    run_one(store, said)
    file = store.part_file(tasks_of(MADE_UP, True)[0])
    file.write_bytes(file.read_bytes()[:-100])
    old, young = file.with_name(".squares-0-old.npz"), file.with_name(".squares-0-young.npz")
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert run_one(store, said).kept == 3
    assert not old.exists()
    assert young.exists()  # it may be another run's


def test_results_of_two_runs_are_not_mixed(store, said):
    run_one(store, said)
    place = store.place(MADE_UP, True)
    before = place.with_suffix(".npz").read_bytes()
    run_one(store, said, replace(MADE_UP, quick=dict(count=5)))
    place.with_suffix(".npz").write_bytes(before)
    with pytest.raises(ValueError, match="are of different runs; run again"):
        store.read(MADE_UP, True)
    assert run_one(store, said).finished
    assert_complete(store, True, DIRECT)


def test_figures_are_drawn_from_what_was_kept_alone(store, said, monkeypatch):
    with pytest.raises(ValueError, match="has not been run; run it: python -m experiments run nobody_1900/squares"):
        reporting.draw(MADE_UP, store, False)
    run_one(store, said)
    unsolved = replace(MADE_UP, solve=lambda **_: pytest.fail("solved"), parts=lambda **_: pytest.fail("listed"))
    files = reporting.draw(unsolved, store, True)
    assert [file.name for file in files] == ["squares.pdf", "squares.png"]
    assert files[0].read_bytes()[:5] == b"%PDF-"
    assert files[1].read_bytes()[:4] == b"\x89PNG"
    first = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in reporting.draw(unsolved, store, True)] == first


def test_a_dask_cluster_finds_the_same(store, said):
    distributed = pytest.importorskip("distributed", reason="the extra `cluster`")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, scheduler_port=0, protocol="tcp://"
    )
    with cluster:
        dask = DaskCluster(cluster.scheduler_address)
        ran = run_one(store, said, with_mishap("error"), dask)
        assert "mishap='error': ArithmeticError: no such number" in ran.failures[0]
        assert run_one(store, said, workers=dask).kept == 3
    assert_complete(store, True, DIRECT)


def test_a_scheduler_that_is_not_there_is_told(store):
    pytest.importorskip("distributed", reason="the extra `cluster`")
    with pytest.raises(ValueError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:9"):
        list(DaskCluster("tcp://127.0.0.1:9", timeout=0.2).answers(tasks_of(MADE_UP, True)))


CLAIMS = """---
claims:
  - statement: squares add up
    function: sum
    experiment: squares
    number: sum
    equals: {asked}
    tolerance: 0
  - {{statement: the moon is there, function: look, experiment: squares, number: moon, at_least: 1}}
  - {{statement: many, function: sum, experiment: squares, number: sum, at_least: 50, sizes: [full]}}
---
# nobody_1900
"""


@pytest.fixture
def papers(tmp_path, monkeypatch):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "nobody_1900.md").write_text(CLAIMS.format(asked=14))
    (folder / "README.md").write_text(f"# Papers\n\n{reporting.BEGIN}\nold\n{reporting.END}\nafter\n")
    monkeypatch.setattr(command, "chosen", lambda words: [MADE_UP])
    return folder


def call(papers, *arguments):
    places = ["--folder", str(papers.parent / "results"), "--papers", str(papers)]
    return command.main([*arguments, *places], Here())


def test_all_runs_draws_and_checks(papers, capsys):
    assert call(papers, "check", "--quick") == 0
    assert "2 claims: 0 hold, 0 fail, 2 not run" in capsys.readouterr().out
    assert call(papers, "all", "--quick") == 0
    out = capsys.readouterr().out
    assert "| squares add up | squares: sum | 14 ± 0 | 14 (quick) | holds |" in out
    assert "| the moon is there | squares: moon | ≥ 1 | – | not run: there is no moon |" in out
    assert "2 claims: 1 hold, 0 fail, 1 not run" in out
    assert (papers.parent / "results" / "quick" / "nobody_1900" / "squares.pdf").is_file()
    assert call(papers, "run") == 0
    # Asked for at both sizes, but true of the quick one.
    assert call(papers, "check") == 1
    assert "| many | squares: sum | ≥ 50 | 506 | holds |" in capsys.readouterr().out


def test_a_claim_that_fails_is_told_with_its_number_and_is_the_exit_status(papers, capsys):
    (papers / "nobody_1900.md").write_text(CLAIMS.format(asked=15))
    assert call(papers, "all", "--quick") == 1
    out = capsys.readouterr().out
    assert "| squares add up | squares: sum | 15 ± 0 | 14 (quick) | **fails** |" in out
    assert "2 claims: 0 hold, 1 fail, 1 not run" in out


def test_numbers_of_other_code_say_so(papers, capsys, monkeypatch):
    call(papers, "run", "--quick")
    monkeypatch.setattr("experiments.running.code_version", lambda modules: "other")
    assert call(papers, "check", "--quick") == 0
    assert "14 (quick) | holds: found by other code than there is now |" in capsys.readouterr().out


def test_the_table_is_written_between_its_markers(papers, capsys, monkeypatch):
    call(papers, "run", "--quick")
    assert call(papers, "table") == 0
    text = (papers / "README.md").read_text()
    assert text.startswith(f"# Papers\n\n{reporting.BEGIN}\n\n| paper | claim |")
    assert text.endswith(f"|\n\n3 claims: 1 hold, 0 fail, 2 not run.\n\n{reporting.END}\nafter\n")
    assert "| [nobody_1900](nobody_1900.md) | squares add up | squares: sum | 14 ± 0 | 14 (quick) | holds |" in text
    assert "| many | squares: sum | ≥ 50 | – | not run |" in text
    call(papers, "run")
    monkeypatch.setattr("experiments.running.code_version", lambda modules: "other")
    call(papers, "table")
    assert "Of 2, the numbers were found by other code than there is now." in (papers / "README.md").read_text()
    # The full size is what counts.
    assert "| squares: sum | 14 ± 0 | 506 | **fails** |" in (papers / "README.md").read_text()
    (papers / "README.md").write_text("# Papers\n")
    assert call(papers, "table") == 2
    assert "once each" in capsys.readouterr().err


def test_one_failed_part_is_the_exit_status(papers, monkeypatch):
    monkeypatch.setattr(command, "chosen", lambda words: [with_mishap("error")])
    assert call(papers, "run", "--quick") == 1
    assert call(papers, "draw", "--quick") == 1


def test_experiments_are_listed_with_what_is_kept(papers, capsys):
    call(papers, "run", "--quick")
    capsys.readouterr()
    assert call(papers, "list") == 0
    assert "| nobody_1900/squares | squares of numbers | 3 | 0 s | – |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "atlantis_1492"], "there is no paper 'atlantis_1492'"),
        (["run", "kumar_haupt_2020/gold"], "kumar_haupt_2020 has no experiment 'gold'; it has constraint_sets"),
        (["check", "--folder", __file__], "is a file; give a folder"),
    ],
)
def test_bad_words_are_told_without_a_traceback(arguments, told, capsys):
    assert command.main(arguments) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["run", "--jobs", "0"], ["run", "--jobs", "many"], ["dance"], []])
def test_bad_options_are_told_without_a_traceback(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert "error: " in capsys.readouterr().err


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(storage, "_LIBRARIES", ("numpy", "no-such-library"))
    assert set(storage._versions()) == {"python", "ridgesplines", "numpy"}


def test_a_process_that_died_while_it_had_nothing_to_do_is_replaced():
    (task, *_) = tasks_of(MADE_UP, True)
    dead = workers._Process()
    dead._process.kill()
    dead._process.join()
    process = workers._given(task, dead)
    assert process is not dead
    assert process.answer().values["square"] == 0
    process.end()
