"""The page on the method states the constants of the code."""

from __future__ import annotations

import re

from facetrack.learning import learner, personal_residual
from facetrack.training.cascade import _DIRECTIONS, CascadePlan
from facetrack.training.methods import SPREAD, Continuous
from facetrack.training.starts import StartNoise
from facetrack.training.trainer import REFINEMENT_LEVELS, START_LEVELS, TRACKING_LEVELS
from tests.docs.pages import DOCS, ROOT, text_of

NUMBERS = {4: "four", 12: "twelve"}


def test_constants_are_those_of_the_code() -> None:
    page = " ".join(text_of(DOCS / "method.md").split())
    method, noise = Continuous(), StartNoise()
    stated = [
        rf"f_j f_j^T + {SPREAD:g}\, J_j",
        rf"principal displacements of ${SPREAD:g}\,\Sigma$",
        f"$c = {method.remainder:g}$",
        f"{CascadePlan(()).step:g} times the level's rms displacement",
        f"({len(START_LEVELS)} levels), a refinement ({len(REFINEMENT_LEVELS)}), and one from the "
        f"last shape for tracking ({len(TRACKING_LEVELS)})",
        rf"= {personal_residual._CONSTANT:g} + z(s)^T z(s') "
        rf"+ {personal_residual._PATCHES:g} \sum_q",
        rf"+ {personal_residual._NOISE:g}\, [s = s']",
        f"the {NUMBERS[personal_residual.NEAREST]} nearest landmarks",
        f"holds the {NUMBERS[_DIRECTIONS]} largest principal displacements",
        f"the whole training {NUMBERS[int(learner.WEIGHT)]} times",
        f"moved by {noise.translation:g} eye distances an axis, {100 * noise.scale:g} % in scale, "
        f"{noise.rotation:g} rad",
    ]
    assert [one for one in stated if one not in page] == []
    assert personal_residual._FACE == 1.0  # the factor of z z' that the page leaves out


def test_docstrings_cite_sections_and_equations_that_are_there() -> None:
    page = text_of(DOCS / "method.md")
    sections = set(re.findall(r"^\*\*(\d\.\d) |^## (\d) ", page, re.MULTILINE))
    known = {number for pair in sections for number in pair if number}
    known |= {f"equation {number}" for number in re.findall(r"\((\d'?)\)\$\$", page)}
    cited = {
        (path.name, number)
        for folder in ("facetrack", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for cite in re.findall(
            r"method\.md, ((?:equations? )?[\d.', and]+)", path.read_text("utf-8")
        )
        for number in re.findall(r"\d(?:\.\d)?'?", cite.replace("equations", "equation"))
        for number in [f"equation {number}" if "equation" in cite else number]
    }
    assert len(cited) > 20
    assert not {one for one in cited if one[1] not in known}
