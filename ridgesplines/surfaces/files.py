"""Clouds of points with normals, and meshes, in the formats that scanners and viewers use."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ridgesplines.archive import existing_file, read_arrays, write_beside
from ridgesplines.arrays import finite_array
from ridgesplines.surfaces.meshes import checked_mesh

_TEXTS = (".xyz", ".txt", ".csv", ".tsv", ".pwn")
CLOUDS = (".ply", ".obj", ".npz", *_TEXTS)
MESHES = (".ply", ".obj", ".stl", ".npz")
CURVES = (".obj", ".npz")


class OrientedPoints(NamedTuple):
    """Points (N, d) with outward normals (N, d), or None where there are none."""

    points: np.ndarray
    normals: np.ndarray | None


class Mesh(NamedTuple):
    """Vertices (V, 3) and triangles (F, 3), counterclockwise seen from outside."""

    vertices: np.ndarray
    faces: np.ndarray


def read_cloud(path: str | os.PathLike[str]) -> OrientedPoints:
    """Points, and their normals where the file has them, by the ending of its name.

    PLY and OBJ files (extra `surfaces`) hold points in space; of a mesh, these are its vertices, with normals from its
    triangles where the file has none. Text has one point a line, three numbers or, with a normal, six (in the plane two
    or four), apart by spaces, tabs, commas or semicolons; lines that start with # and one header are left out.
    `.npz` files hold arrays `points` and, with normals, `normals`.

    Raises:
        ValueError: if the file is missing, damaged, empty or of another kind.
        ImportError: for PLY and OBJ without trimesh.
    """
    source, kind = _checked(path, CLOUDS, "cloud")
    if kind == ".npz":
        arrays = read_arrays(source)
        if "points" not in arrays:
            raise ValueError(f"{source} has no array `points` (and `normals`); it holds {', '.join(arrays) or 'none'}.")
        found = OrientedPoints(arrays["points"], arrays.get("normals"))
    elif kind in _TEXTS:
        found = _read_text(source)
    else:
        found = _cloud_of(source, kind)
    if np.ndim(found.points) != 2 or not len(found.points):
        raise ValueError(f"{source} holds no points.")
    points = finite_array(f"points of {source}", found.points, dimensions=(2,))
    if found.normals is None:
        return OrientedPoints(points, None)
    normals = finite_array(f"normals of {source}", found.normals, dimensions=(2,))
    if normals.shape != points.shape:
        raise ValueError(f"{source} has points {points.shape}, but normals {normals.shape}; each point needs one.")
    return OrientedPoints(points, normals)


def read_mesh(path: str | os.PathLike[str]) -> Mesh:
    """A triangle mesh from PLY, OBJ or STL (extra `surfaces`), or from arrays `vertices` and `faces` in `.npz`.

    Polygons are cut into triangles; the corners of STL's triangles are merged where they coincide.

    Raises:
        ValueError: if the file is missing, damaged, of another kind, or holds points without faces.
        ImportError: for PLY, OBJ and STL without trimesh.
    """
    source, kind = _checked(path, MESHES, "mesh")
    if kind == ".npz":
        arrays = read_arrays(source)
        if not {"vertices", "faces"} <= arrays.keys():
            raise ValueError(f"{source} has no arrays `vertices` and `faces`; it holds {', '.join(arrays) or 'none'}.")
        vertices, faces = arrays["vertices"], arrays["faces"]
    else:
        loaded = _load(source, kind)
        if kind == ".stl":
            loaded.merge_vertices()
        vertices, faces = np.array(loaded.vertices, dtype=float), np.array(getattr(loaded, "faces", np.zeros((0, 3))))
    if not len(faces):
        raise ValueError(f"{source} holds {len(vertices)} points but no faces; a mesh is needed here.")
    try:
        return Mesh(*checked_mesh(vertices, faces))
    except ValueError as error:
        raise ValueError(f"{source} is not a triangle mesh: {error}") from error


def write_cloud(path: str | os.PathLike[str], points: Any, normals: Any = None) -> Path:
    """Write points, with normals if given, as PLY (in space), text or `.npz`; returns the path.

    The file is written beside and renamed.

    Raises:
        ValueError: if shapes do not fit, or the name does not end in .ply, .obj, .npz or that of a text.
    """
    points = finite_array("points", points, dimensions=(2,))
    rows = points
    if normals is not None:
        normals = finite_array("normals", normals, dimensions=(2,))
        if normals.shape != points.shape:
            raise ValueError(f"normals must have the shape of the points, {points.shape}, got {normals.shape}.")
        rows = np.concatenate([points, normals], axis=1)
    target, kind = check_ending(path, CLOUDS, "cloud")
    if kind in (".ply", ".obj") and points.shape[1] != 3:
        raise ValueError(f"{target}: PLY and OBJ hold points in space, got {points.shape[1]} columns; use .csv.")
    if kind == ".npz":
        arrays = {"points": points} if normals is None else {"points": points, "normals": normals}
        return write_beside(target, lambda temporary: np.savez_compressed(temporary, **arrays))
    if kind == ".ply":
        names = ("x", "y", "z", "nx", "ny", "nz")[: rows.shape[1]]
        header = "ply\nformat binary_little_endian 1.0\n" + f"element vertex {len(rows)}\n"
        header += "".join(f"property double {name}\n" for name in names) + "end_header\n"
        return _write_bytes(target, header.encode("ascii") + rows.astype("<f8").tobytes())
    stream = io.StringIO()
    if kind == ".obj":
        np.savetxt(stream, points, fmt="v %.17g %.17g %.17g")
        if normals is not None:
            np.savetxt(stream, normals, fmt="vn %.17g %.17g %.17g")
    else:
        np.savetxt(stream, rows, fmt="%.17g", delimiter={".csv": ",", ".tsv": "\t"}.get(kind, " "))
    return _write_bytes(target, stream.getvalue().encode("ascii"))


def write_mesh(path: str | os.PathLike[str], vertices: Any, faces: Any) -> Path:
    """Write triangles as PLY, OBJ or STL (extra `surfaces`), or as `.npz`; curves as OBJ lines or `.npz`.

    PLY and STL are in single precision. The file is written beside and renamed.

    Args:
        path: where to; returned.
        vertices: (V, 3), or (V, 2) of curves.
        faces: (F, 3), or segments (F, 2) of curves.

    Raises:
        ValueError: if these are no mesh and no curves, or the name has another ending.
        ImportError: for PLY and STL without trimesh.
    """
    curves = np.ndim(faces) == 2 and np.shape(faces)[1] == 2
    target, kind = check_ending(path, CURVES if curves else MESHES, "curve" if curves else "mesh")
    if curves:
        vertices, faces = finite_array("vertices", vertices, dimensions=(2,)), np.asarray(faces)
    else:
        vertices, faces = checked_mesh(vertices, faces)
    if kind == ".npz":
        return write_beside(target, lambda temporary: np.savez_compressed(temporary, vertices=vertices, faces=faces))
    if kind == ".obj":
        stream = io.StringIO()
        flat = np.zeros((len(vertices), 3))
        flat[:, : vertices.shape[1]] = vertices
        np.savetxt(stream, flat, fmt="v %.17g %.17g %.17g")
        np.savetxt(stream, faces + 1, fmt="l %d %d" if curves else "f %d %d %d")
        return _write_bytes(target, stream.getvalue().encode("ascii"))
    mesh = trimesh_module().Trimesh(vertices, faces, process=False)
    return _write_bytes(target, mesh.export(file_type=kind[1:]))


def check_ending(path: str | os.PathLike[str], kinds: tuple[str, ...], what: str) -> tuple[Path, str]:
    """The path and the ending of its name in small letters.

    Raises:
        ValueError: if that is none of `kinds`.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in kinds:
        raise ValueError(f"{target}: the name of a {what} must end in {', '.join(kinds)}.")
    return target, kind


def trimesh_module() -> Any:
    """The library that reads and writes meshes.

    Raises:
        ImportError: naming the extra, where it is not installed.
    """
    try:
        import trimesh  # behind the extra
    except ImportError as error:
        raise ImportError(
            'PLY, OBJ and STL need trimesh: pip install "ridgesplines[surfaces]"; text and .npz do not.'
        ) from error
    return trimesh


def _checked(path: str | os.PathLike[str], kinds: tuple[str, ...], what: str) -> tuple[Path, str]:
    _, kind = check_ending(path, kinds, what)
    return existing_file(path), kind


def _load(source: Path, kind: str) -> Any:
    trimesh = trimesh_module()
    try:
        loaded = trimesh.load(io.BytesIO(source.read_bytes()), file_type=kind[1:], process=False, maintain_order=True)
        if isinstance(loaded, trimesh.Scene):
            loaded = loaded.to_geometry()
        vertices = loaded.vertices
        stated = loaded.metadata.get("_ply_raw", {}).get("vertex", {}).get("length", len(vertices))
    except Exception as error:  # the readers raise whatever a damaged file leads them to
        raise ValueError(f"{source} is not a {kind[1:].upper()} file that can be read, or it is damaged.") from error
    if stated > len(vertices):
        raise ValueError(f"{source} is cut off: it announces {stated} points and holds {len(vertices)}.")
    return loaded


def _cloud_of(source: Path, kind: str) -> OrientedPoints:
    loaded = _load(source, kind)
    points = np.array(loaded.vertices, dtype=float)
    if len(getattr(loaded, "faces", ())):
        return OrientedPoints(points, np.array(loaded.vertex_normals, dtype=float))
    if kind == ".obj":
        lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
        normals = [line.split()[1:4] for line in lines if line.startswith("vn ")]
        return OrientedPoints(points, np.array(normals, dtype=float) if normals else None)
    columns = loaded.metadata["_ply_raw"]["vertex"]["data"]
    names = columns.dtype.names if isinstance(columns, np.ndarray) else columns
    if not {"nx", "ny", "nz"} <= set(names):
        return OrientedPoints(points, None)
    return OrientedPoints(points, np.column_stack([np.ravel(columns[name]) for name in ("nx", "ny", "nz")]))


def _read_text(source: Path) -> OrientedPoints:
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{source} is not text in UTF-8.") from error
    rows: list[list[float]] = []
    first = True
    for number, line in enumerate(lines, start=1):
        cells = line.translate(str.maketrans(",;\t", "   ")).split()
        if not cells or cells[0].startswith("#"):
            continue
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            if first:
                first = False
                continue
            raise ValueError(f"line {number} of {source} is not a row of numbers: {line[:40]!r}.") from None
        # Some files say first how many points there are.
        if first and len(row) == 1:
            first = False
            continue
        first = False
        if rows and len(row) != len(rows[0]):
            raise ValueError(f"line {number} of {source} has {len(row)} numbers, but the first row {len(rows[0])}.")
        rows.append(row)
    if not rows:
        raise ValueError(f"{source} holds no points.")
    table = np.array(rows)
    width = table.shape[1]
    if width not in (2, 3, 4, 6):
        raise ValueError(f"{source} has {width} numbers in a row; a point has 2 or 3, and 4 or 6 with its normal.")
    if width <= 3:
        return OrientedPoints(table, None)
    return OrientedPoints(table[:, : width // 2], table[:, width // 2 :])


def _write_bytes(target: Path, content: bytes) -> Path:
    return write_beside(target, lambda temporary: Path(temporary).write_bytes(content))
