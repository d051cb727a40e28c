"""Flags of the commands that look at the computer: `bench` and `doctor`."""

from typing import Annotated

import typer

from .boundary import run_command

__all__ = ["bench", "doctor"]


def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="load every package and every weight, which takes longer")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Tell whether this computer has what the commands need, and what would make them faster."""

    def command() -> int:
        from .doctor import run_doctor

        return run_doctor(as_json, deep)

    run_command(command)


def bench(
    image: Annotated[
        list[str] | None, typer.Option(help="file, folder, glob or list [default: photographs of installed packages]")
    ] = None,
    weights: Annotated[str, typer.Option(help="shipped name or file")] = "voc07",
    runtime: Annotated[
        list[str] | None, typer.Option(help="measure this one only; repeat as you like [default: all installed]")
    ] = None,
    all_runtimes: Annotated[
        bool, typer.Option("--all", help="torch-compile as well, which compiles for minutes")
    ] = False,
    seconds: Annotated[float, typer.Option(help="time to measure, roughly; getting ready comes on top")] = 60.0,
    threads: Annotated[int | None, typer.Option(help="processor threads [default: all available]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress, no notes")] = False,
) -> None:
    """Measure this computer: each runtime beside what the processor can do, and detection stage by stage."""

    def command() -> int:
        from .bench.run import BenchOptions, run_bench

        return run_bench(
            BenchOptions(
                images=tuple(image or ()), weights=weights, runtimes=tuple(runtime or ()), all_runtimes=all_runtimes,
                seconds=seconds, threads=threads, as_json=as_json, quiet=quiet,
            )
        )  # fmt: skip

    run_command(command)
