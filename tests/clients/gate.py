"""A gate and a recording upstream for the client tests: loopback only, ports chosen by the system."""
import atexit
import collections
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request

BINARY = os.path.abspath(os.environ.get("SHEKARA_BIN", "target/release/shekara"))

# Values that must appear in nothing but requests: `.ci/canaries` greps every log, record, metric and answer for them.
KNOWN, UNKNOWN = "kanareika-known@example.org", "kanareika-unknown@example.org"
KNOWN_PHONE, UNKNOWN_PHONE = "+77010000007", "+77010000008"
CANARIES = ["kanareika", "991231100080", "77010000008"]

CONFIG = """\
version: 1
operator:
  legal_name: Client Test LLP
  bin: "990140000007"
  home: KZ
  utc_offset: "+05:00"
  profile: baseline
  regimes: [kz-94v]
state_dir: state
mode: enforce
listeners:
  - {{id: main, bind: "127.0.0.1:0"}}
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: info}}
parties:
  - {{id: us-vendor, legal_name: Example Vendor Inc., role: processor, classes: [mailing]}}
destinations:
  - id: us-vendor
    party: us-vendor
    country: US
    match: {{path_prefix: /us}}
    upstream: {{url: "http://127.0.0.1:{port}/", controlled_zone: true}}
    agreement: {{ref: t-1, signed: "2026-01-10", actions: [send], purposes: [order], categories: [name, email, phone, national_id],
      confidentiality: true, security: true}}
    routes:
      - {{path: /, purpose: order.notice, channel: email, actions: [send]}}
"""


# `fields` has lower-case names; `body` is the content as it came, still in its coding.
Received = collections.namedtuple("Received", "method path body fields")


def answer_plainly(_request):
    """(status, media type, body) that suits anything that posts JSON."""
    return 200, "application/json", b'{"id": "1", "message": "success"}'


class Upstream(http.server.ThreadingHTTPServer):
    """Keeps every request as `Received`, and gives it the answer that `answer` has for it."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer=answer_plainly):
        self.received, self.answer = [], answer
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True

    def take(self):
        fields = {name.lower(): value for name, value in self.headers.items()}
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b"".join(self.chunks())
        else:
            body = self.rfile.read(int(fields.get("content-length", 0)))
        request = Received(self.command, self.path, body, fields)
        self.server.received.append(request)
        status, media_type, answer = self.server.answer(request)
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def chunks(self):
        while length := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    do_POST = do_GET = do_PUT = do_PATCH = do_DELETE = take

    def log_message(self, *_):
        pass


class Gate:
    """`shekara run` in a fresh folder."""

    def __init__(self, config=CONFIG, upstream=None, prefix=(), patience=30, prepare=None):
        """`config` is a text with `{port}` for the upstream's, or makes one from that port; `prepare` puts files into the folder."""
        self.upstream = upstream or Upstream()
        self.folder = tempfile.mkdtemp(prefix="gate-", dir=os.environ.get("SHEKARA_TEST_OUTPUT"))
        self.config = config.format(port=self.upstream.port) if isinstance(config, str) else config(self.upstream.port)
        self.prefix, self.patience = list(prefix), patience
        if prepare:
            prepare(self.folder)
        with open(os.path.join(self.folder, "shekara.yaml"), "w", encoding="utf8") as f:
            f.write(self.config)
        self.start()

    def start(self):
        ready = os.path.join(self.folder, "ready.json")
        if os.path.exists(ready):
            os.remove(ready)
        self.log = open(os.path.join(self.folder, "gate.log"), "ab")
        self.process = subprocess.Popen([*self.prefix, BINARY, "run", "--config", "shekara.yaml", "--ready-file", ready],
                                        cwd=self.folder, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        # A test that fails leaves no gate behind.
        atexit.register(self.process.kill)
        until = time.time() + self.patience
        while time.time() < until:
            if os.path.exists(ready):
                told = json.load(open(ready, encoding="utf8"))
                self.listeners = told["listeners"]
                self.url = "http://" + self.listeners["main"]
                self.admin = "http://" + told["admin"]
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise SystemExit("the gate did not start:\n" + open(os.path.join(self.folder, "gate.log"), encoding="utf8").read())

    def command(self, *arguments, stdin=""):
        done = subprocess.run([BINARY, *arguments, "--config", "shekara.yaml"], cwd=self.folder, input=stdin.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def grant(self, subject, purposes=("order",), categories=("email", "name", "phone", "national_id")):
        scope = [word for it in purposes for word in ("--purpose", it)] + [word for it in categories for word in ("--category", it)]
        code, out, err = self.command(
            "consent", "grant", "--subject", "-", "--any-recipient", "--country", "US", *scope, "--until-purpose", "--method", "web-checkbox",
            "--evidence-ref", "form-1", "--text", "t", "--text-version", "1", "--text-sha256", "0" * 64, "--locale", "kk", "--format", "json", stdin=subject)
        assert code == 0, err
        return json.loads(out)["id"]

    def metric(self, pattern):
        text = urllib.request.urlopen(self.admin + "/metrics").read().decode()
        return sum(float(it) for it in re.findall(r"^" + pattern + r" (\S+)$", text, re.M))

    def series(self, name):
        """(labels, value) of each series of a metric."""
        text = urllib.request.urlopen(self.admin + "/metrics").read().decode()
        found = re.findall(r"^" + name + r"\{([^}]*)\} (\S+)$", text, re.M)
        return [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)) for labels, value in found]

    def refusals(self):
        return self.metric(r"shekara_refusals_total\{[^}]*\}")

    def keep(self, name, text):
        """Leaves `text` in the folder, where the canary search reads it."""
        with open(os.path.join(self.folder, name), "a", encoding="utf8") as f:
            f.write(text + "\n")

    def stop(self):
        self.keep("metrics.txt", urllib.request.urlopen(self.admin + "/metrics").read().decode())
        self.process.terminate()
        assert self.process.wait(60) == 0, "the gate did not drain cleanly"

    def stop_traced(self):
        """Stops a gate that runs under a tracer: the signal goes to the gate, not to the tracer."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="utf8").read().split()
        os.kill(int(children[0]), 15)
        assert self.process.wait(60) == 0, "the gate did not drain cleanly"
