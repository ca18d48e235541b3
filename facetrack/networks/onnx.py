"""Float networks, run by onnxruntime from ONNX files or bytes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, MissingDependencyError


class OnnxNetwork:
    """An ONNX file, or its bytes, on a thread of its own.

    Some networks make denormal numbers, which cost twenty times the arithmetic unless the processor
    takes them for zero. It does so in the thread in which onnxruntime starts, for all that this
    thread computes from then on; so it must not be one of ours. Handing over costs about 0.05 ms.
    """

    def __init__(self, model: Path | bytes) -> None:
        self._session = _onnx_thread().submit(_open_session, model).result()
        self._input = self._session.get_inputs()[0].name

    def run(self, data: npt.NDArray[np.floating[Any]]) -> list[npt.NDArray[np.float32]]:
        """Compute all outputs for one input of the network's own shape."""
        return self.run_all({self._input: data})

    def run_all(
        self, inputs: Mapping[str, npt.NDArray[np.floating[Any]]]
    ) -> list[npt.NDArray[np.float32]]:
        """Compute all outputs for several inputs, by their names."""
        work = _onnx_thread().submit(self._session.run, None, dict(inputs))
        outputs: list[npt.NDArray[np.float32]] = work.result()
        return outputs


@cache
def _onnx_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="onnx")


def _open_session(model: Path | bytes) -> Any:
    """Open an ONNX file on one thread."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            f"float networks need onnxruntime ({error}); `facetrack doctor` prints the repair"
        ) from None
    if isinstance(model, Path) and not model.is_file():
        raise FormatError(model, "no such file", remedy="give the folder of the ONNX peers")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # its warnings are for those who export models
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    try:
        return onnxruntime.InferenceSession(
            model, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own exceptions have no common public base
        path = model if isinstance(model, Path) else "network"
        raise FormatError(path, f"not a readable ONNX model ({type(error).__name__})") from None
