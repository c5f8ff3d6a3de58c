"""`kill -9` under load, 50 times on one state folder.

Holds: every request that the upstream saw has an allow record (matched by the keyed digest of its body); every acknowledged consent
and withdrawal is in the register; the log verifies after every restart.
Run: python3 tests/faults/kill.py [ROUNDS]
"""
import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import sys
import threading
import time
from urllib.parse import urlparse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from gate import KNOWN, UNKNOWN, Gate  # noqa: E402

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 50
CLIENTS = 6


def load(gate, stop, seed):
    """Posts notices about known and unknown persons, each body unique, until the gate dies."""
    dice = random.Random(seed)
    address = urlparse(gate.url)
    while not stop.is_set():
        try:
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
            while not stop.is_set():
                email = KNOWN if dice.random() < 0.8 else UNKNOWN
                body = json.dumps({"email": email, "note": "%032x" % dice.getrandbits(128)})
                connection.request("POST", "/us/notify", body, {"content-type": "application/json"})
                connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)


def change_registers(gate, stop, acknowledged, number):
    """Grants and withdraws from other processes; remembers only what was acknowledged."""
    step = 0
    while not stop.is_set():
        step += 1
        consent = gate.grant(f"email: {KNOWN.replace('known', f'{number}-{step}')}\n")
        acknowledged["given"].append(consent)
        if step % 2:
            code, _, err = gate.command("consent", "withdraw", "--consent", consent)
            assert code == 0, err
            acknowledged["withdrawn"].append(consent)


def export(gate):
    code, out, err = gate.command("audit", "export", "--format", "ndjson")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def decided(record):
    event = record.get("event", record)
    return event if event.get("type") == "decided" else None


def main():
    gate = Gate()
    gate.grant(f"email: {KNOWN}\n")
    acknowledged = {"given": [], "withdrawn": []}
    for number in range(ROUNDS):
        stop = threading.Event()
        threads = [threading.Thread(target=load, args=(gate, stop, number * 100 + it)) for it in range(CLIENTS)]
        threads.append(threading.Thread(target=change_registers, args=(gate, stop, acknowledged, number)))
        for thread in threads:
            thread.start()
        time.sleep(random.Random(number).uniform(0.15, 0.5))
        gate.process.send_signal(signal.SIGKILL)
        gate.process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        code, out, err = gate.command("audit", "verify")
        assert code == 0, f"round {number}: {out}{err}"
        gate.start()
    gate.stop()
    key = bytes.fromhex(log_key(gate))
    allowed = {it["leaves"]["digest"] for it in map(decided, export(gate)) if it and it["leaves"]}
    seen = [it.body for it in gate.upstream.received]
    missing = [body for body in seen if hmac.new(key, b"body\0" + body, hashlib.sha256).hexdigest() not in allowed]
    assert len(seen) > 10 * ROUNDS / 2, f"too little load: {len(seen)} requests"
    assert not missing, f"{len(missing)} of {len(seen)} requests left without an allow record"
    assert not any(UNKNOWN.encode() in body for body in seen), "an unknown person's data left"
    for consent in acknowledged["given"]:
        code, out, err = gate.command("consent", "show", "--consent", consent, "--format", "json")
        assert code == 0, f"an acknowledged consent is gone: {err}"
        assert (consent in acknowledged["withdrawn"]) == ("withdrawn" in out), f"an acknowledged withdrawal is gone: {out}"
    print(f"{ROUNDS} kills, {len(seen)} requests seen upstream, {len(allowed)} allow records, "
          f"{len(acknowledged['given'])} consents and {len(acknowledged['withdrawn'])} withdrawals acknowledged; nothing missing")
    print("kill: 1 passed, 0 failed")


def log_key(gate):
    with open(os.path.join(gate.folder, "state", "keys.json"), encoding="utf8") as f:
        told = json.load(f)
    return told["log"] if isinstance(told["log"], str) else told["log"]["key"]


if __name__ == "__main__":
    main()
