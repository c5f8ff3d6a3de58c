"""The decision is on stable storage before the first byte leaves: read off the system calls of the running gate.

The gate runs under strace. In the trace, every write to an upstream socket must come after an fdatasync of the audit segment that
follows the segment's last write of a decision. A build that skips the fdatasync fails here (`.ci/mutants` builds one and sees it).
Needs strace. Run: python3 tests/faults/durable.py
"""
import json
import os
import re
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from gate import KNOWN, Gate  # noqa: E402

REQUESTS = 25
CALL = re.compile(r"^(\d+) +(\w+)\((\d+)<(.+?)>[,) ]")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")


def main():
    trace = os.path.join(tempfile.mkdtemp(prefix="shekara-strace-"), "trace")
    gate = Gate(prefix=["strace", "-f", "-yy", "-s", "0", "-o", trace, "-e", "trace=pwrite64,pwritev,write,writev,sendto,sendmsg,fdatasync,fsync"])
    gate.grant(f"email: {KNOWN}\n")
    for number in range(REQUESTS):
        body = json.dumps({"email": KNOWN, "note": str(number)}).encode()
        request = urllib.request.Request(gate.url + "/us/notify", body, {"content-type": "application/json"})
        assert urllib.request.urlopen(request).status == 200
    gate.stop_traced()
    sent, syncs = check(trace, f":{gate.upstream.port}")
    assert len(gate.upstream.received) == REQUESTS
    assert sent >= REQUESTS, f"only {sent} upstream writes are in the trace: nothing was checked"
    print(f"{sent} writes to the upstream, {syncs} syncs of the log before them, none out of order")
    print("durable: 1 passed, 0 failed")


def check(trace, upstream):
    """Walks the trace in order. `dirty`: the segment was written after its last completed sync."""
    dirty, sent, syncs, syncing = False, 0, 0, {}
    written_before_first_send = False
    for number, line in enumerate(open(trace, encoding="utf8", errors="replace"), 1):
        call, resumed = CALL.match(line), RESUMED.match(line)
        if call:
            thread, name, _, target = call.groups()
            if ".seg" in target and name in ("pwrite64", "pwritev", "write", "writev"):
                dirty, written_before_first_send = True, True
            elif ".seg" in target and name in ("fdatasync", "fsync"):
                if "unfinished" in line:
                    syncing[thread] = True
                elif line.rstrip().endswith("= 0"):
                    dirty, syncs = False, syncs + 1
            elif upstream in target.rsplit("->", 1)[-1] and "->" in target and name != "fdatasync":
                sent += 1
                if dirty or not written_before_first_send or syncs == 0:
                    raise SystemExit(f"trace line {number}: bytes go to the upstream before the decision is synced")
        elif resumed and resumed.group(2) in ("fdatasync", "fsync") and syncing.pop(resumed.group(1), False):
            if line.rstrip().endswith("= 0"):
                dirty, syncs = False, syncs + 1
    return sent, syncs


if __name__ == "__main__":
    main()
