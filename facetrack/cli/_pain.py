"""What `facetrack pain train` and `evaluate` do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from facetrack.cli._cluster import cluster_map
from facetrack.cli._common import check_npz, needing_torch, written
from facetrack.cli._reports import print_tables, shown, write_report
from facetrack.errors import InputError

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.pain.archive import Archive
    from facetrack.pain.fitting import Options, Tune
    from facetrack.pain.frames import Frames
    from facetrack.pain.gather import Gathered
    from facetrack.parallel import Map

CAUTION: Final = "demonstration model, not trained on pain"
PATIENTS: Final = (
    "this model was trained on recordings of patients: it holds features of single frames, from "
    "which faces may be recognised, and must not be published or passed on"
)


def _options(args: argparse.Namespace) -> Options:
    from facetrack.pain.fitting import Options
    from facetrack.pain.protocol import KINDS

    if args.rows < 50 or not 0 <= args.balance <= 1:
        raise InputError("--rows is 50 or more, --balance from 0 to 1")
    plain = Options(rows=args.rows, balance=args.balance)
    if args.form:
        plain = replace(plain, sets=tuple((kind, args.form) for kind in KINDS))
    return replace(plain, sets=(*plain.sets, ("tuned", "usual"))) if args.tune else plain


def _tune(args: argparse.Namespace) -> Tune | None:
    """Return what trains a layer, where one is asked for."""
    if not args.tune:
        return None
    with needing_torch("--tune needs"):
        from facetrack.pain.train.tuning import tune
    return tune


def _looked_at(
    args: argparse.Namespace, root: Path, encoder: str, door: Any
) -> tuple[Archive, Gathered]:
    """Read a corpus and look at its frames; say what is wrong with them."""
    from facetrack.pain.archive import read_archive
    from facetrack.pain.gather import stored_looks

    archive = read_archive(root)
    args.work.mkdir(parents=True, exist_ok=True)
    map_ = shown("sequences", len(archive.sequences), door)
    found = stored_looks(args.work / "looks.npz", archive, encoder, rate=args.rate, map_=map_)
    for line in (*archive.problems, *archive.disagreements, *found.problems):
        tqdm.write(f"note: {line}")
    tqdm.write(
        f"{len(found.frames)} frames of {len(archive.subjects)} subjects can be assessed, "
        f"{found.dropped} cannot; {len(archive.disagreements)} scores differ from their action "
        "units"
    )
    return archive, found


def _pictures(args: argparse.Namespace) -> list[Frames]:
    """Look at pictures with pseudo-labels, where they are asked for."""
    if not args.pictures:
        return []
    if args.channels is None:
        raise InputError("--pictures needs --channels: what another program says of them")
    from facetrack.model import load_model
    from facetrack.networks.expression import load_encoder
    from facetrack.pain.looks import Looker
    from facetrack.pain.pictures import pictured

    bar = partial(tqdm, desc="pictures", disable=None, leave=False)
    looker = Looker(load_encoder(args.encoder))
    shape_model = load_model().shape_model
    return [pictured(args.pictures, args.channels, looker, shape_model, progress=bar)]


def _step(archive: Archive, rate: float | None) -> float:
    from facetrack.pain.gather import RATE

    return 1 / (rate or archive.frame_rate or RATE)


def train(args: argparse.Namespace) -> int:
    """Fit a model, and write it."""
    check_npz(args.output)
    import numpy as np

    from facetrack.networks.expression import load_encoder
    from facetrack.pain.archive import DESCRIPTION
    from facetrack.pain.fitting import fit_model, fit_set
    from facetrack.pain.frames import join
    from facetrack.pain.gather import RATE
    from facetrack.pain.geometry import unit_shape
    from facetrack.pain.measures import agreement
    from facetrack.pain.model import write_pain_model

    parts, step = _pictures(args), 1 / RATE
    if args.corpus is not None:
        with cluster_map(args) as door:
            archive, found = _looked_at(args, args.corpus, args.encoder, door)
        parts, step = [found.frames, *parts], _step(archive, args.rate)
    if not parts:
        raise InputError("nothing to train on: give a corpus, or --pictures with --channels")
    frames = join(parts)
    encoder, options = load_encoder(args.encoder), _options(args)
    mean = unit_shape(encoder.mean_shape)
    tune = _tune(args)
    fitted = [
        fit_set(kind, form, frames, mean, step, options, args.seed, tune)
        for kind, form in tqdm(options.sets, desc="sets", disable=None, leave=False)
    ]
    synthetic = args.corpus is None or (args.corpus / DESCRIPTION).is_file()
    card = _card(args, frames, synthetic)
    name = args.name or args.output.stem
    said = (args.encoder, encoder.version)
    model, fit = fit_model(
        frames, fitted, options, name=name, encoder=said, card=card, seed=args.seed
    )
    known = np.isfinite(fit.left_out)
    left_out = agreement(frames.labels[known], fit.left_out[known])
    measured = {key: round(value, 4) for key, value in left_out.items() if value == value}
    model = replace(model, card={**card, "people left out": measured})
    write_pain_model(args.output, model)
    print(
        f"{written(args.output)}; people left out in groups: RMSE {left_out['rmse']:.2f}, "
        f"PCC {left_out['pcc']:.2f}"
    )
    if not synthetic:
        print(f"note: {PATIENTS}")
    return 0


def _card(args: argparse.Namespace, frames: Frames, synthetic: bool) -> dict[str, Any]:
    """Write what a model says of its training."""
    folders = [*([args.corpus] if args.corpus is not None else []), *args.pictures]
    return {
        "data": [folder.name for folder in folders],
        "frames": len(frames),
        "subjects": len(set(frames.subjects.tolist())),
        "terms": args.terms or ("" if synthetic else PATIENTS),
        "caution": CAUTION if synthetic else "",
        "options": {"rows": args.rows, "balance": args.balance, "seed": args.seed},
    }


def evaluate(args: argparse.Namespace) -> int:
    """Test on people left out."""
    if args.work is None:
        raise InputError("--work DIR is needed: looks and finished folds are kept there")
    from facetrack.networks.expression import load_encoder
    from facetrack.pain.report import score_plots, score_table

    root = args.unbc or args.corpus
    with cluster_map(args) as door:
        archive, found = _looked_at(args, root, args.encoder, door)
        details, pooled = _folds(args, found, _pictures(args), _step(archive, args.rate), door)
    details |= {
        "corpus": root.name,
        "encoder": [args.encoder, load_encoder(args.encoder).version],
        "dropped": found.dropped,
        "disagreements": len(archive.disagreements),
        "unbc": args.unbc is not None,
    }
    print_tables(score_table(details))
    if args.plots is not None:
        written = score_plots(args.plots, found.frames, found.names, pooled)
        print(f"wrote {len(written)} plots to {args.plots}")
    write_report(args, model="", n=details["frames"], details=details)
    return 1 if details["failed"] else 0


def _folds(
    args: argparse.Namespace, found: Gathered, extra: Sequence[Frames], step: float, door: Map
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run all folds that were asked for; returns the report's details and the pooled scores."""
    import numpy as np

    from facetrack.networks.expression import load_encoder
    from facetrack.pain.frames import join, write_frames
    from facetrack.pain.geometry import unit_shape
    from facetrack.pain.protocol import Fold, frame_folds, run_folds, subject_folds
    from facetrack.pain.report import measure, pool

    frames, path = found.frames, args.work / "frames.npz"
    everything = join([frames, *extra])
    others = np.arange(len(frames), len(everything))  # pictures, which are always trained on
    write_frames(path, everything)
    mean, options = unit_shape(load_encoder(args.encoder).mean_shape), _options(args)

    tune = _tune(args)

    def tested(folds: list[Fold], *, forms: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        done = list(
            run_folds(
                [replace(fold, train=np.append(fold.train, others)) for fold in folds],
                path,
                args.work / "folds",
                step=step,
                mean=mean,
                options=options,
                forms=forms,
                seed=args.seed,
                tune=tune,
                map_=shown("folds", len(folds), door),
            )
        )
        pooled = pool(done, len(frames))
        return measure(frames, pooled, done, seed=args.seed), pooled

    details, pooled = tested(subject_folds(frames, count=args.folds, seed=args.seed), forms=True)
    details["fewer"] = {}
    for count in args.subjects:
        some = subject_folds(frames, count=args.folds, trained_on=count, seed=args.seed)
        details["fewer"][str(count)] = tested(some)[0]["arms"]
    if args.random_frames is not None:
        details["random"] = tested(frame_folds(frames, args.random_frames, args.seed))[0]["arms"]
    return details, pooled
