//! Ends by kind and destination.

use std::fs;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{super::expiry::*, SMALL, load, load_in, now};
use crate::model::{Day, UtcOffset};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn each_kind_shows_its_earliest_end() {
    let text = SMALL
        .replace(
            "    role: processor\n",
            "    role: processor\n    protection_level: {by: a, at: 2026-06-01, reason: b, until: 2027-05-31}\n",
        )
        .replace("      signed: 2026-01-01\n", "      signed: 2026-01-01\n      until: 2028-01-31\n")
        .replace(
            "    match: {path_prefix: /mail}\n",
            "    match: {path_prefix: /mail}
    failure: {audit: {open: {owner: a, reason: b, until: 2027-03-01}}, registers: {open: {owner: a, reason: b, until: 2027-02-01}}}
    gaps: {opaque: {allow-logged: {owner: a, reason: b, until: 2027-04-01}}, malformed: block}
    not_personal: [{in: query, at: x, reason: a, owner: b, expires: 2027-01-15}]
    safeguards: [{kind: scc, ref: S-1, signed: 2026-01-01, until: 2027-07-07}]
",
        )
        + "adequacy:
  - {regime: kz-94v, country: DE, result: adequate, by: a, at: 2025-12-31, until: 2029-01-01, reason: older}
  - {regime: kz-94v, country: DE, result: adequate, by: a, at: 2026-03-01, reason: twelve months}
  - {regime: kz-94v, country: FR, result: adequate, by: a, at: 2026-03-01, reason: not behind it}
";
    let configuration = load(&text)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .configuration;
    let found: Vec<(&str, String)> = configuration
        .expiries(now())
        .iter()
        .map(|it| (it.kind.as_str(), it.until.to_string()))
        .collect();
    let expected = [
        ("agreement", "2028-01-31"),
        ("assessment", "2027-03-01"),
        ("failure-open", "2027-02-01"),
        ("gap", "2027-04-01"),
        ("not-personal", "2027-01-15"),
        ("protection-level", "2027-05-31"),
        ("safeguard", "2027-07-07"),
    ];
    assert_eq!(found, expected.map(|(kind, day)| (kind, day.to_owned())));
    let what: Vec<&str> = configuration
        .exceptions
        .iter()
        .map(|it| it.what.as_str())
        .collect();
    assert_eq!(what, ["audit", "query x", "opaque", "registers"]);
}

#[test]
fn a_last_day_counts_to_its_end() {
    let offset: UtcOffset = "+05:00".parse().unwrap();
    for (until, standing) in [
        ("2026-11-21", Standing::Expired),
        ("2026-11-22", Standing::ExpiresSoon),
        ("2026-12-21", Standing::ExpiresSoon),
        ("2026-12-22", Standing::Holds),
    ] {
        assert_eq!(
            Standing::of(Some(day(until)), offset, now()),
            standing,
            "{until}"
        );
    }
    assert_eq!(Standing::of(None, offset, now()), Standing::Holds);
}

/// If this fails, a certificate ends without a word before.
#[test]
fn a_certificate_that_ends_soon_is_announced() {
    let dir = tempfile::tempdir().unwrap();
    let text = SMALL.replace(
        "    bind: 127.0.0.1:8080\n",
        "    bind: 127.0.0.1:8080\n    tls: {certificate_file: tls.crt, key_file: tls.key}\n",
    );
    for ((year, month, day), said) in [
        ((2026, 11, 21), Some("expired at 2026-11-21")),
        ((2026, 12, 5), Some("expires at 2026-12-05")),
        ((2026, 12, 7), None),
    ] {
        let mut params = CertificateParams::new(vec!["gate.test".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        fs::write(dir.path().join("tls.crt"), certificate.pem()).unwrap();
        fs::write(dir.path().join("tls.key"), key.serialize_pem()).unwrap();
        let loaded = load_in(dir.path(), &text).unwrap_or_else(|problems| panic!("{problems}"));
        let told = loaded.warnings.to_string();
        assert_eq!(told.contains("the certificate"), said.is_some(), "{told}");
        assert!(told.contains(said.unwrap_or("")), "{told}");
    }
}

/// If this fails, an upstream stops taking the gate's certificate, or the gate the upstream's, without a word before.
#[test]
fn what_proves_who_is_who_to_an_upstream_ends_at_an_instant() {
    let dir = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec!["gate.test".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2026, 12, 5);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let list = |day| rcgen::CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 11, 20),
        next_update: date_time_ymd(2026, 11, day),
        crl_number: rcgen::SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let issuer = rcgen::Issuer::new(params, &key);
    let lists = [27, 24].map(|day| list(day).signed_by(&issuer).unwrap().pem().unwrap());
    fs::write(dir.path().join("a.pem"), certificate.pem()).unwrap();
    fs::write(dir.path().join("a.key"), key.serialize_pem()).unwrap();
    fs::write(dir.path().join("a.crl"), lists.concat()).unwrap();
    let url = "      url: https://mail.example.org\n";
    let more =
        "      crl_file: a.crl\n      identity: {certificate_file: a.pem, key_file: a.key}\n";
    let text = SMALL.replace(url, &format!("{url}{more}"));
    let loaded = load_in(dir.path(), &text).unwrap_or_else(|problems| panic!("{problems}"));
    let found: Vec<(&str, String)> = loaded
        .configuration
        .validities()
        .iter()
        .map(|(_, kind, end)| (kind.as_str(), end.to_string()))
        .collect();
    let expected = [
        ("identity", "2026-12-05T00:00:00.000Z"),
        ("revocation-list", "2026-11-24T00:00:00.000Z"),
    ];
    assert_eq!(found, expected.map(|(kind, end)| (kind, end.to_owned())));
    let told = loaded.warnings.to_string();
    assert!(
        told.contains("the certificate expires at 2026-12-05"),
        "{told}"
    );
}
