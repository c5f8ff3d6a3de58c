"""Whether bytes that were sent on hold a marker, in any reading that a recipient may have: content coding, charset, escapes, base64,
NFKC, digits of every script, separators."""
import base64
import binascii
import gzip
import html
import re
import unicodedata
import urllib.parse
import zlib

import brotli
import zstandard

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "cp1251", "koi8-r", "kz1048", "iso8859-5")
ESCAPES = re.compile(r"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})|\\+([0-3][0-7]{2})|=([0-9A-F]{2})")
RUN = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,6}")
HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}){6,}")
DECODERS = {
    b"gzip": gzip.decompress, b"br": brotli.decompress, b"zstd": lambda it: zstandard.ZstdDecompressor().decompressobj().decompress(it),
    b"deflate": lambda it: zlib.decompress(it) if it[:1] == b"\x78" else zlib.decompress(it, wbits=-15),
}
CODING = re.compile(rb"\r\ncontent-encoding: *([^\r]+)\r\n", re.I)
DEPTH = 5
# Letters that look alike are one.
LIKE = str.maketrans("aeopcyxhkmtb", "аеорсухнкмтв")


def parts(raw):
    """(head, decoded content) of one request."""
    head, _, content = raw.partition(b"\r\n\r\n")
    coding = CODING.search(head + b"\r\n")
    for name in reversed(coding[1].split(b",")) if coding else ():
        content = DECODERS[name.strip()](content)
    return head, content


def folded(text):
    """Letters small, digits ASCII, separators, marks and invisible characters gone."""
    out = []
    for ch in unicodedata.normalize("NFKC", "".join(chr(ord(it) - 0xe0000) if 0xe0020 <= ord(it) < 0xe007f else it for it in text)):
        digit = unicodedata.decimal(ch, None)
        if digit is not None:
            out.append(str(digit))
        elif unicodedata.category(ch)[0] in "LNP":
            out.append(ch)
    return "".join(out).casefold().translate(LIKE)


def bare(text):
    return re.sub(r"[\W_]", "", text)


def readings(text, depth=DEPTH):
    """The text, and what is encoded in it."""
    yield text
    if depth == 0:
        return
    undone = ESCAPES.sub(lambda it: chr(int(it[1] or it[2] or it[4], 16) if not it[3] else int(it[3], 8)), text)
    # Two escapes of UTF-16 are one character.
    undone = undone.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    undone = html.unescape(urllib.parse.unquote(undone))
    if undone != text:
        yield from readings(undone, depth - 1)
    runs = RUN.findall(text)
    # A slash is of base64, and of paths.
    for run in runs + [it for run in runs if "/" in run for it in run.split("/") if len(it) >= 8]:
        for decode in (from_base64, from_base32, from_hex):
            inner = decode(run)
            if inner is not None:
                yield from readings(inner, depth - 1)


def from_base64(run):
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4 if len(run) > 20 else 1):
        piece = run[start:len(run) - (len(run) - start) % 4] if (len(run) - start) % 4 == 1 else run[start:]
        try:
            return base64.b64decode(piece + "=" * (-len(piece) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return None


def from_base32(run):
    try:
        return base64.b32decode(run + "=" * (-len(run) % 8)).decode() if run.rstrip("=").isupper() else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def from_hex(run):
    try:
        return bytes.fromhex(run).decode() if HEXADECIMAL.fullmatch(run) else None
    except (ValueError, UnicodeDecodeError):
        return None


def texts(raw):
    head, content = parts(raw)
    yield head.decode("utf8", "replace")
    for codec in CHARSETS:
        try:
            yield content.decode(codec)
        except UnicodeDecodeError:
            continue


def holds(raw, marker):
    """Whether one reading of the request `raw` holds the marker."""
    return any(in_text(text, marker) for text in texts(raw))


def in_text(text, marker):
    needles = [bare(folded(it)) for it in marker.needles]
    return any(it in bare(folded(reading)) for reading in readings(text) for it in needles)
