"""A relay between a client and the gate that keeps what the client sent, byte for byte."""
import collections
import socket
import threading

Request = collections.namedtuple("Request", "method path fields body")


class Tap:
    """Relays every connection on a loopback port of its own to `target`, a (host, port)."""

    def __init__(self, target):
        self.target, self.streams = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            gate = socket.create_connection(self.target)
            kept = bytearray()
            self.streams.append(kept)
            threading.Thread(target=relay, args=(client, gate, kept), daemon=True).start()
            threading.Thread(target=relay, args=(gate, client, None), daemon=True).start()

    def requests(self):
        """Every request so far, in the order of the connections."""
        return [request for stream in self.streams for request in parse(bytes(stream))]


def relay(source, sink, kept):
    try:
        while data := source.recv(65536):
            if kept is not None:
                kept += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def parse(data):
    """The requests in `data`. The content of a chunked one is given without its framing."""
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "chunked" in fields.get("transfer-encoding", ""):
            body, data = unchunk(data)
        else:
            length = int(fields.get("content-length", 0))
            body, data = data[:length], data[length:]
        yield Request(method, path, fields, body)


def unchunk(data):
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return body, data.partition(b"\r\n")[2]
        body, data = body + data[:length], data[length + 2:]
