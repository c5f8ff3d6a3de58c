"""An upstream for load: answers at once, counts, and keeps nothing."""
import asyncio
import re
import threading

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)


class Sink(asyncio.Protocol):
    """One connection; requests state their length, as the gate's do."""

    answer = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    seen = 0

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        self.rest += data
        while (head := self.rest.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.rest, 0, head + 2)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self.rest) < end:
                return
            raw, self.rest = self.rest[:end], self.rest[end:]
            Sink.seen += 1
            self.take(raw, head)
            self.transport.write(self.answer)

    def take(self, raw, head):
        """A whole request as it came, whose head is `head` bytes long without the empty line."""


class Upstream:
    """Runs connections of a kind on a loopback port, in a thread of its own."""

    def __init__(self, kind=Sink):
        loop, started = asyncio.new_event_loop(), threading.Event()

        def run():
            asyncio.set_event_loop(loop)
            server = loop.run_until_complete(loop.create_server(kind, "127.0.0.1", 0, backlog=512))
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        started.wait()

    @property
    def seen(self):
        return Sink.seen
