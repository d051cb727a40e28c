"""Every command by name: a subcommand of `googlenet-rcnn`, and a console script of its own."""

from collections.abc import Callable
from typing import Annotated

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

COMMANDS: dict[str, Callable[..., None]] = {
    "detect": detection_commands.detect,
    "classify": classify_commands.classify,
    "propose": detection_commands.propose,
    "explain": explain_commands.explain,
    "batch": batch_commands.batch,
    "check": data_commands.check,
    "convert": data_commands.convert,
    "train-classifier": training_commands.train_classifier,
    "train-detector": training_commands.train_detector,
    "train-multibox": training_commands.train_multibox,
    "train-screen": training_commands.train_screen,
    "train-svm": training_commands.train_svm,
    "import-weights": model_commands.import_weights,
    "measure-ranges": model_commands.measure_ranges,
    "export": model_commands.export,
    "serve": serve_command.serve,
    "bench": tool_commands.bench,
    "doctor": tool_commands.doctor,
}

EVALUATIONS: dict[str, Callable[..., None]] = {
    "classification": evaluation_commands.evaluate_classification,
    "detections": evaluation_commands.evaluate_detections,
    "proposals": evaluation_commands.evaluate_proposals,
    "compare": evaluation_commands.evaluate_compare,
}


def _app(commands: dict[str, Callable[..., None]], help: str | None = None) -> typer.Typer:
    """Commands by name; their help is plain: rich markup would drop every "[default: ...]" of a text as a tag."""
    made = typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None, context_settings=_SETTINGS)
    for name, function in commands.items():
        made.command(name, short_help=function.__doc__, context_settings=_SETTINGS)(function)
    return made


def _tell_version(asked: bool) -> None:
    if asked:
        from .packages import installed

        print(f"googlenet-rcnn {installed('googlenet-rcnn') or '(not installed)'}")
        raise typer.Exit


evaluate_app = _app(EVALUATIONS, "Score results against annotations.")
app = _app(COMMANDS, _HELP)
app.add_typer(evaluate_app, name="evaluate")


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _script(name: str) -> Callable[[], None]:
    """A console script of its own for one subcommand, which a shell can complete."""

    def entry() -> None:
        alone = evaluate_app if name == "evaluate" else _app({name: COMMANDS[name]})
        alone(prog_name=name)

    return entry


def main() -> None:
    """`googlenet-rcnn`: every command as a subcommand."""
    app(prog_name="googlenet-rcnn")


classify = _script("classify")
detect = _script("detect")
evaluate = _script("evaluate")
propose = _script("propose")
train_classifier = _script("train-classifier")
train_detector = _script("train-detector")
train_multibox = _script("train-multibox")
train_screen = _script("train-screen")
train_svm = _script("train-svm")


if __name__ == "__main__":
    main()
