"""Who is served: fault 95, from requests as browsers and others send them."""

import asyncio

import pytest
from served import application, ask, client, flat

SECRET = "t0ken"


@pytest.fixture(scope="module")
def app():
    return application()


@pytest.mark.parametrize("host", ["127.0.0.1:8014", "localhost:8014", "LOCALHOST", "[::1]:8014", "127.0.0.1"])
def test_names_of_this_machine_are_answered(app, host):
    assert ask(app, "/health", method="GET", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8014", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1", "10.0.0.1"],
)
def test_a_name_that_somebody_else_s_dns_points_here_is_not(app, host):
    for path, method in (("/health", "GET"), ("/", "GET"), ("/api/detect", "POST")):
        answer = ask(app, path, flat("red") if method == "POST" else b"", method, {"host": host})
        assert (answer.status_code, answer.json()["code"]) == (403, "HOST_REFUSED")


def test_a_name_can_be_allowed():
    app = application(hosts=frozenset({"photos.lan"}))
    assert ask(app, "/health", method="GET", headers={"host": "photos.lan:80"}).status_code == 200
    assert ask(app, "/health", method="GET").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused(app, headers):
    answer = ask(app, content=flat("red"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_REFUSED")
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_page_and_programs_are_served(app):
    own = {"origin": "http://127.0.0.1:8014", "host": "127.0.0.1:8014", "sec-fetch-site": "same-origin"}
    assert ask(app, content=flat("red"), headers=own).status_code == 200
    assert ask(app, "/", method="GET", headers={"sec-fetch-site": "none"}).status_code == 200
    assert ask(app, content=flat("red")).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""]
)
def test_what_a_form_of_another_site_can_send_is_no_image(app, kind):
    answer = ask(app, content=flat("red"), headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "TYPE_REFUSED")


@pytest.mark.parametrize(
    "given", [None, "", "Bearer ", "Bearer wrong", SECRET + "x", "Bearer " + SECRET[:-1], "Bearer é"]
)
def test_off_this_machine_a_token_is_needed(given):
    app = application(token=SECRET)
    headers = {} if given is None else {"authorization": given.encode("latin-1")}
    for path, method in (
        ("/api/detect", "POST"),
        ("/api/look", "POST"),
        ("/api/model", "GET"),
        ("/openapi.json", "GET"),
    ):
        answer = ask(app, path, flat("red") if method == "POST" else b"", method, headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "TOKEN_MISSING")


def test_with_the_token_it_serves_and_the_page_needs_none():
    app = application(token=SECRET)
    assert ask(app, content=flat("red"), headers={"authorization": f"Bearer {SECRET}"}).status_code == 200
    assert ask(app, "/", method="GET").status_code == 200
    assert ask(app, "/health", method="GET").status_code == 200


@pytest.mark.parametrize(("path", "headers"), [("/", {}), ("/health", {}), ("/nothing", {}), ("/", {"host": "evil"})])
def test_every_answer_keeps_the_page_to_itself(app, path, headers):
    told = ask(app, path, method="GET", headers=headers).headers
    policy = told["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (told["x-content-type-options"], told["cache-control"]) == ("nosniff", "no-store")


def test_no_other_protocol_is_spoken(app):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_preflight_of_another_site_is_granted_nothing(app):
    async def asked():
        async with client(app) as asking:
            headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
            return await asking.options("/api/detect", headers=headers)

    answer = asyncio.run(asked())
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]
