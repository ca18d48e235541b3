"""`facetrack benchmark FOLDER`: this tracker and its peers on the same clips in one run."""

from __future__ import annotations

import argparse
from functools import partial

from facetrack.cli._peers import named_folders, peer_makers
from facetrack.cli._reports import shown, write_report


def compare_with_peers(args: argparse.Namespace) -> int:
    """Compare, print tables, and write the JSON file and the plot where asked."""
    from facetrack.datasets.pts_folder import load_folder
    from facetrack.evaluation.benchmark import single_thread
    from facetrack.evaluation.clips import find_clips, still_clip
    from facetrack.evaluation.comparison import compare
    from facetrack.evaluation.comparison_report import (
        comparison_details,
        comparison_table,
        curves,
    )
    from facetrack.evaluation.errors import summary
    from facetrack.evaluation.people import synthetic_people
    from facetrack.evaluation.plots import plot_panels
    from facetrack.formats.modelfile import find_model
    from facetrack.model import load_model
    from facetrack.reporting.tables import as_text
    from facetrack.tracking.tracker import Tracker

    model = load_model(args.model)
    makers, skipped = peer_makers(args)
    clips = [*find_clips(args.folder), still_clip(model.shape_model)]
    if args.people:
        pictures = [picture for folder in args.people for picture in load_folder(folder)]
        clips += synthetic_people(pictures, model.shape_model)
    with single_thread() as threads:
        contenders = compare(
            partial(Tracker, model, max_faces=1),
            find_model(args.model).stat().st_size,
            clips,
            peers=makers,
            predictions=named_folders(args),
            frames=args.frames,
            map_=shown("clips", len(clips)),
        )
    details = {
        "systems": comparison_details(contenders),
        "clips": [clip.name for clip in clips],
        "threads": list(threads),
        "skipped": skipped,
    }
    print(as_text(comparison_table(details)))
    panels = curves(contenders)
    if args.plot:
        plot_panels(args.plot, {f"against {key}": errors for key, errors in panels.items()})
    errors = summary(next(iter(contenders[0].measures.errors.values())))
    write_report(args, model=model.name, n=errors.n, summary=errors, details=details)
    return 0
