"""Clouds and meshes in files: what is written comes back, what is damaged is refused in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs

TETRAHEDRON = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) + np.pi
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def cloud(dimension: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((7, dimension)), rng.standard_normal((7, dimension))


@pytest.mark.parametrize("ending", [".ply", ".PLY", ".obj", ".npz", ".xyz", ".csv", ".tsv", ".txt"])
@pytest.mark.parametrize("oriented", [True, False])
def test_clouds_come_back_to_the_last_digit(tmp_path, ending, oriented):
    if ending.lower() in (".ply", ".obj"):
        pytest.importorskip("trimesh", reason="the extra `surfaces`")
    points, normals = cloud()
    path = rs.surfaces.write_cloud(tmp_path / f"cloud{ending}", points, normals if oriented else None)
    read = rs.surfaces.read_cloud(path)
    np.testing.assert_array_equal(read.points, points)
    if oriented:
        np.testing.assert_array_equal(read.normals, normals)
    else:
        assert read.normals is None
    assert [file.name for file in tmp_path.iterdir()] == [f"cloud{ending}"]


@pytest.mark.parametrize("ending", [".csv", ".npz"])
def test_clouds_in_the_plane(tmp_path, ending):
    points, normals = cloud(2)
    read = rs.surfaces.read_cloud(rs.surfaces.write_cloud(tmp_path / f"cloud{ending}", points, normals))
    np.testing.assert_array_equal(read.points, points)
    np.testing.assert_array_equal(read.normals, normals)
    with pytest.raises(ValueError, match="PLY and OBJ hold points in space, got 2 columns"):
        rs.surfaces.write_cloud(tmp_path / "cloud.ply", points, normals)


def test_text_of_other_programs(tmp_path):
    path = tmp_path / "cloud.xyz"
    for text in (
        "2\n0 0 1 0 0 1\n1 0 0 1 0 0\n",
        "x;y;z;nx;ny;nz\n0;0;1;0;0;1\n\n1;0;0;1;0;0\n",
        "\ufeff# made elsewhere\n0,0,1,0,0,1\n1, 0, 0, 1, 0, 0\n",
    ):
        path.write_text(text, encoding="utf-8")
        points, normals = rs.surfaces.read_cloud(path)
        np.testing.assert_array_equal(points, [[0, 0, 1], [1, 0, 0]])
        np.testing.assert_array_equal(normals, points)


@pytest.mark.parametrize("ending", [".ply", ".obj", ".stl", ".npz"])
def test_meshes_come_back(tmp_path, ending):
    trimesh = pytest.importorskip("trimesh", reason="the extra `surfaces`")
    path = rs.surfaces.write_mesh(tmp_path / f"mesh{ending}", TETRAHEDRON, FACES)
    read = rs.surfaces.read_mesh(path)
    # PLY and STL are in single precision; STL knows triangles only, and the order of the vertices is lost.
    tolerance = 1e-6 if ending in (".ply", ".stl") else 0
    corners = read.vertices[read.faces]
    assert len(read.vertices) == 4
    np.testing.assert_allclose(corners, TETRAHEDRON[FACES], rtol=tolerance, atol=0)
    if ending != ".npz":
        # The same volume, 1/6, by the library's own reader.
        assert trimesh.load(path).volume == pytest.approx(1 / 6, rel=1e-5)
    if ending in (".ply", ".obj"):
        points, normals = rs.surfaces.read_cloud(path)
        np.testing.assert_allclose(points, TETRAHEDRON, rtol=1e-6)
        assert normals is not None
        # The normals at the corners point away from the middle.
        assert (np.sum(normals * (points - points.mean(axis=0)), axis=1) > 0).all()


def test_curves_are_lines_of_obj(tmp_path):
    square, segments = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    lines = rs.surfaces.write_mesh(tmp_path / "curve.obj", square, segments).read_text().splitlines()
    assert lines[1] == "v 1 0 0"
    assert lines[4:] == ["l 1 2", "l 2 3", "l 3 4", "l 4 1"]
    with np.load(rs.surfaces.write_mesh(tmp_path / "curve.npz", square, segments)) as arrays:
        np.testing.assert_array_equal(arrays["faces"], segments)
    with pytest.raises(ValueError, match=r"the name of a curve must end in \.obj, \.npz"):
        rs.surfaces.write_mesh(tmp_path / "curve.ply", square, segments)


HEADER = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nend_header\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.ply", "nonsense", r"a\.ply is not a PLY file that can be read, or it is damaged"),
        ("a.ply", "", r"a\.ply is not a PLY file that can be read, or it is damaged"),
        ("a.ply", HEADER + "0 0 0\n1 0 0\n", r"a\.ply is cut off: it announces 3 points and holds 2"),
        ("a.obj", "v 0 0 zero\n", r"a\.obj is not a OBJ file that can be read"),
        ("a.xyz", "0 0 0 1\n0 0\n", r"line 2 of .*a\.xyz has 2 numbers, but the first row 4"),
        ("a.xyz", "0 0 0\n0 zero 0\n", r"line 2 of .*a\.xyz is not a row of numbers: '0 zero 0'"),
        ("a.xyz", "0 0 0 1 1\n", r"a\.xyz has 5 numbers in a row; a point has 2 or 3, and 4 or 6 with its normal"),
        ("a.xyz", "# nothing\n", r"a\.xyz holds no points"),
        ("a.csv", "0,0,nan,0,0,1\n", r"points of .*a\.csv must be finite, but 1 of its 3 entries"),
        ("a.npz", "nonsense", r"a\.npz is not an \.npz file of plain arrays, or it is damaged"),
        ("a.doc", "0 0 0\n", r"a\.doc: the name of a cloud must end in \.ply, \.obj, \.npz, \.xyz"),
        ("a.xyz", b"\xff\xfe\x00", r"a\.xyz is not text in UTF-8"),
    ],
)
def test_damaged_clouds(tmp_path, name, content, message):
    if name.endswith(("ply", "obj")):
        pytest.importorskip("trimesh", reason="the extra `surfaces`")
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        rs.surfaces.read_cloud(path)


def test_a_mesh_that_is_cut_off_anywhere_is_refused(tmp_path):
    pytest.importorskip("trimesh", reason="the extra `surfaces`")
    for ending in (".ply", ".stl"):
        whole = rs.surfaces.write_mesh(tmp_path / f"mesh{ending}", TETRAHEDRON, FACES).read_bytes()
        for length in range(0, len(whole), 7):
            (tmp_path / f"part{ending}").write_bytes(whole[:length])
            with pytest.raises(ValueError, match=r"part\.(ply|stl)"):
                rs.surfaces.read_mesh(tmp_path / f"part{ending}")


def test_what_is_no_mesh_or_no_cloud(tmp_path):
    pytest.importorskip("trimesh", reason="the extra `surfaces`")
    points, normals = cloud()
    path = rs.surfaces.write_cloud(tmp_path / "cloud.ply", points, normals)
    with pytest.raises(ValueError, match=r"cloud\.ply holds 7 points but no faces; a mesh is needed here"):
        rs.surfaces.read_mesh(path)
    with pytest.raises(ValueError, match=r"there is no file .*absent\.ply; check the path"):
        rs.surfaces.read_cloud(tmp_path / "absent.ply")
    (tmp_path / "bad.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    with pytest.raises(ValueError, match=r"bad\.obj is not a OBJ file that can be read, or it is damaged"):
        rs.surfaces.read_mesh(tmp_path / "bad.obj")
    np.savez(tmp_path / "other.npz", a=points)
    with pytest.raises(ValueError, match=r"has no array `points` .and `normals`.; it holds a"):
        rs.surfaces.read_cloud(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="has no arrays `vertices` and `faces`"):
        rs.surfaces.read_mesh(tmp_path / "other.npz")
    np.savez(tmp_path / "short.npz", points=points, normals=normals[:3])
    with pytest.raises(ValueError, match=r"has points \(7, 3\), but normals \(3, 3\); each point needs one"):
        rs.surfaces.read_cloud(tmp_path / "short.npz")
    with pytest.raises(ValueError, match="normals must have the shape of the points"):
        rs.surfaces.write_cloud(tmp_path / "cloud.xyz", points, normals[:3])
    with pytest.raises(ValueError, match=r"the folder .* does not exist; create it first"):
        rs.surfaces.write_cloud(tmp_path / "absent" / "cloud.xyz", points)


def test_quadrilaterals_become_triangles(tmp_path):
    pytest.importorskip("trimesh", reason="the extra `surfaces`")
    path = tmp_path / "square.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n")
    mesh = rs.surfaces.read_mesh(path)
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    assert len(mesh.faces) == 2
    np.testing.assert_allclose(np.cross(b - a, c - a).sum(axis=0), [0, 0, 2])


def test_without_the_extra_the_error_names_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "trimesh", None)
    path = tmp_path / "cloud.ply"
    path.write_text(HEADER)
    with pytest.raises(ImportError, match=r'PLY, OBJ and STL need trimesh: pip install "ridgesplines\[surfaces\]"'):
        rs.surfaces.read_cloud(path)
    # Text and arrays need none of it.
    points, normals = cloud()
    assert Path(rs.surfaces.write_cloud(tmp_path / "cloud.xyz", points, normals)).is_file()
