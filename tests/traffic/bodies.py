"""Bodies for the traffic tests: the corpus of API bodies where it is, else a few of our own; and how to read them back."""
import csv
import email.parser
import email.policy
import gzip
import io
import json
import os
import re
import sys
import urllib.parse
import xml.etree.ElementTree
import zlib
from collections import Counter, namedtuple

import brotli
import zstandard

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.environ.get("SHEKARA_CORPORA", os.path.join(HERE, "..", "..", "..", "shared", "corpora"))
CORPUS = os.path.join(FOLDER, "personal-data", "api.ndjson")

Row = namedtuple("Row", "id media_type body")
# One text of a structured body: `path` as `shekara scan` writes it; `kind` is `value`, or `key` for a member's name.
Leaf = namedtuple("Leaf", "path kind text")


def raw_deflate(body):
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(body) + squeeze.flush()


# Name → (Content-Encoding, encode). RFC 9110 means zlib by deflate; many clients send the bare stream.
CODINGS = {
    "identity": (None, lambda it: it),
    "gzip": ("gzip", lambda it: gzip.compress(it, mtime=0)),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", lambda it: brotli.compress(it, quality=5)),
    "zstd": ("zstd", lambda it: zstandard.ZstdCompressor().compress(it)),
    "gzip, br": ("gzip, br", lambda it: brotli.compress(gzip.compress(it, mtime=0), quality=5)),
}


def inflate(body):
    try:
        return zlib.decompress(body)
    except zlib.error:
        return zlib.decompress(body, wbits=-15)


UNDO = {"gzip": gzip.decompress, "deflate": inflate, "br": brotli.decompress,
        "zstd": lambda it: zstandard.ZstdDecompressor().decompressobj().decompress(it), "identity": lambda it: it}


def decoded(body, content_encoding):
    for name in reversed([it.strip() for it in (content_encoding or "identity").split(",")]):
        body = UNDO[name](body)
    return body


def rows():
    """Our own bodies, one of each format, and the corpus; without it with a loud word about it."""
    files = [os.path.join(HERE, "own.ndjson"), CORPUS]
    if not os.path.exists(CORPUS):
        print(f"NO CORPUS at {CORPUS}: only the bodies of tests/traffic/own.ndjson are sent. Set SHEKARA_CORPORA.", file=sys.stderr)
        files.pop()
    found = []
    for name in files:
        with open(name, encoding="utf8") as f:
            found += [Row(it["id"], it["content_type"], it["body"].encode(it.get("body_encoding", "utf8"))) for it in map(json.loads, f)]
    return found


def family(media_type):
    """The format by its media type: json, form, multipart, xml, csv, lines or text."""
    essence = media_type.split(";")[0].strip().lower()
    if essence in ("application/x-sentry-envelope", "application/x-ndjson", "application/ndjson", "application/jsonl"):
        return "lines"
    for word in ("json", "urlencoded", "multipart", "xml", "csv"):
        if word in essence:
            return {"urlencoded": "form"}.get(word, word)
    return "text"


def leaves(media_type, body):
    """Every text of a body. Raises when the body is not what its media type says."""
    return list(READERS[family(media_type)](media_type, body))


def json_leaves(value, path="$"):
    if isinstance(value, dict):
        for key, inner in value.items():
            here = "%s['%s']" % (path, key.replace("\\", "\\\\").replace("'", "\\'"))
            yield Leaf(here, "key", key)
            yield from json_leaves(inner, here)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from json_leaves(inner, f"{path}[{at}]")
    elif value is not None and not isinstance(value, bool):
        yield Leaf(path, "value", value if isinstance(value, str) else value.literal)


class Number:
    """A JSON number as it is written."""

    def __init__(self, literal):
        self.literal = literal


def from_json(_, body):
    def refuse(literal):
        raise ValueError(literal)

    return json_leaves(json.loads(body, parse_int=Number, parse_float=Number, parse_constant=refuse))


def from_lines(_, body):
    for at, line in enumerate(it for it in body.split(b"\n") if it.strip()):
        for leaf in from_json(None, line):
            yield leaf._replace(path=f"$[{at}]{leaf.path[1:]}")


def fields(pairs):
    """The leaves of named values; a name that comes again stands for a list."""
    pairs = list(pairs)
    count, seen = Counter(name for name, _ in pairs), Counter()
    for name, value in pairs:
        path = "$['%s']" % name.replace("\\", "\\\\").replace("'", "\\'")
        if count[name] > 1:
            path += f"[{seen[name]}]"
        seen[name] += 1
        yield Leaf(path, "key", name)
        yield Leaf(path, "value", value)


def from_form(_, body):
    return fields(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body)))


def from_multipart(media_type, body):
    boundary = re.search(r'boundary="?([^";]+)', media_type)[1].encode()
    assert body.rstrip().endswith(b"--" + boundary + b"--"), "the last boundary is missing"
    return fields(parts(body, boundary))


def parts(body, boundary):
    for part in body.split(b"--" + boundary)[1:-1]:
        head, mark, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert mark and content.endswith(b"\r\n"), "a part is not framed"
        head = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + b"\r\n\r\n")
        yield head.get_param("name", header="content-disposition"), content[:-2].decode("utf8", "surrogateescape")


def from_xml(_, body):
    root = xml.etree.ElementTree.fromstring(body)
    return xml_leaves(root, f"$['{root.tag}']")


def xml_leaves(element, path):
    """Texts by the path of their element; elements of a name that comes again stand for a list."""
    count, seen = Counter(it.tag for it in element), Counter()
    for text in (element.text, *(it.tail for it in element), *element.attrib.values()):
        if text and text.strip():
            yield Leaf(path, "value", text)
    for inner in element:
        here = f"{path}['{inner.tag}']" + (f"[{seen[inner.tag]}]" if count[inner.tag] > 1 else "")
        seen[inner.tag] += 1
        yield from xml_leaves(inner, here)


def from_csv(_, body):
    head, *rows = csv.reader(io.StringIO(body.decode()))
    for at, row in enumerate(rows):
        for name, cell in zip(head, row, strict=True):
            yield Leaf(f"$[{at}]['{name}']", "value", cell)


def from_text(_, body):
    yield Leaf("$", "value", body.decode())


READERS = {"json": from_json, "lines": from_lines, "form": from_form, "multipart": from_multipart, "xml": from_xml, "csv": from_csv, "text": from_text}
