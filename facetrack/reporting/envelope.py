"""Reports as JSON files: what every one holds, whatever was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from facetrack.errors import FormatError
from facetrack.formats.atomic import write_text
from facetrack.formats.modelfile import LOADED
from facetrack.formats.textfile import read_text
from facetrack.version import installed_version

_HEAD: Final = {"command": str, "version": str, "model": str, "n": int, "details": dict}
_LIMIT: Final = 1 << 28  # bytes: errors of some million frames


def document(
    *,
    command: str,
    model: str,
    n: int,
    details: Mapping[str, Any],
    measures: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Build what every JSON report holds; `n` faces, frames or clips were measured."""
    head = {"command": command, "version": installed_version(), "model": model, "n": n}
    known = {"checksum": LOADED[model]} if model in LOADED else {}
    return {**head, **known, **(measures or {}), "details": dict(details)}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a report from `document`; numbers that are not finite become null."""
    write_text(path, json.dumps(_plain(content), indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """Turn numpy's types into Python's; six digits are more than any measure here holds."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def number(value: Any) -> Any:
    """Read a number out of a report."""
    return math.nan if value is None else value


def read_report(path: Path) -> dict[str, Any]:
    """Read a report that `write_json` wrote; NaN and infinite numbers are None, arrays lists."""
    text = read_text(path, limit=_LIMIT)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(path, f"no readable JSON ({error})") from error
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), kind) for name, kind in _HEAD.items()
    ):
        raise FormatError(
            path, "not a report of a command", remedy="name a file that `--json` wrote"
        )
    return content
