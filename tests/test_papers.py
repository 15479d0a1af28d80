"""The papers: every claim is about an experiment that there is, and holds at the quick size.

Experiments that are brief run with the ordinary tests, the others with `-m long`.
"""

from __future__ import annotations

import inspect
import json
import pickle

import pytest

from experiments import catalogue, reporting
from experiments.claims import read_claims
from experiments.experiment import Experiment, Unavailable
from experiments.running import run, tasks_of
from experiments.storage import Store
from experiments.tasks import canonical_json
from experiments.workers import Here

KEYS = catalogue.keys()
EXPERIMENTS = [experiment for key in KEYS for experiment in catalogue.experiments_of(key)]


def label(experiment: Experiment) -> str:
    return f"{experiment.paper}/{experiment.name}"


@pytest.mark.parametrize("key", KEYS)
def test_every_claim_is_about_an_experiment_that_there_is(key):
    claims = read_claims(catalogue.PAPERS / f"{key}.md")
    assert claims
    experiments = {experiment.name: experiment for experiment in catalogue.experiments_of(key)}
    for claim in claims:
        assert claim.experiment in experiments, f"{claim.statement}: there is no experiment {claim.experiment!r}"


@pytest.mark.parametrize("file", sorted(catalogue.PAPERS.glob("[a-z]*.md")), ids=lambda file: file.stem)
def test_every_file_with_claims_has_experiments_and_a_row_of_the_index(file):
    if read_claims(file):
        assert file.stem in KEYS
        assert f"[{file.stem}]({file.stem}.md)" in (catalogue.PAPERS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=label)
def test_every_experiment_is_well_formed(experiment):
    for quick in (True, False):
        parameters = experiment.quick if quick else experiment.full
        assert json.loads(canonical_json(parameters)).keys() == parameters.keys()
        try:
            tasks = tasks_of(experiment, quick)
        except Unavailable as error:
            pytest.skip(str(error))
        assert len({task.digest for task in tasks}) == len(tasks) > 0
        for task in tasks:
            # What is wrong with arguments is wrong before an hour of others.
            inspect.signature(experiment.solve).bind(**task.arguments)
            # Other processes are sent it.
            assert pickle.loads(pickle.dumps(task)).digest == task.digest


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(one, id=label(one), marks=() if one.brief else pytest.mark.long) for one in EXPERIMENTS],
)
def test_the_claims_hold_at_the_quick_size(experiment, tmp_path):
    store = Store(tmp_path)
    (ran,) = run([experiment], store, Here(), quick=True, say=str)
    if ran.absent:
        pytest.skip(ran.absent)
    assert ran.finished, str(ran)
    assert all(file.stat().st_size > 5000 for file in reporting.draw(experiment, store, True))
    verdicts = reporting.check(reporting.claims_about([experiment]), store, "quick")
    failed = [verdict for verdict in verdicts if verdict.state == "fails"]
    assert not failed, "\n" + reporting.markdown(failed)
