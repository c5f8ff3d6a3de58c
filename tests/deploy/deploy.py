"""What lies in deploy/ fits the gate: every metric and label that an alert or a panel asks for is on the live /metrics.

The gate is brought to show each family once: requests allowed, reduced, refused, only recorded, unreadable and passed by an opened gap;
upstreams that are not there or too slow; a client that breaks the protocol; a configuration taken and one refused; an end and a certificate.
Besides: the alerts fire as alerts_test.yaml says, Prometheus takes its configuration and the form of /metrics, the gate takes
deploy/shekara.yaml, and compose.yaml is of the schema.
Needs: promtool, openssl, node with `npm ci` done in tests/clients/js. Run: python3 tests/deploy/deploy.py
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
DEPLOY, CLIENTS = os.path.join(HERE, "..", "..", "deploy"), os.path.join(HERE, "..", "clients")
sys.path.insert(0, CLIENTS)
from gate import BINARY, KNOWN, UNKNOWN, Gate, Upstream, answer_plainly  # noqa: E402

HEAD = """\
version: 1
operator: {legal_name: Metrics Test LLP, bin: "990140000007"}
state_dir: state
mode: enforce
listeners:
  - {id: main, bind: "127.0.0.1:0"}
  - {id: tls, bind: "127.0.0.1:0", tls: {certificate_file: cert.pem, key_file: key.pem}}
admin: {bind: "127.0.0.1:0"}
log: {format: json, level: warn}
parties:
  - {id: vendor, legal_name: Example Vendor Inc., role: processor}
destinations:
"""
DESTINATION = """\
  - id: ID
    party: vendor
    country: US
    match: {path_prefix: /ID}
    upstream: {url: "http://127.0.0.1:PORT/", controlled_zone: true}
    agreement: {ref: t-1, signed: "2026-01-10", until: "2099-12-31", actions: [send], purposes: [order], categories: [name, email, birth_date],
      confidentiality: true, security: true}
    fallback: [reduce-fields]
    routes: [{path: /, purpose: order.notice, channel: email, actions: [send]}]
"""


def configuration(port, dead):
    def destination(name, upstream=port, more=""):
        return DESTINATION.replace("ID", name).replace("PORT", str(upstream)) + more

    return HEAD + "".join([
        destination("enforced"),
        destination("logged", more="    mode: log-only\n"),
        destination("opened", more="    gaps: {opaque: {allow-logged: {owner: o, reason: r, until: 2099-12-31}}}\n"),
        destination("dead", dead),
        destination("slow", more="    limits: {response_time: 1s}\n"),
    ])


NAME = re.compile(r"\b(?:shekara|process)_[a-z0-9_]+\b")
SELECTOR = re.compile(r"\b((?:shekara|process)_[a-z0-9_]+)\{([^}]*)\}")
# Labels that Prometheus adds.
ADDED = {"instance", "job", "le"}


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    "/CN=localhost", "-keyout", os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem")],
                   check=True, stderr=subprocess.DEVNULL)


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as it:
        return it.getsockname()[1]


def post(url, body, media_type="application/json"):
    request = urllib.request.Request(url, body if isinstance(body, bytes) else json.dumps(body).encode(), {"content-type": media_type})
    try:
        return urllib.request.urlopen(request, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def reload(gate, text):
    """Puts `text` in place of the configuration and waits until the gate has taken or refused it."""
    pattern = r"shekara_config_reloads_total\{[^}]*\}"
    before = gate.metric(pattern)
    with open(os.path.join(gate.folder, "shekara.yaml"), "w", encoding="utf8") as f:
        f.write(text)
    gate.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 20
    while gate.metric(pattern) == before:
        assert time.monotonic() < until, "the gate neither took nor refused the configuration"
        time.sleep(0.05)


def answer(request):
    if request.path == "/sleep":
        time.sleep(2)
    return answer_plainly(request)


def break_protocol(address):
    """Opens an HTTP/2 connection and sends data on the stream that never has any."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5) + b"\x00\x00\x01\x00\x00" + bytes(4) + b"x")
        while connection.recv(4096):
            pass


def provoked():
    """A gate that has shown every family, and its /metrics."""
    dead = unused_port()
    gate = Gate(lambda port: configuration(port, dead), Upstream(answer), prepare=certificate)
    gate.grant(f"email: {KNOWN}\n", ("order",), ("email", "name"))
    person = {"email": KNOWN}
    for path, body, media_type, wanted in (
        ("/enforced/", person, "application/json", 200),
        ("/enforced/", {"email": KNOWN, "birth_date": "1999-12-31"}, "application/json", 200),
        ("/enforced/", {"email": UNKNOWN}, "application/json", 451),
        ("/logged/", {"email": UNKNOWN}, "application/json", 200),
        ("/enforced/", b"%PDF", "application/pdf", 415),
        ("/opened/", b"%PDF", "application/pdf", 200),
        ("/dead/", person, "application/json", 502),
        ("/slow/sleep", person, "application/json", 504),
        ("/nowhere/", person, "application/json", 403),
    ):
        status = post(gate.url + path, body, media_type)
        assert status == wanted, f"{path} {media_type}: {status}, not {wanted}"
    break_protocol(gate.listeners["main"])
    certificate(gate.folder)
    reload(gate, gate.config.replace("legal_name: Example Vendor Inc.", "legal_name: Other Vendor Inc."))
    reload(gate, gate.config + "nonsense: true\n")
    return gate, urllib.request.urlopen(gate.admin + "/metrics").read().decode()


def families(text):
    """Name of each series → its labels."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels = re.match(r"([a-z0-9_]+)(?:\{(.*)\})? ", line).groups()
            found.setdefault(name, set()).update(re.findall(r'(?:^|,)([a-z_]+)="', labels or ""))
    return found


def queries():
    """(where, PromQL) of every alert, panel and variable."""
    with open(os.path.join(DEPLOY, "prometheus", "alerts.yaml"), encoding="utf8") as f:
        for group in yaml.safe_load(f)["groups"]:
            for rule in group["rules"]:
                yield "alert " + rule["alert"], rule["expr"]
    with open(os.path.join(DEPLOY, "grafana", "shekara.json"), encoding="utf8") as f:
        board = json.load(f)
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield "panel " + panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield "variable " + variable["name"], variable["definition"]


def misfits(expression, live):
    """What `expression` asks for that is not there."""
    names = set(NAME.findall(expression))
    missing = [f"no metric {it}" for it in names if it not in live]
    known = ADDED.union(*(live.get(it, set()) for it in names))
    for name, selector in SELECTOR.findall(expression):
        labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", selector))
        missing += [f"{name} has no label {it}" for it in labels - live.get(name, set()) - ADDED]
    for grouping in re.findall(r"\bby \(([^)]*)\)", expression):
        missing += [f"no label {it}" for it in {it.strip() for it in grouping.split(",")} - known]
    return missing


def run(*command, stdin=None, cwd=DEPLOY):
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout.decode()}"
    return done.stdout.decode()


def main():
    gate, text = provoked()
    live = families(text)
    asked, faults = list(queries()), []
    for where, expression in asked:
        faults += [f"{where}: {it}" for it in misfits(expression, live)]
    assert not faults, "\n".join(faults)
    assert len(asked) > 30, "too few queries: is the dashboard empty?"
    used = set().union(*(NAME.findall(it) for _, it in asked))
    shown = {re.sub(r"_(bucket|sum|count)$", "", it) for it in live if it.startswith("shekara_")}
    print(f"{len(asked)} queries of alerts and dashboard fit the live /metrics; on none of them: "
          + (", ".join(sorted(it for it in shown if not any(name.startswith(it) for name in used))) or "nothing"))
    run("promtool", "check", "metrics", stdin=text.encode())
    run("promtool", "check", "config", "prometheus/prometheus.yaml")
    print(run("promtool", "test", "rules", "prometheus/alerts_test.yaml").split()[-1] + ": promtool test rules")
    run(BINARY, "check", "--config", "shekara.yaml", "--state", tempfile.mkdtemp())
    run("npx", "--no-install", "dclint", "--quiet", os.path.abspath(os.path.join(DEPLOY, "compose.yaml")), cwd=os.path.join(CLIENTS, "js"))
    for folder, _, files in os.walk(DEPLOY):
        for name in files:
            if name.endswith(".yaml"):
                with open(os.path.join(folder, name), encoding="utf8") as f:
                    assert list(yaml.safe_load_all(f)), name
    gate.stop()
    print("deploy: 6 passed, 0 failed")


if __name__ == "__main__":
    main()
