"""Proposals of many images as one npz file: flat arrays, and offsets that say which rows are whose."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from googlenet_rcnn.core.store import atomic_file

__all__ = ["write_arrays"]


def write_arrays(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Writes proposal rows as npz, whole or not at all: image n has boxes[offsets[n]:offsets[n + 1]].

    `sizes` are height and width, `sources` index `source_names`; a failed image has size 0 and no boxes.
    """
    ids, sizes, failed, offsets = [], [], [], [0]
    boxes, scores, sources = [], [], []
    names: dict[str, int] = {}
    for row in rows:
        ids.append(row["image_id"])
        sizes.append((row.get("height", 0), row.get("width", 0)))
        failed.append(row["status"] == "failed")
        offsets.append(offsets[-1] + len(row["boxes"]))
        boxes.append(np.array(row["boxes"], dtype=np.float32).reshape(-1, 4))
        scores.append(np.array(row["scores"], dtype=np.float32))
        sources.append(np.array([names.setdefault(name, len(names)) for name in row["sources"]], dtype=np.int16))
    with atomic_file(path) as stream:
        np.savez(
            stream,
            image_ids=np.array(ids, dtype=np.str_),
            sizes=np.array(sizes, dtype=np.int32).reshape(-1, 2),
            offsets=np.array(offsets, dtype=np.int64),
            boxes=np.concatenate([np.zeros((0, 4), np.float32), *boxes]),
            scores=np.concatenate([np.zeros(0, np.float32), *scores]),
            sources=np.concatenate([np.zeros(0, np.int16), *sources]),
            source_names=np.array(list(names), dtype=np.str_),
            failed=np.array(failed, dtype=np.bool_),
        )
