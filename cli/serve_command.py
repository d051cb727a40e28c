"""Flags of `serve`."""

from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["serve"]


def serve(
    weights: Annotated[
        list[str] | None,
        typer.Option(help="a model to choose from: shipped name, file or ensemble; repeat [default: voc07]"),
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="classifier of whole images for the five likeliest [default: the best boxes say]")
    ] = None,
    method: Annotated[str, typer.Option(help="where boxes come from: ss, multibox or multibox+ss")] = "ss",
    host: Annotated[str, typer.Option(help="address to listen on; off this machine a token is needed")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free")] = 8014,
    allow_host: Annotated[list[str] | None, typer.Option(help="another name by which browsers may ask")] = None,
    max_bytes: Annotated[int, typer.Option(help="largest upload", min=1)] = 20 * 2**20,
    max_pixels: Annotated[int, typer.Option(help="largest image, in pixels", min=1)] = 40_000_000,
    waiting: Annotated[int, typer.Option(help="requests that may wait; more are sent away", min=0)] = 8,
    deadline: Annotated[float, typer.Option(help="most seconds of a request", min=0.1)] = 60.0,
    runtime: Annotated[
        str, typer.Option(help="auto, torch, torch-compile, onnxruntime, openvino or openvino-int8")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]", min=1)] = None,
) -> None:
    """Serve a web page on this machine: drop a photo, see its proposals, detections and likeliest classes."""

    def command() -> int:
        from .serve.server import ServeOptions, run_serve

        return run_serve(
            ServeOptions(
                weights=tuple(weights or ()), classifier=classifier, method=method, host=host, port=port,
                allow_host=tuple(allow_host or ()), max_bytes=max_bytes, max_pixels=max_pixels, waiting=waiting,
                deadline=deadline, runtime=runtime, threads=threads,
            )
        )  # fmt: skip

    run_command(command)
