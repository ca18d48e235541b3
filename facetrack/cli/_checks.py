"""What a check of `facetrack doctor` says, and the child process in which it looks.

Nothing here imports the packages under test into this process: a broken wheel or a missing library
may abort the process, so proofs run in children.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

PROOF_TIMEOUT = 120.0  # seconds; a cold start from a slow disk takes a few


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"  # nothing is broken, but worth knowing
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found, in one line, and a line or command that repairs it, or ""."""

    name: str
    status: Status
    finding: str
    fix: str = ""


def run_child(
    code: str, *, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> str:
    """Run Python code in a child process."""
    try:
        child = subprocess.run(
            [sys.executable, *options, "-c", code],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **(environment or {})},
            timeout=PROOF_TIMEOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PROOF_TIMEOUT:.0f} s"
    if child.returncode == 0:
        return ""
    lines = [line.strip() for line in child.stderr.splitlines() if line.strip()]
    if child.returncode < 0:
        return f"the process was ended by signal {-child.returncode}: {' '.join(lines[-2:])}"
    return lines[-1] if lines else f"exit status {child.returncode}"
