"""Errors carry a code, belong to an exit status, and survive the way home from a worker process."""

import pickle

import pytest

from googlenet_rcnn.core import errors
from googlenet_rcnn.core.errors import Exit

STATUS = {
    errors.ProjectError: Exit.INTERNAL,
    errors.UsageError: Exit.USAGE,
    errors.DataError: Exit.DATA,
    errors.ImageError: Exit.DATA,
    errors.ModelError: Exit.DATA,
    errors.ResourceError: Exit.RESOURCE,
}


@pytest.mark.parametrize("kind", STATUS)
def test_pickling_brings_back_the_same_error(kind: type[errors.ProjectError]) -> None:
    again = pickle.loads(pickle.dumps(kind("SOME_CODE", "what, where, how to mend")))
    assert type(again) is kind
    assert (again.code, again.message, again.exit) == ("SOME_CODE", "what, where, how to mend", STATUS[kind])
    assert str(again) == "SOME_CODE: what, where, how to mend"
    assert isinstance(again, ValueError)


def test_exit_statuses_are_the_promised_numbers() -> None:
    assert {status.name: int(status) for status in Exit} == {
        "OK": 0,
        "INTERNAL": 1,
        "USAGE": 2,
        "DATA": 3,
        "PARTIAL": 4,
        "RESOURCE": 5,
        "INTERRUPTED": 130,
    }
    assert set(errors.__all__) == {"Exit", "lacks_memory", *(kind.__name__ for kind in STATUS)}


@pytest.mark.parametrize(
    ("error", "lacking"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: 9 bytes"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (Exception("Failed to allocate memory for requested buffer of size 9"), True),  # ONNX Runtime
        (RuntimeError("Exception from src/inference/src/cpp/core.cpp: std::bad_alloc"), True),  # OpenVINO
        (RuntimeError("shape mismatch"), False),
        (OSError(28, "No space left on device"), False),
        (errors.DataError("X", "the picture shows an out of memory message"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_want_of_memory_has_many_words(error: BaseException, lacking: bool) -> None:
    assert errors.lacks_memory(error) == lacking
