"""Puts the stub detector into the workers of Ray, if this folder and the one above are on their PYTHONPATH.

STUB_DEADLY=green makes a worker die, as no program can notice, over a picture that is all green.
"""

import os
import sys

if any("default_worker.py" in argument for argument in sys.orig_argv):
    import signal

    import stub_detector

    class DeadlyClassifier(stub_detector.ColourClassifier):
        """Kills its own process over a crop of pure green."""

        def score(self, crops):
            scores = super().score(crops)
            if (scores.probabilities[:, 2] == 1).any():
                os.kill(os.getpid(), signal.SIGKILL)
            return scores

    stub_detector.install(classifier=DeadlyClassifier() if os.environ.get("STUB_DEADLY") == "green" else None)
