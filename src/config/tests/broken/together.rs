//! What has a wrong type keeps nothing else from being judged, and nothing is said that follows from it alone.

use super::{super::SMALL, check, lines};

#[test]
fn types_and_meanings_are_reported_together() {
    let mut text = SMALL.to_owned();
    for (from, to) in [
        ("version: 1", "version: 1\nversion: 1"),
        ("bind: 127.0.0.1:8080", "bind: 127.0.0.1"),
        ("role: processor", "role: procesor"),
        ("party: mailer", "party: mailre"),
        ("country: DE", "country: GER\n    mode: [enforce]"),
        (
            "https://mail.example.org",
            "http://10.0.0.1\n      controlled_zone: yes",
        ),
        ("      signed: 2026-01-01\n", ""),
        ("- purpose: service.orders", "- purpose: servise.orders"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let found = lines(&text);
    let wanted = [
        "2:1 E version: duplicate key `version`",
        "9:11 E listeners[0].bind: `127.0.0.1` is not an address with a port",
        "16:11 E parties[0].role: expected one of",
        "19:12 E destinations[0].party: unknown party `mailre` [did you mean `mailer`?]",
        "20:14 E destinations[0].country: `GER` is not",
        "21:11 E destinations[0].mode: expected `enforce` or `log-only`, found a list",
        "27:24 E destinations[0].upstream.controlled_zone: expected true or false, found a text",
        "29:7 E destinations[0].agreement: missing key `signed`",
        "38:18 E destinations[0].routes[1].purpose: the purpose `servise.orders` is outside the agreement [did you mean \
         `service.orders`?]",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found}\n{wanted}");
    }
}

#[test]
fn nothing_follows_from_a_wrong_type() {
    for (from, to) in [
        // A text in the place of each list that others are compared with.
        (
            "actions: [send]\n      purposes",
            "actions: send\n      purposes",
        ),
        ("purposes: [service, marketing.email]", "purposes: service"),
        (
            "purposes_claimable: [marketing.email]",
            "purposes_claimable: marketing.email",
        ),
        ("id: mailer", "id: [mailer]"),
        ("id: shop", "id: {shop: 1}"),
        ("role: processor", "role: 7"),
        (
            "bin: \"990140000007\"",
            "bin: \"990140000007\"\n  regimes: kz-94v\n  profile: baseline",
        ),
        (
            "https://mail.example.org",
            "http://10.0.0.1\n      controlled_zone: on",
        ),
        (
            "country: DE",
            "country: DE\n    fallback: [reduce-field]\n    operators: {phone: mask}",
        ),
        (
            "country: DE",
            "country: DE\n    confidence_min: certian\n    thresholds: [{of: phone, confidence_min: certain}]",
        ),
        (
            "- purpose: service.orders",
            "- purpose: service.orders\n        subjects: [{in: hedder, at: X-Client, kind: email}]",
        ),
        ("- path: /news", "- path: [/news]"),
        ("match: {path_prefix: /mail}", "match: /mail"),
        (
            "state_dir: ./state",
            "state_dir: ./state\nlimits: {concurrency: -1}",
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let found = lines(&SMALL.replacen(from, to, 1));
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
    }
}

#[test]
fn digits_stand_as_they_are_written() {
    let number = "bin: 060140000003";
    check(
        "bin: \"990140000007\"",
        &format!("{number}\n  regimes: kz-94v"),
        "
            5:12 E operator.regimes: expected a list, found a text [-]
        ",
    );
}
