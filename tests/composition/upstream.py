"""A recipient that keeps every request as it came on the wire, by the number its sample gave it."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "traffic"))
import sink  # noqa: E402

SAMPLE = re.compile(rb"\r\nx-sample: *([a-z0-9]+)\r\n", re.I)


class Recorder(sink.Sink):
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
    received = {}
    repeated = []

    def take(self, raw, head):
        name = SAMPLE.search(raw, 0, head + 2)[1].decode()
        if name in self.received:
            self.repeated.append(name)
        self.received[name] = raw


class Upstream(sink.Upstream):
    def __init__(self):
        super().__init__(Recorder)
        self.received, self.repeated = Recorder.received, Recorder.repeated
