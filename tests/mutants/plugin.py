"""A plugin of pytest that gives one module of the package another text, on disk all stays."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType

MODULE, TEXT = "FACETRACK_MUTANT", "FACETRACK_MUTANT_TEXT"  # its name; the file with its text
_LIMIT = 400  # seconds of a processor: on a busy machine, the clock says nothing


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:  # no byte code is read or kept
        return self.source_to_code(Path(os.environ[TEXT]).read_bytes(), self.path)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname, path, target=None) -> ModuleSpec | None:
        if fullname != os.environ[MODULE]:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        spec.loader = _Loader(fullname, str(spec.origin))
        return spec


if MODULE in os.environ:
    with contextlib.suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (_LIMIT, _LIMIT))
    assert os.environ[MODULE] not in sys.modules
    sys.meta_path.insert(0, _Finder())
