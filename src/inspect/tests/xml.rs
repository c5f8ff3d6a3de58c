//! XML bodies: joined texts, places, selectors, and what is no document.

use proptest::prelude::*;

use super::*;
use crate::model::finding::GapKind;

fn xml(body: &str) -> Message {
    message("application/xml", body)
}

#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let it = xml(body);
    let inspection = read(&it);
    let found: Vec<_> = inspection
        .findings
        .iter()
        .map(|found| written(&it, found))
        .collect();
    assert_eq!(found, expected, "{body}");
    assert!(inspection.gaps.is_empty(), "{body}: {:?}", inspection.gaps);
}

fn gaps(message: &Message) -> Vec<GapKind> {
    read(message).gaps.iter().map(|it| it.kind).collect()
}

#[test]
fn elements_and_attributes_are_one_tree() {
    check(
        "<?xml version=\"1.0\"?>\n<c><to>1@b.c</to><n/><to>x 2@b.c</to><d e='3@b.c'>4@b.c<f>5@b.c</f></d></c>",
        &[
            "body $['c']['to'][0] = 1@b.c",
            "body $['c']['to'][1] = 2@b.c",
            "body $['c']['d']['@e'] = 3@b.c",
            "body $['c']['d']['#text'] = 4@b.c",
            "body $['c']['d']['f'] = 5@b.c",
        ],
    );
    check(
        "<s:E xmlns:s='urn:x' xmlns:p='urn:991231100010'><p:b/><i-991231100010/></s:E>",
        &["body $['s:E']['@xmlns:p'] = 991231100010"],
    );
    check(
        "<a>{\"b\":\"1@b.c\"}</a>",
        &["body $['a'] | $['b'] = 1@b.c"],
    );
    check(
        "<a>eyJpaW4iOiI5OTEyMzExMDAwMTAifQ==</a>",
        &["body $['a'] | $['iin'] = eyJpaW4iOiI5OTEyMzExMDAwMTAifQ=="],
    );
}

#[test]
fn names_are_values_too() {
    let it = xml("<a><b@c.d/></a>");
    assert_eq!(gaps(&it), [GapKind::Malformed]);
    // The sample detector takes a word of twelve digits for a number; a name that begins with a digit is none.
    check(
        "<p:a xmlns:p='x'><x:991231100010 xmlns:x='y' x:991231100010=''/></p:a>",
        &[
            "body $['p:a']['x:991231100010'] (key) = 991231100010",
            "body $['p:a']['x:991231100010']['@x:991231100010'] (key) = 991231100010",
        ],
    );
}

/// Trap 5: a parser that splits text at references, comments and sections shows no part of what is written over them.
#[test]
fn trap_5_a_text_is_read_whole_over_references_cdata_and_comments() {
    check(
        "<c>991231<!--x-->100010</c>",
        &["body $['c'] = 991231<!--x-->100010"],
    );
    check(
        "<c><![CDATA[991231]]><![CDATA[100010]]></c>",
        &["body $['c'] = <![CDATA[991231]]><![CDATA[100010]]>"],
    );
    check(
        "<c><![CDATA[x 991231100010]]></c>",
        &["body $['c'] = 991231100010"],
    );
    check(
        "<c>9&#57;12&#x33;1100010</c>",
        &["body $['c'] = 9&#57;12&#x33;1100010"],
    );
    check(
        "<c>jane&#64;ex&amp;ample.org x</c>",
        &["body $['c'] = jane&#64;ex&amp;ample.org"],
    );
    check("<c d='a&#64;b.c'/>", &["body $['c']['@d'] = a&#64;b.c"]);
    check(
        "<c>991231<b/>100010</c>",
        &["body $['c']['#text'] = 991231<b/>100010"],
    );
    check(
        "<c>991231<?x y?>100010</c>",
        &["body $['c'] = 991231<?x y?>100010"],
    );
    check(
        "<c>99<![CDATA[1231]]>100010</c>",
        &["body $['c'] = 99<![CDATA[1231]]>100010"],
    );
}

#[test]
fn what_stands_beside_elements_is_read() {
    check(
        "<!-- 1@b.c --><c><d><!--2@b.c--></d><e f=''><?x 3@b.c?></e></c><?y 4@b.c?>",
        &[
            "body comment $ = 1@b.c",
            "body comment $['c'] = 2@b.c",
            "body instruction $['c']['e'] = 3@b.c",
            "body instruction $ = 4@b.c",
        ],
    );
}

#[test]
fn what_is_no_document_or_two_is_a_gap() {
    use GapKind::{Ambiguous, DepthExceeded, Malformed, PartsExceeded, UnsupportedCharset};
    for (body, expected) in [
        ("<c><iin>1</c>", vec![Malformed]),
        ("<c/>]", vec![Malformed]),
        ("<c>&b;</c>", vec![Malformed]),
        (
            "<!DOCTYPE c SYSTEM 'http://127.0.0.1:9/x.dtd'><c/>",
            vec![Ambiguous],
        ),
        (
            "<!DOCTYPE c [<!ENTITY a '991231'>]><c>&a;</c>",
            vec![Ambiguous, Malformed],
        ),
        ("{}", vec![Malformed]),
    ] {
        assert_eq!(gaps(&xml(body)), expected, "{body}");
    }
    let declared = "<!DOCTYPE c [<!ENTITY a ' 1@b.c '>]><c/>";
    let it = xml(declared);
    assert_eq!(covered(&it, &read(&it).findings[0]), "1@b.c");
    let kept = xml("<c><d>1@b.c</d><e>");
    assert_eq!(
        read(&kept).findings.len(),
        1,
        "what stands before a fault is kept"
    );
    assert_eq!(gaps(&xml(&"<a>".repeat(100_000))), [DepthExceeded]);
    let many: String = (0..80_000).map(|it| format!(" a{it}=''")).collect();
    assert_eq!(gaps(&xml(&format!("<c{many}/>"))), [PartsExceeded]);
    let encoded = |label: &str, declared: &str, bytes: &[u8]| {
        let head = format!("<?xml version='1.0' encoding='{declared}'?><c>");
        message(label, [head.as_bytes(), bytes, b"</c>"].concat())
    };
    for (label, declared, bytes, expected) in [
        ("text/xml", "utf-8", &b"x"[..], vec![]),
        ("text/xml; charset=utf-8", "UTF-8", b"x", vec![]),
        ("text/xml; charset=us-ascii", "utf-8", b"x", vec![]),
        (
            "text/xml",
            "windows-1251",
            b"\xc8\xe2\xe0\xed\xee\xe2",
            vec![],
        ),
        (
            "application/soap+xml; charset=windows-1251",
            "windows-1251",
            b"\xc8\xe2",
            vec![],
        ),
        (
            "text/xml; charset=utf-8",
            "windows-1251",
            b"x",
            vec![Ambiguous],
        ),
        (
            "text/xml",
            "utf-8",
            b"\xc8\xe2\xe0\xed",
            vec![UnsupportedCharset],
        ),
        ("text/xml", "ibm037", b"x", vec![UnsupportedCharset]),
    ] {
        let mut found = gaps(&encoded(label, declared, bytes));
        found.sort_by_key(|it| it.as_str() != "unsupported-charset");
        assert_eq!(found, expected, "{label} {declared}");
    }
}

#[test]
fn selectors_reach_elements_once_and_repeated() {
    let one = "<s:Envelope xmlns:s='x'><s:Body><to n='1'><mail t='x'>1@b.c</mail></to></s:Body></s:Envelope>";
    let two = "<s:Envelope xmlns:s='x'><s:Body><to><mail>1@b.c</mail></to><x/><to><mail>2@b.c</mail><note>3@b.c</note></to></s:Body></s:Envelope>";
    let records = |body: &str, at: &str| -> Vec<String> {
        let spec = PlanSpec {
            records: Some(body_selector(at)),
            ..PlanSpec::default()
        };
        let persons = read_with(&xml(body), &spec).persons;
        let spans = persons.iter().filter_map(|it| it.record.as_ref());
        spans
            .map(|it| body.get(it.span.clone()).unwrap().to_owned())
            .collect()
    };
    for at in [
        "$.Envelope.Body.to[*]",
        "$.Envelope.Body.to",
        "$['s:Envelope']['s:Body'].to",
        "$..to",
    ] {
        assert_eq!(
            records(one, at),
            ["<to n='1'><mail t='x'>1@b.c</mail></to>"],
            "{at}"
        );
        assert_eq!(
            records(two, at),
            [
                "<to><mail>1@b.c</mail></to>",
                "<to><mail>2@b.c</mail><note>3@b.c</note></to>"
            ],
            "{at}"
        );
    }
    assert_eq!(records(two, "$..to[1].mail"), ["<mail>2@b.c</mail>"]);
    let left = |body: &str, at: &str| -> Vec<String> {
        let spec = PlanSpec {
            not_personal: vec![body_selector(at)],
            ..PlanSpec::default()
        };
        let it = xml(body);
        let findings = read_with(&it, &spec).findings;
        findings.iter().map(|found| covered(&it, found)).collect()
    };
    assert_eq!(left(one, "$.Envelope.Body.to.mail"), [""; 0]);
    assert_eq!(left(one, "$.Envelope.Body.to.mail['#text']"), [""; 0]);
    assert_eq!(left(one, "$.Envelope.Body.to.mail['@t']"), ["1@b.c"]);
    assert_eq!(left(two, "$.Envelope.Body.to.mail"), ["3@b.c"]);
    assert_eq!(left(two, "$.Envelope.Body.to[0].mail"), ["2@b.c", "3@b.c"]);
    assert_eq!(
        left(two, "$['s:Envelope']['s:Body'].to[?@.note].mail"),
        ["1@b.c", "3@b.c"]
    );
}

#[test]
fn persons_are_told_apart_as_in_json() {
    let it = xml("<l><p><m>1@b.c</m><i>991231100010</i></p><p><m>2@b.c</m></p></l>");
    let persons: Vec<usize> = read(&it)
        .persons
        .iter()
        .map(|it| it.identifiers.len())
        .collect();
    assert_eq!(persons, [2, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_give_an_inspection(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"(<|</|>|/>|a|b|p:|=|'|"|&#57;|&amp;|&|;|<!--|-->|<!\[CDATA\[|\]\]>|<\?|\?>|<!DOCTYPE|\[|\]|1@b.c| |<a>|</a>|<b>|</b>|x){0,40}"#.prop_map(String::into_bytes),
        ],
    ) {
        let it = message("text/xml", body);
        let inspection = read(&it);
        for finding in &inspection.findings {
            prop_assert!(finding.span.start <= finding.span.end && finding.span.end <= it.body.len());
        }
        prop_assert_eq!(read(&it), inspection, "reading twice gives the same");
    }

    /// A value is found however its text is cut up, and the bytes that hold it begin and end with it.
    #[test]
    fn a_value_is_found_however_it_is_written(
        cuts in prop::collection::vec(0_usize..7, 12),
        before in "[a-z ]{0,5} ",
    ) {
        let mut text = before.clone();
        for (digit, cut) in "991231100010".chars().zip(cuts) {
            text += &match cut {
                0 => format!("&#{};", digit as u32),
                1 => format!("<![CDATA[{digit}]]>"),
                2 => format!("<!--c-->{digit}"),
                3 => format!("<?p i?>{digit}"),
                4 => format!("<b/>{digit}"),
                _ => digit.to_string(),
            };
        }
        let it = xml(&format!("<a>{text} z</a>"));
        let inspection = read(&it);
        prop_assert!(inspection.gaps.is_empty(), "{:?}", inspection.gaps);
        let found: Vec<_> = inspection.findings.iter().map(|found| covered(&it, found)).collect();
        prop_assert_eq!(found.len(), 1, "{:?}", found);
        // Marks that stand before the first digit or around a single section are no part of the value.
        let held = text.strip_prefix(&before).unwrap();
        prop_assert!(held.ends_with(found[0].as_str()) || held.contains(&found[0]), "{} in {}", found[0], held);
        let digits: String = found[0].chars().filter(|it| !it.is_ascii_whitespace()).collect();
        prop_assert!(digits.len() >= 12, "{digits}");
    }
}
