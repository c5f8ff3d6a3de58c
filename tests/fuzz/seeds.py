#!/usr/bin/env python3
"""Writes first inputs for the fuzz targets under FOLDER/TARGET, from the bypass cases and the traffic of our own tests."""
import base64, gzip, hashlib, json, pathlib, sys, zlib

TESTS = pathlib.Path(__file__).resolve().parent.parent
TYPES = {  # target → its variants, in the order of the first byte
    "json": ["application/json", "application/x-ndjson", "application/json-seq"],
    "multipart": ["multipart/form-data", "multipart/mixed", "multipart/related"],
    "xml": ["application/xml", "text/xml", "application/soap+xml", "image/svg+xml"],
    "csv": ["text/csv", "text/tab-separated-values"],
}
REDUCE = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "text/csv",
          "application/x-ndjson", "text/plain", "text/tab-separated-values"]


def samples():
    """Pairs of head (request line and fields) and body."""
    for line in open(TESTS / "bypass/cases.jsonl", encoding="utf-8"):
        head, _, body = base64.b64decode(json.loads(line)["wire_b64"]).partition(b"\r\n\r\n")
        yield head.decode("latin-1").split("\r\n"), body
    for line in open(TESTS / "traffic/own.ndjson", encoding="utf-8"):
        row = json.loads(line)
        yield ["POST / HTTP/1.1", "Content-Type: " + row["content_type"]], row["body"].encode()


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
        put("detect", b"note\n" + body)
        put("content", bytes([0, 0]) + body)
        put("content", bytes([2, 0]) + body)
        for at, coded in enumerate([gzip.compress(body, mtime=0), zlib.compress(body)]):
            put("content", bytes([1 + 4 * at, 0]) + coded)
        if "content-encoding" in fields:
            at = {"gzip": 0, "deflate": 1, "br": 2, "zstd": 3}.get(fields["content-encoding"], 4)
            put("content", bytes([1 + 4 * at, 0]) + body)


main()
