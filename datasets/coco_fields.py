"""Fields of the annotations of a COCO instances file."""

from googlenet_rcnn.datasets.json_fields import JsonFields, finite, shown

__all__ = ["CocoFields"]


class CocoFields(JsonFields):
    """One object of the file, at `place` such as `annotations[3]`."""

    def flag(self, key: str) -> bool:
        """0, 1, true or false; a missing flag is false."""
        value = self.content.get(key, 0)
        if not isinstance(value, int) or value not in (0, 1):
            raise self.bad(key, "0 or 1")
        return bool(value)

    def bbox(self) -> tuple[float, float, float, float]:
        """x, y, width and height, finite, the last two not negative."""
        value = self.required("bbox")
        if not isinstance(value, list) or len(value) != 4:
            raise self.bad("bbox", "four numbers: x y width height")
        for place, one in enumerate(value):
            if isinstance(one, bool) or not isinstance(one, int | float):
                raise self.error("ANN_BAD_FIELD", f"bbox[{place}]", f"{shown(one)} was found; write a number")
            if not finite(one):
                raise self.error("ANN_BAD_NUMBER", f"bbox[{place}]", "not finite; write the true number")
        if value[2] < 0 or value[3] < 0:
            raise self.error("BOX_NEGATIVE", "bbox", f"{value} was found; width and height are at least 0")
        x, y, width, height = map(float, value)
        return x, y, width, height

    def area(self) -> float | None:
        """Square pixels of the outline; None where there is no usable number: it is missing or a list of several."""
        value = self.content.get("area")
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else None
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not finite(value) or value < 0:
            raise self.bad("area", "a number of square pixels")
        return float(value)
