"""A recipient that keeps every request as it came on the wire, by the number its sample gave it."""
import asyncio
import re
import threading

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
SAMPLE = re.compile(rb"\r\nx-sample: *([a-z0-9]+)\r\n", re.I)


class Recorder(asyncio.Protocol):
    """One connection; requests state their length, as the gate's do."""

    received = {}
    repeated = []

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
            name = SAMPLE.search(raw, 0, head + 2)[1].decode()
            if name in self.received:
                self.repeated.append(name)
            self.received[name] = raw
            self.transport.write(ANSWER)


class Upstream:
    """Runs the recorder on a loopback port, in a thread of its own."""

    def __init__(self):
        loop, started = asyncio.new_event_loop(), threading.Event()

        def run():
            asyncio.set_event_loop(loop)
            server = loop.run_until_complete(loop.create_server(Recorder, "127.0.0.1", 0, backlog=512))
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        started.wait()
        self.received, self.repeated = Recorder.received, Recorder.repeated
