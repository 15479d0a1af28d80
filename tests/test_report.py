"""The report: one file that needs no other, with every claim as it is; its sliders work in a real browser."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from made_up_experiment import MADE_UP

import ridgesplines as rs
from experiments import command, reporting
from experiments.report.page import write_report
from experiments.report.paths import certified_paths
from experiments.running import run
from experiments.storage import Store
from experiments.workers import Here

PAPER = """---
claims:
  - {statement: "squares <b>add up</b>", function: sum, experiment: squares, number: sum, equals: 14, tolerance: 0}
  - {statement: they add up to less, function: sum, experiment: squares, number: sum, at_most: 13}
  - {statement: the moon is round, function: sum, experiment: squares, number: moon, at_most: 13}
---
# nobody_1900

```bibtex
@misc{nobody_1900,
  author = {Nobody, Andr{\\'e} and M\\"uller, {\\v Z}ofia},
  title  = {On {Squares} </script>},
  year   = {1900},
}
```

## What it says

That `squares` add up. <script>alert(1)</script>

## Claims
"""


@pytest.fixture(scope="module")
def paths():
    return certified_paths(steps=6, count=30)


@pytest.fixture(scope="module")
def page(tmp_path_factory, paths):
    folder = tmp_path_factory.mktemp("report")
    (folder / "nobody_1900.md").write_text(PAPER, encoding="utf-8")
    store = Store(folder / "results")
    run([MADE_UP], store, Here(), quick=True, say=str)
    reporting.draw(MADE_UP, store, True)
    never = replace(MADE_UP, name="cubes", title="cubes of numbers")
    verdicts = write_report([MADE_UP, never], store, folder, folder / "report.html", paths)
    assert [verdict.state for verdict in verdicts] == ["holds", "fails", "not run"]
    return folder / "report.html"


def test_every_claim_is_told_as_it_is(page):
    text = page.read_text(encoding="utf-8")
    for state in ("holds", "fails", "not run"):
        assert f">{state}</td>" in text
    assert "3 claims: 1 hold, 1 fail, 1 not run" in text
    assert "14 (quick)" in text
    assert "there is no moon" in text
    assert "André Nobody, Müller" not in text
    assert "André Nobody, Žofia Müller, 1900" in text
    assert "nobody_1900/cubes</code> has not been run and drawn" in text


def test_texts_are_texts_and_nothing_is_fetched(page):
    text = page.read_text(encoding="utf-8")
    assert "<b>add up</b>" not in text
    assert "alert(1)</script>" not in text
    assert text.count("<script") == text.count("</script>") == 2
    assert text.count("data:image/png;base64,") == 1
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', text)


def test_the_page_draws_the_networks_that_were_certified(paths):
    for path in paths:
        points, targets = np.array(path["points"]), np.array(path["targets"])
        strengths = [step["strength"] for step in path["steps"]]
        assert strengths == sorted(strengths, reverse=True)
        for step in path["steps"]:
            spline = rs.RidgeSpline(
                np.reshape(step["weights"], (-1, points.shape[1])),
                step["biases"],
                step["coefficients"],
                step["polynomial"],
            )
            loss = 0.5 * np.sum((spline(points) - targets) ** 2)
            # Seven digits of sums of some hundreds of terms.
            assert loss + step["strength"] * spline.radon_tv() == pytest.approx(step["objective"], rel=1e-5)
            assert step["kind"] == "exact"
            assert step["bound"] <= step["objective"]
            profile = np.maximum(spline.weights @ points.T - spline.biases[:, None], 0) @ step["dual"]
            np.testing.assert_allclose(np.abs(profile), 1, atol=1e-3)


def test_the_command_writes_the_page(tmp_path, monkeypatch, capsys, paths):
    (tmp_path / "nobody_1900.md").write_text(PAPER, encoding="utf-8")
    monkeypatch.setattr(command, "chosen", lambda words: [MADE_UP])
    monkeypatch.setattr("experiments.report.paths.certified_paths", lambda: paths)
    folder = tmp_path / "results"
    run([MADE_UP], Store(folder), Here(), quick=True, say=str)
    status = command.main(["report", "--folder", str(folder), "--papers", str(tmp_path)])
    assert status == 1  # a claim fails
    assert f"the page is {folder / 'report.html'}" in capsys.readouterr().out
    assert (folder / "report.html").is_file()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: the extra browser")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as engine:
        # Its sandbox needs rights that containers lack; the page is our own.
        chromium = engine.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("size", [(390, 844), (1280, 900)], ids=["phone", "desktop"])
def test_the_slider_moves_the_picture_in_a_browser(browser, page, paths, size):
    tab = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    troubles, requests = [], []
    tab.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(page.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
    for path in paths:
        box = tab.locator(f"#explorer-{path['key']}")
        slider, last = box.locator("input"), len(path["steps"]) - 1
        pictures = []
        for index in (0, last):
            slider.fill(str(index))
            step = path["steps"][index]
            shown = {
                name: box.locator(f"[data-field={name}]").inner_text() for name in ("strength", "bound", "neurons")
            }
            assert float(shown["strength"]) == pytest.approx(step["strength"], rel=1e-3)
            assert float(shown["bound"]) == pytest.approx(step["bound"], rel=1e-8)
            assert shown["neurons"].split()[0] == str(len(step["biases"]))
            pictures.append(box.locator(".panels").screenshot())
        assert pictures[0] != pictures[1]
        slider.focus()
        tab.keyboard.press("ArrowLeft")
        assert slider.input_value() == str(last - 1)
    assert not troubles
    assert all(url.startswith(("file:", "data:")) for url in requests)
    tab.close()
