"""Fuzzes each parser for so many seconds: with atheris and its coverage where that is installed, else by chance.

    python tests/fuzz/run.py --seconds 60 image voc_xml

Each target runs in a process of its own, bounded in memory; an input that breaks the law (a value or a ProjectError,
within ten seconds) is kept in the corpus's folder and fails the run.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

SUPPORT = Path(__file__).parents[1] / "support"
sys.path.insert(0, str(SUPPORT))

SLOWEST = 10  # seconds
MEMORY = 3 * 2**30


def main() -> int:
    """Runs the targets one after the other; the exit status is 1 if one of them broke."""
    from fuzz_targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--corpus", type=Path, default=Path("runs/fuzz"), help="folder for what was found")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", choices=TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help=f"of {', '.join(TARGETS)} [default: all]")
    flags = parser.parse_args()
    if flags.one:
        with_coverage(flags.one, flags) if find_spec("atheris") else by_chance(flags.one, flags)
        return 0
    counts = [in_its_own_process(name, flags) for name in flags.targets or TARGETS]
    print(f"{sum(count or 0 for count in counts):,} runs, {counts.count(None)} of {len(counts)} targets broken")
    return None in counts


def in_its_own_process(name: str, flags: argparse.Namespace) -> int | None:
    """Fuzzes a target and tells the number of runs; None if it broke."""
    flags.corpus.joinpath(name).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, "--one", name, "--seconds", str(flags.seconds), "--seed", str(flags.seed)]
    # libFuzzer ends a process without tidying up; and what is written for every run is best kept in memory.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        done = subprocess.run(
            [*command, "--corpus", flags.corpus], capture_output=True, text=True, env=os.environ | {"TMPDIR": folder}
        )
    runs = re.search(r"Done (\d+) runs", done.stdout + done.stderr)
    if done.returncode or not runs:
        print(done.stdout[-3000:], done.stderr[-6000:], sep="\n", file=sys.stderr)
        print(f"{name:<18} BROKEN: the input is in {flags.corpus / name}", flush=True)
        return None
    print(f"{name:<18} {int(runs[1]):>9,} runs", flush=True)
    return int(runs[1])


def lawful(parse: Callable[[bytes], object], data: bytes) -> None:
    """Raises what the parser should not have raised."""
    from googlenet_rcnn.core.errors import ProjectError

    with suppress(ProjectError):
        parse(data)


def by_chance(name: str, flags: argparse.Namespace) -> None:
    """Damaged seeds until the time is over."""
    import resource

    from fuzz_targets import TARGETS
    from mutations import mutants

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    parse, seeds = TARGETS[name]
    end, runs = time.monotonic() + flags.seconds, 0
    for data in mutants(seeds(), flags.seed):
        started = time.monotonic()
        if started > end:
            break
        try:
            lawful(parse, data)
            if time.monotonic() - started > SLOWEST:
                raise TimeoutError(f"more than {SLOWEST} seconds")
        except BaseException:
            flags.corpus.joinpath(name, "broken").write_bytes(data)
            raise
        runs += 1
    print(f"Done {runs} runs")


def with_coverage(name: str, flags: argparse.Namespace) -> None:
    """The seeds and what libFuzzer makes of them, led by which lines are reached."""
    import atheris

    with atheris.instrument_imports(include=["googlenet_rcnn", "PIL", "tarfile", "zipfile", "tomllib"]):
        from fuzz_targets import TARGETS
    from mutations import TOKENS

    warnings.simplefilter("ignore")
    parse, seeds = TARGETS[name]
    corpus = flags.corpus / name
    for number, data in enumerate(seeds()):
        corpus.joinpath(f"seed-{number}").write_bytes(data)
    words = corpus.with_suffix(".dict")
    quoted = ("".join(f"\\x{byte:02x}" for byte in token) for token in TOKENS if 0 < len(token) <= 64)
    words.write_text("".join(f'"{token}"\n' for token in quoted))
    atheris.Setup(
        [
            name, str(corpus), f"-max_total_time={flags.seconds}", f"-dict={words}", f"-timeout={SLOWEST}",
            f"-rss_limit_mb={MEMORY >> 20}", "-max_len=65536", f"-seed={flags.seed + 1}",
            f"-artifact_prefix={corpus}/broken-",
        ],
        lambda data: lawful(parse, data),
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
