"""The server on a real socket: clients that are slow, that leave, that send too much, and the command itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import stub_detector
from command_errors import codes
from served import Gate, application, connected, flat, heard, running

HEAD = b"POST /api/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def wait(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture(scope="module")
def hasty():
    """A server without patience: a second for headers, as long for a body."""
    with running(application(limits={"body_seconds": 1.0}), headers_seconds=1.0) as port:
        yield port


@pytest.fixture(scope="module")
def patient():
    """A server that waits longer than these tests take."""
    with running(application(limits={"body_seconds": 60.0}), headers_seconds=60.0) as port:
        yield port


@pytest.mark.parametrize("said", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_headers_that_never_end_are_given_up(hasty, said):
    with connected(hasty) as raw:
        raw.sendall(said)
        assert status(heard(raw)) == 408


def test_dripping_does_not_buy_time(hasty):
    def drip(raw):
        raw.sendall(b"GET / HTTP/1.1\r\n")
        for number in range(1000):
            raw.sendall(b"X-%d: y\r\n" % number)
            time.sleep(0.02)

    with connected(hasty) as raw, pytest.raises(OSError):  # it hangs up while more is sent
        drip(raw)


@pytest.mark.parametrize("path", [b"/nothing", b"/api/detect?mode=other"])
def test_a_body_that_drips_on_after_its_answer_is_given_up(hasty, path):
    def drip(raw):
        for _ in range(1000):
            raw.sendall(b"x")
            time.sleep(0.02)

    with connected(hasty) as raw:
        raw.sendall(HEAD.replace(b"/api/detect", path) + b"Content-Length: 100000\r\n\r\n")
        assert status(raw.recv(65_536)) in (404, 422)
        with pytest.raises(OSError):
            drip(raw)


def test_a_second_request_on_a_connection_has_the_same_limit(hasty):
    with connected(hasty) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert raw.recv(65_536).startswith(b"HTTP/1.1 200")
        raw.sendall(b"GET /hea")
        assert b"408 Request Timeout" in heard(raw)


def test_a_body_that_stops_coming_is_given_up(hasty):
    with connected(hasty) as raw:
        raw.sendall(HEAD + b"Content-Length: 1000\r\n\r\nabc")
        answer = heard(raw)
        assert status(answer) == 408
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "BODY_SLOW"


def test_a_hundred_slow_clients_do_not_keep_others_from_being_served(patient):
    slow = [socket.create_connection(("127.0.0.1", patient)) for _ in range(100)]
    try:
        for raw in slow:
            raw.sendall(b"GET / HTTP/1.1\r\nX: ")
        with connected(patient) as raw:
            data = flat("red")
            raw.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
            assert status(heard(raw)) == 200
    finally:
        for raw in slow:
            raw.close()


def test_a_chunked_body_without_length_is_cut_off(patient):
    with connected(patient) as raw:
        raw.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + bytes(65_536) + b"\r\n"
        for _ in range(17):
            raw.sendall(chunk)
        raw.sendall(b"0\r\n\r\n")
        assert status(heard(raw)) == 413


def test_a_length_that_is_too_large_is_refused_at_once(patient):
    with connected(patient) as raw:
        raw.sendall(HEAD + b"Content-Length: 999999999999\r\n\r\n")
        assert status(heard(raw)) == 413


@pytest.mark.parametrize("bad", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", HEAD + b"Content-Length: -1\r\n\r\n"])
def test_what_is_no_http_is_told_so(hasty, bad):
    with connected(hasty) as raw:
        raw.sendall(bad)
        assert status(heard(raw)) in (400, 408)


def test_who_leaves_frees_the_place_and_stops_the_work():
    gate = Gate()
    with running(application(gate, workers=1, waiting=0)) as port:
        data = flat("red")
        with connected(port) as raw:
            raw.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(data) + data)
            wait(lambda: gate.came == 1)

        def busy():
            with connected(port) as asking:
                asking.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return json.loads(heard(asking).partition(b"\r\n\r\n")[2])["requests"]

        wait(lambda: busy() == 0)
        gate.opened.set()


def serve(*flags, **environment):
    """The command with parts that need no weights."""
    support = os.path.dirname(stub_detector.__file__)
    code = f"import sys; sys.path.insert(0, {support!r}); import stub_detector; stub_detector.install()\n"
    code += "from googlenet_rcnn.cli.main import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", *flags]
    told = os.environ | {"OMP_NUM_THREADS": "1"} | environment
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=told)


def told_address(process):
    """The address that a server prints once it is ready, and its port."""
    line = next(line for line in process.stderr if line.startswith("serving "))
    address = line.partition(" on ")[2].split()[0]
    return address, int(address.split(":")[2].split("/")[0])


def test_the_command_serves_until_it_is_interrupted():
    with serve() as process:
        address, port = told_address(process)
        assert "#" not in address
        data = flat("red")
        with connected(port) as raw:
            raw.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
            row = json.loads(heard(raw).partition(b"\r\n\r\n")[2])
        assert row["detections"][0]["label"] == "red"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


def test_off_this_machine_it_prints_a_token_and_asks_for_it():
    with serve("--host", "0.0.0.0", "--allow-host", "photos.lan", GOOGLENET_RCNN_TOKEN="s3cret") as process:
        address, port = told_address(process)
        assert address.endswith("#token=s3cret")
        for given, expected in ((b"", 403), (b"Authorization: Bearer s3cret\r\n", 200)):
            with connected(port) as raw:
                raw.sendall(b"GET /api/model HTTP/1.1\r\nHost: photos.lan\r\nConnection: close\r\n" + given + b"\r\n")
                assert status(heard(raw)) == expected
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--host", "0.0.0.0"), "HOST_UNKNOWN"),
        (("--host", "192.0.2.1"), "PORT_TAKEN"),
        (("--port", "99999"), "PORT_TAKEN"),
    ],
)
def test_addresses_that_cannot_be_had_are_told(cli, flags, code):
    result = cli("serve", *flags)
    assert (result.exit_code, codes(result)) == (2, [code])


def test_a_port_that_is_taken_is_told(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = cli("serve", "--port", taken.getsockname()[1])
    assert (result.exit_code, codes(result)) == (2, ["PORT_TAKEN"])


def test_without_the_extra_it_says_what_to_install(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = cli("serve")
    assert (result.exit_code, codes(result)) == (2, ["EXTRA_MISSING"])
    assert "googlenet-rcnn[serve]" in result.stderr
