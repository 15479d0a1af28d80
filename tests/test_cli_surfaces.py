"""The command `surface`: what it prints, writes and refuses."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import icosphere, unit_rows

import ridgesplines as rs
from ridgesplines.surfaces import implicit, sign_repair


@pytest.fixture
def command(command):
    """Run the command `surface` in an empty folder; see `conftest.command`."""
    return partial(command, "surface")


def sphere(path: str, count: int = 150, normals: bool = True) -> None:
    points = unit_rows(np.random.default_rng(0), count, 3)
    rs.surfaces.write_cloud(path, points, points if normals else None)


def test_a_mesh_is_sampled_and_reconstructed(command):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    rs.surfaces.write_mesh("sphere.npz", *icosphere(500))
    code, out, err = command("sphere.npz", "--sample", "300", "--out", "cloud.csv", "--seed", "3")
    assert code == 0, err
    assert "300 points with normals off sphere.npz: cloud.csv" in out
    points = rs.surfaces.read_cloud("cloud.csv").points
    np.testing.assert_array_equal(points, rs.surfaces.sample_mesh(*icosphere(500), 300, 3)[0])
    code, out, err = command("cloud.csv", "--out", "again.npz", "--resolution", "24", "--plot", "again.png")
    assert code == 0, err
    assert "cloud.csv: 300 points, normals given" in out
    assert "watertight" in out
    mesh = rs.surfaces.read_mesh("again.npz")
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 1, atol=0.05)
    assert Path("again.png").read_bytes()[:4] == b"\x89PNG"
    assert {path.name for path in Path().iterdir()} == {"sphere.npz", "cloud.csv", "again.npz", "again.png"}
    code, out, _ = command(
        "sphere.npz", "--sample", "300", "--out", "noisy.csv", "--seed", "3", "--noise", "0.1", "--json"
    )
    assert json.loads(out)["noise"] == 0.1
    noise = rs.surfaces.read_cloud("noisy.csv").points - points
    # 900 numbers: five standard errors are 12%.
    assert noise.std() == pytest.approx(0.1, rel=0.12)


def test_the_report_as_json(command):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    sphere("cloud.xyz", normals=False)
    code, out, err = command("cloud.xyz", "--resolution", "24", "--centres", "100", "--kernel", "matern", "--json")
    assert code == 0, err
    assert "cloud.xyz has no normals; they are estimated" in err
    report = json.loads(out)
    assert report["points"] == 150
    assert report["centres"] == 100
    assert report["normals"] == "estimated"
    assert report["kernel"].startswith("MaternKernel")
    assert report["watertight"] is True
    # The fifty points that were left out are missed, but hardly.
    assert 1e-6 < report["largest_residual"] < 0.1
    assert report["mean_angle"] < report["largest_angle"] < 90
    assert report["values_added"] == report["rounds"] == 0
    assert set(report["seconds"]) == {"reading", "normals", "fit", "sign repair", "grid", "mesh"}


def test_curves_in_the_plane(command):
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    rs.surfaces.write_cloud("circle.csv", circle, circle)
    code, out, err = command("circle.csv", "--out", "circle.obj", "--plot", "circle.png", "--resolution", "50")
    assert code == 0, err
    assert "segments" in out
    lines = Path("circle.obj").read_text().splitlines()
    vertices = np.array([line.split()[1:] for line in lines if line.startswith("v ")], dtype=float)
    np.testing.assert_allclose(np.linalg.norm(vertices, axis=1), 1, atol=5e-3)
    assert Path("circle.png").read_bytes()[:4] == b"\x89PNG"


def test_chunks(command):
    pytest.importorskip("skimage", reason="the extra `surfaces`")
    sphere("cloud.xyz", 260)
    code, out, err = command("cloud.xyz", "--chunk", "130", "--resolution", "24", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["chunks"] == report["chunks_solved"] == 2
    assert report["watertight"] is True
    assert report["largest_residual"] < 1e-6
    assert set(report["seconds"]) == {"reading", "fit", "sign repair", "chunks", "grid", "mesh"}
    code, out, _ = command("cloud.xyz", "--chunk", "130", "--resolution", "24")
    assert code == 0
    assert ", 2 of 2 chunks, solved directly" in out


def noisy_circle(count: int = 60) -> np.ndarray:
    """Points within 0.02 of the unit circle, with normals, in the file noisy.csv; returns the points."""
    rng = np.random.default_rng(4)
    normals = unit_rows(rng, count, 2)
    points = normals + 0.02 * rng.standard_normal((count, 2))
    rs.surfaces.write_cloud("noisy.csv", points, normals + 0.1 * rng.standard_normal((count, 2)))
    return points


def test_noisy_points_get_nuggets_and_all_count_with_few_centres(command):
    noisy_circle()
    errors = {}
    for name, options in {"exact": (), "noisy": ("--noisy",), "few": ("--noisy", "--centres", "25")}.items():
        code, out, err = command("noisy.csv", "--out", "curve.obj", "--resolution", "60", *options, "--json")
        assert code == 0, err
        report = json.loads(out)
        assert (report["value_nugget"] > 0) == (report["gradient_nugget"] > 0) == bool(options)
        assert report["nuggets_by_point"] == bool(options)
        assert (report["edges"] is not None) == bool(options)
        assert report["normals_averaged"] == ("averaged within faces" in (report["edges"] or ""))
        assert report["fitted"] == 60
        assert report["centres"] == (25 if name == "few" else 60)
        lines = Path("curve.obj").read_text().splitlines()
        vertices = np.array([line.split()[1:3] for line in lines if line.startswith("v ")], dtype=float)
        errors[name] = np.sqrt(np.mean((np.linalg.norm(vertices, axis=1) - 1) ** 2))
    # Averages of sixty points of deviation 0.02 are better than the points.
    assert errors["noisy"] < 0.7 * errors["exact"]
    assert errors["few"] < 0.7 * errors["exact"]
    code, out, _ = command("noisy.csv", "--resolution", "30", "--centres", "25")
    assert "60 points, 25 of them fitted" in out
    code, out, _ = command(
        "noisy.csv", "--resolution", "30", "--centres", "25", "--value-nugget", "1e-4", "--gradient-nugget", "1e-2"
    )
    assert "of them fitted" not in out
    assert "25 centres" in out
    assert "1.0e-04 for values, 1.0e-02 for gradients" in out
    assert "the medians" not in out
    out = command("noisy.csv", "--resolution", "30", "--noisy")[1]
    assert "gradients, the medians of those chosen" in out
    assert "points left out by" in out


def test_ctrl_c_keeps_a_curve_and_says_so(command, monkeypatch):
    noisy_circle()

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sign_repair, "cloud_winding_number", interrupted)
    code, out, err = command("noisy.csv", "--out", "curve.obj", "--resolution", "30")
    assert code == 0, err
    assert "in the sign repair; this is the best so far" in out
    assert Path("curve.obj").is_file()
    monkeypatch.setattr(implicit, "choose_nuggets", interrupted)
    code, out, _ = command("noisy.csv", "--noisy")
    assert code == 130
    assert not out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.xyz",), "there is no file absent.xyz; check the path"),
        (("cloud.xyz", "--kernel", "cubic"), "--kernel must be one of uniform, gaussian, polyharmonic, matern, got"),
        (("cloud.xyz", "--out", "mesh.doc"), "mesh.doc: the name of a mesh must end in .ply, .obj, .stl, .npz"),
        (("cloud.xyz", "--out", "no/mesh.ply"), "--out no/mesh.ply: the folder no does not exist; create it first"),
        (("cloud.xyz", "--plot", "a.gif"), "--plot a.gif: the name of a picture must end in .png"),
        (("cloud.xyz", "--resolution", "5000"), "resolution must be at most 629 for a grid in 3 dimensions"),
        (("cloud.xyz", "--centres", "0"), "--centres must be at least 1, got 0"),
        (("cloud.xyz", "--chunk", "50"), "chunk must be at least 100 points, or None, got 50"),
        (("cloud.xyz", "--chunk", "0"), "chunk must be at least 1, got 0"),
        (("cloud.xyz", "--chunk", "200", "--centres", "10"), "--centres and --chunk are two ways to spend less"),
        (("cloud.xyz", "--centres", "3"), "points must be at least 4, got 3"),
        (("cloud.xyz", "--noisy", "--value-nugget", "1"), "--noisy chooses the nuggets; leave out --value-nugget"),
        (("cloud.xyz", "--up", "w"), "--up must be x, y or z, got w"),
        (("cloud.xyz", "--noise", "1"), "--noise and --seed have a meaning together with --sample only"),
        (("cloud.xyz", "--neighbours", "9"), "--neighbours is for files without normals, but cloud.xyz has them"),
        (("cloud.xyz", "--value-nugget", "-1"), "value_nugget must be zero or a positive number, got -1.0"),
        (("mesh.npz", "--sample", "9"), "--sample needs --out, the file to write the points to"),
        (("mesh.npz", "--sample", "9", "--out", "a.doc"), "a.doc: the name of a cloud must end in"),
        (("mesh.npz", "--sample", "0", "--out", "a.xyz"), "--sample must be at least 1, got 0"),
        (("mesh.npz", "--sample", "9", "--noise", "-1", "--out", "a.xyz"), "--noise must be zero or a positive"),
        (("cloud.xyz", "--sample", "9", "--out", "a.xyz"), "cloud.xyz: the name of a mesh must end in"),
        (("flat.xyz",), "points all lie in one plane: they bound nothing"),
        (("zero.xyz",), "normals must not be zero, but 1 are (the first at index 0); drop these points"),
        (("twice.xyz",), "points 0 and 4 coincide, but their values or gradients differ"),
        (("nan.xyz",), "points of nan.xyz must be finite, but 1 of its 12 entries are NaN or infinite"),
    ],
)
def test_what_is_refused_in_a_sentence(command, arguments, message):
    sphere("cloud.xyz", 20)
    rs.surfaces.write_mesh("mesh.npz", *icosphere(20))
    points = unit_rows(np.random.default_rng(1), 4, 3)
    flat = np.concatenate([points * [1, 1, 0], points], axis=1)
    both = np.concatenate([points, points], axis=1)
    zero, nan = both.copy(), both.copy()
    zero[0, 3:] = 0
    nan[0, 0] = np.nan
    twice = np.concatenate([both, both[:1] * [1, 1, 1, -1, -1, -1]])
    for name, rows in (("flat", flat), ("zero", zero), ("nan", nan), ("twice", twice)):
        np.savetxt(f"{name}.xyz", rows)
    code, out, err = command(*arguments)
    assert code == 2
    assert message in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert not out


def test_without_the_extra_the_command_says_so(command, monkeypatch):
    sphere("cloud.xyz", 20)
    monkeypatch.setitem(sys.modules, "trimesh", None)
    code, _, err = command("cloud.xyz", "--out", "mesh.ply")
    assert code == 2
    assert 'PLY, OBJ and STL need trimesh: pip install "ridgesplines[surfaces]"' in err
