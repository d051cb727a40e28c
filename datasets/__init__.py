"""Readers of annotated image collections."""

if __name__ != "googlenet_rcnn.datasets":
    raise ImportError("import this folder as googlenet_rcnn.datasets")
