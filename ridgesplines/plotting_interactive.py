"""Pictures to turn and to slide, by plotly: the extra `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.path import RegularizationPath
from ridgesplines.plotting_parts import BLUE, GREY, RED, Labels, margins, region_of
from ridgesplines.solution import Solution
from ridgesplines.spline import RidgeSpline

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Points of a curve beside its knots and data, and steps of a surface along each side.
_CURVE, _SURFACE = 301, 101


def plot_interactive(
    thing: RegularizationPath | Solution | RidgeSpline,
    x: Any = None,
    y: Any = None,
    *,
    labels: Labels | None = None,
) -> Figure:
    """A picture to turn and to slide: a path on the line with a slider over λ, a spline in the plane as a surface.

    `figure.write_html(path)` writes a page that needs no Python; `figure.show()` opens one.

    Args:
        thing: a path or a spline of one or two inputs and one output, or a solution that holds one. Where the problem
            is known (see `Certificate.problem`), its data are drawn.
        x: the inputs, (N, d), if these are to be drawn instead.
        y: the targets, (N,).
        labels: of the axes.

    Returns:
        A plotly figure; nothing is shown.

    Raises:
        ImportError: naming the extra, without plotly.
        TypeError: if `thing` is of another kind.
        ValueError: if it has more inputs or outputs, the path is empty, or one of `x` and `y` is missing.
    """
    if not isinstance(thing, RegularizationPath | Solution | RidgeSpline):
        got = f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
        raise TypeError(
            f"plot_interactive draws a RegularizationPath, a Solution or a RidgeSpline, got {got}; plot draws more."
        )
    if isinstance(thing, RegularizationPath) and not len(thing):
        raise ValueError("the path has no solution to draw.")
    if (x is None) != (y is None):
        raise ValueError("x and y belong together; give both, or none.")
    solutions = list(thing) if isinstance(thing, RegularizationPath) else [thing]
    splines = [(s.spline if isinstance(s, Solution) else s).canonical() for s in solutions]
    dimension = splines[0].dimension
    if dimension > 2 or splines[0].coefficients.ndim > 1:
        raise ValueError(
            f"interactive pictures are those of one or two inputs and one output, got {dimension} inputs and "
            f"{splines[0].outputs} outputs."
        )
    try:
        from plotly import graph_objects
    except ImportError as error:
        raise ImportError("interactive pictures need plotly: pip install 'ridgesplines[report]'.") from error
    problem = solutions[0].problem if isinstance(solutions[0], Solution) else None
    if x is not None:
        x, y = np.asarray(x, dtype=float).reshape(-1, dimension), np.asarray(y, dtype=float)
    elif problem is not None and problem.sampled:
        x, y = problem.points, problem.targets
    labels = Labels.plain(dimension) if labels is None else labels
    region = region_of(splines[-1]) if x is None else x
    draw = _curves if dimension == 1 else _surfaces
    traces = [draw(graph_objects, spline, region) for spline in splines]
    names = [_name(solution) for solution in solutions]
    figure = graph_objects.Figure(_data(graph_objects, x, y), layout={"template": "plotly_white"})
    strengths = thing.strengths if isinstance(thing, RegularizationPath) else None
    _add(figure, x is not None, traces, names, strengths)
    if dimension == 1:
        figure.update_layout(xaxis_title=labels.inputs[0], yaxis_title=labels.target)
    else:
        titles = {"xaxis_title": labels.inputs[0], "yaxis_title": labels.inputs[1], "zaxis_title": labels.target}
        figure.update_layout(scene=titles)
    return figure


def _add(
    figure: Figure, with_data: bool, traces: list[list[Any]], names: list[str], strengths: np.ndarray | None
) -> None:
    """The pictures of one solution after the other on one figure, and a slider that shows one of them."""
    first = len(traces) // 2 if strengths is not None else 0
    for i, own in enumerate(traces):
        for trace in own:
            trace.visible = i == first
            figure.add_trace(trace)
    figure.update_layout(title=names[first])
    if strengths is None:
        return
    each = len(traces[0])
    steps = []
    for i, (name, strength) in enumerate(zip(names, strengths, strict=True)):
        visible = [True] * with_data + [j // each == i for j in range(each * len(traces))]
        steps.append({"method": "update", "args": [{"visible": visible}, {"title": name}], "label": f"{strength:.4g}"})
    slider = {"active": first, "currentvalue": {"prefix": "λ = "}, "pad": {"t": 50}, "steps": steps}
    figure.update_layout(sliders=[slider])


def _name(solution: Solution | RidgeSpline) -> str:
    if isinstance(solution, RidgeSpline):
        return f"{solution.width} neurons"
    certificate = solution.certificate
    return (
        f"{certificate.width} neurons, objective {certificate.objective:.6g}, relative gap "
        f"{certificate.relative_gap:.1e} ({certificate.kind})"
    )


def _data(module: Any, x: np.ndarray | None, y: np.ndarray | None) -> list[Any]:
    if x is None or y is None:
        return []
    marker = {"color": GREY, "size": 5 if x.shape[1] == 1 else 2.5, "opacity": 0.7}
    if x.shape[1] == 1:
        return [module.Scatter(x=x[:, 0], y=y, mode="markers", marker=marker, name="data")]
    return [module.Scatter3d(x=x[:, 0], y=x[:, 1], z=y, mode="markers", marker=marker, name="data")]


def _curves(module: Any, spline: RidgeSpline, region: np.ndarray) -> list[Any]:
    low, high = margins(region[:, 0])
    knots = spline.biases[(spline.biases > low) & (spline.biases < high)]
    grid = np.sort(np.concatenate([np.linspace(low, high, _CURVE), knots]))
    line, marker = {"color": BLUE, "width": 2.5}, {"color": RED, "size": 8, "symbol": "diamond"}
    return [
        module.Scatter(x=grid, y=spline(grid), mode="lines", line=line, name="ridge spline"),
        module.Scatter(x=knots, y=spline(knots), mode="markers", marker=marker, name="knots"),
    ]


def _surfaces(module: Any, spline: RidgeSpline, region: np.ndarray) -> list[Any]:
    axes = [np.linspace(*margins(region[:, i]), _SURFACE) for i in range(2)]
    mesh = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    heights = np.asarray(spline(mesh)).reshape(_SURFACE, _SURFACE)
    kind = {"colorscale": "Viridis", "opacity": 0.9, "name": "ridge spline", "showscale": False}
    return [module.Surface(x=axes[0], y=axes[1], z=heights, **kind)]
