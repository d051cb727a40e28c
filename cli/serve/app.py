"""The web page and what it asks for, as an ASGI application with an OpenAPI description."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response

from ..exhibit import page_colours
from ..web_files import web_file
from .answer import Answer
from .body import Limits
from .desk import Desk
from .guard import Guard
from .look import Asked, Looks, upload
from .refusal import Refusal

__all__ = ["build_app"]

_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/overlay.js": ("overlay.js", "text/javascript; charset=utf-8"),
    "/app.css": ("app.css", "text/css; charset=utf-8"),
    "/overlay.css": ("overlay.css", "text/css; charset=utf-8"),
}
"""Every file that is served: nothing is looked up by what a client writes."""

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {
        str(status): {"description": told}
        for status, told in {
            400: "the file is empty", 403: "not from this site, or without the token", 408: "it came too slowly",
            413: "too many bytes or pixels", 415: "not an image that is read",
            422: "a damaged image, or a wrong parameter",
            429: "too many are waiting: see Retry-After", 504: "it took too long",
        }.items()
    },
}  # fmt: skip


def build_app(
    looks: Looks,
    facts: Mapping[str, Any],
    *,
    limits: Limits | None = None,
    desk: Desk | None = None,
    hosts: frozenset[str] = frozenset(("127.0.0.1", "localhost", "::1")),
    token: str | None = None,
) -> Callable[..., Any]:
    """The application; `facts` are what the page says of each model, by name, the first one as its choice."""
    limits, desk = limits or Limits(), desk or Desk()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    about = "GoogLeNet R-CNN: what is in an image, as rows of schema 1."
    app = FastAPI(title="googlenet-rcnn", description=about, docs_url=None, redoc_url=None, lifespan=lifespan)
    names, classes = list(facts), {label: None for look in looks.detectors.values() for label in look.labels.names}
    model_parameter = Query(description=f"one of {', '.join(names)}")

    def asked(request: Request, model: str, mode: str, threshold: float | None, name: str) -> Asked:
        known = {"model", "mode", "threshold", "name"}
        if unknown := sorted(set(request.query_params) - known):
            raise Refusal(
                422, "PARAMETER", f"unknown parameter {unknown[0][:40]!r}: known are {', '.join(sorted(known))}"
            )
        if (model, mode) not in looks.detectors:
            raise Refusal(422, "PARAMETER", f"unknown model {model[:40]!r}: known are {', '.join(names)}")
        return Asked(model, mode, threshold, upload(name))

    # The answer is an ASGI application itself: it reads the body under its own limits.
    async def ask(
        request: Request,
        model: Annotated[str, model_parameter] = names[0],
        mode: Annotated[Literal["fast", "exhaustive"], Query()] = "fast",
        threshold: Annotated[float | None, Query(ge=0, le=1, description="None: as the model says")] = None,
        name: Annotated[str, Query(max_length=1000, description="of the image, for the row")] = "upload",
    ) -> Response:
        stream = request.url.path == "/api/look"
        return _Ready(Answer(desk, limits, looks.stages, asked(request, model, mode, threshold, name), stream))

    told = "The row that `detect` writes of the image in the body."
    app.post("/api/detect", summary="Detect", description=told, openapi_extra=_BODY)(ask)
    told = "The same with what leads to it: a line of JSON after each stage."
    app.post("/api/look", summary="Detect, stage by stage", description=told, openapi_extra=_BODY)(ask)

    @app.get("/api/model", summary="What can be asked for")
    async def model() -> dict[str, Any]:
        shown = {"bytes": limits.bytes, "pixels": looks.policy.max_pixels, "seconds": limits.deadline}
        return {"models": dict(facts), "limits": shown, "colours": page_colours(classes)}

    @app.get("/health", summary="Is it alive, and how busy?")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "requests": desk.taken, "places": desk.places}

    for path, (file, type_) in _PAGE.items():
        _serve_file(app, path, web_file(file), type_)

    kinds: tuple[type[Exception] | int, ...] = (Refusal, RequestValidationError, 404, 405)
    for kind in kinds:
        app.add_exception_handler(kind, _refused)
    return Guard(app, hosts, token)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """What FastAPI refuses is told as everything else is."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        refusal = Refusal(422, "PARAMETER", f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}")
    elif isinstance(error, Refusal):
        refusal = error
    elif getattr(error, "status_code", 404) == 404:
        refusal = Refusal(404, "NOT_FOUND", "nothing is here: see /openapi.json")
    else:
        refusal = Refusal(405, "METHOD_REFUSED", f"{request.method} is not taken here: see /openapi.json")
    return JSONResponse({"code": refusal.code, "message": refusal.message}, refusal.status)


class _Ready(Response):
    """An ASGI application where FastAPI wants a response."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._answer(scope, receive, send)


def _serve_file(app: FastAPI, path: str, text: str, kind: str) -> None:
    async def page() -> Response:
        return Response(text, media_type=kind)

    app.get(path, include_in_schema=False)(page)
