"""How well a person's own words are told apart, beside simpler ways in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from facetrack.errors import InputError
from facetrack.lips.enrol import EnrolledWords, Take, warping_distance
from facetrack.reporting.tables import Part, Table

RIVALS: Final = {"warped mouth shapes": "points", "warped pixels": "pixels"}


def score_takes(words: EnrolledWords, takes: Sequence[tuple[str, Take]]) -> dict[str, Any]:
    """Score enrolled words on further takes; those of other words are to be heard as none."""
    own = [(word, take) for word, take in takes if word in words.words]
    others = [take for word, take in takes if word not in words.words]
    if not own:
        said = ", ".join(sorted({word for word, _ in takes}))
        raise InputError(f"none of the enrolled words is there; the folder holds {said}")
    answers = [words.tell(take) for _, take in own]
    right = [answer.nearest == word for answer, (word, _) in zip(answers, own, strict=True)]
    systems = {"facetrack": float(np.mean(right))}
    for name, part in RIVALS.items():
        if not getattr(words.takes[0], part).size:
            continue
        found = [nearest_by(words, take, part) == word for word, take in own]
        systems[name] = float(np.mean(found))
    accepted = [bool(words.tell(take).text) for take in others]
    return {
        "accuracy": systems["facetrack"],
        "systems": systems,
        "refused": float(np.mean([not answer.text for answer in answers])),
        "accepted_others": float(np.mean(accepted)) if accepted else float("nan"),
        "takes": len(own),
        "others": len(others),
        "words": list(words.words),
        "wrong": [
            [word, answer.nearest]
            for answer, (word, _) in zip(answers, own, strict=True)
            if answer.nearest != word
        ],
    }


def nearest_by(words: EnrolledWords, take: Take, part: str) -> str:
    """Name the word of the nearest take by dynamic time warping of an attribute of `Take`."""
    apart = [warping_distance(getattr(take, part), getattr(one, part)) for one in words.takes]
    return words.words[words.labels[int(np.argmin(apart))]]


def own_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the measures for a person."""
    parts: list[Part] = [
        f"{details['takes']} takes of {len(details['words'])} words of one's own; "
        f"{details['refused']:.3f} of them are heard as none.",
        Table(["by", "right"], [[name, value] for name, value in details["systems"].items()]),
    ]
    if details["others"]:
        parts.append(
            f"{details['accepted_others']:.3f} of {details['others']} takes of other words are "
            "taken for one of these."
        )
    if details["wrong"]:
        parts += ["", Table(["said", "read"], details["wrong"])]
    return parts
