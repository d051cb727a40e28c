"""`classify`: images in, the likeliest classes of each as a whole out."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from googlenet_rcnn.api.weights_files import find_classifiers
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.store import digest

from .boundary import one_line
from .image_loop import ImageLoop, check_options, image_workers
from .inputs import find_images

__all__ = ["ClassifyOptions", "check_crops", "run_classify"]


@dataclass(frozen=True)
class ClassifyOptions:
    """Everything `classify` can be told; the first block decides what a row holds."""

    weights: tuple[str, ...]
    crops: int
    max_pool: bool
    top: int
    truncated: str
    max_pixels: int
    exif: bool
    runtime: str = "auto"

    images: tuple[str, ...] = ()
    out: Path | None = None
    overwrite: bool = False
    on_error: str = "skip"
    quiet: bool = False
    threads: int | None = None
    workers: int | None = None
    draw: None = None


def run_classify(options: ClassifyOptions) -> int:
    """Classifies every image, writes the rows where they are wanted, and returns the exit status."""

    def say(message: str) -> None:
        if not options.quiet:
            print(one_line(message), file=sys.stderr)

    def settings() -> dict[str, Any]:
        free = {"images", "out", "overwrite", "on_error", "quiet", "threads", "workers", "draw"}
        told = {key: value for key, value in asdict(options).items() if key not in free}
        # Each runtime rounds in its own way.
        models = {"weights": [digest(path) for path in paths], "runtime": classifier.runtimes}
        return told | models | {"files": [(file.image_id, file.path) for file in files]}

    check_options(options)
    check_crops(options.crops)
    if options.top < 1:
        raise UsageError("FLAG_VALUE", "--top is at least 1")
    paths = find_classifiers(options.weights)
    files = find_images(options.images)
    if options.out is not None and any(options.out.resolve() == Path(file.path).resolve() for file in files):
        raise UsageError("OUT_IS_INPUT", f"--out would overwrite the image {options.out}: choose another file")

    from googlenet_rcnn.api.runtime import Runtime
    from googlenet_rcnn.backbone.classifier import Classifier

    from .classification_rows import ClassificationRows
    from .decoding import image_policy, shared_decoder

    shared_decoder()
    runtime = Runtime(options.runtime, options.threads, say)
    classifier = Classifier.load(paths, runtime.name, runtime.processors, say)
    rows = ClassificationRows(classifier, image_policy(options), options.crops, options.max_pool, options.top)
    loop = ImageLoop(
        files=files, pictures=[], target=options.out, settings=settings, table=_print_table,
        finish=lambda ledger: ledger.finish(),
    )  # fmt: skip
    return loop.run(lambda images: rows.make(images, image_workers(options)), options)


def check_crops(crops: int) -> None:
    """UsageError for a number of crops that has no meaning."""
    if crops not in (1, 10, 144):
        raise UsageError("FLAG_VALUE", f"--crops {crops}: known are 1, 10, 144")


def _print_table(row: dict[str, Any]) -> None:
    seconds = sum(row["ms"].values()) / 1000
    print(one_line(f"{row['path']}  {row['width']}x{row['height']}, {seconds:.2f} s"))
    for one in row["top"]:
        print(f"  {one['score']:.3f}  {one_line(one['label'])}")
