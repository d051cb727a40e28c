"""R-CNN: warp each proposal, score the crops, keep the best boxes of each class."""

if __name__ != "googlenet_rcnn.detector":
    raise ImportError("import this folder as googlenet_rcnn.detector")
