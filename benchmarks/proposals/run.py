"""Selective Search measured beside its peers, and on large and odd pictures; `--help` tells how."""

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

import engines as engine_list

# Read when numpy and numba are first imported, which is why that happens late.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"


def main() -> int:
    """Runs the mode that the flags choose."""
    parser = _parser()
    flags = parser.parse_args()
    if not (flags.data or flags.scaling or flags.edges or flags.one):
        parser.error("--data is needed for the comparison (or choose --scaling or --edges)")
    if flags.scaling:
        from scaling import MEGAPIXELS, measure_scaling

        print(measure_scaling(flags.engines or ["fast"], flags.megapixels or MEGAPIXELS, flags.out))
        return 0
    if flags.one is not None:
        from scaling import measure_one

        print(json.dumps(measure_one(flags.engines[0], flags.one, flags.own_width)))
        return 0
    from googlenet_rcnn.core.errors import ProjectError

    try:
        return _measure(flags)
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)


def _measure(flags: argparse.Namespace) -> int:
    names = flags.engines or (["fast", "quality"] if flags.edges else engine_list.NAMES)
    # The package hands floating-point images to a function that would rather have whole numbers.
    warnings.filterwarnings("ignore", category=UserWarning, module="skimage")
    engines, notes = engine_list.build_present(name for name in names if name not in flags.skip)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    flags.out.mkdir(parents=True, exist_ok=True)
    if flags.edges:
        from edges import measure_edges

        print(measure_edges(engines, flags.out))
        return 0
    from compare import compare

    from googlenet_rcnn.core.types import Dataset
    from googlenet_rcnn.datasets.voc import read_voc

    dataset: Dataset = read_voc(flags.data, flags.split)
    dataset = Dataset(dataset.labels, dataset.samples[: flags.first])
    print(compare(dataset, engines, flags.timed, flags.out, notes))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="VOC devkit folder, for the comparison")
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=500, help="images of the split [%(default)s]")
    parser.add_argument("--timed", type=int, default=60, help="how many of them are timed [%(default)s]")
    parser.add_argument("--engines", nargs="+", choices=engine_list.NAMES, help="[all that are installed]")
    parser.add_argument("--skip", nargs="+", choices=engine_list.NAMES, default=[], help="engines to leave out")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/bench-proposals"), help="results, and what to resume from"
    )
    parser.add_argument("--megapixels", type=float, nargs="+", help="sizes for --scaling")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--scaling", action="store_true", help="time and memory against pixels")
    mode.add_argument("--edges", action="store_true", help="degenerate pictures")
    mode.add_argument("--one", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--own-width", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
