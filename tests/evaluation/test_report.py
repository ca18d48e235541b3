"""Sums of landmark errors in reports."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.evaluation.errors import summary
from facetrack.evaluation.report import summary_cells, summary_measures


def test_the_main_numbers_have_the_names_of_every_report() -> None:
    read = summary_measures(summary([0.02, 0.04, np.inf]))
    assert read == pytest.approx(
        {"mean": 3, "median": 3, "found": 2 / 3, "auc08": (0.75 + 0.5) / 3, "over08": 1 / 3}
    )


def test_summaries_read_in_per_cent() -> None:
    cells = summary_cells(summary([0.02, 0.04, np.inf, np.inf]))
    assert cells == ("50.0", "3.00", "3.00", "0.312", "50.0")
    assert summary_cells(summary([np.inf]))[1] == "-"
