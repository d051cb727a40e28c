"""Region proposals: image in, candidate boxes out."""

if __name__ != "googlenet_rcnn.proposals":
    raise ImportError("import this folder as googlenet_rcnn.proposals")
