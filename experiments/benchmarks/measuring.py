"""Measure the cases of a row, each in a process of its own, and keep what is done."""

from __future__ import annotations

import json
import os
import pickle
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experiments.benchmarks.cases import SEED, Case, Record
from experiments.benchmarks.rows import Row
from ridgesplines.archive import write_text

_LIBRARIES = ("numpy", "scipy", "numba", "jax", "optax", "cvxpy", "clarabel")


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    from threadpoolctl import threadpool_info

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        "system": platform.system(),
        "python": platform.python_version(),
        "blas": sorted(
            {f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads" for pool in threadpool_info()}
        ),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def peak_memory() -> float | None:
    """The most memory that this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Unlike ru_maxrss it does not begin with what the process held that started this one.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure_here(case: Case, limit: float) -> list[Record]:
    """Once, in this process, whose memory is not the case's alone: for quick looks."""
    return case.records(limit, repeats=1)


def measure_apart(case: Case, limit: float) -> list[Record]:
    """In a process of its own, with its peak memory; it is ended if it overruns its limits by far."""
    command = [sys.executable, "-m", "experiments.benchmarks.measuring", str(limit)]
    # In a session of its own, so that Ctrl-C reaches this process only, which then ends the other.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    failure = "failed"
    try:
        answer, _ = process.communicate(pickle.dumps(case), timeout=4 * limit + 120)
        if process.returncode == 0:
            return json.loads(answer)
    except subprocess.TimeoutExpired:
        failure = "overran the time limit"
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    return [{"series": case.series, "size": case.size, "status": failure}]


def run_row(
    key: str,
    row: Row,
    file: Path,
    quick: bool = False,
    limit: float = 600.0,
    measure: Callable[[Case, float], list[Record]] | None = None,
) -> dict[str, Any]:
    """The results of a row, written to `file` after each case; on Ctrl-C what is done stays there."""
    measure = measure or (measure_here if quick else measure_apart)
    file.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "row": key,
        "title": row.title,
        "compared": row.compared,
        "quick": quick,
        "limit": limit,
        "seed": SEED,
        "machine": machine(),
        "records": [],
    }
    for case in row.quick if quick else row.cases:
        print(f"{key}: {case.series}, N = {case.size} …", end=" ", file=sys.stderr, flush=True)
        began = time.perf_counter()
        found = measure(case, limit)
        results["records"] += found
        what = " ".join(record.get("status", "") for record in found).strip()
        print(f"{time.perf_counter() - began:.1f} s {what}", file=sys.stderr, flush=True)
        write_text(file, json.dumps(results, indent=2))
    return results


def _worker() -> None:
    """A case as a pickle on standard input, its records as JSON on standard output."""
    case = pickle.loads(sys.stdin.buffer.read())
    output, sys.stdout = sys.stdout, sys.stderr
    records = case.records(float(sys.argv[1]))
    peak = peak_memory()
    json.dump([{"memory": peak} | record for record in records], output)


if __name__ == "__main__":
    _worker()
