"""Real clients, unchanged but for their base URL, each once allowed and once refused by the running gate.

Holds of each: the upstream gets exactly the content that the client sent; the client calls that a success; data of a person without
a basis does not leave, the client gets 451 and does not try again, and what it tells its caller names the status or our reason.
docs/clients.md has a table of what was run: `--write` writes it, without it the table must be as this run would write it.

Needs: curl, node; `pip install -r tests/clients/requirements.txt`; `npm ci` in tests/clients/js.
Run: python3 tests/clients/sdk.py [--write] [NAME ...]
"""
import json
import os
import re
import subprocess
import sys
import time
from collections import namedtuple

import python_clients
from gate import KNOWN, KNOWN_PHONE, UNKNOWN, UNKNOWN_PHONE, Gate, Upstream
from python_clients import Client
from services import answer
from setting import configuration
from tap import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "..", "..", "docs", "clients.md")
BEGIN, END = "<!-- written by tests/clients/sdk.py --write -->", "<!-- end -->"
# `service` is the URL of the service itself, for clients that sign for it.
Person = namedtuple("Person", "email phone chat service", defaults=[None])
HAS_BASIS, HAS_NONE = Person(KNOWN, KNOWN_PHONE, 1001), Person(UNKNOWN, UNKNOWN_PHONE, 1002)
# A client that gives up only after this long would have tried again.
PATIENCE = 60


def javascript():
    script = os.path.join(HERE, "js", "clients.mjs")

    def run(*arguments):
        done = subprocess.run(["node", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def caller(name):
        return lambda base, person: run("run", name, base, json.dumps(person._asdict()))

    return [Client("Node `%s`" % it["name"], lambda it=it: it["version"], it["prefix"], it["setting"], it["did"], caller(it["name"])) for it in run("list")]


class Check:
    """One client against the gate, through a tap that keeps what it sent."""

    def __init__(self, gate, client):
        self.gate, self.client = gate, client
        self.service = f"http://127.0.0.1:{gate.upstream.port}"
        # A destination that a listener of its own leads to has no prefix.
        listener = gate.listeners.get(client.prefix, gate.listeners["main"])
        host, port = listener.rsplit(":", 1)
        self.tap = Tap((host, int(port)))
        self.base = self.tap.url + ("" if client.prefix in gate.listeners else "/" + client.prefix)

    def run(self):
        self.allowed()
        return self.refused()

    def allowed(self):
        before = len(self.gate.upstream.received), self.gate.refusals()
        told = self.client.call(self.base, HAS_BASIS._replace(service=self.service))
        assert told is None, f"the allowed request was refused: {told}"
        sent, received = self.tap.requests(), self.gate.upstream.received[before[0]:]
        assert len(sent) == 1, f"one call is one request, not {len(sent)}"
        assert len(received) == 1 and self.gate.refusals() == before[1], "the request did not pass"
        assert received[0].body == sent[0].body, "the upstream got other content than the client sent"
        for field in ("content-type", "content-encoding"):
            assert received[0].fields.get(field) == sent[0].fields.get(field), f"{field} changed on the way"
        assert sent[0].path.endswith(received[0].path), (sent[0].path, received[0].path)

    def refused(self):
        """What the client shows of a refusal."""
        sent, seen, refusals = len(self.tap.requests()), len(self.gate.upstream.received), self.gate.refusals()
        began = time.monotonic()
        told = self.client.call(self.base, HAS_NONE._replace(service=self.service))
        assert told is not None, "the unknown person's data was accepted"
        self.gate.keep("errors.txt", told)
        assert time.monotonic() - began < PATIENCE, "the client waited long: it tried again"
        assert len(self.tap.requests()) - sent == 1, f"the client tried again: {len(self.tap.requests()) - sent} requests"
        assert len(self.gate.upstream.received) == seen, "the upstream saw the refused request"
        assert self.gate.refusals() == refusals + 1, f"the gate counted {self.gate.refusals() - refusals} refusals"
        assert UNKNOWN not in told and UNKNOWN_PHONE[1:] not in told, "the answer repeats the value"
        shown = [word for word, pattern in SHOWN if re.search(pattern, told)]
        assert "451" in shown or "reason" in shown, f"the client's error says neither status nor reason: {told}"
        return shown


SHOWN = [("451", r"\b451\b"), ("reason", r"subject-unknown"), ("title", r"An identifier belongs to nobody in the register"),
         ("mend", r"Register the person")]


def table(rows):
    lines = ["| client | version | setting | what was run | its error shows |", "|---|---|---|---|---|"]
    lines += [f"| {it.name} | {it.version()} | {it.setting} | {it.did} | {', '.join(shown)} |" for it, shown in rows]
    return "\n".join(lines)


def hold_table(rows, is_writing):
    with open(TABLE, encoding="utf8") as f:
        text = f.read()
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    wanted = "\n" + table(rows) + "\n"
    if is_writing:
        with open(TABLE, "w", encoding="utf8") as f:
            f.write(before + BEGIN + wanted + END + after)
    elif old != wanted:
        raise SystemExit("docs/clients.md is not what this run would write; run tests/clients/sdk.py --write")


def main():
    is_writing, names = "--write" in sys.argv, [it for it in sys.argv[1:] if it != "--write"]
    gate = Gate(configuration, Upstream(answer))
    purposes, categories = ("order", "payment", "service", "marketing", "info"), ("email", "name", "phone", "messenger", "online", "free_text")
    gate.grant(f"email: {KNOWN}\nphone: {KNOWN_PHONE}\ninternal-id: {HAS_BASIS.chat}\ninternal-id: customer-1\n", purposes, categories)
    rows, failed = [], []
    for it in python_clients.CLIENTS + javascript():
        if names and not any(name in it.name for name in names):
            continue
        label = f"{it.name} {it.version()}, {it.did}"
        try:
            shown = Check(gate, it).run()
            rows.append((it, shown))
            print(f"ok   {label}: allowed once; refused once, its error shows {', '.join(shown)}", flush=True)
        except Exception as error:
            failed.append(label)
            print(f"FAIL {label}: {type(error).__name__}: {error}", flush=True)
    gate.stop()
    code, out, err = gate.command("audit", "verify")
    assert code == 0, out + err
    if not names and not failed:
        hold_table(rows, is_writing)
    print(f"clients: {len(rows)} passed, {len(failed)} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
