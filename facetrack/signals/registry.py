"""All estimators that are known: those that come with Facetrack, and those of other packages.

Another package enters by an entry point of the group `facetrack.signals` that names an `Estimator`.
Lists are made on request, so that what is registered later is seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

from facetrack.errors import InputError
from facetrack.reading import Kind, Spec
from facetrack.signals.blinks import BLINKS
from facetrack.signals.estimator import Estimator
from facetrack.signals.expression import EXPRESSION
from facetrack.signals.geometry import GEOMETRY
from facetrack.signals.head import HEAD
from facetrack.signals.quality import QUALITY
from facetrack.signals.rest import Rest, Restable

LOGGER = logging.getLogger(__name__)
GROUP: Final = "facetrack.signals"
DEFAULT: Final = ("geometry", "blinks", "head", "quality")
WORDS: Final = ("default", "all", "none")

_known: dict[str, Estimator] = {e.name: e for e in (GEOMETRY, BLINKS, HEAD, QUALITY, EXPRESSION)}


@dataclass(frozen=True, slots=True)
class Choice:
    """The signals that are asked for.

    Attributes
    ----------
    estimators : tuple of Estimator
        Those that have to run.
    names : frozenset of str
        The signals of theirs that are wanted.
    """

    estimators: tuple[Estimator, ...]
    names: frozenset[str]

    @property
    def values(self) -> tuple[Spec, ...]:
        """The wanted values, in the order of their columns."""
        return tuple(s for s in self._specs() if s.kind != Kind.EVENT)

    @property
    def events(self) -> tuple[Spec, ...]:
        """The wanted kinds of events."""
        return tuple(s for s in self._specs() if s.kind == Kind.EVENT)

    @property
    def delay(self) -> float:
        """Seconds after which everything is certain at the latest."""
        return max((estimator.delay for estimator in self.estimators), default=0.0)

    @property
    def rest(self) -> Rest | None:
        """From what values are measured that can be; None without any."""
        rests = (e.rest for e in self.estimators if isinstance(e, Restable))
        return next((rest for rest in rests if rest is not None), None)

    def with_rest(self, rest: Rest) -> Choice:
        """Return the same choice, measured from a rest.

        Parameters
        ----------
        rest : Rest

        Returns
        -------
        Choice
            Estimators that know no rest are as before.
        """
        wanted = (e.with_rest(rest) if isinstance(e, Restable) else e for e in self.estimators)
        return replace(self, estimators=tuple(wanted))

    def _specs(self) -> Iterator[Spec]:
        return (s for e in self.estimators for s in e.specs if s.name in self.names)

    def run_key(self) -> list[list[str]]:
        """Return what decides about results.

        Returns
        -------
        list of list of str
            For every estimator its name, its version and the chosen names.
        """
        return [
            [e.name, e.version, *(s.name for s in e.specs if s.name in self.names)]
            for e in self.estimators
        ]


def register(estimator: Any) -> Estimator:
    """Make an estimator known to everything that lists signals.

    Parameters
    ----------
    estimator : Estimator

    Returns
    -------
    Estimator
        The same.

    Raises
    ------
    InputError
        If it is no estimator, or its name or that of one of its signals is taken.
    """
    if not isinstance(estimator, Estimator):
        raise InputError(f"{estimator!r:.60} is no estimator")
    if not estimator.specs or estimator.name in WORDS:
        reserved = ", ".join(WORDS)
        raise InputError(
            f"the estimator {estimator.name!r} needs signals, and a name other than {reserved}"
        )
    for other in _known.values():
        mine = {estimator.name, *(spec.name for spec in estimator.specs)}
        taken = mine & {other.name, *(spec.name for spec in other.specs)}
        if taken:
            raise InputError(
                f"a signal named {min(taken)!r} is there already, of {other.name!r}; choose "
                "another name"
            )
    _known[estimator.name] = estimator
    return estimator


def unregister(name: str) -> None:
    """Forget an estimator.

    Parameters
    ----------
    name : str
        One that is not known changes nothing.
    """
    _known.pop(name, None)


def estimators() -> dict[str, Estimator]:
    """Return all estimators by name, those of other packages included.

    Returns
    -------
    dict of str to Estimator
        A broken one of another package is named in a warning, once, and left out.
    """
    _enter_others()
    return dict(_known)


@cache
def _enter_others() -> None:
    """Register what other packages bring; once, since looking for packages takes long."""
    for entry in entry_points(group=GROUP):
        try:
            register(entry.load())
        except Exception as error:  # whatever another package does, the rest goes on
            trouble = f"{type(error).__name__}: {error}"
            package = entry.dist.name if entry.dist is not None else entry.value
            LOGGER.warning("signals of %s (%s) are left out: %s", entry.name, package, trouble)


def signals() -> dict[str, Spec]:
    """Return the specs of all values and events.

    Returns
    -------
    dict of str to Spec
        By name, in the order of registration.
    """
    return {spec.name: spec for e in estimators().values() for spec in e.specs}


def owner(name: str) -> Estimator:
    """Return the estimator that gives a signal.

    Parameters
    ----------
    name : str

    Returns
    -------
    Estimator

    Raises
    ------
    InputError
        If there is no such signal.
    """
    for estimator in estimators().values():
        if any(spec.name == name for spec in estimator.specs):
            return estimator
    raise InputError(f"there is no signal {name!r}; choose from {', '.join(signals())}")


def choose(wanted: str = "default") -> Choice:
    """Choose signals by what a person typed.

    Parameters
    ----------
    wanted : str
        `default`, `all`, `none`, or names with commas, each an estimator or one of its signals.

    Returns
    -------
    Choice

    Raises
    ------
    InputError
        If a name is unknown.
    """
    known = estimators()
    names: set[str] = set()
    for word in (part.strip() for part in wanted.split(",")):
        if word == "none":
            continue
        if word in WORDS:
            chosen = [known[name] for name in (DEFAULT if word == "default" else known)]
            names.update(spec.name for e in chosen for spec in e.specs)
        elif word in known:
            names.update(spec.name for spec in known[word].specs)
        elif word in signals():
            names.add(word)
        else:
            offered = ", ".join((*WORDS, *known))
            raise InputError(f"there is no signal {word!r}; choose from {offered}, or their values")
    running = (e for e in known.values() if any(spec.name in names for spec in e.specs))
    return Choice(tuple(running), frozenset(names))
