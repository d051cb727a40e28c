"""Which synset of ILSVRC DET each class of PASCAL VOC is."""

__all__ = ["VOC_SYNSETS"]

VOC_SYNSETS = {
    "aeroplane": "n02691156",  # airplane
    "bicycle": "n02834778",
    "bird": "n01503061",
    "boat": "n04530566",  # watercraft
    "bus": "n02924116",
    "car": "n02958343",
    "cat": "n02121808",  # domestic cat
    "chair": "n03001627",
    "cow": "n02402425",  # cattle
    "diningtable": "n04379243",  # table
    "dog": "n02084071",
    "horse": "n02374451",
    "motorbike": "n03790512",  # motorcycle
    "person": "n00007846",
    "sheep": "n02411705",
    "sofa": "n04256520",
    "train": "n04468005",
    "tvmonitor": "n03211117",  # tv or monitor
}
"""DET has water bottles and wine bottles but no bottles, and no potted plants."""
