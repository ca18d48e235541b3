"""`facetrack doctor`: check the installation and print how to repair it."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from facetrack.cli import _packages, _system
from facetrack.cli._checks import Check, Status
from facetrack.version import installed_version

HELP = "Check the installation and print how to repair it."
EXAMPLES = """
facetrack doctor
facetrack doctor --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Run all checks and print what they found."""
    checks = check_all()
    print(as_json(checks) if args.json else as_text(checks))
    return int(any(check.status is Status.FAIL for check in checks))


def check_all() -> list[Check]:
    """Run every check, the slow ones side by side."""
    slow = (_packages.check_opencv_qt, _packages.check_kernel_cache, _packages.check_model)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        proofs = pool.map(_packages.check_dependency, _packages.DEPENDENCIES)
        others = [pool.submit(check) for check in slow]
        checks = [_packages.check_python(), *proofs, *_packages.check_providers()]
        checks += [other.result() for other in others]
    return [*checks, *_system.check_qt_libraries(), *_system.check_cameras()]


def as_json(checks: Sequence[Check]) -> str:
    """Format findings for programs."""
    report = {
        "command": "doctor",
        "version": installed_version(),
        "platform": platform.platform(),
        "ok": all(check.status is not Status.FAIL for check in checks),
        "checks": [asdict(check) for check in checks],
    }
    return json.dumps(report, indent=2, allow_nan=False)


def as_text(checks: Sequence[Check]) -> str:
    """Format findings for people, the repairs last."""
    width = max(len(check.name) for check in checks)
    lines = [f"facetrack {installed_version()} on {platform.platform()}", ""]
    lines += [f"{c.status:<5} {c.name:<{width}}  {c.finding}" for c in checks]
    broken = [check for check in checks if check.status is Status.FAIL]
    if not broken:
        return "\n".join([*lines, "", "nothing is broken"])
    return "\n".join([*lines, "", "to repair:", *(f"  {c.fix}  # {c.name}" for c in broken)])
