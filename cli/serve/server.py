"""`serve`: the detectors made ready, and a web page in front of them."""

import os
import secrets
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from googlenet_rcnn.core.errors import Exit, UsageError
from googlenet_rcnn.core.images import ImagePolicy

from ..boundary import one_line

if TYPE_CHECKING:
    from googlenet_rcnn.detector.pipeline import Detector

__all__ = ["ServeOptions", "run_serve"]

TOKEN = "GOOGLENET_RCNN_TOKEN"


@dataclass(frozen=True)
class ServeOptions:
    """Everything `serve` can be told."""

    weights: tuple[str, ...] = ()
    classifier: str | None = None
    method: str = "ss"
    host: str = "127.0.0.1"
    port: int = 8014
    allow_host: tuple[str, ...] = ()
    max_bytes: int = 20 * 2**20
    max_pixels: int = 40_000_000
    waiting: int = 8
    deadline: float = 60.0
    runtime: str = "auto"
    threads: int | None = None


def run_serve(options: ServeOptions) -> int:
    """Serves until it is stopped; UsageError for an address that cannot be had."""
    uvicorn = _uvicorn()
    hosts = _hosts(options)
    with _listen(options.host, options.port) as listening:
        from ..decoding import shared_decoder
        from .app import build_app
        from .body import Limits
        from .desk import Desk
        from .guard import LOOPBACK
        from .look import Looks
        from .protocol import PunctualProtocol

        shared_decoder()  # starts while models are loaded
        detectors, facts = _detectors(options)
        looks = Looks(detectors, ImagePolicy(options.max_bytes, options.max_pixels), _classifier(options))
        token = None if options.host in LOOPBACK else os.environ.get(TOKEN) or secrets.token_urlsafe(24)
        app = build_app(
            looks,
            facts,
            limits=Limits(options.max_bytes, deadline=options.deadline),
            desk=Desk(waiting=options.waiting),
            hosts=hosts,
            token=token,
        )
        config = uvicorn.Config(
            app, http=PunctualProtocol, ws="none", loop="asyncio", access_log=False, log_level="warning",
            server_header=False, timeout_keep_alive=5, timeout_graceful_shutdown=5, limit_concurrency=512,
        )  # fmt: skip
        shown = f"[{options.host}]" if ":" in options.host else options.host
        page = f"http://{shown}:{listening.getsockname()[1]}/" + ("" if token is None else f"#token={token}")
        print(f"serving {', '.join(facts)} on {page}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
        with suppress(KeyboardInterrupt):  # the way to end it
            uvicorn.Server(config).run(sockets=[listening])
    return Exit.OK


def _uvicorn() -> Any:
    """The web server's module; UsageError where the extra is not installed."""
    try:
        import fastapi  # noqa: F401
        import uvicorn
    except ImportError:
        raise UsageError(
            "EXTRA_MISSING", "serve needs fastapi and uvicorn: pip install 'googlenet-rcnn[serve]'"
        ) from None
    return uvicorn


def _hosts(options: ServeOptions) -> frozenset[str]:
    """The names that the server answers to."""
    from .guard import LOOPBACK

    everywhere = options.host in ("0.0.0.0", "::")
    if everywhere and not options.allow_host:
        reason = "say with --allow-host by which name or address browsers will ask it"
        raise UsageError("HOST_UNKNOWN", f"--host {options.host} is every address of this machine: {reason}")
    own = () if everywhere else (options.host.lower(),)
    return frozenset((*LOOPBACK, *own, *(name.lower() for name in options.allow_host)))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError("PORT_TAKEN", f"cannot listen on {host}:{port}: {reason}; choose another --port") from None


def _detectors(options: ServeOptions) -> "tuple[dict[tuple[str, str], Detector], dict[str, dict[str, Any]]]":
    """A detector for each model and mode, and what the page says of each model."""
    from googlenet_rcnn.api.build import assemble_detector
    from googlenet_rcnn.api.runtime import Runtime
    from googlenet_rcnn.api.weights_files import DEFAULT_WEIGHTS, find_members
    from googlenet_rcnn.backbone.checkpoint import read_card

    from ..detection_report import model_facts

    def say(message: str) -> None:
        print(one_line(message), file=sys.stderr)

    runtime = Runtime(options.runtime, options.threads, say)
    detectors, facts = {}, {}
    for weights in options.weights or (DEFAULT_WEIGHTS,):
        paths = find_members([weights])
        name = os.path.splitext(os.path.basename(weights))[0]
        if name in facts:
            raise UsageError(
                "NAME_TAKEN", f"--weights {weights}: another model is called {name} already; rename the file"
            )
        for mode in ("fast", "exhaustive"):
            detector = assemble_detector([weights], method=options.method, mode=mode, runtime=runtime, say=say)
            detector.detect(np.full((64, 64, 3), 128, np.uint8))  # what is made at the first use is made now
            detectors[name, mode] = detector
        told = model_facts([path.stem for path in paths], [read_card(path) for path in paths])
        threshold = detectors[name, "fast"].selection.score_threshold
        facts[name] = {"threshold": threshold, "labels": detectors[name, "fast"].labels.names, "card": dict(told)}
    return detectors, facts


def _classifier(options: ServeOptions) -> Any:
    """The classifier of whole images, if one is named."""
    if options.classifier is None:
        return None
    from googlenet_rcnn.api.runtime import Runtime
    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.backbone.classifier import Classifier

    runtime = Runtime(options.runtime, options.threads)
    return Classifier.load([find_weights(options.classifier, "classifier")], runtime.name, runtime.processors)
