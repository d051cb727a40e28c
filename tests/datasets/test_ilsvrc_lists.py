"""The lists of a DET tree as they come: joined, of one class, numbered by somebody else, and where pictures lie."""

import pytest
from data_faults import code_of, codes
from shared_data import SHARED, needs_shared
from tiny_archives import write_tar
from tiny_ilsvrc import annotation, devkit, thing

from googlenet_rcnn.datasets.ilsvrc import read_ilsvrc
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.tree import read_dataset

ZEBRA, ANT = annotation(thing("zebra", (0, 9, 0, 9))), annotation(thing("n02219486", (0, 9, 0, 9)))
OLD, NEW = "n02391049_1", "ILSVRC2014_train_00000001"


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def release_2014(root):
    """As the archives of 2013 and 2014 unpack: a devkit with lists, folders of pictures, folders of annotations."""
    lists = root / "ILSVRC2014_devkit/data/det_lists"
    write(lists / "val.txt", "v1 1\nv2 2\nv3 3\nv4 4\n")
    write(lists / "val1.txt", "v3 1\nv2 2\n")  # R-CNN counts within its lists
    write(lists / "val2.txt", "v4\n")
    write(lists / "test.txt", "t1 1\n")
    write(lists / "train_pos_1.txt", f"n02391049/{OLD}\nILSVRC2014_train_0000/{NEW}\n")
    write(lists / "train_pos_10.txt", f"ILSVRC2014_train_0000/{NEW}\nILSVRC2013_train_extra0/gone\n")
    write(lists / "train_pos_2.txt", "n02219486/n02219486_7\n")
    write(lists / "train_part_1.txt", "n02219486/n02219486_8\n")
    write(lists / "train_neg_1.txt", "n02219486/n02219486_9\n")
    write(lists.parent / "ILSVRC2014_det_validation_blacklist.txt", "1 n02391049\n3 n02391049\n4 n02219486\n")
    write(lists.parent / "ILSVRC2014_clsloc_validation_blacklist.txt", "36\n50\n")
    for name in ("v1", "v2", "v3", "v4"):
        write(root / f"ILSVRC2013_DET_bbox_val/{name}.xml", ZEBRA)
        write(root / f"ILSVRC2013_DET_val/{name}.JPEG", "")
    write(root / "ILSVRC2013_DET_test/t1.JPEG", "")
    for folder, name, xml in (
        ("n02391049", OLD, ZEBRA), ("n02219486", "n02219486_7", ANT), ("ILSVRC2014_train_0000", NEW, ANT)
    ):  # fmt: skip
        write(root / f"ILSVRC2014_DET_bbox_train/{folder}/{name}.xml", xml)
        write(root / f"ILSVRC2014_DET_train/{folder}/{name}.JPEG", "")
    return root


def release_2017(root):
    """As the one archive of 2015 to 2017 unpacks, with the devkit of its own."""
    lists, pictures, boxes = root / "ILSVRC/ImageSets/DET", root / "ILSVRC/Data/DET", root / "ILSVRC/Annotations/DET"
    write(lists / "val.txt", "v1 1\nv2 2\nv3 3\nv4 4\n")
    write(lists / "val1.txt", "v3 1\nv2 2\n")
    write(lists / "val2.txt", "v4\n")
    write(lists / "test.txt", "t1 1\n")
    old, new = f"ILSVRC2013_train/n02391049/{OLD}", f"ILSVRC2014_train_0000/{NEW}"
    write(lists / "train_1.txt", f"{old} 1\n{new} 1\nILSVRC2013_train/n02219486/n02219486_8 0\nx/n02219486_9 -1\n")
    write(lists / "train_10.txt", f"{new} 1\nILSVRC2013_train_extra0/gone 1\n")
    write(lists / "train_2.txt", f"{old} -1\nILSVRC2013_train/n02219486/n02219486_7 1\n")
    blacklist = "1 n02391049\n3 n02391049\n4 n02219486\n"
    write(root / "ILSVRC/devkit/data/ILSVRC2015_det_validation_blacklist.txt", blacklist)
    write(root / "ILSVRC/devkit/data/ILSVRC2015_clsloc_validation_blacklist.txt", "36\n50\n")
    for name in ("v1", "v2", "v3", "v4"):
        write(boxes / f"val/{name}.xml", ZEBRA)
        write(pictures / f"val/{name}.JPEG", "")
    write(pictures / "test/t1.JPEG", "")
    for place, xml in ((old, ZEBRA), ("ILSVRC2013_train/n02219486/n02219486_7", ANT), (new, ANT)):
        write(boxes / f"train/{place}.xml", xml)
        write(pictures / f"train/{place}.JPEG", "")
    return root


each_release = pytest.mark.parametrize("release", [release_2014, release_2017])


def seen(data):
    """Name, number, whether all is annotated, and number of objects of each image."""
    return [(s.path.stem, s.number, s.exhaustive, s.truth and len(s.truth)) for s in data.samples]


@each_release
def test_part_of_val_and_the_positives_of_train(tmp_path, release):
    data = read_dataset(release(tmp_path), "val1+train")
    assert seen(data) == [
        ("v3", 3, True, 1), ("v2", 2, True, 1),  # numbered as in val, whatever val1 says
        (OLD, None, False, 1), (NEW, None, True, 1), ("n02219486_7", None, False, 1),
    ]  # fmt: skip
    assert all(sample.path.is_file() for sample in data.samples)
    assert data.excluded == ((0, 199),)
    assert codes(data) == ["NO_ANNOTATION"]  # an image without any object, which the devkit says may lack its file
    assert "1 of 4 images" in str(data.findings[0])
    assert seen(read_dataset(tmp_path, "val1+train_pos")) == seen(data)


@each_release
def test_every_split_has_its_pictures(tmp_path, release):
    release(tmp_path)
    for split, names in (("val", ["v1", "v2", "v3", "v4"]), ("val2", ["v4"]), ("test", ["t1"])):
        data = read_dataset(tmp_path, split)
        assert [sample.path.stem for sample in data.samples] == names
        assert all(sample.path.is_file() for sample in data.samples)
    assert seen(read_dataset(tmp_path, "val2")) == [("v4", 4, True, 1)]  # no number there at all
    assert seen(read_dataset(tmp_path, "test")) == [("t1", 1, True, None)]


def test_joined_lists_count_as_one(tmp_path):
    data = read_ilsvrc(release_2014(tmp_path), "val2+val1+val2")
    assert [sample.number for sample in data.samples] == [4, 3, 2]
    assert data.excluded == ((1, 199), (0, 2))
    both = read_ilsvrc(tmp_path, "train_pos_1+train_pos_10")
    assert [name for name, *_ in seen(both)] == [OLD, NEW]  # one image shows both classes
    assert codes(both) == ["NO_ANNOTATION"]


def test_the_lists_of_2013_name_files_without_folders(tmp_path):
    release_2014(tmp_path)
    write(tmp_path / "ILSVRC2014_devkit/data/det_lists/train_pos_1.txt", f"{OLD}\n")
    (sample,) = read_ilsvrc(tmp_path, "train_pos_1").samples
    assert sample.path == tmp_path / f"ILSVRC2014_DET_train/n02391049/{OLD}.JPEG"


def test_pictures_that_are_not_there_have_a_place(tmp_path):
    devkit(tmp_path, {OLD: ZEBRA}, [OLD], split="train_pos_1")
    (sample,) = read_ilsvrc(tmp_path, "train_pos_1").samples
    assert sample.path == tmp_path / f"ILSVRC2013_DET_train/n02391049/{OLD}.JPEG"


def test_annotations_may_stay_in_their_archives(tmp_path):
    release_2014(tmp_path)
    loose = seen(read_ilsvrc(tmp_path, "val1+train"))
    for kind, year in (("val", 2013), ("train", 2014)):
        folder = tmp_path / f"ILSVRC{year}_DET_bbox_{kind}"
        files = [(path, path.relative_to(tmp_path).as_posix()) for path in sorted(folder.rglob("*.xml"))]
        write_tar(tmp_path / f"{folder.name}.tgz", [(name, path.read_bytes()) for path, name in files])
        for path, _ in files:
            path.unlink()
    assert seen(read_ilsvrc(tmp_path, "val1+train")) == loose
    assert seen(read_ilsvrc(TextTree(tmp_path), "val2")) == [("v4", 4, True, 1)]


def test_a_list_of_its_own_name_comes_before_the_lists_of_classes(tmp_path):
    release_2014(tmp_path)
    write(
        tmp_path / "ILSVRC2014_devkit/data/det_lists/train.txt", f"n02391049/{OLD} 1\nILSVRC2014_train_0000/{NEW} 2\n"
    )
    assert [(name, number) for name, number, *_ in seen(read_ilsvrc(tmp_path, "train"))] == [(OLD, None), (NEW, None)]
    assert len(read_ilsvrc(tmp_path, "train_pos").samples) == 3


def test_train_without_any_annotation_is_an_error(tmp_path):
    release_2014(tmp_path)
    for path in (tmp_path / "ILSVRC2014_DET_bbox_train").rglob("*.xml"):
        path.unlink()
    assert code_of(lambda: read_ilsvrc(tmp_path, "val1+train"), "of split train") == "ANN_MISSING"


def test_numbers_of_two_lists_that_clash_are_refused(tmp_path):
    release_2014(tmp_path)
    assert code_of(lambda: read_ilsvrc(tmp_path, "val+test"), "test.txt:1", "val.txt:1") == "DUPLICATE_ID"
    (tmp_path / "ILSVRC2014_devkit/data/det_lists/val.txt").unlink()
    write(tmp_path / "ILSVRC2014_devkit/data/det_lists/val2.txt", "v4 1\n")
    assert code_of(lambda: read_ilsvrc(tmp_path, "val1+val2"), "val2.txt:1") == "DUPLICATE_ID"


@pytest.mark.parametrize("split", ["val1+", "+val1", "val1+val9"])
def test_a_list_that_is_not_there_is_named(tmp_path, split):
    assert code_of(lambda: read_ilsvrc(release_2014(tmp_path), split), "there is no list") == "SPLIT_MISSING"


@needs_shared
def test_the_blacklisted_images_of_the_devkit_are_in_neither_half():
    folder = SHARED / "ilsvrc_det"
    rows = (folder / "ILSVRC2014_det_validation_blacklist.txt").read_text().split("\n")
    pairs = [row.split() for row in rows if row]
    assert (len(pairs), len({number for number, _ in pairs})) == (409, 317)
    numbers = {row.split()[1] for row in (folder / "val2.txt").read_text().splitlines()}
    assert len(numbers) == 9917
    assert not numbers & {number for number, _ in pairs}
