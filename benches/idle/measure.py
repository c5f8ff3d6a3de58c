#!/usr/bin/env python3
"""Memory of idle keep-alive connections: opens N of them, each serves one 4 KiB POST, and reads what the gate holds afterwards.

    cargo build --release
    benches/idle/measure.py                   # 10,000 connections over plain HTTP/1.1
    benches/idle/measure.py --tls             # over TLS
    benches/idle/measure.py --http2 -n 2000   # HTTP/2 connections, prior knowledge

The gate is a process of its own; client and upstream are this one, all on loopback. A connection takes a descriptor in the gate and
one here: the hard limit (`ulimit -Hn`) must allow it. The client opens connections from several loopback addresses, so that no
limit per address is met. Prints KiB of resident and of private memory per connection, over what the gate held before the first.
"""
import argparse
import asyncio
import json
import os
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

BINARY = os.path.abspath(os.environ.get("SHEKARA_BIN", "target/release/shekara"))
# Clean data, so that the default policy lets it pass.
BODY = json.dumps({"text": "x" * (4096 - 12)}).encode()

CONFIG = """\
version: 1
operator: {{legal_name: Bench LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: log-only
listeners:
  - {{id: main, bind: "127.0.0.1:0"{tls}}}
admin: {{bind: "127.0.0.1:0"}}
log: {{level: warn}}
limits: {{connections: 18000, idle_time: 600s}}
parties:
  - {{id: us-vendor, legal_name: Example Vendor Inc., role: processor}}
destinations:
  - id: vendor
    party: us-vendor
    country: US
    match: {{path_prefix: /}}
    upstream: {{url: "http://127.0.0.1:{port}/", controlled_zone: true}}
    routes:
      - {{path: /, purpose: order.notice, channel: email, actions: [send]}}
"""


async def upstream(reader, writer):
    """Answers 200 to each request."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


def memory(pid):
    """KiB: resident, and private to the process."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        fields = dict(line.split(":", 1) for line in file.read().splitlines()[1:])
    kib = lambda name: int(fields[name].split()[0])
    return kib("Rss"), kib("Private_Dirty") + kib("Private_Clean")


def request(host):
    head = f"POST /v1/orders HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    return head.encode() + BODY


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def request_http2(host):
    """Preface, empty settings, one POST of literals."""
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/v1/orders"), (":authority", host), ("content-type", "application/json")]
    block = b"".join(b"\0" + bytes([len(n)]) + n.encode() + bytes([len(v)]) + v.encode() for n, v in fields)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b"") + frame(1, 4, 1, block) + frame(0, 1, 1, BODY)


async def serve_one(index, address, options, context, limit):
    """Opens a connection, lets it serve one POST, and gives it back open."""
    local = (f"127.0.0.{2 + index // 3000}", 0)
    async with limit:
        tls = {"ssl": context, "server_hostname": "localhost"} if context else {}
        reader, writer = await asyncio.open_connection(*address, local_addr=local, limit=4096, **tls)
        if not options.http2:
            writer.write(request("localhost"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head.split(b"\r\n")[0], head
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(length)
            return writer
        writer.write(request_http2("localhost"))
        while True:
            head = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(head[:3], "big"))
            assert head[3] not in (3, 7), "the stream was refused"
            # The end of the answer.
            if int.from_bytes(head[5:], "big") == 1 and head[4] & 1:
                return writer


def start(folder, port, options):
    tls = ""
    if options.tls:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
            check=True, capture_output=True)
        tls = ", tls: {certificate_file: cert.pem, key_file: key.pem}"
    with open(f"{folder}/shekara.yaml", "w") as file:
        file.write(CONFIG.format(port=port, tls=tls))
    log = open(f"{folder}/gate.log", "w")
    gate = subprocess.Popen([BINARY, "run", "--config", "shekara.yaml", "--ready-file", "ready.json"], cwd=folder, stdout=log, stderr=log)
    for _ in range(500):
        if os.path.exists(f"{folder}/ready.json"):
            with open(f"{folder}/ready.json") as file:
                host, port = json.load(file)["listeners"]["main"].rsplit(":", 1)
            return gate, (host, int(port))
        if gate.poll() is not None:
            break
        time.sleep(0.02)
    gate.kill()
    sys.exit(open(f"{folder}/gate.log").read())


async def main(options, folder):
    server = await asyncio.start_server(upstream, "127.0.0.1", 0)
    gate, address = start(folder, server.sockets[0].getsockname()[1], options)
    # Not before the gate was started: it raises its own.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = None
    if options.tls:
        context = ssl.create_default_context(cafile=f"{folder}/cert.pem")
        context.set_alpn_protocols(["http/1.1"])
    limit = asyncio.Semaphore(options.at_once)
    try:
        # What is made once, at the first requests, is no cost of a connection.
        warm = await asyncio.gather(*(serve_one(it, address, options, context, limit) for it in range(64)))
        for it in warm:
            it.close()
        await asyncio.sleep(options.rest)
        before = memory(gate.pid)
        began = time.monotonic()
        opened = await asyncio.gather(*(serve_one(it, address, options, context, limit) for it in range(options.connections)))
        took = time.monotonic() - began
        peak = memory(gate.pid)
        await asyncio.sleep(options.rest)
        after = memory(gate.pid)
        closing = sum(it.transport.is_closing() for it in opened)
        result = {
            "kind": ("tls" if options.tls else "plain") + (", http/2" if options.http2 else ", http/1.1"),
            "connections": len(opened) - closing,
            "seconds_to_open": round(took, 1),
            "rss_mib": [round(it / 1024, 1) for it in (before[0], peak[0], after[0])],
            "rss_kib_per_connection": round((after[0] - before[0]) / len(opened), 2),
            "private_kib_per_connection": round((after[1] - before[1]) / len(opened), 2),
        }
        print(json.dumps(result))
        assert closing == 0, f"{closing} connections were closed"
        if options.most and result["private_kib_per_connection"] > options.most:
            sys.exit(f"more than {options.most} KiB per idle connection")
    finally:
        gate.kill()
        gate.wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-n", "--connections", type=int, default=10_000)
    arguments.add_argument("--at-once", type=int, default=64, help="requests under way at once while connections are opened")
    arguments.add_argument("--rest", type=float, default=3.0, help="seconds before memory is read")
    arguments.add_argument("--tls", action="store_true")
    arguments.add_argument("--http2", action="store_true")
    arguments.add_argument("--most", type=float, help="fail above this many KiB of private memory per connection")
    options = arguments.parse_args()
    folder = tempfile.mkdtemp()
    try:
        asyncio.run(main(options, folder))
    finally:
        shutil.rmtree(folder)
