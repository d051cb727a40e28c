"""An ensemble for timing: copies of one file, since as many different models are not at hand."""

import shutil

from settings import Settings

from googlenet_rcnn.api.weights_files import find_weights

__all__ = ["further_models"]


def further_models(settings: Settings, count: int) -> list[str]:
    """Flags that add so many models to the first. Copies, not the same file: one engine would serve that for all."""
    source = find_weights(settings.weights)
    flags = []
    for number in range(2, count + 2):
        path = settings.folder / f"model-{number}.safetensors"
        shutil.copyfile(source, path)
        flags += ["--weights", str(path)]
    return flags
