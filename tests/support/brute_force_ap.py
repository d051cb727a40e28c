"""Average precision once more, from the text of the rules: one detection, one object, one recall at a time."""

import math


def brute_force_ap(data, found, rule_name):
    """AP of each class as a list, NaN where no object counts."""
    return [_class_ap(data, found, label, rule_name) for label in range(len(data.labels))]


def _class_ap(data, found, label, rule_name):
    objects = [_objects(sample, label, (place, label) in data.excluded) for place, sample in enumerate(data.samples)]
    positives = sum(not one["ignore"] for image in objects for one in image)
    if positives == 0:
        return math.nan
    rows = [row for row in range(len(found)) if found.label[row] == label]
    if rule_name == "ilsvrc":
        # The official script goes through the images by number before it sorts all detections by score.
        rows.sort(key=lambda row: _number(data, found.image_index[row]))
    rows.sort(key=lambda row: -found.score[row])
    verdicts = []
    for row in rows:
        image, box = int(found.image_index[row]), found.boxes[row].tolist()
        if (image, label) in data.excluded:
            continue
        verdict = (_ilsvrc if rule_name == "ilsvrc" else _pascal)(box, objects[image])
        if verdict is not None:
            verdicts.append(verdict)
    curve = []
    for count in range(1, len(verdicts) + 1):
        right = sum(verdicts[:count])
        curve.append((right, right / count))

    def precision_at(least):
        """Best precision at a recall of `least` tenths of an object over all objects, or more."""
        return max((precision for right, precision in curve if right * 10 >= least), default=0.0)

    if rule_name == "voc07":
        return sum(precision_at(tenth * positives) for tenth in range(11)) / 11
    return sum(precision_at(10 * right) for right in range(1, positives + 1)) / positives


def _number(data, image):
    number = data.samples[image].number
    return image + 1 if number is None else number


def _objects(sample, label, excluded):
    truth = sample.truth
    return [
        {"box": box.tolist(), "ignore": bool(ignore) or excluded, "taken": False}
        for box, of, ignore in zip(truth.boxes.coordinates, truth.labels, truth.ignore, strict=True)
        if of == label
    ]


def _pascal(box, objects):
    """The object of largest overlap is the one that is meant: don't care, found, or found before (a duplicate)."""
    best, meant = -1.0, None
    for one in objects:
        if _overlap(box, one["box"]) > best:
            best, meant = _overlap(box, one["box"]), one
    if meant is None or best < 0.5:
        return False
    if meant["ignore"]:
        return None
    right, meant["taken"] = not meant["taken"], True
    return right


def _ilsvrc(box, objects):
    """The best of those objects that are free and overlapped enough for their size."""
    best, meant = -1.0, None
    for one in objects:
        width, height = one["box"][2] - one["box"][0], one["box"][3] - one["box"][1]
        threshold = min(0.5, width * height / ((width + 10) * (height + 10)))
        overlap = _overlap(box, one["box"])
        if not one["taken"] and overlap >= threshold and overlap > best:
            best, meant = overlap, one
    if meant is None:
        return False
    meant["taken"] = True
    return None if meant["ignore"] else True


def _overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union
