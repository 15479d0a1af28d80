"""Run experiments: solve the parts that are not kept yet, keep each as it is found, gather, and keep the outcome."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.experiment import Experiment, Unavailable
from experiments.sources import code_version, module_of
from experiments.storage import Store, identity_of
from experiments.tasks import Task
from experiments.workers import Workers
from ridgesplines.archive import write_text
from ridgesplines.progress import Progress

# Failures that are told; the file holds all.
_TOLD = 5


@dataclass
class Ran:
    """What became of an experiment.

    Attributes:
        experiment: it.
        parts: how many there are.
        kept: how many of these were on disk already.
        seconds: what the others took.
        failures: what went wrong, with the arguments.
        details: the file with the tracebacks of that, if there are any.
        absent: why it cannot be run here; empty if it can.
        finished: whether an outcome of these parameters and this code is on disk.
    """

    experiment: Experiment
    parts: int = 0
    kept: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    details: Path | None = None
    absent: str = ""
    finished: bool = False

    def __str__(self) -> str:
        label = f"{self.experiment.paper}/{self.experiment.name}"
        if self.absent:
            return f"{label}: not run: {self.absent}"
        if self.failures:
            told = self.failures[:_TOLD]
            rest = [f"and {len(self.failures) - _TOLD} more"] if len(self.failures) > _TOLD else []
            where = [f"more in {self.details}"] if self.details else []
            return "\n  ".join([f"{label}: failed", *told, *rest, *where])
        if self.finished and self.kept == self.parts:
            return f"{label}: all {self.parts} parts were there"
        return f"{label}: {self.parts} parts, {self.kept} of them from before, {self.seconds:.1f} s"


def tasks_of(experiment: Experiment, quick: bool) -> list[Task]:
    """The parts of an experiment as tasks of the code as it is now."""
    modules = frozenset(module_of(function) for function in (experiment.parts, experiment.solve, experiment.gather))
    label, code = f"{experiment.paper}/{experiment.name}", code_version(modules)
    parameters = experiment.quick if quick else experiment.full
    return [Task(label, experiment.solve, part, modules, code) for part in experiment.parts(**parameters)]


class _Job:
    """An experiment under way."""

    def __init__(self, experiment: Experiment, store: Store, quick: bool, resume: bool) -> None:
        self.ran = Ran(experiment)
        self._store, self._quick = store, quick
        self._failed_file = store.place(experiment, quick).with_suffix(".failed.txt")
        self._details: list[str] = []
        self.waiting: dict[str, Task] = {}
        self._tasks: list[Task] = []
        try:
            self._tasks = tasks_of(experiment, quick)
            if not self._tasks:
                raise ValueError("it has no parts.")
            # Equal parts are one.
            self.waiting = {task.digest: task for task in self._tasks}
        except Unavailable as error:
            self.ran.absent = str(error)
        except Exception as error:
            self._fail(f"its parts cannot be listed: {type(error).__name__}: {error}", traceback.format_exc())
        self.ran.parts = len(self.waiting)
        if resume:
            self.waiting = {digest: task for digest, task in self.waiting.items() if store.read_part(task) is None}
        self.ran.kept = self.ran.parts - len(self.waiting)
        self._same = resume and not self.waiting and self._on_disk()

    def _on_disk(self) -> bool:
        try:
            result = self._store.read(self.ran.experiment, self._quick)
        except ValueError:
            return False
        return result.facts.get("identity") == identity_of(self._tasks)

    def _fail(self, line: str, details: str) -> None:
        self.ran.failures.append(line)
        self._details.append(f"{line}\n{details}")

    def fail(self, task: Task, line: str, details: str) -> None:
        self._fail(f"with {_shown(task.arguments)}: {line}", details)

    def finish(self) -> None:
        """Gather and keep, if nothing is missing."""
        ran = self.ran
        if not ran.failures and not ran.absent and not self._same:
            try:
                answers = [self._store.read_part(task) for task in self._tasks]
                found = [{**answer.values, **answer.arrays} for answer in answers if answer is not None]
                if len(found) < len(answers):
                    raise ValueError("parts have vanished from the folder; run again.")
                outcome = ran.experiment.gather([dict(task.arguments) for task in self._tasks], found)
                seconds = [answer.seconds for answer in answers if answer is not None]
                self._store.write(ran.experiment, self._quick, outcome, self._tasks, seconds)
            except Exception as error:
                self._fail(f"gathering its parts: {type(error).__name__}: {error}", traceback.format_exc())
        ran.finished = not ran.failures and not ran.absent
        if self._details:
            self._failed_file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._failed_file, "\n".join(self._details))
            ran.details = self._failed_file
        else:
            self._failed_file.unlink(missing_ok=True)


def run(
    experiments: Sequence[Experiment],
    store: Store,
    workers: Workers,
    *,
    quick: bool = False,
    resume: bool = True,
    say: Callable[[str], Any] = print,
) -> list[Ran]:
    """Run experiments, all parts of all of them beside each other.

    Parts whose arguments and code are the same as before are not solved again. Each part is kept as soon as it is
    found, so that a run that ends early, however it ends, is taken up where it ended. A part that fails is told with
    its arguments, and the others go on.

    Args:
        experiments: different ones.
        store: where results are kept.
        workers: where parts are solved.
        quick: the quick parameters, not the full ones.
        resume: False solves everything anew.
        say: takes a line when an experiment is done.
    """
    store.sweep()
    jobs = {f"{e.paper}/{e.name}": _Job(e, store, quick, resume) for e in experiments}
    total = sum(len(job.waiting) for job in jobs.values())
    done, began = 0, time.perf_counter()

    def tasks() -> Iterator[Task]:
        for job in jobs.values():
            yield from list(job.waiting.values())

    def end(job: _Job) -> None:
        job.finish()
        say(str(job.ran))

    with Progress() as show:
        for job in jobs.values():
            if not job.waiting:
                end(job)
        show(f"0 of {total} parts")
        answers = workers.answers(tasks())
        try:
            for task, answer in answers:
                job = jobs[task.label]
                if answer.absent is not None:
                    job.ran.absent = answer.absent
                elif answer.failure is not None:
                    job.fail(task, answer.failure, answer.details)
                else:
                    store.write_part(task, answer)
                job.ran.seconds += answer.seconds
                del job.waiting[task.digest]
                done += 1
                left = (time.perf_counter() - began) * (total - done) / done
                show(f"{done} of {total} parts, about {left:.0f} s left; the latest of {task.label}")
                if not job.waiting:
                    end(job)
        finally:
            # At once, not when the garbage is collected: processes end here.
            close = getattr(answers, "close", None)
            if close is not None:
                close()
    return [job.ran for job in jobs.values()]


def _shown(arguments: Any) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items()) or "no arguments"
