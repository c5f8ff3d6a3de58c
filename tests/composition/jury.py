"""Real decoders that read what the gate sent on, as it was recorded at the recipient, over kept connections.

A member says how long the content was and everything it parsed. What it answers is told from what it answers next by the sample's number,
so a member that ends a request where the others do not is out of step, and is named.
"""
import collections
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

import oracle

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "members")
PYTHON = {name: [sys.executable, os.path.join(HERE, f"{name}_member.py")] for name in ("flask", "aiohttp", "django")}
SIZES = ("all", "python", "none")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
SAMPLE = re.compile(rb"\r\nx-sample: *([a-z0-9]+)\r\n", re.I)
# Least share of plain marked requests of a container, sent on by a destination that stops nothing, in which a member must see the marker.
LIVENESS = 0.7


def members(size):
    """Name → command. Go is built, and the packages of Node are there or the run ends."""
    chosen = dict(PYTHON)
    if size == "all":
        program = os.path.join(tempfile.mkdtemp(prefix="jury-"), "jury")
        subprocess.run(["go", "build", "-o", program, "main.go"], cwd=os.path.join(HERE, "go"), check=True, env={**os.environ, "GO111MODULE": "off"})
        chosen["go"] = [program]
        chosen["express"] = ["node", os.path.join(HERE, "js", "express.mjs")]
    return chosen


class Member:
    """One decoder as a process, and one kept connection to it."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address = "127.0.0.1", int(self.process.stdout.readline())
        self.socket, self.rest = None, b""
        self.opened = 0

    def ask(self, raw):
        """(head, answer) to one request. A connection that the member closed after an answer is opened again."""
        if self.socket is None:
            self.socket, self.rest = socket.create_connection(self.address, timeout=30), b""
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.opened += 1
        self.socket.sendall(raw)
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            self.more()
        head, self.rest = self.rest[:end + 4], self.rest[end + 4:]
        length = int(LENGTH.search(head)[1])
        while len(self.rest) < length:
            self.more()
        body, self.rest = self.rest[:length], self.rest[length:]
        if b"connection: close" in head.lower():
            self.socket.close()
            self.socket = None
        return head, body

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError(f"{self.name} closed the connection")
        self.rest += data

    def read(self, name, raw):
        """(length, views) of a request, or a fault."""
        try:
            head, body = self.ask(raw)
        except OSError as error:
            self.socket = None
            return None, f"{error}"
        told = SAMPLE.search(head)
        if not head.startswith(b"HTTP/1.1 200") or told is None or told[1].decode() != name:
            self.socket.close()
            self.socket = None
            return None, f"out of step: {head.split(bytes([13, 10]))[0].decode()} {told and told[1].decode()}"
        answer = json.loads(body)
        return answer["length"], answer["views"]

    def stop(self):
        # Its input ends, and so does it.
        self.process.stdin.close()
        self.process.wait(20)


def sit(size, received, shown, marker_of):
    """Replays what was received to every member; gives the faults."""
    faults, summaries = [], []

    def judge(name, command):
        member = Member(name, command)
        live, asked = collections.Counter(), collections.Counter(container for container, _ in shown.values())
        for it, (container, raw) in shown.items():
            live[container] += holds(member.read(it, raw)[1], marker_of[it])
        seen = collections.Counter()
        for it, raw in received.items():
            length, views = member.read(it, raw)
            content = len(raw) - raw.index(b"\r\n\r\n") - 4
            if length != content:
                faults.append(f"{name} and {it}: {views if length is None else f'{length} bytes instead of {content}'}")
                continue
            seen["requests"] += 1
            if it.startswith("m") and holds(views, marker_of[it]):
                seen["markers"] += 1
                faults.append(f"{name} reads the marker in {it}")
        _, body = member.ask(b"GET /jury-count HTTP/1.1\r\nHost: jury.test\r\n\r\n")
        count = json.loads(body)["count"]
        if count != len(received) + len(shown):
            faults.append(f"{name} counts {count} requests instead of {len(received) + len(shown)}")
        for container, number in asked.items():
            if live[container] < LIVENESS * number:
                faults.append(f"{name} is blind in {container}: {live[container]} markers of {number}")
        summaries.append(f"{name} {seen['requests']} requests over {member.opened} connections, {seen['markers']} markers ({live.total()} of {len(shown)} that nothing stops)")
        member.stop()

    threads = [threading.Thread(target=guarded, args=(judge, faults, *it)) for it in members(size).items()]
    for it in threads:
        it.start()
    for it in threads:
        it.join()
    print("jury: " + "; ".join(sorted(summaries)))
    return faults


def guarded(judge, faults, name, command):
    try:
        judge(name, command)
    except Exception as error:  # noqa: BLE001 # a member that fails is a fault, not the end of the run
        faults.append(f"{name}: {type(error).__name__} {error}")


def holds(views, marker):
    text = oracle.bare(oracle.folded(" ".join(views))) if isinstance(views, list) else ""
    return any(oracle.bare(oracle.folded(it)) in text for it in marker.needles)
