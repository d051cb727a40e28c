"""Detection from Python: one photo, many, and arrays. Run it with the paths of some photos."""

import argparse
import sys

from googlenet_rcnn.api import load_detector


def main() -> None:
    """Prints what is in each photo, best first; one that cannot be read is told and does not stop the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+", help="image files")
    parser.add_argument("--threshold", type=float, help="least score [default: as the weights say]")
    flags = parser.parse_args()

    detector = load_detector(threshold=flags.threshold, say=lambda message: print(message, file=sys.stderr))
    results = detector.stream(flags.photos, return_errors=True)
    for photo, found in zip(flags.photos, results, strict=True):
        if isinstance(found, ValueError):
            print(f"{photo}: {found}")
            continue
        print(f"{photo}: {found.size.width}x{found.size.height}, {len(found)} found")
        for name, score, (x1, y1, x2, y2) in zip(found.names, found.scores, found.boxes.coordinates, strict=True):
            print(f"  {name:<12} {score:.3f}   x {x1:.0f}..{x2:.0f}   y {y1:.0f}..{y2:.0f}")


if __name__ == "__main__":
    main()
