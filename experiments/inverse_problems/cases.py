"""The inverse problems: what is measured of which truth, with how much noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy.interpolate import RegularGridInterpolator

import ridgesplines as rs
from experiments.experiment import DATA_BESIDE, Unavailable
from experiments.inverse_problems.discretized import Function, measured

BESIDE = DATA_BESIDE / "surfaces_2d"
TOPICS = ("tomography", "deblurring", "averages", "derivatives", "elevation")
# Pixels along each side of pictures in the plane, and points on the line.
_PIXELS, _POINTS = 81, 1001


@dataclass(frozen=True, eq=False)
class Case:
    """Measurements of a truth, with noise.

    Attributes:
        topic: one of `TOPICS`.
        title: in words.
        measurements: ν.
        targets: y, (N,).
        noise_norm: δ: ‖ν(truth) − y‖₂, or what is known of it.
        truth: the function.
        places: where functions are compared and drawn, (M, d): a regular grid, the last coordinate fastest.
        inside: which of the places count, (M,).
        regularizer: of the ridge spline.
        peers: names of `methods.PEERS`.
        unit: of values.
        beam: of tomography.
        samples: as many samples, and their values, with noise as strong; beside slopes.
    """

    topic: str
    title: str
    measurements: rs.Measurement
    targets: np.ndarray
    noise_norm: float
    truth: Function
    places: np.ndarray
    inside: np.ndarray
    regularizer: rs.RadonTV = field(default_factory=rs.RadonTV)
    peers: tuple[str, ...] = ()
    unit: str = ""
    beam: rs.ParallelBeam | None = None
    samples: tuple[np.ndarray, np.ndarray] | None = None

    def error(self, values: np.ndarray) -> float:
        """The root mean square error of a function, by its values at the places, (M,)."""
        return float(np.sqrt(np.mean((values - self.truth(self.places))[self.inside] ** 2)))


def noisy(values: np.ndarray, deviation: float, seed: int) -> tuple[np.ndarray, float]:
    """Values with white noise, scaled to have exactly the norm δ = deviation · √N, and δ."""
    noise = np.random.default_rng(seed).standard_normal(values.shape)
    size = deviation * np.sqrt(len(values))
    return values + size / np.linalg.norm(noise) * noise, float(size)


def folds() -> rs.RidgeSpline:
    """A landscape folded along five lines: a network of five neurons."""
    angles = np.array([0.3, 1.1, 1.9, 2.6, 3.9])
    return rs.RidgeSpline(
        np.column_stack([np.cos(angles), np.sin(angles)]),
        np.array([-0.2, 0.3, 0.1, 0.25, 0.4]),
        np.array([1.0, -1.5, 1.2, -1.0, 0.9]),
        np.array([0.2, -0.3, 0.1]),
    )


def pyramid(x: np.ndarray) -> np.ndarray:
    """A pyramid on a square that is turned a little: piecewise linear, but of no network of finite norm."""
    u, v = x[:, 0] + 0.2 * x[:, 1] - 0.05, x[:, 1] - 0.2 * x[:, 0] + 0.05
    return np.maximum(0.0, 1.0 - (np.abs(u) + np.abs(v)) / 0.85)


def square(half: float = 1.0, margin: float = 0.0) -> np.ndarray:
    """The places of a picture of a square about 0, less a margin on each side."""
    line = np.linspace(-half + margin, half - margin, _PIXELS)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def tomography(shape: str, angles: int = 8, offsets: int = 12, deviation: float = 0.01) -> Case:
    """Integrals along the chords of the unit disc in few directions."""
    beam = rs.ParallelBeam.even(angles, offsets + 2, 1.0)
    # The outermost lines only touch the disc.
    rays = rs.LineIntegrals.parallel_beam(beam.angles, beam.offsets[1:-1], rs.DiscRegion((0.0, 0.0), 1.0))
    spline = folds() if shape == "folds" else None
    truth = pyramid if spline is None else spline
    values = measured(rays, truth) if spline is None else rays(spline)
    targets, size = noisy(values, deviation * float(np.abs(values).max()), 1)
    places = square()
    return Case(
        "tomography",
        f"{shape}, {angles} projections",
        rays,
        targets,
        size,
        truth,
        places,
        (places**2).sum(axis=1) <= 1.0,
        peers=("filtered back-projection", "total variation", "second-order total variation"),
        beam=beam,
    )


def blurred_line(count: int = 60, width: float = 0.03, deviation: float = 0.01) -> Case:
    """Straight pieces, blurred by more than they are apart."""
    knots = np.array([0.12, 0.2, 0.28, 0.45, 0.55, 0.72, 0.78])
    truth = rs.RidgeSpline(
        np.ones((7, 1)), knots, np.array([9.0, -19.0, 12.0, -6.0, 7.0, -16.0, 14.0]), np.array([0.2, 0])
    )
    blurred = rs.BlurredSamples((np.arange(count) + 0.5) / count, width)
    targets, size = noisy(blurred(truth), deviation, 2)
    places = np.linspace(0.0, 1.0, _POINTS)[:, None]
    inside = np.ones(len(places), dtype=bool)
    peers = ("Wiener filter", "Tikhonov", "second-order total variation")
    return Case("deblurring", "bent line", blurred, targets, size, truth, places, inside, peers=peers)


def blurred_plane(side: int = 9, width: float = 0.15, deviation: float = 0.01) -> Case:
    """The folded landscape, blurred by about the spacing of the samples."""
    truth = folds()
    blurred = rs.BlurredSamples(rs.BoxAverages.grid((-1.0, -1.0), (1.0, 1.0), side).centres, width)
    targets, size = noisy(blurred(truth), deviation, 3)
    places = square()
    inside = np.ones(len(places), dtype=bool)
    peers = ("Wiener filter", "Tikhonov", "second-order total variation")
    return Case("deblurring", "folds", blurred, targets, size, truth, places, inside, peers=peers)


def histogram(bins: int = 30, draws: int = 2000, order: int = 4) -> Case:
    """The density of two Gaussians from a histogram of draws."""
    shares, means, deviations = np.array([0.6, 0.4]), np.array([-1.0, 1.4]), np.array([0.7, 0.45])
    rng = np.random.default_rng(4)
    chosen = rng.choice(2, draws, p=shares)
    sampled = means[chosen] + deviations[chosen] * rng.standard_normal(draws)
    edges = np.linspace(-4.0, 4.0, bins + 1)
    fractions = np.histogram(sampled, edges)[0] / draws
    step = float(edges[1] - edges[0])

    def truth(x: np.ndarray) -> np.ndarray:
        z = (x - means) / deviations
        return np.sum(shares / deviations * np.exp(-0.5 * z**2), axis=1) / np.sqrt(2.0 * np.pi)

    places = np.linspace(-4.0, 4.0, _POINTS)[:, None]
    return Case(
        "averages",
        f"histogram, order {order}",
        rs.BoxAverages(edges[:-1], edges[1:]),
        fractions / step,
        # Binomial, by the counts themselves.
        float(np.sqrt(np.sum(fractions * (1.0 - fractions)) / draws) / step),
        truth,
        places,
        np.ones(len(places), dtype=bool),
        regularizer=rs.RadonTV(order),
        peers=("the averages", "histospline", "Tikhonov"),
    )


def pixels(side: int = 8, deviation: float = 0.01) -> Case:
    """The pyramid from coarse pixels."""
    boxes = rs.BoxAverages.grid((-1.0, -1.0), (1.0, 1.0), side)
    targets, size = noisy(measured(boxes, pyramid), deviation, 5)
    places = square()
    inside = np.ones(len(places), dtype=bool)
    peers = ("the averages", "Tikhonov", "second-order total variation")
    return Case("averages", "pyramid by pixels", boxes, targets, size, pyramid, places, inside, peers=peers)


def wave(x: np.ndarray) -> np.ndarray:
    """A wave that gets faster."""
    return np.sin(2 * np.pi * 2.5 * x[:, 0] ** 2)


def hills(x: np.ndarray) -> np.ndarray:
    """A ridge that ends, and a dent beside it."""
    ridge = np.exp(-((x[:, 0] - 0.25) ** 2) / 0.15 - x[:, 1] ** 2 / 0.5)
    return ridge - 0.7 * np.exp(-((x[:, 0] + 0.5) ** 2 + (x[:, 1] + 0.3) ** 2) / 0.2)


def slopes(dimension: int, order: int, count: int, deviation: float = 0.01) -> Case:
    """Values and slopes at a few points of a smooth function, the slopes by a length that makes noise alike."""
    truth, half = (wave, 0.5) if dimension == 1 else (hills, 1.0)
    rng = np.random.default_rng(6)
    many = (dimension + 1) * count
    if dimension == 1:
        points, others = ((np.arange(n)[:, None] + 0.5) / n for n in (count, many))
        places = np.linspace(0.0, 1.0, _POINTS)[:, None]
    else:
        points, others = (rng.uniform(-half, half, (n, 2)) for n in (count, many))
        places = square(half)
    step = 0.25 * half
    values = [truth(points)]
    parts: list[rs.Measurement] = [rs.Samples(points)]
    for axis in np.eye(dimension):
        parts.append(rs.Derivatives(points, step * axis))
        # Central differences so fine that their error is below 1e-8.
        values.append(step * (truth(points + 1e-5 * axis) - truth(points - 1e-5 * axis)) / 2e-5)
    targets, size = noisy(np.concatenate(values), deviation, 7)
    alone = noisy(truth(others), deviation, 8)[0]
    return Case(
        "derivatives",
        f"{'wave' if dimension == 1 else 'hills'}, order {order}",
        rs.Stack(*parts),
        targets,
        size,
        truth,
        places,
        np.ones(len(places), dtype=bool),
        regularizer=rs.RadonTV(order),
        peers=("samples alone", "Hermite spline" if dimension == 1 else "polyharmonic spline"),
        samples=(others, alone),
    )


def jacksboro() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kilometres east, kilometres north, and metres (east, north): all of the elevation model."""
    data = rs.datasets.elevation(count=344 * 403)
    east, columns = np.unique(data.x[:, 0], return_inverse=True)
    north, rows = np.unique(data.x[:, 1], return_inverse=True)
    heights = np.zeros((len(east), len(north)))
    heights[columns, rows] = data.y
    return east, north, heights


def volcano() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of Maunga Whau, on a grid of ten metres."""
    file = BESIDE / "dem_volcano.npz"
    if not file.is_file():
        raise Unavailable(f"there is no {file.name} in the folder of data sets beside the repository")
    with np.load(file) as arrays:
        x, y, z = (np.asarray(arrays[name], dtype=float) for name in ("x", "y", "z"))
    columns, rows = np.argsort(x), np.argsort(y)
    return 0.01 * (x[columns] - x.min()), 0.01 * (y[rows] - y.min()), z.T[np.ix_(columns, rows)]


MODELS = {"Jacksboro": jacksboro, "volcano": volcano}


def elevation(model: str, by: str, count: int = 8, deviation: float = 3.0) -> Case:
    """An elevation model from count² averages: over boxes, or over pieces of straight transects.

    Raises:
        Unavailable: if the model is not here.
    """
    east, north, heights = MODELS[model]()
    extrapolate: Any = None  # SciPy's annotation wants a number
    interpolator = RegularGridInterpolator((east, north), heights, bounds_error=False, fill_value=extrapolate)
    low, high = np.array([east[0], north[0]]), np.array([east[-1], north[-1]])
    if by == "boxes":
        measurement: rs.Measurement = rs.BoxAverages.grid(low, high, count)
    else:
        # Alternately from west to east and from south to north, aslant.
        rng = np.random.default_rng(9)
        ends = np.sort(rng.uniform(0.0, 1.0, (2, count)), axis=1)
        tracks = [
            (np.array([0.0, a]), np.array([1.0, b])) if i % 2 else (np.array([a, 0.0]), np.array([b, 1.0]))
            for i, (a, b) in enumerate(ends.T)
        ]
        parts = np.arange(count + 1)[:, None] / count
        stations = [low + (high - low) * (start + parts * (end - start)) for start, end in tracks]
        starts, stops = (np.concatenate([line[part] for line in stations]) for part in (slice(-1), slice(1, None)))
        measurement = rs.LineIntegrals(starts, stops, normalized=True)
    targets, size = noisy(measured(measurement, interpolator), deviation, 10)
    lines = [np.linspace(low[i], high[i], _PIXELS) for i in range(2)]
    places = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    return Case(
        "elevation",
        f"{model} by {by}",
        measurement,
        targets,
        size,
        interpolator,
        places,
        np.ones(len(places), dtype=bool),
        peers=(*(("the averages",) if by == "boxes" else ()), "Tikhonov", "second-order total variation"),
        unit="m",
    )


CASES: dict[str, Callable[[], Case]] = {
    "tomography_folds": partial(tomography, "folds"),
    "tomography_pyramid": partial(tomography, "pyramid"),
    "deblurring_line": blurred_line,
    "deblurring_plane": blurred_plane,
    "averages_line": histogram,
    "averages_plane": pixels,
    "derivatives_line_3": partial(slopes, 1, 3, 16),
    "derivatives_line_4": partial(slopes, 1, 4, 16),
    "derivatives_plane_3": partial(slopes, 2, 3, 20),
    "derivatives_plane_4": partial(slopes, 2, 4, 20),
    "elevation_jacksboro_boxes": partial(elevation, "Jacksboro", "boxes"),
    "elevation_jacksboro_transects": partial(elevation, "Jacksboro", "transects"),
    "elevation_volcano_boxes": partial(elevation, "volcano", "boxes"),
    "elevation_volcano_transects": partial(elevation, "volcano", "transects"),
}
