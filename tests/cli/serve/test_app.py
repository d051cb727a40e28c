"""What the server answers to good requests, and that it knows nothing else."""

import json

import numpy as np
import pytest
from hostile import encoded, half_jpeg, with_orientation
from parsed_page import ParsedPage
from served import FACTS, application, ask, flat, looks

from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.cli.rows import found_row
from googlenet_rcnn.cli.serve.look import Asked, Looks, upload
from googlenet_rcnn.core.images import decode_image


@pytest.fixture(scope="module")
def app():
    return application()


def test_the_row_is_that_of_the_command(app):
    data = flat("red")
    answer = ask(app, "/api/detect?name=my%20photo.png", data)
    assert answer.status_code == 200
    detector = looks().detectors["colours", "fast"]
    result = detector.detect(decode_image(data).pixels)
    expected = found_row(ImageFile("my photo", "my photo.png"), result.detections, detector.labels, 1, {}, ())
    assert {**answer.json(), "ms": {}} == expected
    assert set(answer.json()["ms"]) == {"decode", "propose", "warp", "classify"}
    assert answer.json()["detections"][0]["label"] == "red"


def test_stages_come_in_order_and_end_with_the_likeliest_classes(app):
    lines = [json.loads(line) for line in ask(app, "/api/look", flat("blue")).text.splitlines()]
    assert [line["stage"] for line in lines] == ["image", "proposals", "detections", "classes"]
    image, proposals, detections, classes = lines
    assert (image["width"], image["height"]) == (20, 10)
    assert (proposals["count"], proposals["boxes"]) == (1, [[0, 0, 20, 10]])
    assert detections["row"]["detections"][0]["label"] == detections["shown"][0]["label"] == "blue"
    assert [one["label"] for one in classes["top"]] == ["blue", "red", "green"]
    assert classes["of"] == "boxes"


def test_a_classifier_of_whole_images_says_the_likeliest_where_there_is_one():
    class Eye:
        labels = looks().detectors["colours", "fast"].labels

        def probabilities(self, image):
            return np.array([0.1, 0.7, 0.2])

    one = looks()
    with_eye = Looks(one.detectors, one.policy, Eye())
    *_, last = with_eye.stages(flat("red"), Asked("colours", "fast", None, upload("a")))
    assert last == {
        "stage": "classes", "of": "image",
        "top": [{"label": "green", "score": 0.7}, {"label": "blue", "score": 0.2}, {"label": "red", "score": 0.1}],
    }  # fmt: skip


def test_the_page_can_show_less_certain_detections_than_the_row(app):
    pixels = np.zeros((10, 20, 3), np.uint8)
    pixels[:, :5] = (255, 0, 0)
    stages = [json.loads(line) for line in ask(app, "/api/look", encoded(pixels, "PNG")).text.splitlines()]
    assert stages[2]["row"]["detections"] == []
    assert 0.05 <= stages[2]["shown"][0]["score"] < 0.5
    row = ask(app, "/api/detect?threshold=0.1", encoded(pixels, "PNG")).json()
    assert [one["label"] for one in row["detections"]] == ["red"]


def test_orientation_is_that_of_the_command(app):
    row = ask(app, content=with_orientation(6)).json()
    assert (row["width"], row["height"]) == (20, 40)


def test_an_image_that_cannot_be_read_is_a_failed_row(app):
    answer = ask(app, "/api/detect?name=half.jpg", half_jpeg())
    assert answer.status_code == 422
    row = answer.json()
    assert (row["status"], row["code"], row["path"], row["detections"]) == ("failed", "IMG_TRUNCATED", "half.jpg", [])


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\me\\cat.jpg", "cat.jpg"),
        ("", "upload"),
        ("/", "upload"),
        ("a" * 999, "a" * 200),
    ],
)
def test_no_folder_of_the_client_is_told_on(name, path):
    assert upload(name).path == path


@pytest.mark.parametrize(
    "query",
    [
        "url=http://169.254.169.254/",
        "model=other",
        "mode=slow",
        "threshold=2",
        "threshold=nan",
        "threshold=x",
        "path=/etc",
    ],
)
def test_unknown_parameters_and_values_are_refused(app, query):
    answer = ask(app, f"/api/detect?{query}", flat("red"))
    assert (answer.status_code, answer.json()["code"]) == (422, "PARAMETER")


def test_the_page_is_there_with_all_it_needs_and_nothing_else(app):
    text = ask(app, "/", method="GET").text
    wanted = [one for one in ParsedPage(text).addresses() if one != "data:,"]
    assert sorted(wanted) == ["app.css", "app.js", "overlay.css", "overlay.js"]
    for name in wanted:
        assert ask(app, f"/{name}", method="GET").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/web/report.html",
        "/report.html",
        "/app.js/%2e%2e",
        "//etc/passwd",
        "/docs",
    ],
)
def test_no_other_file_can_be_had(app, path):
    answer = ask(app, path, method="GET")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_the_description_names_every_way_to_ask(app):
    told = ask(app, "/openapi.json", method="GET").json()
    assert sorted(told["paths"]) == ["/api/detect", "/api/look", "/api/model", "/health"]
    post = told["paths"]["/api/detect"]["post"]
    assert [one["name"] for one in post["parameters"]] == ["model", "mode", "threshold", "name"]
    assert {"403", "408", "413", "415", "422", "429", "504"} <= set(post["responses"])
    assert "image/*" in post["requestBody"]["content"]


def test_models_are_told_with_their_colours_and_limits(app):
    told = ask(app, "/api/model", method="GET").json()
    assert told["models"] == FACTS
    assert set(told["colours"]) == {"red", "green", "blue"}
    assert told["limits"]["bytes"] == 2**20


def test_methods_that_a_way_does_not_know_are_refused(app):
    assert ask(app, "/api/detect", method="GET").json()["code"] == "METHOD_REFUSED"
    assert ask(app, "/health", b"x").json()["code"] == "METHOD_REFUSED"


def test_a_fault_of_ours_says_nothing_of_the_inside(capsys):
    class Broken:
        def propose(self, image):
            raise RuntimeError("secret of the inside\nmore")

    answer = ask(application(Broken()), content=flat("red"))
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text
    assert "RuntimeError: secret of the inside" in capsys.readouterr().err
