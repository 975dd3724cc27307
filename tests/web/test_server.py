"""The command, and the server with a socket."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from seq2seq.web.catalogue import Catalogue
from tests.test_scripts import ROOT

pytest.importorskip("waitress", reason="pip install 'mxseq2seq[web]'")
from seq2seq.web.server import OPTIONS, hosts_of, make_server

WORDS = [sys.executable, "-m", "seq2seq", "serve"]
ANYWHERE = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def port(solved, attentive, reading):
    """The port of a server in a thread."""
    server, port = make_server(Catalogue([each.run.path for each in (solved, attentive, reading)]), 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield port
    server.close()


def ask(connection, name, source):
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/api/runs/{name}/ask", json.dumps({"source": source}), headers)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())


def test_a_thousand_questions_of_twenty_clients_are_all_answered(port, attentive, solved):
    questions = [f"{number % 3}+{number % 4}" for number in range(1000)]
    right = {(solver, each): solver(each) for each in {*questions} for solver in (attentive, solved)}

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        solver = (attentive, solved)[number % 2]
        for question in questions[number::20]:
            status, answer = ask(connection, solver.run.path.name, question)
            assert (status, answer["text"]) == (200, right[solver, question])
        connection.close()
        return len(questions[number::20])

    with ThreadPoolExecutor(20) as clients:
        assert sum(clients.map(client, range(20))) == 1000


def test_others_are_answered_while_a_text_is_written(port, solved):
    writing = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"source": "the ", "characters": 2000})
    writing.request("POST", "/api/runs/reading/continue", body, {"Content-Type": "application/json"})
    reply = writing.getresponse()
    first = json.loads(reply.readline())["text"]
    assert len(first) < 2000
    assert ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), "sums", "1+2")[1]["text"] == solved("1+2")
    rest = [json.loads(line)["text"] for line in reply.read().splitlines()]
    assert len(first + "".join(rest)) == 2000


def test_a_body_that_is_too_large_is_refused(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/runs/sums/ask", b"x" * 20_000, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 413


def test_head_leaves_the_connection_as_it_is(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("HEAD", "/api/runs")
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b"") and int(reply.headers["Content-Length"]) > 100
    assert ask(connection, "sums", "1+2")[0] == 200


def test_a_hundred_idle_connections_shut_nobody_out(port):
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    assert ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "sums", "1+2")[0] == 200
    for connection in idle:
        connection.close()


def test_idle_connections_are_closed_and_others_get_their_place(solved, monkeypatch):
    monkeypatch.setitem(OPTIONS, "connection_limit", 20)
    monkeypatch.setitem(OPTIONS, "channel_timeout", 1)
    server, port = make_server(Catalogue([solved.run.path]), 0)
    threading.Thread(target=server.run, daemon=True).start()
    idle = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(30)]
    assert ask(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "sums", "1+2")[0] == 200
    assert [connection.recv(1) for connection in idle] == [b""] * 30
    server.close()


def test_a_client_that_goes_away_is_no_news_for_the_terminal(port, monkeypatch, caplog):
    lost = threading.Event()

    def recv(self, size):
        lost.set()
        raise ConnectionResetError("reset by the client")

    with monkeypatch.context() as patched:
        patched.setattr("waitress.channel.HTTPChannel.recv", recv)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n")
            assert lost.wait(30)
            with suppress(ConnectionResetError):  # what was not read resets the connection
                assert connection.recv(1) == b""
    assert caplog.records == []


def test_only_this_machine_can_reach_it(port):
    assert hosts_of(80) == {"127.0.0.1", "localhost"}
    for address in {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}:
        if not address.startswith("127."):
            with pytest.raises(OSError):
                socket.create_connection((address, port), timeout=5)


@contextmanager
def serving(folder, *arguments):
    """The command, which is interrupted at the end, and the first line that it prints."""
    options = {"cwd": folder, "env": ANYWHERE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*WORDS, *arguments, "--port", "0"], **options) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.send_signal(signal.SIGINT)
            process.out, process.err = process.communicate(timeout=30)


def test_the_command_prints_its_address_and_ends_with_ctrl_c(solved, tmp_path):
    with serving(tmp_path, str(solved.run.path)) as (process, address):
        port = int(address.removeprefix("http://127.0.0.1:").removesuffix("/\n"))
        assert ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), "sums", "1+2")[1]["text"] == "3"
    assert (process.returncode, process.out, process.err) == (0, "", "")


def test_another_address_is_served_under_the_names_that_are_allowed_and_without_a_password(solved, tmp_path):
    options = ["--host", "0.0.0.0", "--allow-host", "sums.example"]
    with serving(tmp_path, str(solved.run.path), *options) as (process, address):
        port = int(address.removeprefix("http://sums.example:").removesuffix("/\n"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for headers, status in [
            ({"Host": f"sums.example:{port}"}, 200),
            ({"Host": "Sums.example", "Origin": "https://sums.example", "Sec-Fetch-Site": "same-origin"}, 200),
            ({"Host": f"0.0.0.0:{port}"}, 421),
            ({"Host": "other.example"}, 421),
            ({"Host": "sums.example", "Origin": "https://other.example"}, 403),
        ]:
            connection.request("GET", "/api/runs", headers=headers)
            reply = connection.getresponse()
            assert (reply.read() and reply.status) == status
    assert process.err == "seq2seq serve: there is no password: put it behind a proxy that asks for one\n"


def test_what_is_wrong_is_one_line(tmp_path, port):
    for arguments, status, message in [
        (["nowhere", "--port", "0"], 1, "seq2seq serve: nowhere: holds no run (there is no config.json)"),
        (
            ["--port", "99999"],
            2,
            "seq2seq serve: argument --port: got '99999', but it must be a number from 0 to 65535",
        ),
        (["--host", "0.0.0.0", "--port", "0"], 2, "seq2seq serve: --host: others can reach 0.0.0.0, so --allow-host"),
        (["--host", "203.0.113.1", "--allow-host", "a", "--port", "0"], 1, "seq2seq serve: host: got '203.0.113.1'"),
        (["--allow-host", "http://a"], 2, "seq2seq serve: argument --allow-host: got 'http://a', but it must be"),
        (["--port", str(port)], 1, f"seq2seq serve: port: {port} cannot be used: another program has it; choose"),
    ]:
        result = subprocess.run([*WORDS, *arguments], cwd=tmp_path, env=ANYWHERE, capture_output=True, text=True)
        assert (result.returncode, result.stdout) == (status, "")
        assert result.stderr.splitlines()[-1].startswith(message) and "Traceback" not in result.stderr
