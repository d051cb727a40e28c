"""The GoogLeNet shared by classification, detection and MultiBox, and the loop that trains it."""

if __name__ != "googlenet_rcnn.backbone":
    raise ImportError("import this folder as googlenet_rcnn.backbone")
