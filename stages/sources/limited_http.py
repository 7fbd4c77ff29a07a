"""HTTP requests with a limit on the whole time and size of the answers."""

import io
import queue
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any
from urllib.error import URLError

ANSWER_SECONDS = 8.0
STALL_SECONDS = 10.0
MAX_BYTES = 2**30


class LimitedOpener(urllib.request.OpenerDirector):
    """Opens URLs like `urllib.request.build_opener()`, until a deadline that all requests share.

    The timeout of a socket limits neither the lookup of the host name, which can take minutes, nor
    an answer that arrives in small parts. So each request runs in a thread of its own, and each
    read checks the time. After the deadline, requests fail at once, also when they are repeated.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._opener = urllib.request.build_opener()
        self._fault = f"no complete answer within {seconds:g} s"
        self._deadline = time.monotonic() + seconds

    def open(self, fullurl: Any, *_: Any, **__: Any) -> Any:
        """Send a GET request; raises `URLError` if no answer begins within `ANSWER_SECONDS`."""
        answers: queue.SimpleQueue = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._opener.open(fullurl, timeout=STALL_SECONDS))
            except Exception as error:
                answers.put(error)

        self.require_time()
        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            self._deadline, self._fault = 0.0, f"no answer within {ANSWER_SECONDS:g} s"
            raise URLError(self._fault) from None
        if isinstance(answer, Exception):
            raise answer
        return _LimitedResponse(answer, self)

    def require_time(self) -> None:
        """Raise `URLError` if the deadline has passed."""
        if time.monotonic() >= self._deadline:
            raise URLError(self._fault)


class _LimitedResponse(io.RawIOBase):
    """The content of an answer; a read raises `URLError` after the deadline or `MAX_BYTES`."""

    def __init__(self, response: HTTPResponse, opener: LimitedOpener) -> None:
        self._response, self._opener, self._received = response, opener, 0

    def info(self) -> Any:
        """The headers."""
        return self._response.info()

    def readable(self) -> bool:
        """True, as for every stream that can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what arrives next, at most the length of the buffer; 0 at the end."""
        self._opener.require_time()
        # Not `read`, which waits until all bytes have arrived.
        part = self._response.read1(len(buffer))
        self._received += len(part)
        if self._received > MAX_BYTES:
            raise URLError(f"an answer of more than {MAX_BYTES} bytes")
        if not part and self._response.length:
            raise URLError(f"the answer ends {self._response.length} bytes too early")
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        super().close()


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Let `urllib.request.urlopen` use a `LimitedOpener` inside the block."""
    urllib.request.install_opener(LimitedOpener(seconds))
    try:
        yield
    finally:
        urllib.request.install_opener(urllib.request.build_opener())
