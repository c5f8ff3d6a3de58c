//! Bodies that are not text: each feeds the one walk, and what is no such body is a gap.

mod kinds;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::model::finding::GapKind;

const PROTOBUF: &str = "application/x-protobuf";

/// A field of Protocol Buffers that is delimited by its length, which is short.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80 && number < 16);
    [&[number << 3 | 2, length], content].concat()
}

fn varint(number: u8, mut value: u64) -> Vec<u8> {
    let mut out = vec![number << 3];
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

fn frame(flags: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[flags], &length.to_be_bytes()[..], message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Paths of the findings, with the bytes under each, and kinds of the gaps.
fn places(message: &Message) -> (Vec<String>, Vec<GapKind>) {
    let inspection = read(message);
    let found = inspection.findings.iter().map(|it| {
        let mut out = it.location.path.as_deref().map(normalized_path).unwrap();
        if let Some(inner) = &it.location.inner {
            out += &format!(" | {}", normalized_path(inner));
        }
        let bytes = &message.body[it.span.clone()];
        let key = if it.in_key { " (key)" } else { "" };
        match it.is_encoded {
            true => format!("{out}{key}"),
            false => format!("{out}{key} = {}", String::from_utf8_lossy(bytes)),
        }
    });
    let found = found.collect();
    (found, inspection.gaps.iter().map(|it| it.kind).collect())
}

#[track_caller]
fn check(label: &str, body: impl Into<Vec<u8>>, found: &[&str], gaps: &[GapKind]) {
    let (seen, seen_gaps) = places(&message(label, body));
    assert_eq!(seen, found);
    assert_eq!(seen_gaps, gaps);
}

#[test]
fn messages_without_a_schema_are_known_by_numbers() {
    let person = [
        field(1, "Айгерим".as_bytes()),
        field(2, b"a@b.org"),
        varint(3, 991_231_100_010),
    ]
    .concat();
    let body = [
        field(1, &person),
        field(1, &field(2, b"c@d.org")),
        varint(4, 7),
    ]
    .concat();
    check(
        PROTOBUF,
        body,
        &["$[1][2] = a@b.org", "$[1][3]", "$[1][2] = c@d.org"],
        &[],
    );
    // A fixed number, a number of floating point, and a group.
    let fixed = [&[0x09][..], &991_231_100_010_u64.to_le_bytes()].concat();
    check(PROTOBUF, fixed, &["$[1]"], &[]);
    let double = [&[0x09][..], &991_231_100_010_f64.to_le_bytes()].concat();
    check(PROTOBUF, double, &["$[1]"], &[]);
    let group = [&[0x13][..], &field(1, b"a@b.org"), &[0x14]].concat();
    check(PROTOBUF, group, &["$[2][1] = a@b.org"], &[]);
    // The numbers of a packed field.
    let numbers = [varint(1, 991_231_100_010), varint(1, 880_101_300_019)];
    let packed: Vec<u8> = numbers.iter().flat_map(|it| it[1..].to_vec()).collect();
    check(PROTOBUF, field(5, &packed), &["$[5]", "$[5]"], &[]);
}

#[test]
fn a_field_that_may_be_text_or_message_is_read_as_both() {
    // All of it is a message: field 14 of the length 12; and all of it is text.
    let inner = [b"r\x0c".as_slice(), b"991231100010"].concat();
    check(
        PROTOBUF,
        field(1, &inner),
        &["$[1][14] = 991231100010"],
        &[],
    );
    // As a text the number is one digit too long, as a message it is not.
    let digits = [b"2191231100010", [b'x'; 36].as_slice()].concat();
    let (found, gaps) = places(&message(PROTOBUF, field(1, &digits)));
    assert_eq!(found, [] as [&str; 0], "{gaps:?}");
    let mail = [b"2 ".as_slice(), b"991231100010", [b' '; 20].as_slice()].concat();
    check(PROTOBUF, field(1, &mail), &["$[1] = 991231100010"], &[]);
}

#[test]
fn what_is_no_message_is_malformed_and_read_as_text() {
    use GapKind::*;
    check(
        PROTOBUF,
        "991231100010",
        &["$ = 991231100010"],
        &[Malformed],
    );
    check(PROTOBUF, [0x0e], &[], &[Malformed]);
    check(PROTOBUF, [0x0a, 0x7f, b'a'], &[], &[Malformed]);
    check(PROTOBUF, [0x0b, 0x08, 0x01], &[], &[Malformed]);
    check(PROTOBUF, [0x00], &[], &[Malformed]);
}

#[test]
fn bytes_that_nobody_can_read_are_a_gap() {
    use GapKind::*;
    let id: Vec<u8> = (0..16_u8).map(|it| it.wrapping_mul(97) ^ 0xe5).collect();
    check(PROTOBUF, field(1, &id), &[], &[]);
    let noise: Vec<u8> = (0..100_u8).map(|it| it.wrapping_mul(101) ^ 0xd5).collect();
    check(PROTOBUF, field(1, &noise), &[], &[Opaque]);
    let jpeg = [b"\xff\xd8\xff\xe0".as_slice(), &[0; 8]].concat();
    check(PROTOBUF, field(1, &jpeg), &[], &[Opaque]);
    let hidden = [b"\xff\xfe".as_slice(), b"991231100010"].concat();
    check(PROTOBUF, field(1, &hidden), &[], &[Opaque]);
    let wide: Vec<u8> = b"991231100010".iter().flat_map(|it| [*it, 0]).collect();
    check(PROTOBUF, field(1, &wide), &[], &[Opaque]);
}

#[test]
fn clean_messages_have_no_gaps() {
    // A span of OpenTelemetry: ids, a name, times in nanoseconds, attributes, counts.
    let attribute = [field(1, b"http.method"), field(2, &field(1, b"POST"))].concat();
    let time = |number: u8| {
        let nanos = 1_700_000_000_123_456_789_u64.to_le_bytes();
        [&[number << 3 | 1][..], &nanos].concat()
    };
    let span = [
        field(1, &[0x9f, 0x3c, 0xee, 0x10, 0x88, 0x9a, 0x77, 0xc1]),
        field(5, b"GET /orders"),
        varint(6, 2),
        time(7),
        time(8),
        field(9, &attribute),
        varint(10, 1_700_000_000_123),
        field(11, &[1, 0, 0, 4, 9, 0, 3, 12, 0, 1]),
    ]
    .concat();
    check(PROTOBUF, field(2, &span), &[], &[]);
    // 991231100019 is no valid number, but the sample detector takes any of twelve digits; eleven it takes for nothing.
    check(PROTOBUF, varint(1, 99_123_110_001), &[], &[]);
}

#[test]
fn frames_are_an_array_of_messages() {
    use GapKind::*;
    let one = field(1, b"991231100010");
    let two = field(2, b"a@b.org");
    let body = [frame(0, &one), frame(0, &two)].concat();
    let expected = ["$[0][1] = 991231100010", "$[1][2] = a@b.org"];
    for label in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc-web",
    ] {
        check(label, body.clone(), &expected, &[]);
    }
    check(
        "application/grpc",
        &body[..body.len() - 1],
        &expected[..1],
        &[Malformed],
    );
    check("application/grpc", "", &[], &[]);
    let text = BASE64_STANDARD.encode(frame(0, &one)) + &BASE64_STANDARD.encode(frame(0, &two));
    check(
        "application/grpc-web-text",
        text,
        &["$[0][1]", "$[1][2]"],
        &[],
    );
    let trailers = [frame(0, &one), frame(0x80, b"x-user: a@b.org\r\n")].concat();
    check(
        "application/grpc-web",
        trailers,
        &["$[0][1] = 991231100010", "$[1] = a@b.org\r\n"],
        &[],
    );
    let json = frame(0, br#"{"e":"a@b.org"}"#);
    check(
        "application/connect+json",
        json,
        &["$[0] | $['e'] = a@b.org"],
        &[],
    );
    check(
        "application/grpc+thrift",
        body,
        &[],
        &[UnsupportedMediaType],
    );
}

#[test]
fn a_frame_is_compressed_as_the_head_says() {
    use GapKind::*;
    let body = frame(1, &gzip(&field(1, b"991231100010")));
    let of = |coding: &'static [u8]| {
        with_field(
            message("application/grpc", body.clone()),
            "grpc-encoding",
            coding,
        )
    };
    assert_eq!(places(&of(b"gzip")), (vec!["$[0][1]".to_owned()], vec![]));
    assert_eq!(places(&of(b"snappy")), (vec![], vec![UnsupportedCoding]));
    check("application/grpc", body, &[], &[UnsupportedCoding]);
    let spec = PlanSpec {
        budget: crate::model::inspection::Budget {
            decoded_bytes: 4096,
            ..Default::default()
        },
        ..PlanSpec::default()
    };
    let bomb = frame(1, &gzip(&vec![0; 100_000]));
    let bomb = with_field(message("application/grpc", bomb), "grpc-encoding", b"gzip");
    let gaps: Vec<_> = read_with(&bomb, &spec)
        .gaps
        .iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(gaps, [DecodedTooLarge]);
}

#[test]
fn maps_of_message_pack_and_cbor_are_objects() {
    use GapKind::*;
    check(
        "application/msgpack",
        b"\x81\xa3iin\xac991231100010",
        &["$['iin'] = 991231100010"],
        &[],
    );
    check(
        "application/msgpack",
        b"\x81\xa1x\xcf\x00\x00\x00\xe6\xc9\xfa\x44\x6a",
        &["$['x']"],
        &[],
    );
    check(
        "application/x-msgpack",
        b"\x92\x81\xa7a@b.org\x01\xd9\x07c@d.org",
        &["$[0]['a@b.org'] (key) = a@b.org", "$[1] = c@d.org"],
        &[],
    );
    check("application/msgpack", b"\x81\xa1x", &[], &[Malformed]);
    check("application/msgpack", b"\x01\x02", &[], &[Malformed]);
    check(
        "application/msgpack",
        b"\x82\xa1x\x01\xa1x\x02",
        &[],
        &[Ambiguous],
    );
    check("application/msgpack", [0x91; 200], &[], &[DepthExceeded]);
}

#[test]
fn items_of_cbor_are_read_however_they_are_written() {
    use GapKind::*;
    check(
        "application/cbor",
        b"\xa1\x63iin\x6c991231100010",
        &["$['iin'] = 991231100010"],
        &[],
    );
    check(
        "application/cbor",
        b"\x1b\x00\x00\x00\xe6\xc9\xfa\x44\x6a",
        &["$"],
        &[],
    );
    check(
        "application/cbor",
        b"\x7f\x66991231\x66100010\xff",
        &["$"],
        &[],
    );
    check(
        "application/cbor",
        b"\xd8\x18\x48\x67a@b.org",
        &["$ = a@b.org"],
        &[],
    );
    check(
        "application/cbor",
        b"\xc2\x48\x00\x00\x00\xe6\xc9\xfa\x44\x6a",
        &["$"],
        &[],
    );
    check(
        "application/cbor",
        b"\x9f\x01\x67a@b.org\xff",
        &["$[1] = a@b.org"],
        &[],
    );
    check("application/cbor", b"\xbf\x61a\x01\xff", &[], &[]);
    check("application/cbor", b"\x9f\x01", &[], &[Malformed]);
    check("application/cbor", [0x81; 200], &[], &[DepthExceeded]);
    check(
        "application/cbor",
        b"\xfb\x42\x6c\xd9\x3f\x48\x8d\x40\x00",
        &["$"],
        &[],
    );
}

#[test]
fn documents_of_bson_are_objects() {
    use GapKind::*;
    let body = b"\x24\0\0\0\x02iin\0\x0d\0\0\x00991231100010\0\x12n\0\x07\0\0\0\0\0\0\0\0";
    let mut body = body.to_vec();
    body[0] = u8::try_from(body.len()).unwrap();
    check(
        "application/bson",
        body.clone(),
        &["$['iin'] = 991231100010"],
        &[],
    );
    body[0] += 1;
    check(
        "application/bson",
        body,
        &["$['iin'] = 991231100010"],
        &[Malformed],
    );
    check("application/bson", b"\x05\0\0\0\0", &[], &[]);
    check("application/bson", b"\x05\0\0", &[], &[Malformed]);
}

#[test]
fn selectors_and_persons_mean_the_same_in_bytes() {
    let person = |mail: &[u8]| field(3, &[field(1, mail), field(2, b"991231100010")].concat());
    let body = [person(b"a@b.org"), person(b"c@d.org")].concat();
    let spec = PlanSpec {
        records: Some(body_selector("$[3]")),
        not_personal: vec![body_selector("$[3][2]")],
        ..PlanSpec::default()
    };
    let inspection = read_with(&message(PROTOBUF, body), &spec);
    assert_eq!(inspection.findings.len(), 2);
    let records: Vec<_> = inspection
        .persons
        .iter()
        .map(|it| it.record.clone())
        .collect();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(Option::is_some));
}

#[test]
fn nesting_costs_no_more_than_the_budget() {
    let mut body = vec![0x0a, 0x07];
    body.extend(b"a@b.org");
    for _ in 0..60 {
        let mut outer = varint(1, body.len() as u64);
        outer[0] |= 2;
        outer.extend(&body);
        body = outer;
    }
    let inspection = read(&message(PROTOBUF, body.clone()));
    assert_eq!(inspection.findings.len(), 1);
    assert!(
        inspection.work < 100 * 64 * body.len() as u64,
        "{}",
        inspection.work
    );
    let shallow = PlanSpec {
        budget: crate::model::inspection::Budget {
            depth: 8,
            ..Default::default()
        },
        ..PlanSpec::default()
    };
    let gaps = read_with(&message(PROTOBUF, body), &shallow).gaps;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].kind, GapKind::DepthExceeded);
}

proptest! {
    #[test]
    fn any_bytes_give_spans_inside_and_no_panic(
        kind in 0..7_usize,
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let label = [
            PROTOBUF,
            "application/grpc",
            "application/grpc-web-text",
            "application/msgpack",
            "application/cbor",
            "application/bson",
            "application/connect+json",
        ][kind];
        let it = message(label, body);
        for finding in read(&it).findings {
            prop_assert!(finding.span.start <= finding.span.end);
            prop_assert!(finding.span.end <= it.body.len());
        }
    }
}

/// Values that say something together say it in bytes as in JSON.
#[test]
fn neighbours_pairs_and_codes_mean_the_same_in_bytes() {
    let codes = b"991231100010";
    let pack = [&[0x81, 0xa1, b'k', 0x9c][..], codes].concat();
    check("application/msgpack", pack, &["$['k']"], &[]);
    let coded: Vec<u8> = codes.iter().flat_map(|it| [0x18, *it]).collect();
    let item = [&[0xa1, 0x61, b'k', 0x8c][..], &coded].concat();
    check("application/cbor", item, &["$['k']"], &[]);
    let mut elements: Vec<u8> = Vec::new();
    for (at, code) in codes.iter().enumerate() {
        elements.extend([b"\x10", at.to_string().as_bytes(), &[0, *code, 0, 0, 0]].concat());
    }
    let list = [
        &[u8::try_from(elements.len() + 5).unwrap(), 0, 0, 0],
        &elements[..],
        b"\0",
    ]
    .concat();
    let length = u8::try_from(list.len() + 8).unwrap();
    let document = [&[length, 0, 0, 0, 0x04, b'k', 0][..], &list, b"\0"].concat();
    check("application/bson", document, &["$['k']"], &[]);
    // A list of other numbers beside them is no text.
    let other = [&[0x92, 0x9c][..], codes, b"\x9d", codes, b"\xcd\x03\xe8"].concat();
    check("application/msgpack", other, &["$[0]"], &[]);
    // The label behind its value.
    let pair = b"\x82\xa5value\xafAigul Saparova \xa4name\xa9full_name";
    let read = crate::inspect::Inspector::default()
        .inspect(&message("application/msgpack", &pair[..]), &Plan::default());
    let found: Vec<_> = read.findings.iter().map(|it| it.category).collect();
    assert_eq!(found, [Category::NameFull]);
    assert_eq!(&pair[read.findings[0].span.clone()], b"Aigul Saparova ");
    // Numbers that are pieces of one.
    let pieces = b"\x92\xce\0\x0f\x1f\xff\xce\0\x01\x86\xaa";
    let (found, gaps) = places(&message("application/msgpack", &pieces[..]));
    assert_eq!((found.len(), gaps), (2, vec![]), "{found:?}");
}
