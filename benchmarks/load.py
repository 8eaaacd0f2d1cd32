"""A small load of POSTs on loopback: a fixed number of requests from a fixed number of clients, then it ends."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What came back."""

    per_second: float
    p50_ms: float
    p99_ms: float
    acknowledged: int
    refused: int


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie; linear steps are not needed at these sizes."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def request(method: str, path: str, port: int, body: str = "", cookie: str = "") -> bytes:
    """One HTTP/1.1 request, as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
    if method == "POST":
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    return (head + "\r\n" + body).encode()


def exchange(connection: socket.socket, asked: bytes) -> int:
    """Send a request on an open connection, read the whole answer, and return its status."""
    connection.sendall(asked)
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        got += part
    head, _, rest = got.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields.get(b"content-length", 0))
    chunked = fields.get(b"transfer-encoding") == b"chunked"
    while len(rest) < length or (chunked and not rest.endswith(b"0\r\n\r\n")):
        rest += connection.recv(65536)
    return int(head[9:12])


def run(port: int, requests: list[bytes], clients: int, good: tuple[int, ...] = (302,)) -> Load:
    """Send ``requests`` from ``clients`` connections at once, each taking the next one when it is done."""
    waiting = iter(requests)
    lock = threading.Lock()
    latencies: list[float] = []
    statuses: list[int] = []

    def client() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    asked = next(waiting, None)
                if asked is None:
                    return
                begun = time.perf_counter()
                status = exchange(connection, asked)
                latencies.append(1000 * (time.perf_counter() - begun))
                statuses.append(status)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    acknowledged = sum(status in good for status in statuses)
    return Load(
        per_second=acknowledged / seconds,
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        acknowledged=acknowledged,
        refused=len(statuses) - acknowledged,
    )
