"""Networks as small as those of these tests are quickest on one thread, the more so beside other work."""

import pytest


@pytest.fixture(scope="module")
def one_thread():
    """One thread for a module's tests, as many as before for those after it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
