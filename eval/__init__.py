"""Scoring rules: detections in, average precision out."""

if __name__ != "googlenet_rcnn.eval":
    raise ImportError("import this folder as googlenet_rcnn.eval")
