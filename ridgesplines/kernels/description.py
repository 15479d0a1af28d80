"""Kernels as plain data, for files."""

from __future__ import annotations

import dataclasses
from typing import Any

from ridgesplines.kernels.combination import ScaledKernel, SumKernel
from ridgesplines.kernels.gaussian import GaussianKernel
from ridgesplines.kernels.matern import MaternKernel
from ridgesplines.kernels.neural_tangent import NeuralTangentKernel
from ridgesplines.kernels.polyharmonic import PolyharmonicKernel
from ridgesplines.kernels.protocol import Kernel
from ridgesplines.kernels.uniform import UniformKernel

KERNELS: dict[str, type[Kernel]] = {
    kernel.__name__: kernel
    for kernel in (
        GaussianKernel, NeuralTangentKernel, UniformKernel, PolyharmonicKernel, MaternKernel, SumKernel, ScaledKernel,
    )
}  # fmt: skip


def describe(kernel: Kernel) -> dict[str, Any]:
    """The kernel's name and fields, as numbers and dictionaries that JSON keeps exactly.

    Raises:
        ValueError: for a kernel of one's own, whose class a file cannot hold.
    """
    name = type(kernel).__name__
    if KERNELS.get(name) is not type(kernel):
        known = ", ".join(KERNELS)
        raise ValueError(f"only the package's kernels can be saved ({known}), got {name}; keep the arrays instead.")
    fields: dict[str, Any] = {"name": name}
    for field in dataclasses.fields(kernel):  # type: ignore[arg-type]
        value = getattr(kernel, field.name)
        if isinstance(value, Kernel):
            fields[field.name] = describe(value)
        else:
            fields[field.name] = int(value) if isinstance(value, int) else float(value)
    return fields


def from_description(description: dict[str, Any]) -> Kernel:
    """The kernel of `describe`.

    Raises:
        ValueError: if it is of an unknown kind, or damaged.
    """
    try:
        fields = dict(description)
        kind = KERNELS[fields.pop("name")]
        return kind(**{k: from_description(v) if isinstance(v, dict) else v for k, v in fields.items()})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{description!r} does not describe a kernel of this package.") from error
