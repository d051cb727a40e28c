"""Every command by name: a subcommand of `googlenet-rcnn`, and a console script of its own."""

import sys
from collections.abc import Callable

import typer

from . import (
    batch_commands,
    classify_commands,
    data_commands,
    detection_commands,
    evaluation_commands,
    explain_commands,
    model_commands,
    serve_command,
    tool_commands,
    training_commands,
)

__all__ = [
    "classify",
    "detect",
    "evaluate",
    "main",
    "propose",
    "train_classifier",
    "train_detector",
    "train_multibox",
    "train_screen",
    "train_svm",
]

_HELP = "GoogLeNet, Selective Search and R-CNN: find and name the objects in photographs."
_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=True, context_settings=_SETTINGS)
app.command("detect")(detection_commands.detect)
app.command("classify")(classify_commands.classify)
app.command("propose")(detection_commands.propose)
evaluate_app = typer.Typer(help="Score results against annotations.", no_args_is_help=True)
evaluate_app.command("classification")(evaluation_commands.evaluate_classification)
evaluate_app.command("detections")(evaluation_commands.evaluate_detections)
evaluate_app.command("proposals")(evaluation_commands.evaluate_proposals)
evaluate_app.command("compare")(evaluation_commands.evaluate_compare)
app.add_typer(evaluate_app, name="evaluate")
app.command("explain")(explain_commands.explain)
app.command("batch")(batch_commands.batch)
app.command("check")(data_commands.check)
app.command("convert")(data_commands.convert)
app.command("train-classifier")(training_commands.train_classifier)
app.command("train-detector")(training_commands.train_detector)
app.command("train-multibox")(training_commands.train_multibox)
app.command("train-screen")(training_commands.train_screen)
app.command("train-svm")(training_commands.train_svm)
app.command("import-weights")(model_commands.import_weights)
app.command("measure-ranges")(model_commands.measure_ranges)
app.command("export")(model_commands.export)
app.command("serve")(serve_command.serve)
app.command("bench")(tool_commands.bench)
app.command("doctor")(tool_commands.doctor)


def _single(name: str) -> Callable[[], None]:
    """A console script of its own for one subcommand."""

    def entry() -> None:
        app([name, *sys.argv[1:]], prog_name="googlenet-rcnn")

    return entry


def main() -> None:
    """`googlenet-rcnn`: every command as a subcommand."""
    app(prog_name="googlenet-rcnn")


classify = _single("classify")
detect = _single("detect")
evaluate = _single("evaluate")
propose = _single("propose")
train_classifier = _single("train-classifier")
train_detector = _single("train-detector")
train_multibox = _single("train-multibox")
train_screen = _single("train-screen")
train_svm = _single("train-svm")


if __name__ == "__main__":
    main()
