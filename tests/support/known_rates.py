"""Training without measuring the machine first, for this process or, by `python -c`, for another."""

from googlenet_rcnn.detector import training_rates
from googlenet_rcnn.detector.budget import Rates

RATES = Rates(propose=0.1, look=0.2, screen=0.01, frozen=44, head=200, network=11)


def install(replace=setattr, rates: Rates = RATES) -> None:
    """Puts known rates where a training looks for measured ones."""
    replace(training_rates, "measure_rates", lambda *_: rates)
