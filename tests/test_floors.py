"""The house: modules import lower floors only, solvers are blind to each other, the public names are light and true."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ridgesplines

PACKAGE = Path(ridgesplines.__file__).parent
# The public names that are not modules, and where they live.
HOMES = {
    name: getattr(ridgesplines, name).__module__.removeprefix("ridgesplines.")
    for name in ridgesplines.__all__
    if hasattr(getattr(ridgesplines, name), "__module__")
}

# From the bottom; a folder stands for all its modules.
FLOORS = (
    (
        "arrays",
        "archive",
        "checks",
        "norms",
        "progress",
        "geometry",
        "clouds",
        "arrangement",
        "activations",
        "polynomials",
        "duality",
    ),
    ("spline", "exchange", "oracles", "measurements", "losses", "regularizers", "kernels"),
    ("problem", "problem_files", "radon", "kernel_spline", "kernel_problem"),
    ("certificate", "solution", "kernel_solution", "nugget_scales"),
    ("solvers",),
    (
        "solving",
        "path",
        "discrepancy",
        "breakpoints",
        "selection",
        "comparison",
        "comparing",
        "polishing",
        "reweighting",
        "kernel_solving",
        "kernel_nuggets",
    ),
    (
        "plotting_parts",
        "plotting_classes",
        "plotting",
        "plotting_comparison",
        "plotting_radon",
        "plotting_kernels",
        "plotting_training",
        "plotting_measurements",
        "plotting_selection",
        "plotting_any",
        "plotting_interactive",
        "surfaces",
        "estimators",
        "datasets",
        "tables",
        "scaling",
        "opening",
    ),
    (
        "cli_parts",
        "cli_tables",
        "cli_problems",
        "cli_fit",
        "cli_certify",
        "cli_train",
        "cli_path",
        "cli_compare",
        "cli_files",
        "cli_surfaces",
        "cli",
    ),
)
FLOOR = {part: number for number, parts in enumerate(FLOORS) for part in parts}
# Who may import whom on one floor.
NEIGHBOURS = {
    "norms": {"arrays"},
    "polynomials": {"arrays", "geometry"},
    "activations": {"arrays"},
    "arrangement": {"geometry"},
    "exchange": {"spline"},
    "measurements": {"spline", "oracles"},
    "regularizers": {"spline", "oracles"},
    "kernels": {"oracles", "spline"},
    "problem_files": {"problem"},
    "solution": {"certificate"},
    "path": {"solving"},
    "breakpoints": {"path"},
    "discrepancy": {"solving"},
    "selection": {"path", "breakpoints"},
    "comparing": {"comparison", "solving"},
    "plotting_classes": {"plotting_parts"},
    "plotting": {"plotting_parts", "plotting_classes"},
    "plotting_comparison": {"plotting", "plotting_parts"},
    "plotting_radon": {"plotting_parts"},
    "plotting_kernels": {"plotting_parts"},
    "plotting_training": {"plotting", "plotting_parts"},
    "plotting_measurements": {"plotting_parts"},
    "plotting_selection": {"plotting_parts"},
    "plotting_any": {
        "plotting",
        "plotting_classes",
        "plotting_comparison",
        "plotting_kernels",
        "plotting_measurements",
        "plotting_parts",
        "plotting_radon",
        "plotting_selection",
        "plotting_training",
        "surfaces",
    },
    "plotting_interactive": {"plotting_parts"},
    "opening": {"surfaces"},
    "cli_tables": {"cli_parts"},
    "cli_problems": {"cli_tables"},
    "cli_fit": {"cli_parts", "cli_tables", "cli_problems"},
    "cli_certify": {"cli_parts", "cli_tables"},
    "cli_train": {"cli_parts", "cli_tables", "cli_problems"},
    "cli_path": {"cli_parts", "cli_tables", "cli_problems"},
    "cli_compare": {"cli_parts", "cli_tables", "cli_problems"},
    "cli_files": {"cli_parts", "cli_tables", "cli_problems"},
    "cli_surfaces": {"cli_parts"},
    "cli": {"cli_fit", "cli_certify", "cli_train", "cli_path", "cli_compare", "cli_files", "cli_surfaces"},
}
# What solvers share: the problem over given neurons, a descent from given ones, and the last step of any that ends at
# a dense solution.
SHARED_BY_SOLVERS = {"restricted", "sliding", "sparsify"}

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}


def imported(path: Path) -> set[str]:
    """The modules of the package that a file imports, anywhere in it, without the package's name; "" is the package.

    A public name imported from the package counts as the module that it lives in.
    """
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name lives"
            if node.module == "ridgesplines":
                names |= {f"ridgesplines.{HOMES.get(alias.name, alias.name)}" for alias in node.names}
            else:
                names.add(node.module)
    names = {name for name in names if name.split(".")[0] == "ridgesplines"}
    return {name.removeprefix("ridgesplines").removeprefix(".") for name in names}


def test_every_module_stands_on_a_floor():
    assert {module.split(".")[0] for module in MODULES} == set(FLOOR)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downward(module):
    part = module.split(".")[0]
    for other in imported(MODULES[module]):
        target = other.split(".")[0]
        # The package as a whole holds every name, so that only the door may ask for it.
        floor = FLOOR[target] if target else len(FLOORS) - 2
        allowed = target == part or floor < FLOOR[part] or target in NEIGHBOURS.get(part, set())
        assert allowed, f"{module} (floor {FLOOR[part]}) imports {other or 'ridgesplines'} (floor {floor})"


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("solvers.") and m != "solvers.__init__"])
def test_solvers_are_blind_to_each_other(module):
    others = {name.split(".")[1] for name in imported(MODULES[module]) if name.startswith("solvers.")}
    assert others - {module.split(".")[1]} <= SHARED_BY_SOLVERS


def test_the_reader_of_imports_sees_them_wherever_they_stand(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "import ridgesplines.spline\n"
        "import numpy\n"
        "from ridgesplines import cli, Problem\n"
        "import ridgesplines as rs\n"
        "def f():\n"
        "    from ridgesplines.solvers.restricted import restrict\n"
    )
    assert imported(path) == {"", "spline", "cli", "problem", "solvers.restricted"}


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("matplotlib", "cvxpy", "sklearn", "jax", "numba", "scipy", "numpy")
    code = f"import sys, ridgesplines; print([name for name in {heavy!r} if name in sys.modules])"
    assert run(code).strip() == "[]"


@pytest.mark.parametrize("first", ["import ridgesplines, jax", "import jax, ridgesplines"])
def test_importing_the_package_turns_on_double_precision(first):
    assert run(f"{first}; import jax.numpy as jnp; print(jnp.zeros(1).dtype)").strip() == "float64"


@pytest.mark.parametrize("name", ridgesplines.__all__)
def test_every_public_name_exists_and_has_a_docstring(name):
    assert getattr(ridgesplines, name).__doc__
    assert name in dir(ridgesplines)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="module 'ridgesplines' has no attribute 'nonsense'"):
        ridgesplines.nonsense  # noqa: B018
