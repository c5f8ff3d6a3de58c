"""curl and three real SDKs with their base URL at the gate, each once allowed and once refused.

Holds: an allowed request reaches the upstream; a refused one does not; the SDK shows a clear error and does not try again.
Needs: curl; pip packages requests, stripe, sendgrid. Run: python3 tests/clients/sdk.py
"""
import json
import subprocess

import requests
import sendgrid
import stripe
from sendgrid.helpers.mail import Mail

from gate import KNOWN, UNKNOWN, Gate


def curl(gate, email):
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", gate.url + "/us/notify", "-H", "content-type: application/json",
                           "-d", json.dumps({"email": email})], stdout=subprocess.PIPE, check=True)
    body, status = done.stdout.decode().rsplit("\n", 1)
    return (None if status == "200" else (int(status), body))


def with_requests(gate, email):
    answer = requests.post(gate.url + "/us/notify", json={"email": email})
    return None if answer.ok else (answer.status_code, answer.text)


def with_stripe(gate, email):
    client = stripe.StripeClient("sk_test_123", base_addresses={"api": gate.url + "/us"})
    try:
        client.v1.customers.create(params={"email": email, "name": "Aigul Example"})
        return None
    except stripe.StripeError as error:
        return error.http_status, str(error.http_body)


def with_sendgrid(gate, email):
    client = sendgrid.SendGridAPIClient("SG.test", host=gate.url + "/us")
    try:
        client.send(Mail(from_email="noreply@example.com", to_emails=email, subject="Order", html_content="<p>Ready</p>"))
        return None
    except Exception as error:  # python_http_client raises its own classes by status
        return error.status_code, error.body.decode()


def check(gate, name, call):
    before = len(gate.upstream.received), gate.refusals()
    assert call(gate, KNOWN) is None, f"{name}: the allowed request was refused"
    after = len(gate.upstream.received), gate.refusals()
    assert after == (before[0] + 1, before[1]), f"{name}: {before} → {after}"
    assert KNOWN.encode() in gate.upstream.received[-1][2].replace(b"%40", b"@"), name
    refused = call(gate, UNKNOWN)
    assert refused is not None, f"{name}: the unknown person's data was accepted"
    status, body = refused
    gate.keep("problems.ndjson", body)
    problem = json.loads(body)
    assert status == 451, (name, status, body)
    assert problem["type"].endswith(":subject-unknown"), (name, problem)
    assert UNKNOWN not in body, f"{name}: the answer repeats the value"
    assert len(gate.upstream.received) == after[0], f"{name}: the upstream saw the refused request"
    assert gate.refusals() == after[1] + 1, f"{name}: the client tried again ({gate.refusals() - after[1]} refusals)"
    print(f"ok   {name}: allowed once; refused once with {status} {problem['title']}")


def main():
    gate = Gate()
    gate.grant(f"email: {KNOWN}\n")
    for name, call in (("curl", curl), ("requests", with_requests), ("stripe", with_stripe), ("sendgrid", with_sendgrid)):
        check(gate, name, call)
    gate.stop()
    code, out, err = gate.command("audit", "verify")
    assert code == 0, out + err
    print("clients: 4 passed, 0 failed")


if __name__ == "__main__":
    main()
