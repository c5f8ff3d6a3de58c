"""Where a value stands in a request. Each container gives the whole request, with clean neighbours drawn from the same seed."""
import base64
import csv
import io
import json
import quopri
import re
import urllib.parse
from xml.sax.saxutils import escape, quoteattr

from markers import NEUTRAL_KEYS


class Request:
    """What is to be sent, before content coding and framing. `content` is bytes already in its charset."""

    def __init__(self, media_type, content, target="/s/v1/contacts", fields=(), method="POST"):
        self.media_type, self.content, self.target, self.fields, self.method = media_type, content, target, list(fields), method


class Unfit(Exception):
    """The value cannot stand in this container or charset: another sample is drawn."""


class Charset:
    """A charset by its label; `mark` is a byte order mark."""

    def __init__(self, label, codec, mark=b""):
        self.label, self.codec, self.mark = label, codec, mark

    def encode(self, text, escaped=None):
        """Bytes of `text`; a character that is not in the charset goes through `escaped`, which formats with such a means have."""
        try:
            return self.mark + text.encode(self.codec)
        except UnicodeEncodeError as error:
            if escaped is None:
                raise Unfit(self.label) from error
            return self.mark + b"".join(it.encode(self.codec) if self.holds(it) else escaped(it).encode(self.codec) for it in text)

    def holds(self, ch):
        try:
            ch.encode(self.codec)
        except UnicodeEncodeError:
            return False
        return True

    def typed(self, media_type):
        return f"{media_type}; charset={self.label}" if self.label else media_type


CHARSETS = {it[0]: Charset(*it[1:]) for it in (
    ("none", None, "utf-8"), ("utf-8", "utf-8", "utf-8"), ("us-ascii", "us-ascii", "ascii"), ("utf-16", "utf-16", "utf-16-le", b"\xff\xfe"),
    ("utf-16be", "utf-16be", "utf-16-be"), ("windows-1251", "windows-1251", "cp1251"), ("koi8-r", "koi8-r", "koi8-r"),
    ("kz-1048", "kz-1048", "kz1048"), ("iso-8859-5", "iso-8859-5", "iso8859-5"),
)}


def json_escape(ch):
    units = ch.encode("utf-16-be")
    return "".join("\\u%04x" % int.from_bytes(units[at:at + 2], "big") for at in range(0, len(units), 2))


def reference(ch):
    return f"&#{ord(ch)};"


def order(rng):
    """Clean neighbours."""
    return {"order": f"A-{rng.randint(100, 9999)}", "status": rng.choice(["paid", "new", "готов"]), "lines": [{"sku": "SKU-12", "quantity": rng.randint(1, 9)}],
            "total": rng.choice([1200, 15.5, "18 000"]), "trace_id": f"{rng.getrandbits(64):016x}", "at": "2026-03-01T10:00:00Z"}


def nested(key, value, rng):
    shapes = [lambda it: it, lambda it: {"customer": it}, lambda it: {"items": [order(rng), it]}, lambda it: {"data": {"attributes": it}}, lambda it: [it]]
    inner = {**order(rng), key: value} if rng.random() < 0.7 else {key: value}
    return rng.choice(shapes)(inner)


def dump(value, rng):
    return json.dumps(value, ensure_ascii=rng.random() < 0.2, indent=rng.choice([None, None, 2]))


def as_json(key, value, charset, rng):
    media_type = rng.choice(["application/json", "application/json", "application/vnd.api+json"])
    return Request(charset.typed(media_type), charset.encode(dump(nested(key, value, rng), rng), json_escape))


def as_json_in_json(key, value, charset, rng):
    inner = json.dumps(nested(key, value, rng), ensure_ascii=rng.random() < 0.2)
    return Request(charset.typed("application/json"), charset.encode(dump({"event": "sent", "payload": inner}, rng), json_escape))


def as_lines(key, value, charset, rng):
    rows = [json.dumps(it, ensure_ascii=False) for it in (order(rng), nested(key, value, rng), order(rng))]
    media_type = rng.choice(["application/x-ndjson", "application/jsonl"])
    return Request(charset.typed(media_type), charset.encode("\n".join(rows) + "\n", json_escape))


def as_table(key, value, charset, rng):
    """Rows whose columns are named once, wherever the names stand."""
    names, row = ["order", key, "status"], [f"A-{rng.randint(100, 9999)}", value, rng.choice(["paid", "new", "готов"])]
    described, cells = [{"name": it, "type": "string"} for it in names], [{"v": it} for it in row]
    table = rng.choice([
        {"columns": names, "rows": [row]}, {"rows": [row], "columns": names}, {"meta": described, "data": [row], "rows": 1}, {"fields": names, "values": row},
        {"schema": {"fields": described}, "rows": [{"f": cells}]}, {"rows": [{"f": cells}], "schema": {"fields": described}},
        {"range": "A1:C2", "values": [names, row]}, [names, row], [list(it) for it in zip(names, row)],
    ])
    return Request(charset.typed("application/json"), charset.encode(dump(table, rng), json_escape))


def as_form(key, value, charset, rng):
    if charset.label and charset.label.startswith("utf-16"):
        raise Unfit(charset.label)
    name = rng.choice([key, f"customer[{key}]", f"items[0][{key}]"])
    pairs = [("order", "A-17"), (name, value), ("status", "new")]
    if not value.isascii() and charset.label not in (None, "utf-8"):
        # Percent escapes are read as UTF-8 and as nothing else.
        raise Unfit("legacy form")
    text = "&".join("=".join(urllib.parse.quote_plus(charset.encode(it)) for it in pair) for pair in pairs)
    return Request(charset.typed("application/x-www-form-urlencoded"), text.encode())


def as_multipart(key, value, charset, rng):
    boundary = rng.choice(["B", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "x-y.z"])
    label = charset.typed("text/plain") if charset.label else rng.choice([None, "text/plain"])
    head = f'Content-Disposition: form-data; name="{key}"' + (f"\r\nContent-Type: {label}" if label else "")
    if not key.isascii() and charset.label not in (None, "utf-8"):
        raise Unfit(key)
    parts = [('Content-Disposition: form-data; name="order"', b"A-17"), (head, charset.encode(value)), ('Content-Disposition: form-data; name="status"', b"new")]
    body = b"".join(f"--{boundary}\r\n{one}\r\n\r\n".encode() + content + b"\r\n" for one, content in parts) + f"--{boundary}--\r\n".encode()
    return Request(f"multipart/form-data; boundary={boundary}", body)


def as_xml(key, value, charset, rng):
    if any(it < " " and it not in "\r\n\t" for it in value):
        raise Unfit("control characters")
    name = key.replace(" ", "_")
    body = rng.choice([
        f"<{name}>{escape(value)}</{name}>", f"<item {name}={quoteattr(value)}/>", f"<field name={quoteattr(key)}>{escape(value)}</field>",
    ])
    if "]]>" not in value and rng.random() < 0.2:
        body = f"<{name}><![CDATA[{value}]]></{name}>"
        charset.encode(body)
    elif not all(map(charset.holds, name)):
        raise Unfit(key)
    prolog = f'<?xml version="1.0" encoding="{charset.label or "utf-8"}"?>'
    text = f"{prolog}<order><id>A-17</id>{body}<status>new</status></order>"
    if rng.random() < 0.2:
        text = f'{prolog}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><order>{body}</order></s:Body></s:Envelope>'
    return Request(charset.typed(rng.choice(["application/xml", "text/xml"])), charset.encode(text, reference))


def as_csv(key, value, charset, rng):
    out = io.StringIO()
    mark = rng.choice(",;\t")
    rows = [["order", key, "status"], ["A-17", value, "new"], ["A-18", "", "paid"]]
    csv.writer(out, delimiter=mark, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), lineterminator=rng.choice(["\n", "\r\n"])).writerows(rows)
    media_type = "text/tab-separated-values" if mark == "\t" else "text/csv"
    return Request(charset.typed(media_type), charset.encode(out.getvalue()))


def as_graphql(key, value, charset, rng):
    if rng.random() < 0.3:
        literal = json.dumps(value, ensure_ascii=False)
        query = {"query": "mutation { save(%s: %s) { id } }" % (key if key.isascii() and key.isidentifier() else "note", literal)}
        if query["query"].count(f"{key}:") == 0 and key not in ("note",):
            raise Unfit("no name of GraphQL")
    else:
        query = {"query": "mutation Save($input: Input!) { save(input: $input) { id } }", "operationName": "Save", "variables": {"input": {key: value}}}
    return Request(charset.typed("application/json"), charset.encode(dump(query, rng), json_escape))


def as_text(key, value, charset, rng):
    text = rng.choice([f"{key}: {value}", f"Order A-17\n{key}={value}\n"])
    return Request(charset.typed("text/plain"), charset.encode(text))


def outside(rng, target="/s/v1/contacts", fields=()):
    return Request("application/json", json.dumps(order(rng)).encode(), target, fields)


def as_query(key, value, charset, rng):
    utf_8_only(charset)
    return outside(rng, "/s/v1/contacts?page=1&%s=%s" % (urllib.parse.quote(key), urllib.parse.quote(value, safe=rng.choice(["", ":@-._~"]))))


def as_path(key, value, charset, rng):
    utf_8_only(charset)
    segment = urllib.parse.quote(value, safe="")
    # The gate refuses what changes the shape of a path for some recipients, whatever it holds.
    if any(it in value for it in "/\\;%") or value.startswith("."):
        raise Unfit("path")
    return outside(rng, f"/s/v1/{urllib.parse.quote(key)}/{segment}")


def as_header(key, value, charset, rng):
    utf_8_only(charset)
    plain(value)
    name = "X-" + "".join(it if it.isascii() and it.isalnum() else "-" for it in key)
    if not key.isascii():
        raise Unfit("no name of a field")
    return outside(rng, fields=[(name, value.encode())])


def as_cookie(key, value, charset, rng):
    utf_8_only(charset)
    plain(value)
    if not key.isascii():
        raise Unfit("no name of a cookie")
    text = value if value.isascii() and not set(value) & set(' ",;\\') else urllib.parse.quote(value, safe="")
    return outside(rng, fields=[("Cookie", f"session=a1b2; {key}={text}".encode())])


def as_token(key, value, charset, rng):
    """Claims of a JWT in `Authorization`."""
    utf_8_only(charset)
    claims = json.dumps({"iss": "crm", key: value}, ensure_ascii=False)
    parts = [base64.urlsafe_b64encode(it.encode()).decode().rstrip("=") for it in ('{"alg":"HS256"}', claims)]
    return outside(rng, fields=[("Authorization", f"Bearer {parts[0]}.{parts[1]}.c2lnbmF0dXJlLW9mLW5vdGhpbmc".encode())])


def as_card(key, value, charset, rng):
    """A vCard of nobody, with the value in a property."""
    property_of = {"phone": "TEL", "mobile": "TEL", "email": "EMAIL", "contact_email": "EMAIL", "birth_date": "BDAY", "birthday": "BDAY", "full_name": "FN",
                   "customer_name": "FN"}
    name = property_of.get(key, "NOTE" if key in NEUTRAL_KEYS else None)
    if name is None or any(it < " " for it in value) or charset.label not in (None, "utf-8"):
        raise Unfit("no property")
    text = re.sub(r"([\\,;])", r"\\\1", value)
    lines = ["BEGIN:VCARD", "VERSION:4.0", "KIND:org", f"{name}:{text}", "REV:20260301T100000Z", "END:VCARD", ""]
    return Request(charset.typed("text/vcard"), charset.encode("\r\n".join(lines)))


def delimited(number, content):
    """A field of Protocol Buffers that states its length; numbers below 16."""
    length = len(content)
    return bytes([number << 3 | 2]) + (bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])) + content


def as_protobuf(_, value, charset, rng):
    """A message without a schema, or its frame of gRPC-Web."""
    utf_8_only(charset)
    content = value.encode()
    if len(content) >= 8192:
        raise Unfit("length")
    field = rng.choice([delimited(4, content), delimited(5, delimited(1, content) + b"\x10\x03")])
    message = delimited(1, f"A-{rng.randint(100, 9999)}".encode()) + b"\x10" + bytes([rng.randint(1, 9)]) + field + delimited(6, b"new")
    if rng.random() < 0.3:
        return Request("application/grpc-web+proto", b"\0" + len(message).to_bytes(4, "big") + message)
    return Request(rng.choice(["application/x-protobuf", "application/protobuf"]), message)


def as_mail(key, value, charset, rng):
    """A message of a mailing API: as the body, or in base64 in a JSON body."""
    if charset.label and charset.label.startswith("utf-16"):
        raise Unfit(charset.label)
    line = f"{key}: {value}"
    transfer = rng.choice(["8bit", "base64", "quoted-printable"])
    content = charset.encode(line)
    if transfer == "base64":
        content = base64.encodebytes(content).replace(b"\n", b"\r\n")
    elif transfer == "quoted-printable":
        content = quopri.encodestring(content).replace(b"\n", b"\r\n")
    label = charset.label or "utf-8"
    head = ("From: noreply@example.com\r\nTo: info@example.org\r\nSubject: Order A-17\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset={label}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n")
    message = head.encode() + content + b"\r\n"
    if rng.random() < 0.5:
        return Request("message/rfc822", message)
    raw = base64.urlsafe_b64encode(message).decode()
    return Request("application/json", json.dumps({"raw": raw}).encode())


def utf_8_only(charset):
    """The head of a request has no label of a charset."""
    if charset.label not in (None, "utf-8"):
        raise Unfit(charset.label)


def plain(value):
    if any(it < " " or it == "\x7f" for it in value) or value != value.strip():
        raise Unfit("not in a field")


CONTAINERS = {
    "json": as_json, "json-in-json": as_json_in_json, "ndjson": as_lines, "table": as_table, "form": as_form, "multipart": as_multipart, "xml": as_xml, "csv": as_csv,
    "graphql": as_graphql, "text": as_text, "query": as_query, "path": as_path, "header": as_header, "cookie": as_cookie, "token": as_token,
    "vcard": as_card, "protobuf": as_protobuf, "mail": as_mail,
}

# Where no name stands beside a value.
NAMELESS = {"path", "protobuf"}
