#!/usr/bin/env python3
"""Writes first inputs for the fuzz targets under FOLDER/TARGET, from the bypass cases and the traffic of our own tests."""
import base64, gzip, hashlib, json, pathlib, sys, zlib
from email.message import EmailMessage

TESTS = pathlib.Path(__file__).resolve().parent.parent
TYPES = {  # target → its variants, in the order of the first byte
    "json": ["application/json", "application/x-ndjson", "application/json-seq"],
    "multipart": ["multipart/form-data", "multipart/mixed", "multipart/related"],
    "xml": ["application/xml", "text/xml", "application/soap+xml", "image/svg+xml"],
    "csv": ["text/csv", "text/tab-separated-values"],
}
REDUCE = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "text/csv",
          "application/x-ndjson", "text/plain", "text/tab-separated-values"]
BINARY = ["application/x-protobuf", "application/grpc", "application/grpc-web+json", "application/msgpack", "application/cbor",
          "application/bson", "text/vcard", "text/calendar"]
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN;CHARSET=utf-8:Айгүл Сапарова\r\nTEL;TYPE=cell:+77010000001\r\nEMAIL:aigul@example.com\r\nEND:VCARD\r\n"
EVENT = ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260101T100000Z\r\nATTENDEE;CN=\"Saparova, Aigul\":mailto:aigul@\r\n example.com\r\n"
         "END:VEVENT\r\nEND:VCALENDAR\r\n")


def samples():
    """Pairs of head (request line and fields) and body."""
    for line in open(TESTS / "bypass/cases.jsonl", encoding="utf-8"):
        head, _, body = base64.b64decode(json.loads(line)["wire_b64"]).partition(b"\r\n\r\n")
        yield head.decode("latin-1").split("\r\n"), body
    for line in open(TESTS / "traffic/own.ndjson", encoding="utf-8"):
        row = json.loads(line)
        yield ["POST / HTTP/1.1", "Content-Type: " + row["content_type"]], row["body"].encode()


def mails():
    """Mails as libraries write them: of several charsets, with parts, with a file, forwarded."""
    for charset, coding in [("utf-8", "base64"), ("windows-1251", "quoted-printable"), ("koi8-r", "base64"), ("utf-8", "8bit")]:
        it = EmailMessage()
        it["From"] = "\"Saparova, Aigul\" <aigul@example.com>"
        it["To"] = "Айгуль Сапарова <aigul@example.org>, team: a@example.org, b@example.org;"
        it["Subject"] = "Договор, ИИН 991231100010"
        it.set_content("ФИО: Сапарова Айгуль\nИИН: 991231100010\n", charset=charset, cte=coding)
        yield it
        whole = EmailMessage()
        whole["Subject"] = "Fwd"
        whole.set_content("see below")
        whole.add_alternative("<p>Сапарова Айгуль, +77010000001</p>", subtype="html")
        whole.add_attachment(CARD.encode(), maintype="text", subtype="vcard", filename="Сапарова Айгуль.vcf")
        whole.add_attachment(it)
        for part, boundary in zip(filter(EmailMessage.is_multipart, whole.walk()), ["b7MA4", "c8NB5"]):
            part.set_boundary(boundary)
        yield whole


def main():
    root = pathlib.Path(sys.argv[1])

    def put(target, data):
        if len(data) <= 16384:
            folder = root / target
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)

    for head, body in samples():
        fields = dict(it.split(": ", 1) for it in head[1:] if ": " in it)
        fields = {name.lower(): value for name, value in fields.items()}
        label = fields.get("content-type", "")
        essence, _, rest = label.partition(";")
        boundary = rest.partition("boundary=")[2].strip('" ').encode()
        if boundary:
            body = body.replace(boundary, b"b7MA4")
        target = head[0].split(" ")[1] if head[0].count(" ") >= 1 else "/"
        written = "\n".join([target, *head[1:]]).encode("utf-8", "replace")
        put("form", written + b"\n\n" + body)
        for name, types in TYPES.items():
            if essence in types:
                put(name, bytes([types.index(essence)]) + body)
        if essence in REDUCE:
            for how in range(3):
                put("reduce", bytes([REDUCE.index(essence), how]) + body)
        if essence in BINARY:
            put("binary", bytes([BINARY.index(essence)]) + body)
        if essence == "application/json":
            put("binary", bytes([0x80]) + body)
        put("detect", b"note\n" + body)
        put("content", bytes([0, 0]) + body)
        put("content", bytes([2, 0]) + body)
        for at, coded in enumerate([gzip.compress(body, mtime=0), zlib.compress(body)]):
            put("content", bytes([1 + 4 * at, 0]) + coded)
        if "content-encoding" in fields:
            at = {"gzip": 0, "deflate": 1, "br": 2, "zstd": 3}.get(fields["content-encoding"], 4)
            put("content", bytes([1 + 4 * at, 0]) + body)
    for label, text in [("text/vcard", CARD), ("text/calendar", EVENT)]:
        put("binary", bytes([BINARY.index(label)]) + text.encode())
    for it in mails():
        for way in range(6):
            put("mail", bytes([way]) + it.as_bytes())


main()
