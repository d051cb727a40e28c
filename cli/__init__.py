"""The commands; the only place where parts are put together."""

if __name__ != "googlenet_rcnn.cli":
    raise ImportError("import this folder as googlenet_rcnn.cli")
