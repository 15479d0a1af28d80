"""The Radon transform and its inverse; measures of splines and densities of functions; their picture."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

import ridgesplines as rs
from ridgesplines.activations import TruncatedPower
from ridgesplines.plotting_radon import plot_radon_measure
from ridgesplines.radon.total_variation import half_sphere
from tests.helpers import random_spline, seeds, splines

matplotlib.use("Agg")

CENTRE = np.array([0.7, -0.4])
MIDDLE = np.array([0.7, -0.4, 0.2])


def gaussian(x: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * np.sum((x - MIDDLE[: x.shape[1]]) ** 2, axis=1))


def test_a_gaussian_goes_there_and_back():
    beam = rs.ParallelBeam.even(120, 257, 8.0)
    sinogram = rs.radon_transform(gaussian, beam, resolution=96)
    offsets = beam.offsets - (beam.directions @ CENTRE)[:, None]
    # The function is cut where it is below 1e-9 of its maximum, on lines of length 13.
    assert np.abs(sinogram.values - np.sqrt(2 * np.pi) * np.exp(-(offsets**2) / 2)).max() < 2e-8
    back = rs.filtered_back_projection(sinogram, region=([-3, -2], [3, 2]), shape=(61, 41))
    assert np.abs(back.values.ravel() - gaussian(back.points())).max() < 1e-6  # interpolation of the fourth order
    blurred = rs.filtered_back_projection(sinogram, region=2.0, shape=(41, 41), smoothing=0.5)
    variance = 1.25
    exact = gaussian(CENTRE + (blurred.points() - CENTRE) / np.sqrt(variance)) / variance
    assert np.abs(blurred.values.ravel() - exact).max() < 1e-6


def test_a_phantom_goes_there_and_back_better_than_by_rotated_images(shared):
    transform = pytest.importorskip("skimage.transform", reason="scikit-image, extra `surfaces`, is the other oracle")
    image = np.load(shared / "data" / "images" / "shepp_logan_400.npz")["image"][::2, ::2]
    beam = rs.ParallelBeam.even(314, 301, 1.5)
    sinogram = rs.radon_transform(rs.GridFunction(image, -1, 1), beam)
    back = rs.filtered_back_projection(sinogram, region=1.0, shape=image.shape)
    error = np.sqrt(np.mean((back.values - image) ** 2))
    angles = np.degrees(beam.angles)
    peer = transform.iradon(transform.radon(image, angles), angles)
    assert error < np.sqrt(np.mean((peer - image) ** 2))
    assert error < 0.15 * image.std()
    # The mass is that of the image at every angle, whatever its jumps.
    masses = sinogram.values.sum(axis=1) * (beam.offsets[1] - beam.offsets[0])
    assert masses == pytest.approx(np.full(len(masses), image.sum() * (2 / 199) ** 2), rel=1e-3)


def test_geometries_and_sinograms_are_checked():
    with pytest.raises(ValueError, match="angles must be at least two, increasing"):
        rs.ParallelBeam([0.0, 4.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="offsets must be at least two, increasing in equal steps"):
        rs.ParallelBeam([0.0, 1.0], [0.0, 1.0, 3.0])
    with pytest.raises(ValueError, match="a row for each angle"):
        rs.Sinogram(np.zeros((2, 2)), rs.ParallelBeam.even(3, 2, 1.0))
    with pytest.raises(ValueError, match="at least 1"):
        rs.ParallelBeam.even(0, 2, 1.0)
    beam = rs.ParallelBeam.even(8, 9, 1.0)
    with pytest.raises(ValueError, match="has its own region"):
        rs.radon_transform(rs.GridFunction(np.zeros(9), -1, 1), beam)
    with pytest.raises(ValueError, match="smoothing must be"):
        rs.filtered_back_projection(rs.Sinogram(np.zeros((8, 9)), beam), smoothing=-1.0)
    with pytest.raises(ValueError, match="two nodes along each axis"):
        rs.GridFunction(np.zeros((1, 5)), -1, 1)


@given(spline=splines(dimensions=(1, 2, 3)))
def test_the_measure_of_a_spline_has_its_seminorm_and_gives_it_back(spline):
    measure = rs.radon_measure(spline)
    assert measure.total_variation == pytest.approx(spline.radon_tv())
    again = rs.RidgeSpline(measure.directions, measure.offsets, measure.masses, order=measure.order)
    # Up to a polynomial: no neuron is left of the difference.
    assert (again - spline).radon_tv(1e-9) <= 1e-7 * max(1.0, spline.radon_tv())


@given(seed=seeds, order=st.sampled_from((2, 3, 4)))
def test_the_upright_half_holds_the_same_spline(seed, order):
    spline = random_spline(np.random.default_rng(seed), order, 2)
    measure = rs.radon_measure(spline).upright()
    assert ((measure.angles >= 0) & (measure.angles < np.pi)).all()
    again = rs.RidgeSpline(measure.directions, measure.offsets, measure.masses, order=order)
    assert (again - spline).radon_tv(1e-9) <= 1e-7 * max(1.0, spline.radon_tv())


@pytest.mark.parametrize(("dimension", "order"), [(1, 2), (1, 3), (2, 2), (2, 3), (3, 2)])
def test_the_density_is_that_of_an_infinite_network(dimension, order):
    # f(x) − polynomial = ∫ density ρ_m(w·x − b): divided differences of order m along a line see no polynomial.
    rng = np.random.default_rng(order)
    if dimension == 1:
        directions, weights = np.ones((1, 1)), np.ones(1)
    elif dimension == 2:
        angles = np.pi * np.arange(64) / 64
        directions, weights = np.column_stack([np.cos(angles), np.sin(angles)]), np.full(64, np.pi / 64)
    else:
        directions, weights = half_sphere(3, 48)
    reach = 30.0 if dimension == 2 else 9.0  # the ramp leaves tails in the plane
    offsets = np.linspace(-reach, reach, 1201)
    density = rs.radon_density(gaussian, directions, offsets, order, resolution=128 if dimension < 3 else 48)
    start, step = rng.standard_normal(dimension) / 2, 0.5 * rng.standard_normal(dimension)
    points = start + step * np.arange(order + 1)[:, None]
    values = TruncatedPower(order)((points @ directions.T)[:, :, None] - offsets)
    network = (values * density).sum(axis=2) @ weights * (offsets[1] - offsets[0])
    # Trapezia over ramps whose bends lie between offsets, and cut tails.
    assert np.diff(network, order)[0] == pytest.approx(np.diff(gaussian(points), order)[0], abs=2e-4)


def test_the_density_has_the_seminorm_and_its_symmetry():
    angles, offsets = np.pi * np.arange(60) / 60, np.linspace(-40, 40, 2001)
    density = rs.radon_density(gaussian, angles, offsets, resolution=128)
    mass = np.abs(density).sum() * np.pi / 60 * (offsets[1] - offsets[0])
    assert mass == pytest.approx(4.7685, rel=1e-4)
    for order in (2, 3):
        there = rs.radon_density(gaussian, angles, offsets, order, resolution=96)
        opposite = rs.radon_density(gaussian, angles + np.pi, -offsets, order, resolution=96)
        assert np.abs(opposite - (-1) ** order * there).max() < 1e-7


def test_near_a_windowed_neuron_the_density_integrates_to_its_mass():
    # A blurred neuron, times a smooth window that is 1 near the origin and far wider than the blur: legitimate for
    # masses of patches, which average over angles, though not for RTV, to which the window adds what does not vanish.
    angle, offset, width, mass = 0.9, 0.2, 0.15, 1.7
    direction = np.array([np.cos(angle), np.sin(angle)])

    def windowed(x: np.ndarray) -> np.ndarray:
        t = (x @ direction - offset) / width
        neuron = width * (np.exp(-0.5 * t**2) / np.sqrt(2 * np.pi) + t * ndtr(t))
        return mass * neuron * np.exp(-((np.sum(x**2, axis=1) / 16) ** 4))

    angles = angle + np.linspace(-0.5, 0.5, 401)
    offsets = offset + np.linspace(-0.8, 0.8, 321)
    density = rs.radon_density(windowed, angles, offsets, region=6.5, resolution=320)
    patch = density.sum() * (angles[1] - angles[0]) * (offsets[1] - offsets[0])
    assert patch == pytest.approx(mass, rel=0.05)  # what the window's rim adds to the patch: O(patch / window)


def test_densities_that_are_none_and_bad_input_are_refused():
    with pytest.raises(ValueError, match="must be smooth at the scale of its grid"):
        rs.radon_density(lambda x: np.maximum(0, 1 - np.abs(x).sum(axis=1)), [0.3], [0.0], region=1.0, resolution=64)
    with pytest.raises(ValueError, match="vectors of other lengths"):
        rs.radon_density(gaussian, [[1.0, 1.0]], [0.0])
    with pytest.raises(ValueError, match="order must be 2, 3 or 4"):
        rs.radon_density(gaussian, [0.0], [0.0], 5)
    with pytest.raises(TypeError, match="spline must be a RidgeSpline"):
        rs.radon_measure(gaussian)  # type: ignore[arg-type]


def test_the_picture_holds_each_neuron_over_the_density():
    x = np.random.default_rng(0).uniform(-2, 2, (40, 2))
    solution = rs.solve(rs.Problem(rs.Samples(x), gaussian(x), strength=1e-3))
    axes = plot_radon_measure(solution, target=gaussian, region=([-6, -7], [8, 6]), centre=CENTRE)
    measure = rs.radon_measure(solution.spline.compose(np.eye(2), CENTRE)).upright()
    drawn = np.concatenate([dots.get_offsets() for dots in axes.collections if hasattr(dots, "get_sizes")][-2:])
    assert len(drawn) == solution.spline.canonical().width
    expected = np.column_stack([np.degrees(measure.angles), measure.offsets])
    assert np.allclose(np.sort(drawn[:, 1]), np.sort(expected[:, 1]))
    assert np.allclose(np.sort(drawn[:, 0]), np.sort(expected[:, 0]))
    assert axes.get_xlim() == (0, 180)
    assert len(axes.figure.axes) == 2  # and the colours of the density
    matplotlib.pyplot.close(axes.figure)
    with pytest.raises(ValueError, match="two inputs and one output"):
        plot_radon_measure(random_spline(np.random.default_rng(0), 2, 3))
