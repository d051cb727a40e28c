"""What a command said on stderr when something went wrong."""


def error_lines(result):
    """Lines on stderr that tell an error, each with its code."""
    lines = result.stderr.splitlines()
    assert all(line.startswith(("error: ", "note: ", "continuing", "image ")) for line in lines), lines
    return [line for line in lines if line.startswith("error: ")]


def codes(result):
    return [line.split(": ")[1] for line in error_lines(result)]
