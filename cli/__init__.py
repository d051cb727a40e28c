"""The commands, the web page, and what they print, draw and write."""

if __name__ != "googlenet_rcnn.cli":
    raise ImportError("import this folder as googlenet_rcnn.cli")
