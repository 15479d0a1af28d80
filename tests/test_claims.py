"""Claims are read as they are written, malformed ones are refused in one sentence, and no number passes by accident."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.claims import Claim, judge, read_claims
from experiments.experiment import Outcome

WHOLE = {
    "statement": "one is one", "function": "one", "experiment": "counting", "number": "one", "equals": "1",
    "tolerance": "0.5",
}  # fmt: skip


def write(folder, changes=None, without=()):
    entry = {key: value for key, value in (WHOLE | (changes or {})).items() if key not in without}
    lines = [f"{'  - ' if k == 0 else '    '}{key}: {value}" for k, (key, value) in enumerate(entry.items())]
    file = folder / "nobody_1900.md"
    file.write_text("\n".join(["---", "claims:", *lines, "---", "# nobody_1900"]))
    return file


def test_claims_are_read_in_their_order(tmp_path):
    (claim,) = read_claims(write(tmp_path))
    assert claim == Claim("nobody_1900", "one is one", "one", "counting", "one", equals=1.0, tolerance=0.5)
    assert claim.sizes == ("quick", "full")
    assert claim.asked == "1 ± 0.5"
    # What YAML takes for text.
    (claim,) = read_claims(write(tmp_path, {"at_most": "1e-6", "sizes": "[full]"}, ("equals", "tolerance")))
    assert (claim.at_most, claim.sizes, claim.asked) == (1e-6, ("full",), "≤ 1e-06")
    (claim,) = read_claims(write(tmp_path, {"at_least": "-.inf"}, ("equals", "tolerance")))
    assert claim.at_least == -math.inf


def test_a_paper_without_front_matter_has_no_claims(tmp_path):
    file = tmp_path / "nobody_1900.md"
    file.write_text("# nobody_1900\n\n---\n")
    assert read_claims(file) == ()


@pytest.mark.parametrize(
    ("changes", "without", "told"),
    [
        ({"at_mots": 1}, (), "there is no key at_mots; the keys are statement, "),
        ({}, ("number",), "number is None; it has to be text"),
        ({"number": 3}, (), "number is 3; it has to be text"),
        ({"statement": '" "'}, (), "statement is ' '; it has to be text"),
        ({"at_most": 2}, (), "exactly one of at_most, at_least and equals is needed, not at_most and equals"),
        ({"at_most": 2, "at_least": 1}, ("equals", "tolerance"), "needed, not at_most and at_least"),
        ({}, ("equals", "tolerance"), "needed, not none of them"),
        ({}, ("tolerance",), "equals needs one, 0 for exactly"),
        ({"at_least": 0}, ("equals",), "tolerance belongs to equals"),
        ({"tolerance": -1}, (), "tolerance is -1; it cannot be negative"),
        ({"equals": "about one"}, (), "equals is 'about one'; it has to be a number"),
        ({"equals": "true"}, (), "equals is True; it has to be a number"),
        ({"equals": ".nan"}, (), "equals is NaN"),
        ({"sizes": "full"}, (), "sizes is 'full'; it has to be a list of quick and full"),
        ({"sizes": "[huge]"}, (), r"sizes is \['huge'\]"),
        ({"sizes": "[]"}, (), r"sizes is \[\]"),
        ({"statement": "one: is one"}, (), "no YAML .*; quote texts that hold a colon"),
    ],
)
def test_malformed_claims_are_refused_in_one_sentence(tmp_path, changes, without, told):
    with pytest.raises(ValueError, match=told) as caught:
        read_claims(write(tmp_path, changes, without))
    assert "nobody_1900.md" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("---\nclaims: []\n# nobody", "the front matter has no end"),
        ("---\n- one\n---\n", "has to be a list called claims"),
        ("---\nclaims: 3\n---\n", "has to be a list called claims"),
        ("---\nclaims: []\nothers: []\n---\n", "has to be a list called claims, and nothing else"),
        ("---\nclaims: [one]\n---\n", "claim 1: a claim has to be a mapping with the keys statement"),
    ],
)
def test_malformed_front_matter_is_refused(tmp_path, text, told):
    file = tmp_path / "nobody_1900.md"
    file.write_text(text)
    with pytest.raises(ValueError, match=told):
        read_claims(file)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*ghost_2000.md"):
        read_claims(tmp_path / "ghost_2000.md")


def claim_of(**asked) -> Claim:
    return Claim("nobody_1900", "", "", "", "value", **asked)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(0, allow_nan=False))
def test_what_is_asked_is_what_holds(value, limit, tolerance):
    assert claim_of(at_most=limit).holds(value) == (value <= limit)
    assert claim_of(at_least=limit).holds(value) == (value >= limit)
    assert claim_of(equals=limit, tolerance=tolerance).holds(limit)
    if not math.isinf(value) and not math.isinf(limit):
        assert claim_of(equals=limit, tolerance=tolerance).holds(value) == (abs(value - limit) <= tolerance)


@pytest.mark.parametrize("asked", [dict(at_most=1e9), dict(at_least=-1e9), dict(equals=0.0, tolerance=1e9)])
def test_nan_is_never_what_was_asked(asked):
    assert not claim_of(**asked).holds(math.nan)


def test_a_claim_about_a_number_that_is_not_there_fails_and_one_about_an_absent_number_is_not_run():
    claim = claim_of(at_most=1.0)
    assert judge(claim, "quick", None).state == "not run"
    missing = judge(claim, "quick", Outcome({"other": 0.0}))
    assert missing.state == "fails"
    assert "finds no 'value'; its numbers are other" in missing.note
    absent = judge(claim, "full", Outcome({}, absent={"value": "no moon"}))
    assert (absent.state, absent.note) == ("not run", "no moon")
    assert judge(claim, "full", Outcome({"value": 1.0})).state == "holds"
    assert judge(claim, "full", Outcome({"value": 1.1})).state == "fails"
