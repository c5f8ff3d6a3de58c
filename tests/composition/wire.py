"""Sends requests to the gate in each framing, over kept connections."""
import asyncio
import json
import re
import socket

import h2.config
import h2.connection
import h2.events

import samples

PATIENCE = 30
STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)


class Answer:
    """A status, and the reason of a refusal."""

    def __init__(self, status, body):
        self.status, self.reason = status, ""
        if status >= 400:
            told = json.loads(body)
            self.reason = told.get("type", "").rsplit(":", 1)[-1]


class Sender:
    """One worker's connections: one of HTTP/1.1 and one of HTTP/2."""

    def __init__(self, address):
        self.address, self.one, self.two = address, None, None

    async def send(self, name, target, request, coding, framing):
        fields, content = samples.coded(request, coding)
        fields = [("Host", b"gate.test"), ("X-Sample", name.encode()), *fields]
        for attempt in (0, 1):
            try:
                one = self.over_2 if framing == "HTTP/2" else self.over_1
                return await asyncio.wait_for(one(target, fields, content, framing), PATIENCE)
            except (ConnectionError, asyncio.IncompleteReadError):
                # A connection that the gate closed after a refusal is taken anew, once.
                self.one = self.two = None
                if attempt:
                    raise

    async def over_1(self, target, fields, content, framing):
        if self.one is None:
            self.one = await asyncio.open_connection(*self.address)
            self.one[1].get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader, writer = self.one
        is_chunked = framing.startswith("chunk")
        fields = [*fields, ("Transfer-Encoding", b"chunked") if is_chunked else ("Content-Length", str(len(content)).encode())]
        if framing == "Expect":
            fields.append(("Expect", b"100-continue"))
        head = f"POST {target} HTTP/1.1\r\n".encode() + b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields) + b"\r\n"
        if framing == "Expect":
            writer.write(head)
            status, body = await self.answer(reader)
            if status != 100:
                self.one = None
                writer.close()
                return Answer(status, body)
            writer.write(content)
        elif is_chunked:
            size = 1 if framing == "chunks of one byte" else max(1, len(content) // 3)
            pieces = [content[at:at + size] for at in range(0, len(content), size)]
            writer.write(head + b"".join(b"%x\r\n%b\r\n" % (len(it), it) for it in pieces) + b"0\r\n\r\n")
        elif framing == "writes of one byte":
            writer.write(head)
            for byte in content:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
        else:
            writer.write(head + content)
        status, body = await self.answer(reader)
        return Answer(status, body)

    async def answer(self, reader):
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = int(STATUS.match(head)[1]), LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        if b"connection: close" in head.lower():
            self.one[1].close()
            self.one = None
        return status, body

    async def over_2(self, target, fields, content, _):
        if self.two is None:
            reader, writer = await asyncio.open_connection(*self.address)
            config = h2.config.H2Configuration(header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False)
            state = h2.connection.H2Connection(config)
            state.initiate_connection()
            self.two = reader, writer, state
        reader, writer, state = self.two
        stream = state.get_next_available_stream_id()
        head = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"gate.test"), (b":path", target.encode())]
        head += [(name.lower().encode(), value) for name, value in fields if name != "Host"]
        state.send_headers(stream, head)
        # Frames of a few bytes, so that values stand across them.
        for at in range(0, len(content), 64):
            state.send_data(stream, content[at:at + 64])
        state.end_stream(stream)
        writer.write(state.data_to_send())
        status, body, is_done = 0, b"", False
        while not is_done:
            data = await reader.read(65536)
            if not data:
                raise ConnectionResetError
            for event in state.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                    raise ConnectionResetError
                is_done |= isinstance(event, h2.events.StreamEnded) and event.stream_id == stream
            writer.write(state.data_to_send())
        return Answer(status, body)


async def send_all(address, todo, at_once=16):
    """`todo` gives (name, target, request, coding, framing); name → answer."""
    answers, waiting = {}, iter(todo)

    async def worker():
        sender = Sender(address)
        for name, target, request, coding, framing in waiting:
            answers[name] = await sender.send(name, target, request, coding, framing)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return answers
