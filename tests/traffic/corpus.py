"""Thousands of real API bodies through the running gate, over HTTP/1.1 and HTTP/2, in every content coding.

Each body is sent to a log-only destination, where it must arrive as it was sent, byte for byte in its coding; and to an enforcing one
that may take out fields and drop records, with some of the persons registered and a consent that covers some of the categories. What
arrives there is as it was sent, or parses, holds none of the values that had to go, and holds everything else.

Bodies: $SHEKARA_CORPORA/personal-data/api.ndjson, by default ../shared/corpora, and some of our own; without
the corpus only these, and says so.
Needs: `pip install -r tests/clients/requirements.txt`. Run: python3 tests/traffic/corpus.py [REQUESTS for each version and destination]
"""
import asyncio
import collections
import json
import os
import random
import re
import subprocess
import sys
import time

import httpx

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
import bodies  # noqa: E402
from bodies import CODINGS, family  # noqa: E402
from gate import BINARY, Gate  # noqa: E402

# With seven codings, seven times the rows are every body in every coding.
REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 2100
VERSIONS = ("HTTP/1.1", "HTTP/2")
AT_ONCE = 24
# What the consents cover; every other category that acts has to go.
COVERED = ("email", "phone", "name", "national_id")
# Shorter values stand in other texts by chance.
TELLING = 5

CONFIG = """\
version: 1
operator: {{legal_name: Traffic Test LLP, bin: "990140000007"}}
state_dir: state
mode: enforce
listeners: [{{id: main, bind: "127.0.0.1:0"}}]
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: warn}}
parties:
  - {{id: vendor, legal_name: Example Vendor Inc., role: controller}}
destinations:
  - id: logged
    party: vendor
    country: US
    match: {{path_prefix: /logged}}
    mode: log-only
    upstream: &upstream {{url: "http://127.0.0.1:{port}/", controlled_zone: true}}
    gaps:
      opaque: &opened {{allow-logged: {{owner: o, reason: r, until: "2099-12-31"}}}}
      unsupported-media-type: *opened
      malformed: *opened
    routes: [{{path: /, purpose: order.notice, actions: [send]}}]
  - id: enforced
    party: vendor
    country: US
    match: {{path_prefix: /enforced}}
    fallback: [reduce-fields, drop-records]
    operators: {{online: mask, birth_date: pseudonymise}}
    upstream: *upstream
    routes:
      - path: /
        purpose: order.notice
        actions: [send]
        records: "$['recipients','contacts','personalizations','messages','users','batch'][*]"
"""


class Case:
    """A body in a coding, and what it met."""

    def __init__(self, number, row, coding):
        self.number, self.row, self.coding = number, row, coding
        self.encoding, encode = CODINGS[coding]
        self.content = encode(row.body)


def cases(rows):
    """`REQUESTS` of them, round after round of all rows; a row is in another coding each round."""
    names = list(CODINGS)
    rounds = (divmod(number, len(rows)) for number in range(REQUESTS))
    return [Case(number, rows[at], names[(at + turn) % len(names)]) for number, (turn, at) in enumerate(rounds)]


def scanned(rows):
    """Row id → what `shekara scan` finds in it with a confidence that acts."""
    feed = "".join(json.dumps({"id": it.id, "content_type": it.media_type, "body": it.body.decode("utf8", "replace")}) + "\n" for it in rows)
    done = subprocess.run([BINARY, "scan", "--ndjson"], input=feed.encode(), stdout=subprocess.PIPE, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {it["id"]: [finding for finding in it["findings"] if finding["confidence"] in ("high", "certain")] for it in told}


def value_of(row, finding):
    """The text of a finding, out of the escapes of its format."""
    raw = row.body[finding["start"]:finding["end"]].decode("utf8", "replace")
    kind = family(row.media_type)
    if kind == "form":
        return bodies.urllib.parse.unquote_plus(raw)
    if kind in ("json", "lines") and "\\" in raw:
        return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", lambda it: chr(int(it[1], 16)) if it[1] else it[2], raw)
    return raw


def register(gate, rows, findings):
    """A subject with a consent for four of five identifiers that were found; the others stay unknown."""
    identifiers = sorted({(it["category"], value_of(row, it)) for row in rows for it in findings[row.id] if it["category"] in ("email", "phone", "national_id")})
    kinds = {"national_id": "national-id"}
    chosen = [(kinds.get(kind, kind), value) for kind, value in identifiers if random.Random(value).random() < 0.8]
    given = "2026-01-10T10:00:00+05:00"
    while True:
        lines = [json.dumps({
            "id": f"corpus-{number}", "identifiers": {kind: value}, "given_at": given, "from": "2026-01-10", "until": "purpose", "third_party": "any",
            "cross_border": ["US"], "categories": COVERED, "purposes": ["order"],
            "evidence": {"method": "web-checkbox", "ref": "form-1", "text": "t", "version": "1", "sha256": "0" * 64, "locale": "kk", "at": given},
        }) for number, (kind, value) in enumerate(chosen)]
        code, _, err = gate.command("consent", "import", "-", stdin="\n".join(lines) + "\n")
        if code == 0:
            return len(chosen)
        # What is found is not always what a register takes: a phone without country, say. Such lines are named and left out.
        bad = {int(it) - 1 for it in re.findall(r"line (\d+)", err)}
        assert bad, err
        chosen = [it for number, it in enumerate(chosen) if number not in bad]


async def send(gate, version, destination, todo):
    """Sends each case once; gives its number and answer."""
    answers, waiting = {}, iter(todo)
    is_2 = version == "HTTP/2"
    async with httpx.AsyncClient(http1=not is_2, http2=is_2, trust_env=False, timeout=60, base_url=gate.url) as client:
        async def worker():
            for case in waiting:
                fields = {"content-type": case.row.media_type, "x-case": str(case.number)}
                if case.encoding:
                    fields["content-encoding"] = case.encoding
                answer = await client.post(f"/{destination}/", content=case.content, headers=fields)
                assert answer.http_version == version, answer.http_version
                answers[case.number] = answer

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return answers


class Run:
    """All cases at one destination over one version."""

    def __init__(self, gate, version, destination, todo, findings):
        self.version, self.destination, self.findings = version, destination, findings
        begin, since, gaps = len(gate.upstream.received), time.monotonic(), gaps_at(gate, destination)
        self.answers = asyncio.run(send(gate, version, destination, todo))
        self.time = time.monotonic() - since
        self.gaps = gaps_at(gate, destination) - gaps
        self.arrived = {int(it.fields["x-case"]): it for it in gate.upstream.received[begin:]}
        assert len(self.arrived) == len(gate.upstream.received) - begin, "a request arrived twice"
        self.count, self.faults, self.reduced = collections.Counter(), [], collections.Counter()
        # Bodies that hold a removed value once more, where the reader sees nothing personal (a key that no dictionary knows).
        self.strays = []
        for case in todo:
            self.judge(case)

    def judge(self, case):
        answer, arrived = self.answers[case.number], self.arrived.get(case.number)
        decision = dict(it.strip().split("=") for it in answer.headers.get("shekara-decision", "").split(";")[1:])
        verdict = decision.get("verdict")
        if answer.status_code != 200:
            reason = answer.json()["type"].rsplit(":", 1)[-1]
            self.count[f"refused: {answer.status_code} {reason}"] += 1
            problem = arrived is not None and "a refused request arrived"
        elif arrived is None:
            problem = "an answered request did not arrive"
        elif verdict == "allow":
            self.count["allowed, content identical"] += 1
            problem = self.changed(case, arrived)
        else:
            self.count[f"{verdict}d"] += 1
            self.reduced[family(case.row.media_type)] += 1
            problem = self.badly_reduced(case, arrived, int(decision["dropped"]))
        if problem:
            self.faults.append(f"{self.version} {self.destination} {case.row.id} ({case.coding}): {problem}")

    @staticmethod
    def changed(case, arrived):
        if arrived.body != case.content:
            return "the content is not what was sent"
        if (arrived.fields.get("content-type"), arrived.fields.get("content-encoding")) != (case.row.media_type, case.encoding):
            return "the labels are not what was sent"
        return None

    def badly_reduced(self, case, arrived, dropped):
        """What is wrong with a reduced body, if anything."""
        media_type = case.row.media_type
        try:
            after = bodies.leaves(arrived.fields["content-type"], bodies.decoded(arrived.body, arrived.fields.get("content-encoding")))
        except Exception as error:
            return f"does not parse: {type(error).__name__} {error}"
        before = bodies.leaves(media_type, case.row.body)
        gone = [it for it in self.findings[case.row.id] if it.get("part", "body") == "body" and not is_covered(it["category"])]
        values = {value_of(case.row, it) for it in gone}
        # A value that is removed takes its name with it; one that is masked leaves the name.
        touched, names = {it["path"] for it in gone}, {it["path"] for it in gone if it["in"] == "key"}
        untouched = collections.Counter(it.text for it in before if it.path not in touched)
        kept_names = collections.Counter(it.text for it in before if it.kind == "key" and it.path in touched - names)
        altered = collections.Counter(it.text for it in after) - untouched - kept_names
        left = [value for value in values for text in altered if value == text or (len(value) >= TELLING and value in text)]
        if left:
            return f"{len(left)} removed values are still there"
        if any(it.kind == "value" and it.path not in touched and it.text in values and len(it.text) >= TELLING for it in before):
            self.strays.append(case.row.id)
        # A copy of a removed value goes with it where it is found too weakly to act: its text and its name are no loss.
        copies = {it.path for it in before if it.kind == "value" and it.path not in touched and it.text in values}
        copied = collections.Counter(it.text for it in before if it.path in copies)
        lost = untouched - collections.Counter(it.text for it in after) - copied
        if not dropped and lost and not names:
            return f"{sum(lost.values())} texts are lost that had not to go"
        return None

    def tell(self):
        print(f"{self.version} {self.destination}: {len(self.answers)} requests in {self.time:.1f} s")
        for what, count in self.count.most_common():
            print(f"  {count:6} {what}")
        if self.gaps:
            print("  could not be read: " + ", ".join(f"{kind} {count:.0f}" for kind, count in sorted(self.gaps.items())))
        if self.reduced:
            print("  reduced by format: " + ", ".join(f"{name} {count}" for name, count in self.reduced.most_common()))
            print(f"  a removed value also stands where nothing personal was found: {', '.join(sorted(set(self.strays))) or 'none'}")


def gaps_at(gate, destination):
    """How many parts could not be read so far, by kind."""
    series = gate.series("shekara_gaps_total")
    return collections.Counter({labels["kind"]: int(value) for labels, value in series if labels["destination"] == destination})


def is_covered(category):
    return any(category == it or category.startswith(it + ".") for it in COVERED)


def main():
    rows = bodies.rows()
    gate = Gate(CONFIG)
    findings = scanned(rows)
    registered = register(gate, rows, findings)
    todo = cases(rows)
    print(f"{len(rows)} bodies, {registered} persons registered, {len(CODINGS)} codings")
    faults = []
    for version in VERSIONS:
        for destination in ("logged", "enforced"):
            run = Run(gate, version, destination, todo, findings)
            run.tell()
            faults += run.faults + expectations(run, todo)
    gate.stop()
    code, out, err = gate.command("audit", "verify")
    assert code == 0, out + err
    for it in faults[:40]:
        print("FAULT " + it)
    print(f"corpus: {len(VERSIONS) * 2 * len(todo)} passed, 0 failed" if not faults else f"corpus: 0 passed, {len(faults)} failed")
    sys.exit(bool(faults))


def expectations(run, todo):
    """What must not have happened by default: a test that refuses everything shows nothing."""
    if run.destination == "logged":
        passed, unread = run.count["allowed, content identical"], sum(run.gaps.values())
        faults = [] if passed == len(todo) else [f"{run.version}: only {passed} of {len(todo)} passed where nothing is enforced"]
        # A body that passes unread shows nothing of the reader.
        return faults if unread <= 0.02 * len(todo) else [*faults, f"{run.version}: {unread} parts of {len(todo)} bodies were not read"]
    if len(run.strays) > 0.03 * run.reduced.total():
        return [f"{run.version}: {len(run.strays)} of {run.reduced.total()} reduced bodies hold a removed value elsewhere"]
    needed = {family(it.row.media_type) for it in todo} & {"json", "form", "multipart", "xml", "csv", "lines"}
    return [f"{run.version}: no {it} body was reduced" for it in needed if not run.reduced[it]]


if __name__ == "__main__":
    main()
