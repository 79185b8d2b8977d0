"""More than a page takes is refused before it is read: by the server that serves in production, over a socket."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from exchange.incoming_files import limits
from exchange.upload_limit import most_bytes

MB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path, int]]:
    """gunicorn as `launch` starts it, with one process; its port, its folder for temporary files, its worker's pid."""
    folder = tmp_path_factory.mktemp("spool")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi:application",
        "--workers",
        "1",
        "--threads",
        "4",
    ]
    command += [
        "--worker-class",
        "gthread",
        "--timeout",
        "60",
        "--bind",
        f"127.0.0.1:{port}",
        "--no-control-socket",
    ]
    child = subprocess.Popen(command, cwd=settings.BASE_DIR, env={**os.environ, "TMPDIR": str(folder)})
    try:
        for _ in range(200):
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        line.request("GET", "/static/nothing")
        line.getresponse().read()
        (worker,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        yield port, folder, int(worker)
    finally:
        child.terminate()
        child.wait(20)


def sent(port: int, path: str, length: int, announced: bool = True, method: str = "POST") -> tuple[int, str]:
    """Send so many bytes as a browser sends a file; status and page of the answer."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.putrequest(method, path)
    line.putheader("Content-Type", "multipart/form-data; boundary=xx")
    if announced:
        line.putheader("Content-Length", str(length))
    else:
        line.putheader("Transfer-Encoding", "chunked")
    line.endheaders()
    head = b'--xx\r\nContent-Disposition: form-data; name="file"; filename="lab.csv"\r\n\r\n'
    blocks, left = [head], length - len(head)
    while left > 0:
        blocks.append(b"x" * min(left, MB))
        left -= len(blocks[-1])
    for block in blocks:
        line.send(block if announced else f"{len(block):x}\r\n".encode() + block + b"\r\n")
    if not announced:
        line.send(b"0\r\n\r\n")
    answer = line.getresponse()
    told = answer.read().decode()
    line.close()
    return answer.status, told


def peak(pid: int) -> int:
    """The most memory that a process has held, in bytes (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(one.split()[1]) for one in lines if one.startswith("VmHWM"))


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/imports", 130 * MB),
        ("/laboratories", 3 * MB),
        ("/subjects/01-001/log/informed_consent/new", 30 * MB),
        ("/subjects/01-001/SCR/ecog", 4 * MB),
        ("/login", 2 * MB),
        ("/admin/login/", 2 * MB),
    ],
)
def test_a_body_beyond_the_page_is_refused_in_both_languages_and_kept_nowhere(
    server: tuple[int, Path, int], path: str, length: int
) -> None:
    port, folder, worker = server
    before = peak(worker)
    status, told = sent(port, path, length)
    assert status == 413, told
    assert f"{length:,} bytes were sent; this page takes at most {most_bytes(path):,}." in told
    assert f"发送了 {length:,} 字节;本页最多接收 {most_bytes(path):,} 字节。" in told
    assert not list(folder.iterdir())
    assert peak(worker) - before < 8 * MB


def test_a_body_that_only_says_it_is_huge_is_answered_at_once(server: tuple[int, Path, int]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", server[0], timeout=10)
    line.putrequest("PATCH", "/imports")
    line.putheader("Content-Length", str(10**15))
    line.putheader("Expect", "100-continue")
    line.endheaders()
    line.sock.shutdown(socket.SHUT_WR)
    answer = line.getresponse()
    assert answer.status == 413 and "10,485" not in answer.read().decode()


def test_a_body_of_unknown_length_is_asked_for_one(server: tuple[int, Path, int]) -> None:
    status, told = sent(server[0], "/imports", 3 * MB, announced=False)
    assert status == 411 and "Content-Length" in told and "请求大小未知" in told
    assert not list(server[1].iterdir())


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/imports", limits.MOST_BYTES),
        ("/subjects/01-001/log/informed_consent/0192a0aa-0000-7000-8000-000000000000", 10 * MB),
        ("/laboratories", 1_000_000),
        ("/subjects/01-001/grid/haematology", 1_000_000),
        ("/imports/x/commit", 1_000_000),
    ],
)
def test_what_a_page_promises_to_take_it_takes(path: str, most: int) -> None:
    assert most <= most_bytes(path) <= most + 2_200_000


@pytest.mark.django_db
def test_a_file_within_the_limit_comes_in(person_client: Any) -> None:
    page = person_client("coordinator_li")
    lab = SimpleUploadedFile(
        "lab.csv", b"subject,visit,datetime,test,value\n" + b"01-001,D1,2026-01-05,alt,30\n" * 9
    )
    assert page.post("/imports", {"file": lab, "profile": "lab_long"}).status_code == 302


@pytest.mark.django_db
def test_a_subject_map_is_read_whole_or_not_at_all(person_client: Any) -> None:
    page = person_client("coordinator_li")
    page.cookies["edc_language"] = "en"
    rows = b"".join(b"A%07d,01-001\n" % n for n in range(130_000))
    assert 2_000_000 < len(rows) < 2_200_000
    files = {
        "file": SimpleUploadedFile("lab.csv", b"subject,visit\n"),
        "subject_map": SimpleUploadedFile("map.csv", rows),
    }
    answer = page.post("/imports", {**files, "profile": "lab_long"})
    assert answer.status_code == 422 and 'href="#subject_map"' in answer.content.decode()
