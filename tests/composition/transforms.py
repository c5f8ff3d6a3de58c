"""How a value is written so that it is not seen and yet read: the F rows of the catalogue and those of `tests/bypass`.

A transform that is a published gap names, for each kind of marker, the case of `tests/bypass/cases.jsonl` that pins it; while that case
is a gap, the generator counts what it would have drawn and draws again. The day the case is mended, the transform is drawn.
"""
import base64
import collections
import json
import os
import urllib.parse

# `writes(text, rng)`; `on` are the forms of values it suits, `whole` says that what is written is a JSON document of key and value.
Transform = collections.namedtuple("Transform", "name row writes on whole gaps")

DIGITS = ("digits", "keyed-digits")
NUMBERS = (*DIGITS, "phone")
EVIDENT = ("digits", "phone", "email", "iban")
ALL = (*NUMBERS, "iban", "email", "words", "date", "document")
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bypass", "cases.jsonl")


def each(write):
    return lambda text, _: "".join(write(it) for it in text)


def between(mark):
    return lambda text, _: mark.join(text)


def digits_from(zero):
    return each(lambda it: chr(zero + int(it)) if it.isascii() and it.isdigit() else it)


def grouped(separators, sizes=(4, 3, 2, 6)):
    def write(text, rng):
        # A card is written in fours, and not else.
        size, mark = 4 if len(text) > 12 else rng.choice(sizes), rng.choice(separators)
        return mark.join(text[at:at + size] for at in range(0, len(text), size))
    return write


def quote(text):
    return "".join(f"%{it:02x}" for it in text.encode())


def b64(text):
    return base64.b64encode(text.encode()).decode()


def jwt(text):
    return f"eyJhbGciOiJub25lIn0.{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}.c2ln"


def fullwidth(text):
    return "".join(chr(ord(it) + 0xfee0) if "!" <= it <= "~" else it for it in text)


def superscript(text):
    return text.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def circled(text):
    return "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(it)] if it.isascii() and it.isdigit() else it for it in text)


def phone_form(text, rng):
    if not text.startswith("+7"):
        return text
    a, b, c, d = text[2:5], text[5:8], text[8:10], text[10:]
    return rng.choice([f"8 ({a}) {b}-{c}-{d}", f"tel:{text}", f"+7 {a} {b} {c} {d}", f"+7({a}){b}-{c}{d}", f"+7-{a}-{b}-{c}-{d}", f"007 {a} {b} {c} {d}"])


def mail_form(text, rng):
    local, domain = text.split("@")
    return rng.choice([
        f"mailto:{text}", f"<{text}>", f"{local}＠{domain}", f"{local}@{domain.replace('.', '．')}", f"{local}@\u200b{domain}", f"{local}@{domain.upper()}",
        text.upper(), f"{local}+x@{domain}", f"https://x.example/?u={quote(text)}", f"{local}&commat;{domain}", f"{text}.json", text.replace("@", "%40"),
        f"{local}@{domain.replace('.', '。')}", f"{local} [at] {domain}",
    ])


def in_sentence(text, rng):
    return rng.choice(["Заказ передан, {}, спасибо", "see {} please", "ref={}", "({})", "[{}]", "a;{};b", "№ {}"]).format(text)


LIKE = str.maketrans("01", "Ol")
CYRILLIC = str.maketrans("306", "ЗОб")
MIXED = str.maketrans("аеорсухАВЕКМНОРСТХ", "aeopcyxABEKMHOPCTX")

TRANSFORMS = [Transform(*it) for it in (
    ("plain", "F01", lambda text, _: text, ALL, False, {}),
    ("in a sentence", "F01", in_sentence, ("digits", "email", "iban", "phone"), False, {}),
    ("hyphens", "F02", grouped("-"), ("digits",), False, {}),
    ("dots", "F03", lambda text, rng: f"{text[:6]}.{text[6:]}" if len(text) == 12 else grouped(".")(text, rng), ("digits",), False, {}),
    ("spaces", "F04", grouped([" ", "\u00a0", "\u2009", "\u3000", "\u202f"]), ("digits",), False, {}),
    ("iban groups", "F28", lambda text, rng: rng.choice([str, str.lower])(grouped(" ", (4,))(text, rng)), ("iban",), False, {}),
    ("zero-width", "F05", lambda text, rng: rng.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad").join(text), EVIDENT, False, {}),
    ("bidi override", "F07", lambda text, _: f"\u202e{text}\u202c", EVIDENT, False, {}),
    ("isolates", "F07", lambda text, _: f"\u2067{text[:3]}\u2069\u2066{text[3:]}\u2069", EVIDENT, False, {}),
    ("full width", "F08", each(fullwidth), ALL, False, {}),
    ("Arabic-Indic digits", "F09", lambda text, rng: digits_from(rng.choice([0x660, 0x6f0]))(text, rng), (*NUMBERS, "iban"), False, {}),
    ("digits of other scripts", "F10", lambda text, rng: digits_from(rng.choice([0x966, 0x9e6, 0xe50, 0xa620, 0x1e950]))(text, rng), NUMBERS, False, {}),
    ("mathematical digits", "F11", lambda text, rng: digits_from(rng.choice([0x1d7ce, 0x1d7f6, 0x1d7e2]))(text, rng), NUMBERS, False, {}),
    ("superscript", "F12", each(superscript), NUMBERS, False, {}),
    ("circled", "F12", each(circled), NUMBERS, False, {}),
    ("keycaps", "F13", each(lambda it: f"{it}\ufe0f\u20e3" if it.isdigit() else it), NUMBERS, False, {}),
    ("combining marks", "F14", lambda text, rng: "".join(it + rng.choice("\u0336\u0301\u0488") if it.isdigit() else it for it in text), NUMBERS, False, {}),
    ("letters for digits", "F15", each(lambda it: it.translate(LIKE)), ("digits",), False, {None: "F15"}),
    ("Cyrillic for digits", "F16", each(lambda it: it.translate(CYRILLIC)), ("digits",), False, {None: "F16"}),
    ("mail forms", "F17", mail_form, ("email",), False, {}),
    ("phone forms", "F20", phone_form, ("phone",), False, {}),
    ("mixed alphabets", "F23", each(lambda it: it.translate(MIXED)), ("words",), False, {}),
    ("upper case", "F25", lambda text, _: text.upper(), ("words", "email", "iban", "document"), False, {}),
    ("lower case", "F25", lambda text, _: text.lower(), ("words", "iban", "document"), False, {}),
    ("glued to letters", "F29", lambda text, _: f"ID{text}X", ("digits",), False, {"card": "X08"}),
    ("glued by underscore", "F29", lambda text, _: f"user_{text}", ("digits",), False, {None: "X03"}),
    ("character references", "F32", lambda text, rng: each(rng.choice([lambda it: f"&#{ord(it)};", lambda it: f"&#x{ord(it):x};", lambda it: f"&#{ord(it):05};"]))(text, rng), EVIDENT, False, {}),
    ("percent", "F33", lambda text, _: quote(text), EVIDENT, False, {}),
    ("percent twice", "H04", lambda text, _: quote(quote(text)), EVIDENT, False, {}),
    ("\\u escapes", "E05", each(lambda it: f"\\u{ord(it):04x}"), EVIDENT, False, {}),
    ("\\x escapes", "F33", each(lambda it: f"\\x{ord(it):02x}"), EVIDENT, False, {}),
    ("octal escapes", "F33", each(lambda it: f"\\{ord(it):03o}"), EVIDENT, False, {}),
    ("quoted-printable", "G13", each(lambda it: f"={ord(it):02X}"), EVIDENT, False, {}),
    ("encoded word", "K13", lambda text, _: f"=?utf-8?B?{b64(text)}?=", EVIDENT, False, {}),
    ("ext-value", "K13", lambda text, _: f"UTF-8''{quote(text)}", EVIDENT, False, {}),
    ("base64", "F34", lambda text, _: b64(text), EVIDENT, False, {}),
    ("base64 in a sentence", "F34", lambda text, _: f"see {b64(text)} please", EVIDENT, False, {}),
    ("data URL", "F34", lambda text, _: f"data:text/plain;base64,{b64(text)}", EVIDENT, False, {}),
    ("hexadecimal", "F35", lambda text, _: text.encode().hex(), EVIDENT, False, {}),
    ("base32", "F36", lambda text, _: base64.b32encode(text.encode()).decode(), EVIDENT, False, {}),
    ("base85", "F36", lambda text, _: base64.b85encode(text.encode()).decode(), EVIDENT, False, {None: "X06"}),
    ("base64 of UTF-16", "F34", lambda text, _: base64.b64encode(text.encode("utf-16-le")).decode(), EVIDENT, False, {None: "X07"}),
    ("base64 thrice", "F37", lambda text, _: b64(b64(b64(text))), EVIDENT, False, {}),
    ("tag characters", "F39", each(lambda it: chr(0xe0000 + ord(it))), DIGITS, False, {}),
    ("JSON in base64", "F34", lambda text, _: b64(text), ALL, True, {}),
    ("JSON in base64 after junk", "F38", lambda text, rng: b64(rng.choice(["x", "xx", "xxx"]) + text), ALL, True, {}),
    ("JSON in base64 thrice", "F37", lambda text, _: b64(b64(b64(text))), ALL, True, {}),
    ("token with claims", "K15", lambda text, _: jwt(text), ALL, True, {}),
    ("JSON in a string", "E40", lambda text, _: text, ALL, True, {}),
    ("JSON in percent", "F33", lambda text, _: urllib.parse.quote(text, safe=""), ALL, True, {}),
    ("JSON with \\u escapes", "E05", lambda text, _: escaped_values(text), ALL, True, {}),
    ("rotated or reversed", "E41", lambda text, _: text.encode().hex()[::-1], ("digits",), False, {None: "E41"}),
)]


def escaped_values(text):
    return "{%s}" % ",".join('"%s":"%s"' % tuple("".join(f"\\u{ord(it):04x}" for it in word) for word in pair) for pair in json.loads(text).items())


def gap_of(transform, kind, gaps):
    """The published gap that `transform` is for a marker of `kind`, if it is one."""
    named = transform.gaps.get(kind, transform.gaps.get(None))
    return named if named in gaps else None


def known_gaps():
    with open(CASES, encoding="utf8") as f:
        cases = [json.loads(line) for line in f if line.strip()]
    return {it["id"] for it in cases if it["class"] == "known-gap"}


def written(transform, key, value, rng):
    """`value`, or a document of `key` and `value`, as `transform` writes it."""
    return transform.writes(json.dumps({key: value}, ensure_ascii=False) if transform.whole else value, rng)
