"""Types, boxes, images, recipes, storage and errors: everything shared, without torch."""

if __name__ != "googlenet_rcnn.core":
    raise ImportError("import this folder as googlenet_rcnn.core")
