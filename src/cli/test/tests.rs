use std::path::Path;

use super::{FileReport, Report, Suite};

const CONFIGURATION: &str = "\
configuration:
  version: 1
  operator: {legal_name: Example LLP, bin: \"990140000007\", profile: kz-law-strict}
  listeners: [{id: main, bind: \"127.0.0.1:8080\"}]
  parties: [{id: sms, legal_name: Qazaq SMS LLP, role: controller}]
  destinations:
    - id: sms
      party: sms
      country: KZ
      match: {path_prefix: /sms}
      upstream: {url: \"https://sms.example.org\"}
      routes: [{path: /, purpose: order.notice, channel: sms, actions: [send]}]
";
const SETTING: &str = "\
setting:
  clock: 2026-11-22T12:00:00+05:00
  registers:
    subjects:
      - name: A
        identifiers: {phone: \"+7 701 000 00 01\"}
        consents:
          - {id: a, from: 2026-01-10, until: purpose, third_party: any, categories: [phone], purposes: [order]}
";
const REQUEST: &str = "request: {path: /sms, body: {phone: \"+7 701 000 00 01\"}}";

fn parse(setting: &str, cases: &str) -> Result<Suite, String> {
    let text = format!("{CONFIGURATION}{setting}cases:\n{cases}");
    Suite::parse(text, "t.yaml".to_owned(), Path::new("")).map_err(|it| it.to_string())
}

fn case(expect: &str) -> String {
    format!("  - name: one\n    {REQUEST}\n    expect: {{{expect}}}\n")
}

/// Fields that came out otherwise for a request that is allowed on a consent.
fn fields(expect: &str) -> Vec<&'static str> {
    let outcomes = parse(SETTING, &case(expect)).unwrap().run("");
    let differences = outcomes.into_iter().flat_map(|it| it.differences);
    differences.map(|it| it.field).collect()
}

#[test]
fn every_expectation_can_fail() {
    for (expect, expected) in [
        ("verdict: allow", vec![]),
        (
            "verdict: block, reason: no-consent",
            vec!["verdict", "would_be", "reason"],
        ),
        ("verdict: allow, would_be: block", vec!["would_be"]),
        ("verdict: allow, also: [no-consent]", vec!["also"]),
        ("verdict: allow, country: DE", vec!["country"]),
        ("verdict: allow, record: a", vec!["record"]),
        (
            "verdict: allow, left: {phone: \"+7 701 000 00 01\"}",
            vec![],
        ),
        (
            "verdict: allow, left: {phone: \"+7 701 000 00 02\"}",
            vec!["left"],
        ),
        ("verdict: allow, left: \"{\\\"phone\\\": 1}\"", vec!["left"]),
        ("verdict: allow, persons: 1", vec![]),
        ("verdict: allow, persons: 2", vec!["persons"]),
        ("verdict: allow, status: 451", vec!["status"]),
        ("verdict: allow, regime: kz-94v", vec![]),
        ("verdict: allow, regime: eu-gdpr", vec!["regime"]),
        ("verdict: allow, carriers: {third-party: consent}", vec![]),
        (
            "verdict: allow, carriers: {third-party: contract}",
            vec!["carriers.third-party"],
        ),
        (
            "verdict: allow, carriers: {cross-border: consent}",
            vec!["carriers.cross-border"],
        ),
        ("verdict: allow, found: {body: [phone]}", vec![]),
        ("verdict: allow, found: {query: [phone]}", vec!["found"]),
        ("verdict: allow, opened: [gap:opaque]", vec!["opened"]),
    ] {
        assert_eq!(fields(expect), expected, "{expect}");
    }
}

#[test]
fn unusable_files_are_told_with_places() {
    let good = case("verdict: allow");
    for (setting, cases, line, said) in [
        (
            SETTING,
            good.replace("expect", "expcet"),
            24,
            "did you mean `expect`?",
        ),
        (SETTING, case("verdict: alow"), 24, "alow"),
        (
            SETTING,
            case("verdict: block"),
            24,
            "without its primary reason",
        ),
        (
            SETTING,
            format!("{good}{good}"),
            25,
            "two cases are called `one`",
        ),
        (
            SETTING,
            good.replace("    request", "    without: [b]\n    request"),
            23,
            "unknown record `b`",
        ),
        (
            SETTING,
            good.replace("    request", "    profile: strict\n    request"),
            23,
            "unknown profile",
        ),
        (
            SETTING,
            good.replace("    request", "    profile: baseline-eu-gdpr\n    request"),
            23,
            "reads eu-gdpr",
        ),
        (
            SETTING,
            good.replace("/sms,", "sms,"),
            23,
            "does not start with a slash",
        ),
        (
            SETTING,
            good.replace("{phone", "hello, method: {phone"),
            23,
            "expected a text",
        ),
        (
            SETTING,
            case("verdict: allow, carriers: {third: consent}"),
            24,
            "unknown facet",
        ),
    ] {
        let problems = parse(setting, &cases).unwrap_err();
        assert!(problems.contains(said), "{said}: {problems}");
        assert!(
            problems.contains(&format!("t.yaml:{line}:")),
            "{line}: {problems}"
        );
    }
}

#[test]
fn records_and_configuration_have_their_places() {
    let good = case("verdict: allow");
    let twice = SETTING.replace("phone: \"+7", "fone: \"+7");
    assert!(parse(&twice, &good).unwrap_err().contains("t.yaml:18:"));
    for (addresses, said) in [
        ("phone: ann", "not an identifier of kind phone"),
        ("phone: []", "names no address"),
        ("internal-id: a1", "is no address"),
    ] {
        let ends = format!("[order], addresses: {{{addresses}}}");
        let problems = parse(&SETTING.replace("[order]", &ends), &good).unwrap_err();
        let is_told = problems.contains("t.yaml:20:") && problems.contains(said);
        assert!(is_told, "{said}: {problems}");
    }
    let unlisted = CONFIGURATION.replace("country: KZ", "country: XX");
    let text = format!("{unlisted}{SETTING}cases:\n{good}");
    let problems = Suite::parse(text, "t.yaml".to_owned(), Path::new("")).unwrap_err();
    assert!(problems.to_string().contains("t.yaml:9:16"), "{problems}");
}

#[test]
fn a_record_gone_changes_the_outcome() {
    let suite = parse(SETTING, &case("verdict: allow")).unwrap();
    assert_eq!(suite.consents(), ["a".into()]);
    assert!(suite.run("").iter().all(super::Outcome::passed));
    assert!(suite.run("another").is_empty());
    let outcomes = suite.without("a").run("");
    let explanation = outcomes[0].explanation.as_ref().unwrap();
    assert!(explanation.contains("no-consent"), "{explanation}");
}

#[test]
fn results_are_told_in_three_forms() {
    let suite = parse(SETTING, &case("verdict: block, reason: no-consent")).unwrap();
    let report = Report {
        files: vec![
            FileReport {
                file: "t.yaml".to_owned(),
                result: Ok(suite.run("")),
            },
            FileReport {
                file: "<&>.yaml".to_owned(),
                result: Err("no case".to_owned()),
            },
        ],
    };
    let text = report.to_string();
    assert!(text.contains("FAILED  one"), "{text}");
    assert!(
        text.contains("verdict: expected block\n                        got allow"),
        "{text}"
    );
    assert!(text.ends_with("0 passed, 1 failed, 1 unusable"), "{text}");
    let json = report.to_json();
    assert_eq!(
        json["files"][0]["cases"][0]["differences"][0]["got"],
        "allow"
    );
    let junit = report.to_junit();
    assert!(
        junit.contains("tests=\"2\" failures=\"1\" errors=\"1\""),
        "{junit}"
    );
    assert!(
        junit.contains("classname=\"&lt;&amp;&gt;.yaml\""),
        "{junit}"
    );
    assert!(!junit.contains("<&>"), "{junit}");
}
