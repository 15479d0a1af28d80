"""Where parts are solved: in this process, in others of this machine, or on a Dask cluster, with the same answers."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from experiments.tasks import Answer, Task, attempt

# One thread each, or processes stand in each other's way, and sums depend on the machine.
_ONE_THREAD = (
    "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip


class Workers(ABC):
    """Solve tasks in any order."""

    @abstractmethod
    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
        """Each task with its answer as soon as there is one; tasks are taken as late as possible.

        Nothing goes on when the iterator is closed.
        """


class Here(Workers):
    """In this process, one after another: for tests. Solvers that keep their best on Ctrl-C would make it a part."""

    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
        """See `Workers`."""
        for task in tasks:
            yield task, attempt(pickle.dumps(task))


@dataclass(frozen=True)
class Processes(Workers):
    """In processes of this machine, each for many tasks; one that dies fails its task only.

    Attributes:
        jobs: how many processes there are at a time.
    """

    jobs: int

    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
        """See `Workers`."""
        waiting = iter(tasks)
        idle: list[_Process] = []
        busy: dict[Connection, tuple[_Process, Task]] = {}
        try:
            while True:
                while len(busy) < self.jobs and (task := next(waiting, None)) is not None:
                    process = _given(task, idle.pop() if idle else _Process())
                    busy[process.connection] = process, task
                if not busy:
                    return
                for connection in wait(list(busy)):
                    process, task = busy.pop(connection)  # type: ignore[index] # only connections were waited for
                    answer = process.answer()
                    if answer.failure is None or process.alive:
                        idle.append(process)
                    yield task, answer
        finally:
            for process in (*idle, *(process for process, _ in busy.values())):
                process.end()


class _Process:
    """A process that solves one task after another."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_work, args=(theirs,), daemon=True)
        with _surroundings():
            self._process.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def answer(self) -> Answer:
        try:
            return pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode or 0
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            self.connection.close()
            return Answer(failure=f"the process that solved it {how}.")

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _given(task: Task, process: _Process) -> _Process:
    """The process that has got the task: a fresh one, if the one asked died while it had nothing to do."""
    try:
        process.connection.send_bytes(pickle.dumps(task))
    except OSError:
        process.end()
        process = _Process()
        process.connection.send_bytes(pickle.dumps(task))
    return process


@contextmanager
def _surroundings() -> Iterator[None]:
    """What a process that is started inside inherits: one thread, and no ear for Ctrl-C, which the first one minds."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    # Tables of the first process stay free of what libraries print.
    sys.stdout = sys.stderr
    while True:
        try:
            connection.send_bytes(pickle.dumps(attempt(connection.recv_bytes())))
        except (EOFError, BrokenPipeError):
            return


def _end_with_the_first() -> None:
    """However the first process ends, SIGKILL included, this one does not go on alone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@dataclass(frozen=True)
class DaskCluster(Workers):
    """On the workers of a Dask cluster, which have this repository on their path, at the same commit.

    Attributes:
        address: of the scheduler.
        timeout: seconds to wait for it.
    """

    address: str
    timeout: float = 10.0

    def answers(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Answer]]:
        """See `Workers`.

        Raises:
            ValueError: if Dask or the scheduler is not there.
        """
        try:
            from distributed import Client, as_completed  # pyright: ignore[reportMissingImports] # the extra `cluster`
        except ImportError as error:
            raise ValueError(f"a scheduler needs Dask ({error}): pip install 'ridgesplines[cluster]'") from None
        try:
            client = Client(self.address, timeout=self.timeout, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ValueError(f"there is no Dask scheduler at {self.address} ({error}).") from None
        futures = {client.submit(attempt, pickle.dumps(task), pure=False): task for task in tasks}
        try:
            for future in as_completed(list(futures), loop=client.loop):
                try:
                    answer = future.result()
                except Exception as error:
                    answer = Answer(failure=f"the worker failed, {type(error).__name__}: {error}")
                yield futures.pop(future), answer
        finally:
            client.cancel(list(futures))
            client.close()
