"""CVAT exports of a few made-up images."""

from tiny_voc import SIZE

LABELS = "<meta><task><labels><label><name>dog</name></label><label><name>cat</name></label></labels></task></meta>"


def box(label="cat", corners=(10, 20, 30.5, 40), **more):
    """A box of the file."""
    named = dict(zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)) | {"label": label, "occluded": 0} | more
    return f"<box {' '.join(f'{key}={str(value)!r}' for key, value in named.items())}></box>"


def image(*nodes, name="a.jpg", number=0, size=SIZE, **more):
    """An image of the file."""
    named = {"id": number, "name": name, "width": size.width, "height": size.height} | more
    return f"<image {' '.join(f'{key}={str(value)!r}' for key, value in named.items())}>{''.join(nodes)}</image>"


def export(folder, *images, labels=LABELS):
    """Writes annotations.xml and returns its folder."""
    folder.mkdir(exist_ok=True)
    content = f"<annotations><version>1.1</version>{labels}{''.join(images)}</annotations>"
    (folder / "annotations.xml").write_text(f"<?xml version='1.0' encoding='utf-8'?>\n{content}", encoding="utf-8")
    return folder
