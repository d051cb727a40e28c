"""Detectors in Python: where proposals, networks and selection are put together."""

if __name__ != "googlenet_rcnn.api":
    raise ImportError("import this folder as googlenet_rcnn.api")

from .object_detector import ImageInput, ObjectDetector, load_detector

__all__ = ["ImageInput", "ObjectDetector", "load_detector"]
