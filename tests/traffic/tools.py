"""The load tools that people reach for, through the gate: h2load, nghttp, wrk, and curl over each HTTP version.

Holds: every request is answered by the upstream, none is refused, lost or broken; the upstream saw as many as the tools sent. Every
request carries data of a person with a consent, so that each is read, decided and synced to the log. Prints the rates through the
gate and straight to the upstream in the same run; they share the machine with the tools and a Python upstream, so they say
what to expect on this machine, not what the gate can do.
Needs: curl, openssl, nghttp2-client, wrk. Run: python3 tests/traffic/tools.py [SECONDS for each measurement]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from gate import CONFIG, KNOWN, Gate  # noqa: E402
from sink import Upstream  # noqa: E402

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
CLIENTS = 32
# Requests of h2load for each second that a measurement by time takes.
REQUESTS = 4000
LISTENERS = """\
listeners:
  - {{id: main, bind: "127.0.0.1:0"}}
  - {{id: tls, bind: "127.0.0.1:0", tls: {{certificate_file: cert.pem, key_file: key.pem}}}}
"""


def with_tls(text):
    before, after = text.split("listeners:\n", 1)
    return before + LISTENERS + after.split("\n", 1)[1]


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS * 60 + 60)
    text = done.stdout.decode("utf8", "replace")
    assert done.returncode == 0, f"{' '.join(command)}\n{text}"
    return text


class Tools:
    """Runs each tool with the same request; a method gives (requests answered, requests a second or None)."""

    def __init__(self, gate):
        folder = tempfile.mkdtemp(prefix="tools-")
        self.body = os.path.join(folder, "body.json")
        with open(self.body, "w", encoding="utf8") as f:
            json.dump({"email": KNOWN, "text": "Your order is ready. " * 40}, f)
        self.script = os.path.join(folder, "post.lua")
        with open(self.script, "w", encoding="utf8") as f:
            f.write(f'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = io.open("{self.body}"):read("a")\n')
        self.roots = os.path.join(gate.folder, "cert.pem")

    def curl(self, url, version, *options):
        told = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert", self.roots, *options,
                   "-H", "content-type: application/json", "--data-binary", "@" + self.body, url)
        assert told == f"{version} 202", f"curl {options}: {told}"
        return 1, None

    def nghttp(self, url, count=20):
        told = run("nghttp", "-nv", "-m", str(count), "-H", "content-type: application/json", "-d", self.body, url)
        assert len(re.findall(r":status: 202", told)) == count, told
        return count, None

    def h2load(self, url, protocol, *options):
        # By number, not by time: then every request that was sent is answered and counted.
        told = run("h2load", "-n", str(SECONDS * REQUESTS), "-c", str(CLIENTS), "-m", "4", *options, "-H", "content-type: application/json", "-d", self.body, url)
        counts = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", told)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", told)
        assert counts and codes, told
        done, bad = int(counts[2]), [int(it) for it in (*counts.groups()[3:], *codes.groups()[1:])]
        assert done > 0 and not any(bad), told
        assert f"Application protocol: {protocol}\n" in told, told
        return int(codes[1]), float(re.search(r", ([\d.]+) req/s", told)[1])

    def wrk(self, url):
        told = run("wrk", "-t", "1", "-c", str(CLIENTS), "-d", f"{SECONDS}s", "-s", self.script, url)
        assert "Non-2xx" not in told and "Socket errors" not in told, told
        return int(re.search(r"(\d+) requests in", told)[1]), float(re.search(r"Requests/sec: *([\d.]+)", told)[1])


def settled(upstream):
    """What the upstream has seen once nothing of the step before is under way any more."""
    seen = -1
    while seen != upstream.seen:
        seen = upstream.seen
        time.sleep(0.3)
    return seen


def certificate(folder):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem"))


def main():
    upstream = Upstream()
    gate = Gate(lambda port: with_tls(CONFIG).format(port=port), upstream, prepare=certificate)
    gate.grant(f"email: {KNOWN}\n")
    tools = Tools(gate)
    direct, plain = f"http://127.0.0.1:{upstream.port}/notify", gate.url + "/us/notify"
    tls = "https://" + gate.listeners["tls"] + "/us/notify"
    steps = [
        ("curl --http1.1", lambda: tools.curl(plain, "1.1", "--http1.1")),
        ("curl --http2 (asks for the upgrade)", lambda: tools.curl(plain, "1.1", "--http2")),
        ("curl --http2-prior-knowledge", lambda: tools.curl(plain, "2", "--http2-prior-knowledge")),
        ("curl --http2 over TLS", lambda: tools.curl(tls, "2", "--http2")),
        ("nghttp, 20 streams", lambda: tools.nghttp(plain)),
        ("wrk, HTTP/1.1, direct", lambda: tools.wrk(direct)),
        ("wrk, HTTP/1.1", lambda: tools.wrk(plain)),
        ("h2load, HTTP/1.1", lambda: tools.h2load(plain, "http/1.1", "--h1")),
        ("h2load, HTTP/2", lambda: tools.h2load(plain, "h2c")),
        ("h2load, HTTP/2 over TLS", lambda: tools.h2load(tls, "h2")),
    ]
    failed, rates = 0, {}
    for name, step in steps:
        before = settled(upstream)
        try:
            answered, rates[name] = step()
            # wrk measures by time and ends with requests under way: the upstream may see them and wrk not count them.
            under_way = CLIENTS if name.startswith("wrk") else 0
            assert answered <= upstream.seen - before <= answered + under_way, f"{answered} answered, {upstream.seen - before} seen by the upstream"
            rate = f", {rates[name]:.0f} a second" if rates[name] else ""
            print(f"ok   {name}: {answered} answered with 202, 0 errors{rate}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAIL {name}: {error}", flush=True)
    for name in ("wrk, HTTP/1.1", "h2load, HTTP/1.1", "h2load, HTTP/2", "h2load, HTTP/2 over TLS"):
        if rates.get(name) and rates.get("wrk, HTTP/1.1, direct"):
            print(f"     {name}: {rates[name] / rates['wrk, HTTP/1.1, direct']:.2f} of the direct rate")
    # A tool that stops by the clock leaves requests half sent: these are on record as broken framing. Nothing else may be refused.
    refused = [(labels, count) for labels, count in gate.series("shekara_refusals_total") if labels["reason"] != "framing"]
    assert not refused, f"the gate refused requests: {refused}"
    gate.stop()
    code, out, err = gate.command("audit", "verify")
    assert code == 0, out + err
    print(f"tools: {len(steps) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
