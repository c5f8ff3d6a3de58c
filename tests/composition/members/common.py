"""What the Python members share: content codings and the formats that no framework has a reader for."""
import csv
import gzip
import io
import json
import os
import sys
import threading
import xml.etree.ElementTree as ElementTree
import zlib

import brotli
import zstandard


def decoded(body, coding):
    """The content out of its codings, as the middlewares of servers do it."""
    for name in reversed([it.strip() for it in (coding or "").split(",") if it.strip()]):
        if name == "gzip":
            body = gzip.decompress(body)
        elif name == "deflate":
            body = zlib.decompress(body) if body[:1] == b"\x78" else zlib.decompress(body, wbits=-15)
        elif name == "br":
            body = brotli.decompress(body)
        elif name == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def parsed(body, media_type, charset):
    """Views of a content that is neither a form nor multipart."""
    out = []
    try:
        if "proto" in media_type:
            # Without a schema its texts are what is read.
            return [body.decode("utf8", "replace")]
        if "xml" in media_type:
            tree = ElementTree.fromstring(body)
            out += [text for it in tree.iter() for text in (it.tag, it.text, it.tail, *it.attrib.values()) if text]
            out.append("".join(tree.itertext()))
            return out
        text = body.decode(charset or "utf-8").removeprefix("\ufeff")
        if "ndjson" in media_type or "jsonl" in media_type:
            return [show(json.loads(it)) for it in text.splitlines() if it]
        if "json" in media_type:
            return [show(json.loads(text))]
        out.append(text)
        if "csv" in media_type or "tab-separated" in media_type:
            out += [show(list(csv.reader(io.StringIO(text), delimiter=mark))) for mark in ",;\t"]
    except (ValueError, LookupError, ElementTree.ParseError, csv.Error):
        # What it cannot parse it does not see.
        pass
    return out


def show(value):
    return json.dumps(value, ensure_ascii=False)


def end_with_parent():
    """Ends the process when its standard input does."""
    def wait():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
