"""Neural Splines: the line, closed curves, surfaces beside screened Poisson, and finite networks beside the kernel."""

from __future__ import annotations

from experiments.experiment import Experiment
from experiments.williams_2021 import planar, solid, widths

PAPER = "williams_2021"
EXPERIMENTS = (
    Experiment(
        PAPER,
        "cubic_spline",
        "on the line the interpolant with the uniform kernel beside the natural cubic spline",
        quick=dict(counts=[10, 40], seeds=5, radii=[1.0, 4.0, 16.0]),
        full=dict(counts=[10, 40, 160], seeds=20, radii=[1.0, 2.0, 4.0, 8.0, 16.0]),
        parts=planar.line_parts,
        solve=planar.interpolate_on_the_line,
        gather=planar.gather_line,
        draw=planar.draw_line,
        brief=True,
    ),
    Experiment(
        PAPER,
        "curves",
        "closed curves from oriented points in the plane, beside the curves that these are on",
        quick=dict(counts=[15, 30, 60], petals=[0, 3, 5], resolution=200),
        full=dict(counts=[15, 30, 60, 120], petals=[0, 3, 5, 7], resolution=800),
        parts=planar.curve_parts,
        solve=planar.fit_curve,
        gather=planar.gather_curves,
        draw=planar.draw_curves,
        brief=True,
    ),
    Experiment(
        PAPER,
        "surfaces",
        "surfaces from oriented points beside screened Poisson reconstruction",
        quick=dict(shapes=["torus", "bumpy_sphere"], seeds=1, count=400),
        full=dict(shapes=["torus", "bumpy_sphere", "spot", "bunny", "armadillo", "fandisk"], seeds=3, count=1000),
        parts=solid.parts,
        solve=solid.reconstruct,
        gather=solid.gather,
        draw=solid.draw,
    ),
    Experiment(
        PAPER,
        "random_features",
        "networks with random hidden neurons and a fitted output layer beside the kernel's solution",
        quick=dict(data=["motorcycle"], widths=[1000, 4000, 16_000], seeds=12),
        full=dict(data=["motorcycle", "elevation"], widths=[1000, 10_000, 100_000], seeds=12),
        parts=widths.parts,
        solve=widths.fit_features,
        gather=widths.gather,
        draw=widths.draw,
    ),
)
