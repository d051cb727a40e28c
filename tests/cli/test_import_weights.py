import os
import pickle

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from googlenet_rcnn.backbone import importing
from googlenet_rcnn.backbone.architectures import build_network, load_network
from googlenet_rcnn.core.card import Card

NAMES = ("ant", "bee", "cat", "dog", "eel")
PARTS = {
    "branch1": "1x1",
    "branch3_reduce": "3x3_reduce",
    "branch3": "3x3",
    "branch5_reduce": "5x5_reduce",
    "branch5": "5x5",
    "pool_projection": "pool_proj",
}
STEM = {
    "conv1.0": "conv1/7x7_s2",
    "conv2_reduce.0": "conv2/3x3_reduce",
    "conv2.0": "conv2/3x3",
    "classifier": "loss3/classifier",
}


def caffe_name(name):
    layer, _, kind = name.rpartition(".")
    if layer in STEM:
        return f"{STEM[layer]}.{kind}"
    block, part, _ = layer.split(".")
    return f"inception_{block.removeprefix('inception')}/{PARTS[part]}.{kind}"


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(NAMES))
    return path


@pytest.fixture
def bring(cli, labels, tmp_path):
    def run(source, *flags):
        return cli("import-weights", source, "--out", tmp_path / "new.safetensors", "--labels", labels, *flags)

    return run


@pytest.fixture
def caffe(tmp_path):
    """A random GoogLeNet under the names of the Caffe model."""
    torch.manual_seed(0)
    state = build_network(Card(labels=NAMES)).state_dict()
    save_file({caffe_name(name): value.contiguous() for name, value in state.items()}, tmp_path / "caffe.safetensors")
    return tmp_path / "caffe.safetensors", state


def test_caffe_model_keeps_every_weight(bring, caffe, tmp_path):
    source, state = caffe
    result = bring(source)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "googlenet, 5 classes, without auxiliary heads" in result.stderr
    network, card = load_network(tmp_path / "new.safetensors")
    assert (card.arch, card.task, card.labels, card.heads) == ("googlenet", "classifier", NAMES, False)
    assert (card.preprocessing.order, card.preprocessing.mean) == ("BGR", (104.0, 117.0, 123.0))
    assert network.state_dict().keys() == state.keys()
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_checkpoint_that_exists_is_kept_unless_overwritten(bring, caffe, tmp_path):
    (tmp_path / "new.safetensors").write_text("mine")
    result = bring(caffe[0])
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_EXISTS")
    assert (tmp_path / "new.safetensors").read_text() == "mine"
    assert bring(caffe[0], "--overwrite").exit_code == 0


def test_number_of_labels_must_fit(cli, caffe, tmp_path):
    result = cli("import-weights", caffe[0], "--out", tmp_path / "new.safetensors")
    assert (result.exit_code, result.stderr.split(": ")[1]) == (3, "MODEL_INVALID")
    assert not (tmp_path / "new.safetensors").exists()


def test_torchvision_state_dict_becomes_googlenet_bn(bring, tmp_path):
    torch.manual_seed(0)
    model = torchvision.models.googlenet(weights=None, num_classes=5, aux_logits=False, init_weights=False)
    torch.save(model.state_dict(), tmp_path / "tv.pth")
    result = bring(tmp_path / "tv.pth")
    assert result.exit_code == 0, result.stderr
    network, card = load_network(tmp_path / "new.safetensors")
    assert (card.arch, card.heads, card.labels) == ("googlenet-bn", False, NAMES)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(image).main, model.eval()(image), rtol=1e-4, atol=1e-5)


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self.marker}'",)


def test_pickle_with_code_is_refused_and_never_run(bring, tmp_path):
    marker = tmp_path / "marker"
    torch.save({"conv1.conv.weight": Malicious(marker)}, tmp_path / "evil.pth")
    (tmp_path / "plain.safetensors").write_bytes(pickle.dumps(Malicious(marker)))
    for name in ("evil.pth", "plain.safetensors"):
        result = bring(tmp_path / name)
        assert (result.exit_code, result.stderr.split(": ")[1]) == (3, "MODEL_INVALID")
        assert result.stderr.count("\n") == 1
        assert not marker.exists()
    assert not (tmp_path / "new.safetensors").exists()


def test_a_pickle_that_never_ends_is_given_up(bring, monkeypatch, tmp_path):
    torch.save({"conv1.conv.weight": torch.zeros(1)}, tmp_path / "slow.pth")
    monkeypatch.setattr(importing, "_SECONDS", 0.001)  # no Python starts within a millisecond
    result = bring(tmp_path / "slow.pth")
    assert (result.exit_code, "could not be read within 0.001 seconds" in result.stderr) == (3, True)


def test_sources_that_are_missing_or_unknown(bring, tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    for name, code in (
        ("gone.safetensors", "MODEL_MISSING"),
        ("gone.pth", "MODEL_MISSING"),
        ("other.safetensors", "MODEL_UNKNOWN"),
    ):
        result = bring(tmp_path / name)
        assert (result.exit_code, result.stderr.split(": ")[1]) == (3, code)


def test_label_lists_that_are_missing(cli, caffe, tmp_path):
    for name, code in (("nolist", "LABELS_UNKNOWN"), ("no.txt", "LABELS_UNREADABLE")):
        result = cli("import-weights", caffe[0], "--out", tmp_path / "new.safetensors", "--labels", name)
        assert (result.exit_code, result.stderr.split(": ")[1]) == (3, code)


def test_folder_that_does_not_exist_is_status_2(cli, caffe, labels, tmp_path):
    result = cli("import-weights", caffe[0], "--out", tmp_path / "none" / "new.safetensors", "--labels", labels)
    assert (result.exit_code, result.stderr.split(": ")[1]) == (2, "OUT_UNWRITABLE")


def test_torchvision_downloads_its_own_on_the_users_word(bring, monkeypatch, tmp_path):
    asked = []
    torch.manual_seed(0)
    state = torchvision.models.googlenet(num_classes=5, aux_logits=True, init_weights=False).state_dict()
    kind = torchvision.models.GoogLeNet_Weights

    def give(self, **options):
        asked.append(options)
        return state

    monkeypatch.setattr(kind, "get_state_dict", give)
    result = bring("torchvision")
    assert result.exit_code == 0, result.output
    assert asked == [{"check_hash": True, "weights_only": True, "progress": False}]
    network, card = load_network(tmp_path / "new.safetensors")
    assert (card.arch, card.heads) == ("googlenet-bn", True)
    assert torch.equal(network.state_dict()["conv1.conv.weight"], state["conv1.conv.weight"])


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("invalid hash value\nsecond line")])
def test_a_download_that_fails_is_one_line_with_the_way_out(bring, monkeypatch, tmp_path, error):
    def fail(self, **options):
        raise error

    monkeypatch.setattr(torchvision.models.GoogLeNet_Weights, "get_state_dict", fail)
    result = bring("torchvision")
    assert result.exit_code == 3
    assert len(result.stderr.splitlines()) == 1
    assert "DOWNLOAD_FAILED" in result.stderr
    assert "import the file" in result.stderr
    assert not (tmp_path / "new.safetensors").exists()
