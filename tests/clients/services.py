"""What the services of the client tests answer: just enough for each SDK to call it a success."""
import hashlib
import hmac
import json
import time
from functools import reduce

MAILED = {"messageId": "m-1", "MessageId": "m-1"}


def answer(request):
    """(status, media type, body) as the service behind this path gives it."""
    status, told = 200, {"id": "1", "message": "success", "status": 1}
    path = request.path
    if request.fields.get("authorization", "").startswith("AWS4") and not is_signed_for_us(request):
        return 403, "application/json", b'{"message": "The request signature we calculated does not match."}'
    if path.startswith("/v1/customers"):
        told = {"id": "cus_1", "object": "customer"}
    elif path.startswith("/v3/mail/send"):
        status, told = 202, {}
    elif path.startswith("/2010-04-01/Accounts"):
        status, told = 201, {"sid": "SM1", "status": "queued"}
    elif path.startswith("/api/chat.postMessage"):
        told = {"ok": True, "channel": "C1", "ts": "1.2"}
    elif path.startswith("/v2/email") or path.startswith("/v3/smtp/email"):
        told = MAILED
    elif path.startswith("/email"):
        told = {"ErrorCode": 0, "Message": "OK", "MessageID": "m-1"}
    elif path.startswith("/bot"):
        told = {"ok": True, "result": {"message_id": 1, "date": int(time.time()), "chat": {"id": 1, "type": "private"}}}
    elif path.startswith("/exports/"):
        return 200, "application/xml", b""
    return status, "application/json", json.dumps(told).encode()


def is_signed_for_us(request):
    """Whether the AWS signature, version 4, is that of the request as it arrived (paths here need no encoding)."""
    stated = dict(it.strip().split("=", 1) for it in request.fields["authorization"].split(" ", 1)[1].split(","))
    path, _, query = request.path.partition("?")
    fields = "".join(f"{it}:{request.fields[it].strip()}\n" for it in stated["SignedHeaders"].split(";"))
    digest = request.fields.get("x-amz-content-sha256", hashlib.sha256(request.body).hexdigest())
    canonical = "\n".join([request.method, path, query, fields, stated["SignedHeaders"], digest])
    scope = stated["Credential"].split("/")[1:]
    text = "\n".join(["AWS4-HMAC-SHA256", request.fields["x-amz-date"], "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    key = reduce(lambda key, word: hmac.digest(key, word.encode(), "sha256"), [*scope, text], b"AWS4secret")
    return key.hex() == stated["Signature"] and digest == hashlib.sha256(request.body).hexdigest()
