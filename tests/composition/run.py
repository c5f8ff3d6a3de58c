"""Requests composed of container × value transform × charset × content coding × framing × kind of personal data, each with a clean twin,
through the running gate to a recipient that keeps what it gets, and from there to a jury of real decoders.

A sample that is sent on is a bypass: it holds its marker by construction. A twin that is refused is a false block. What was sent on
is searched for the marker in every reading we know, and replayed to the jury: none may find it in what it parsed, and all must agree on
how many requests there were and how long each was.

Needs: `pip install -r tests/clients/requirements.txt`; the jury: `pip install -r tests/composition/requirements.txt`, Node and Go.
Run: python3 tests/composition/run.py [SAMPLES] [--seed S] [--only ID] [--jury all|python|none] [--dry] [--matrix FILE]
"""
import argparse
import asyncio
import collections
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
import dry  # noqa: E402
import jury  # noqa: E402
import oracle  # noqa: E402
import samples  # noqa: E402
import transforms  # noqa: E402
import upstream  # noqa: E402
import wire  # noqa: E402
from gate import BINARY, Gate  # noqa: E402

# Twins in a thousand that may be refused.
FALSE_BLOCKS = 1.0
# What is refused whatever it holds, and so by a twin as well: the reason, and the samples it may meet.
BY_POLICY = {
    # More layers than any honest sender writes (`docs/limits.md`, `depth`).
    "depth-exceeded": lambda it: it.transform in ("base64 thrice", "JSON in base64 thrice", "percent twice"),
    # Text whose bytes are another text in UTF-8: a recipient that does not go by the label reads that one.
    "ambiguous": lambda it: it.charset.startswith("utf-16") and it.container == "multipart" or it.charset not in ("none", "utf-8") and is_utf_8(it.twin.content),
}
CONFIG = """\
version: 1
operator: {{legal_name: Composition Test LLP, bin: "990140000007", home: KZ, profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: enforce
listeners: [{{id: main, bind: "127.0.0.1:0"}}]
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: warn}}
parties: [{{id: vendor, legal_name: Example Vendor Inc., role: controller}}]
destinations:
  - id: enforced
    party: vendor
    country: US
    match: {{path_prefix: /s}}
    upstream: &upstream {{url: "http://127.0.0.1:{port}/", controlled_zone: true}}
    routes: [{{path: /, purpose: order.notice, actions: [send]}}]
  - id: logged
    party: vendor
    country: US
    match: {{path_prefix: /l}}
    mode: log-only
    upstream: *upstream
    routes: [{{path: /, purpose: order.notice, actions: [send]}}]
"""
# Samples that go through a destination that stops nothing: the oracle must see their markers, and the jury those that a decoder reads
# without undoing more than its framework undoes.
LIVENESS = 60
PLAIN = {
    "container": ("json", "ndjson", "form", "multipart", "xml", "csv", "text", "query", "graphql", "vcard", "protobuf"),
    "charset": ("none", "utf-8"),
    "coding": ("identity", "gzip", "deflate"),
    "transform": ("plain", "in a sentence", "hyphens", "dots", "spaces", "iban groups", "zero-width", "full width", "Arabic-Indic digits",
                  "upper case", "lower case", "glued to letters", "glued by underscore"),
}


def is_utf_8(content):
    try:
        return not content.decode("utf8").isascii()
    except UnicodeDecodeError:
        return False


class Tally:
    """What the samples came to."""

    def __init__(self, drawn, verdicts):
        """`verdicts`: (id, is twin) → (verdict, reason)."""
        self.drawn, self.verdicts = drawn, verdicts
        self.bypasses = [it for it in drawn if verdicts[it.id, False][0] == "forwarded"]
        stopped = [it for it in drawn if verdicts[it.id, True][0] != "forwarded"]
        self.by_policy = [it for it in stopped if self.is_policy(it)]
        self.false_blocks = [it for it in stopped if not self.is_policy(it)]

    def is_policy(self, sample):
        return any(reason in self.verdicts[sample.id, True][1] and may_meet(sample) for reason, may_meet in BY_POLICY.items())

    def tell(self):
        for is_twin, name in ((False, "samples"), (True, "clean twins")):
            count = collections.Counter(" ".join(it) if it[0] == "refused" else it[0] for (_, twin), it in self.verdicts.items() if twin == is_twin)
            print(f"{name}: {len(self.drawn)}: " + ", ".join(f"{what} {number}" for what, number in count.most_common()))
        excluded = collections.Counter(gap for it in self.drawn for gap in it.excluded)
        print("published gaps drawn and left out: " + (", ".join(f"{gap} {number}" for gap, number in sorted(excluded.items())) or "none"))
        print(f"twins refused whatever they hold (policy): {len(self.by_policy)}")
        for what, found in (("BYPASS", self.bypasses), ("FALSE BLOCK", self.false_blocks)):
            cells = collections.Counter((it.container, it.transform) for it in found)
            for (container, transform), number in cells.most_common(30):
                one = next(it for it in found if (it.container, it.transform) == (container, transform))
                decided = self.verdicts[one.id, what != "BYPASS"][1]
                print(f"{what} {number:5} {container} × {transform}; first {one}{'; ' + decided if decided else ''}")
        self.tell_containers()
        rate = 1000 * len(self.false_blocks) / max(1, len(self.drawn))
        print(f"bypasses {len(self.bypasses)}, false blocks {len(self.false_blocks)} ({rate / 10:.3f} %)")
        return len(self.bypasses), rate


    def tell_containers(self):
        """A line for each container: samples, blocked, refused, bypasses, false blocks."""
        print("container: samples = blocked + refused + bypasses; false blocks")
        for name in sorted({it.container for it in self.drawn}):
            own = [it for it in self.drawn if it.container == name]
            count = collections.Counter(self.verdicts[it.id, False][0] for it in own)
            false = sum(it.container == name for it in self.false_blocks)
            print(f"  {name}: {len(own)} = {count['blocked']} + {count['refused']} + {count['forwarded']}; {false}")

    def write_matrix(self, path):
        """container × transform, tab-separated: samples, blocked, refused, bypasses, false blocks."""
        cells = collections.defaultdict(collections.Counter)
        for it in self.drawn:
            cells[it.container, it.transform].update(["samples", self.verdicts[it.id, False][0]])
        for it in self.false_blocks:
            cells[it.container, it.transform]["false"] += 1
        with open(path, "w", encoding="utf8") as f:
            f.write("container\ttransform\tsamples\tblocked\trefused\tbypasses\tfalse blocks\n")
            for cell, count in sorted(cells.items()):
                numbers = [count[it] for it in ("samples", "blocked", "refused", "forwarded", "false")]
                f.write("\t".join(map(str, (*cell, *numbers))) + "\n")


def name_of(sample, is_twin):
    return ("t" if is_twin else "m") + sample.id.rsplit(":", 1)[1]


def through_gate(gate, drawn, prefix="/s", twins=True):
    todo = [(name_of(it, is_twin), prefix + request.target[2:], request, it.coding, it.framing)
            for it in drawn for is_twin, request in ((False, it.marked), (True, it.twin)) if twins or not is_twin]
    host, port = gate.listeners["main"].rsplit(":", 1)
    return asyncio.run(wire.send_all((host, int(port)), todo))


def judged(answers, drawn, received):
    verdicts, faults = {}, []
    for sample in drawn:
        for is_twin in (False, True):
            name = name_of(sample, is_twin)
            answer, has_arrived = answers[name], name in received
            if has_arrived != (answer.status == 200):
                faults.append(f"{sample} ({'twin' if is_twin else 'marked'}): answered {answer.status}, {'arrived' if has_arrived else 'did not arrive'}")
            verdict = "forwarded" if has_arrived else "blocked" if answer.status == 451 else "refused"
            verdicts[sample.id, is_twin] = (verdict, f"{answer.status} {answer.reason}" if verdict == "refused" else "")
    return verdicts, faults


def plain_of(drawn):
    """Some plain samples of each container."""
    plain = [it for it in drawn if all(getattr(it, name) in known for name, known in PLAIN.items())]
    # Readers of multipart do not undo a content coding.
    plain = [it for it in plain if it.container != "multipart" or it.coding == "identity"]
    return [it for name in PLAIN["container"] for it in [it for it in plain if it.container == name][:LIVENESS // len(PLAIN["container"])]]


def alive(gate, recorder, drawn):
    """The oracles must be able to see: what a destination lets through is called a bypass. Takes it out of the record; gives what the
    jury must read, with its container, and whether the oracle is blind."""
    some, plain = drawn[:LIVENESS], plain_of(drawn)
    through_gate(gate, list({it.id: it for it in some + plain}.values()), "/l", twins=False)
    raws = {name: recorder.received.pop(name) for name in list(recorder.received)}
    seen = sum(name_of(it, False) in raws and oracle.holds(raws[name_of(it, False)], it.marker) for it in some)
    print(f"of {len(some)} marked requests that nothing stops, the oracle sees the marker in {seen}; {len(plain)} that a decoder reads")
    shown = {name_of(it, False): (it.container, raws[name_of(it, False)]) for it in plain if name_of(it, False) in raws}
    return shown, seen < 0.85 * len(some) or len(shown) < len(plain)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("samples", nargs="?", type=int, default=1000)
    words.add_argument("--seed", default="1")
    words.add_argument("--only")
    words.add_argument("--jury", choices=jury.SIZES, default="none")
    words.add_argument("--dry", action="store_true")
    words.add_argument("--matrix", help="file for the counts by container and transform")
    asked = words.parse_args()
    seed, numbers = asked.seed, range(asked.samples)
    if asked.only:
        seed, number = asked.only.rsplit(":", 1)
        numbers = [int(number)]
    gaps = transforms.known_gaps()
    drawn = [samples.Sample(seed, it, gaps) for it in numbers]
    if asked.only:
        show(drawn[0])
    if asked.dry:
        bypasses, rate = Tally(drawn, dry.judge(BINARY, drawn)).tell()
        sys.exit(bool(bypasses) or rate >= FALSE_BLOCKS)
    begin = time.monotonic()
    recorder = upstream.Upstream()
    gate = Gate(CONFIG, upstream=recorder)
    shown, is_blind = alive(gate, recorder, drawn)
    answers = through_gate(gate, drawn)
    verdicts, faults = judged(answers, drawn, recorder.received)
    print(f"{len(answers)} requests in {time.monotonic() - begin:.0f} s, seed {seed}")
    tally = Tally(drawn, verdicts)
    bypasses, rate = tally.tell()
    if asked.matrix:
        tally.write_matrix(asked.matrix)
    if not asked.only and is_blind:
        faults.append("the oracle is blind")
    if recorder.repeated:
        faults.append(f"{len(recorder.repeated)} requests arrived twice")
    for it in tally.bypasses:
        if not oracle.holds(recorder.received[name_of(it, False)], it.marker):
            print(f"  not seen by the oracle: {it}")
    for it in drawn:
        name = name_of(it, True)
        # The twin of a value keeps no value: else a bypass would be counted as a clean message.
        if name in recorder.received and oracle.holds(recorder.received[name], it.marker):
            faults.append(f"{it}: the twin holds the marker")
    if asked.jury != "none":
        faults += jury.sit(asked.jury, recorder.received, shown, {name_of(it, twin): it.marker for it in drawn for twin in (False, True)})
    recorder.received.clear()
    gate.stop()
    code, out, err = gate.command("audit", "verify")
    assert code == 0, out + err
    for it in faults[:40]:
        print("FAULT " + it)
    failed = len(faults) + bypasses + (rate >= FALSE_BLOCKS)
    print(f"composition: {time.monotonic() - begin:.0f} s, " + (f"{failed} failed" if failed else "0 failed"))
    sys.exit(bool(failed))


def show(sample):
    print(sample)
    for what, request in (("marked", sample.marked), ("twin", sample.twin)):
        print(f"{what}: POST {request.target} {request.media_type} {request.fields}\n{request.content!r}")


if __name__ == "__main__":
    main()
