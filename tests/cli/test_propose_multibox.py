"""`propose` with a real MultiBox that has learnt nothing, on the trunk that ships."""

import numpy as np
import pytest
import stub_proposer
import torch
from command_errors import codes
from hostile import encoded, photo, write

from googlenet_rcnn.api import build
from googlenet_rcnn.api.weights_files import DEFAULT_WEIGHTS, find_weights
from googlenet_rcnn.backbone.architectures import identity, load_network
from googlenet_rcnn.backbone.trunk import NOT_TRUNK
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.proposals.multibox_arrays import HeadSettings
from googlenet_rcnn.proposals.multibox_head import MultiBoxHead

PRIORS = 40


@pytest.fixture(scope="module")
def multibox_file(tmp_path_factory):
    corners = np.sort(np.random.default_rng(0).random((PRIORS, 2, 2)), axis=1).astype(np.float32)
    torch.manual_seed(0)
    head = MultiBoxHead(torch.from_numpy(corners.reshape(PRIORS, 4)), HeadSettings())
    trunk = load_network(find_weights(DEFAULT_WEIGHTS))
    card = Card(task="multibox", labels=trunk.card.labels, trunk=identity(trunk.network, without=NOT_TRUNK))
    path = tmp_path_factory.mktemp("multibox") / "random.safetensors"
    tensors = {f"head.{name}": tensor for name, tensor in head.state_dict().items()}
    save_weights(path, tensors, card, half=True)
    return path


def test_union_keeps_both_sources_and_any_number_of_workers_gives_the_same(cli, multibox_file, tmp_path, rows):
    images = [write(tmp_path, f"{n}.png", encoded(photo(40, 50 + n), "PNG")) for n in range(3)]
    flags = (
        "--multibox-weights",
        multibox_file,
        "--preset",
        "single",
        "--multibox-k",
        "9",
        "--threads",
        "2",
        "--runtime",
        "torch",
    )
    one = cli("propose", *images, *flags, "--method", "multibox+ss", "--workers", "1")
    drawn = ("--draw", tmp_path / "drawn")
    three = cli("propose", *images, *flags, "--method", "multibox+ss", "--workers", "3", *drawn)
    assert (one.exit_code, codes(one), codes(three)) == (0, [], [])
    assert rows(one.stdout) == rows(three.stdout)
    assert torch.get_num_threads() == 2
    for row in rows(one.stdout):
        assert row["sources"][:9] == ["multibox"] * 9
        assert set(row["sources"][9:]) == {"ss"}
        assert row["scores"][:9] == sorted(row["scores"][:9], reverse=True)
    assert len(list((tmp_path / "drawn").iterdir())) == 9
    # Superpixels are doubled beside MultiBox, so fewer boxes come from the search than on its own.
    (alone,) = rows(cli("propose", images[0], *flags, "--method", "ss").stdout)
    assert rows(one.stdout)[0]["sources"].count("ss") <= len(alone["boxes"])


def test_multibox_alone_has_one_picture_and_suppresses_what_overlaps(cli, multibox_file, tmp_path, rows):
    image = write(tmp_path, "x.png", encoded(photo(60, 80), "PNG"))
    flags = ("--multibox-weights", multibox_file, "--method", "multibox", "--threads", "1", "--runtime", "torch")
    result = cli("propose", image, *flags, "--draw", tmp_path / "drawn")
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["x-boxes.png"]
    (row,) = rows(result.stdout)
    (sparse,) = rows(cli("propose", image, *flags, "--multibox-nms", "0.3").stdout)
    assert set(row["sources"]) == {"multibox"}
    assert 0 < len(sparse["boxes"]) < len(row["boxes"]) <= PRIORS
    assert all(box in row["boxes"] for box in sparse["boxes"])


def test_detector_is_refused_as_multibox(cli, detector_file, album):
    result = cli("propose", album, "--method", "multibox", "--multibox-weights", detector_file, "--threads", "1")
    assert (result.exit_code, codes(result)) == (3, ["MODEL_TASK"])


def test_stopped_run_is_not_continued_with_other_weights(cli, multibox_file, album, tmp_path, monkeypatch):
    stub = stub_proposer.install(monkeypatch.setattr)
    other = write(tmp_path, "other.safetensors", multibox_file.read_bytes())
    changed = write(tmp_path, "changed.safetensors", multibox_file.read_bytes()[:-1])

    def run(weights):
        flags = ("--method", "multibox", "--threads", "1", "--multibox-weights", weights)
        return cli("propose", album, "--out", tmp_path / "out.jsonl", *flags)

    stub.after = 1
    assert run(multibox_file).exit_code == 130
    stub.after = 10**9
    assert codes(run(changed)) == ["OUT_DIFFERS"]
    monkeypatch.setattr(build, "proposal_runtimes", lambda *_: ["another"])
    assert codes(run(other)) == ["OUT_DIFFERS"]
    monkeypatch.setattr(build, "proposal_runtimes", lambda *_: ["stub"])
    assert run(other).exit_code == 0  # another name of the same
