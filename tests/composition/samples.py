"""Samples by seed and number: the same always gives the same bytes."""
import gzip
import random
import zlib

import brotli
import zstandard

import containers
import markers
import transforms

FRAMINGS = ("length", "chunked", "chunks of one byte", "HTTP/2", "writes of one byte", "Expect")


def halves(data):
    return gzip.compress(data[:len(data) // 2], mtime=0) + gzip.compress(data[len(data) // 2:], mtime=0)


def raw_deflate(data):
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(data) + encoder.flush()


# Name → Content-Encoding, and how to write it.
CODINGS = {
    "identity": (None, bytes), "gzip": ("gzip", lambda it: gzip.compress(it, mtime=0)), "deflate": ("deflate", zlib.compress), "raw deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress), "zstd": ("zstd", zstandard.compress), "two members": ("gzip", halves),
    "gzip, br": ("gzip, br", lambda it: brotli.compress(gzip.compress(it, mtime=0))),
}


class Sample:
    """One composition. `marked` and `twin` are its two requests."""

    def __init__(self, seed, number, gaps):
        self.id, self.excluded = f"{seed}:{number}", []
        rng = random.Random(self.id)
        # Each container has its share, however little fits into it.
        self.container = rng.choice(list(containers.CONTAINERS))
        while True:
            try:
                self.draw(rng, gaps)
                return
            except containers.Unfit:
                continue

    def draw(self, rng, gaps):
        self.charset, self.coding, self.framing = rng.choice(list(containers.CHARSETS)), rng.choice(list(CODINGS)), rng.choice(FRAMINGS)
        self.marker, neutral = markers.make(rng.choice(markers.KINDS), rng)
        transform = rng.choice([it for it in transforms.TRANSFORMS if self.marker.form in it.on])
        self.transform = transform.name
        if gap := transforms.gap_of(transform, self.marker.kind, gaps):
            self.excluded.append(gap)
            raise containers.Unfit(gap)
        neutral_key = rng.choice(markers.NEUTRAL_KEYS)
        is_keyed = not self.marker.is_evident or rng.random() < 0.4
        key = self.marker.keyed if is_keyed else neutral_key
        inner = rng.getrandbits(64)
        self.key = key
        self.text, self.marked = self.request(transform, key, self.marker.value, neutral_key, inner)
        self.twin_text, self.twin = self.request(transform, neutral_key, neutral, neutral_key, inner)

    def request(self, transform, key, value, neutral_key, inner):
        rng = random.Random(inner)
        text = transforms.written(transform, key, value, rng)
        if transform.whole or key == neutral_key:
            outer = neutral_key
        elif self.container in containers.NAMELESS and not self.marker.is_evident:
            raise containers.Unfit("nothing names the value")
        else:
            outer = key
        return text, containers.CONTAINERS[self.container](outer, text, containers.CHARSETS[self.charset], rng)

    def __str__(self):
        return (f"{self.id} {self.marker.kind} under {self.key!r} as {self.transform!r} in {self.container}, charset {self.charset}, "
                f"coding {self.coding}, framing {self.framing}")


def coded(request, coding):
    """(fields, content) on the wire, without framing."""
    label, encode = CODINGS[coding]
    fields = [("Content-Type", request.media_type.encode())] + list(request.fields)
    if label:
        fields.append(("Content-Encoding", label.encode()))
    return fields, encode(request.content)
