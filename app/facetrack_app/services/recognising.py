# SPDX-License-Identifier: GPL-3.0-or-later
"""The recogniser of actions that a person chose: an estimator like those that come along."""

from __future__ import annotations

from facetrack.actions.signal import BANK, FilterBank, bank_of
from facetrack.errors import FacetrackError
from facetrack.signals.registry import estimators, register, unregister


def use_recogniser(path: str) -> FilterBank:
    """Let a recogniser's file find events; it replaces the one before, unless it is broken."""
    before = estimators().get(BANK)
    unregister(BANK)
    try:
        bank = bank_of(path)
    except FacetrackError:
        if before is not None:
            register(before)
        raise
    register(bank)
    return bank
