//! Every kind of value of MessagePack, CBOR and BSON.

use super::*;

/// Values of MessagePack.
const PACKS: &[&[u8]] = &[
    b"\xc0",
    b"\xc2",
    b"\xc3",
    b"\x07",
    b"\xe0",
    b"\xcc\x01",
    b"\xcd\x01\x02",
    b"\xce\x01\x02\x03\x04",
    b"\xcf\x01\x02\x03\x04\x05\x06\x07\x08",
    b"\xd0\x81",
    b"\xd1\x81\x02",
    b"\xd2\x81\x02\x03\x04",
    b"\xd3\x81\x02\x03\x04\x05\x06\x07\x08",
    b"\xca\x3f\x80\x00\x00",
    b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00",
    b"\xa1x",
    b"\xd9\x01x",
    b"\xda\x00\x01x",
    b"\xdb\x00\x00\x00\x01x",
    b"\xc4\x01\xff",
    b"\xc5\x00\x01\xff",
    b"\xc6\x00\x00\x00\x01\xff",
    b"\xc7\x01\x05\xff",
    b"\xc8\x00\x01\x05\xff",
    b"\xc9\x00\x00\x00\x01\x05\xff",
    b"\xd4\x05\xff",
    b"\xd5\x05\xff\xff",
    b"\xd6\x05\xff\xff\xff\xff",
    b"\x90",
    b"\x91\x01",
    b"\xdc\x00\x01\x01",
    b"\xdd\x00\x00\x00\x01\x01",
    b"\x80",
    b"\x81\xa1k\x01",
    b"\xde\x00\x01\xa1k\x01",
    b"\xdf\x00\x00\x00\x01\xa1k\x01",
];

/// Items of CBOR.
const ITEMS: &[&[u8]] = &[
    b"\x07",
    b"\x18\x64",
    b"\x19\x01\x02",
    b"\x1a\x01\x02\x03\x04",
    b"\x20",
    b"\x41\xff",
    b"\x61x",
    b"\x80",
    b"\x81\x01",
    b"\xa0",
    b"\xa1\x61k\x01",
    b"\xc1\x01",
    b"\xf4",
    b"\xf6",
    b"\xf8\x20",
    b"\xf9\x3c\x00",
    b"\xfa\x3f\x80\x00\x00",
    b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00",
    b"\x5f\x41\xff\xff",
    b"\x9f\x01\xff",
    b"\xbf\x61k\x01\xff",
];

/// Kinds and values of BSON.
const ELEMENTS: &[(u8, &[u8])] = &[
    (0x01, b"\0\0\0\0\0\0\xf0\x3f"),
    (0x02, b"\x02\0\0\0x\0"),
    (0x03, b"\x05\0\0\0\0"),
    (0x04, b"\x05\0\0\0\0"),
    (0x05, b"\x01\0\0\0\x00\xff"),
    (0x06, b""),
    (0x07, b"abcdefghijkl"),
    (0x08, b"\x01"),
    (0x09, b"\x01\0\0\0\0\0\0\0"),
    (0x0a, b""),
    (0x0b, b"x\0i\0"),
    (0x0d, b"\x02\0\0\0x\0"),
    (0x0e, b"\x02\0\0\0x\0"),
    (0x10, b"\x01\0\0\0"),
    (0x11, b"\x01\0\0\0\0\0\0\0"),
    (0x12, b"\x01\0\0\0\0\0\0\0"),
    (0x7f, b""),
    (0xff, b""),
];

/// Label, body, and what is written in it.
const SIGNED: &[(&str, &[u8], &str)] = &[
    ("application/msgpack", b"\xd0\x81", "-127"),
    ("application/msgpack", b"\xd1\xff\x38", "-200"),
    ("application/msgpack", b"\xd2\xff\xff\xff\x38", "-200"),
    ("application/msgpack", b"\xe0", "-32"),
    ("application/msgpack", b"\x81\xd0\x81\x01", "-127"),
    ("application/cbor", b"\x38\xc7", "-200"),
    ("application/cbor", b"\xc3\x41\xc7", "-200"),
    ("application/cbor", b"\xa1\x18\xc8\x01", "200"),
    ("application/cbor", b"\xa1\x38\xc7\x01", "-200"),
    (
        "application/bson",
        b"\x0c\0\0\0\x10k\0\x38\xff\xff\xff\0",
        "-200",
    ),
    ("application/bson", b"\x0e\0\0\0\x02k\0\x02\0\0\0x\0\0", "x"),
    ("application/bson", b"\x0e\0\0\0\x0ek\0\x02\0\0\0x\0\0", "x"),
    // Of an extension, its type is no part.
    ("application/msgpack", b"\xc7\x02\x05ab", "ab"),
    ("application/msgpack", b"\xd5\x05ab", "ab"),
    (
        "application/x-protobuf",
        b"\x08\xb8\xfe\xff\xff\xff\xff\xff\xff\xff\x01",
        "-200",
    ),
];

/// Behind each kind of value stands a mail address: it is found at its place only when the kind was read to its end and no further.
#[test]
fn every_kind_of_value_ends_where_it_ends() {
    let mail = b"a@b.org";
    for kind in PACKS {
        let body = [b"\x92", *kind, b"\xa7", mail].concat();
        check("application/msgpack", body, &["$[1] = a@b.org"], &[]);
    }
    for kind in ITEMS {
        let body = [b"\x82", *kind, b"\x67", mail].concat();
        check("application/cbor", body, &["$[1] = a@b.org"], &[]);
    }
    for (kind, value) in ELEMENTS {
        let inner = [
            &[*kind],
            &b"k\0"[..],
            value,
            b"\x02m\0\x08\0\0\0a@b.org\0\0",
        ]
        .concat();
        let length = u32::try_from(inner.len() + 4).unwrap();
        let body = [&length.to_le_bytes(), inner.as_slice()].concat();
        check("application/bson", body, &["$['m'] = a@b.org"], &[]);
    }
}

#[test]
fn numbers_keep_their_signs() {
    /// Finds what it is asked for, letter for letter.
    #[derive(Debug)]
    struct Is(&'static str);
    impl Scan for Is {
        fn scan(&self, field: &Field<'_>, hits: &mut Vec<Hit>) -> u64 {
            if field.text == self.0 {
                hits.push(Hit {
                    category: Category::NationalId,
                    detector: "sample",
                    confidence: Confidence::High,
                    confidence_beside_person: Confidence::High,
                    identifier: None,
                    range: 0..field.text.len(),
                });
            }
            1
        }
        fn lookup(&self, _: &str) -> KeyHint {
            KeyHint::default()
        }
    }
    for (label, body, expected) in SIGNED {
        let it = message(label, *body);
        let found = inspect(
            &Is(expected),
            &it,
            &Plan::default(),
            &mut Scratch::default(),
        );
        assert_eq!(
            found.findings.len(),
            1,
            "{label} {expected}: {:?}",
            found.gaps
        );
    }
}

#[test]
fn what_does_not_end_as_it_began_is_malformed() {
    use GapKind::*;
    // A group that ends under another number; an indefinite string inside another.
    check(PROTOBUF, [0x0b, 0x14], &[], &[Malformed]);
    check(
        "application/cbor",
        b"\x7f\x7f\x61a\xff\xff",
        &[],
        &[Malformed],
    );
    // Levels of groups count for what is in them.
    let deep = [
        [0x0b].repeat(60),
        field(1, &field(1, &field(1, &field(1, &field(1, b"\x08\x01"))))),
        [0x0c].repeat(60),
    ]
    .concat();
    check(PROTOBUF, deep, &[], &[DepthExceeded]);
    // Zeros are no wide text where there are few, and none where they are many.
    check(PROTOBUF, field(1, b"a\0b\0"), &[], &[]);
    let end = frame(2, br#"{"e":"a@b.org"}"#);
    check(
        "application/connect+proto",
        end,
        &["$[0] | $['e'] = a@b.org"],
        &[],
    );
}
