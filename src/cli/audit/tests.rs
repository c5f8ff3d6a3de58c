//! What the subcommands print, and with which code they end.

use std::{fs, path::Path};

use clap::Parser as _;

use super::{Args, Command, Stop, export, line, register, run, run_verify, show, tail};
use crate::{
    audit::{
        Records,
        testing::{completed, decided, id, log_of, operated, refused, register_change},
    },
    gatekeeper::record::{AuditEvent, Completed, Decided},
    model::{
        Category,
        consent::Facet,
        decision::{Carrier, PersonOutcome, Verdict},
    },
};

fn printed(print: impl FnOnce(&mut Vec<u8>) -> Result<(), Stop>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn parse(args: &[&str]) -> Command {
    Args::parse_from([&["audit"], args].concat()).command
}

fn exported(dir: &Path, args: &[&str]) -> String {
    let Command::Export(args) = parse(&[&["export"], args].concat()) else {
        panic!("export");
    };
    printed(|out| export::export(dir, &args, out))
}

#[test]
fn verify_prints_the_head_and_ends_with_4_on_tampering() {
    let dir = log_of([decided(0), completed(0), refused(1)], 1 << 16);
    let text = printed(|out| run_verify(dir.path(), None, out));
    assert!(
        text.contains("3 records: 2 decisions, 1 completion"),
        "{text}"
    );
    let head = text
        .lines()
        .find_map(|it| it.strip_prefix("head "))
        .unwrap();
    let args = |head: &str| Args::parse_from(["audit", "verify", "--expect-head", head]);
    assert!(run(args(head), dir.path()).is_ok());
    let later = head.replacen('2', "3", 1);
    assert_eq!(run(args(&later), dir.path()).unwrap_err().code, 4);
    let path = dir.path().join("00000000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    bytes[300] ^= 1;
    fs::write(&path, bytes).unwrap();
    let failure = run(Args::parse_from(["audit", "verify"]), dir.path()).unwrap_err();
    assert_eq!(failure.code, 4);
    assert!(failure.text.contains("sequence 0"), "{}", failure.text);
}

#[test]
fn tail_prints_a_line_each() {
    let dir = log_of([operated(0), decided(1), completed(1), refused(2)], 1 << 16);
    let text = printed(|out| tail(dir.path(), 3, false, out));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].contains("allow  mail-de→mailer/DE  marketing.email  1 person  "));
    assert!(lines[1].contains("answered  200  sent"));
    assert!(lines[2].contains("block") && lines[2].contains("no-consent"));
}

#[test]
fn a_line_cannot_forge_another() {
    let AuditEvent::Decided(mut it) = decided(0) else {
        panic!("a decision");
    };
    it.transfer.destination = "a\n       9  allow\u{1b}[2J\u{202e}".into();
    let dir = log_of([AuditEvent::Decided(it)], 1 << 16);
    let record = Records::open(dir.path(), 0)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let mut out = Vec::new();
    line::write(&record, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn show_finds_a_decision_with_its_completion() {
    let dir = log_of([operated(0), decided(1), completed(1)], 1 << 16);
    let by_id = id(1).to_string();
    for key in [by_id.as_str(), "1", "2"] {
        let key = key.parse().unwrap();
        let text = printed(|out| show::show(dir.path(), key, show::Format::Json, out));
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&all[0]["sequence"], &all[0]["type"]),
            (&1.into(), &"decided".into())
        );
        assert_eq!(
            (&all[1]["sequence"], &all[1]["type"]),
            (&2.into(), &"completed".into())
        );
        let text = printed(|out| show::show(dir.path(), key, show::Format::Text, out));
        assert!(
            text.contains("verdict: allow") && text.contains("outcome: answered"),
            "{text}"
        );
    }
    let text =
        printed(|out| show::show(dir.path(), show::Key::Sequence(0), show::Format::Text, out));
    assert!(text.contains("action: started"), "{text}");
    for key in ["9", &id(9).to_string()] {
        let mut out = Vec::new();
        assert!(
            show::show(
                dir.path(),
                key.parse().unwrap(),
                show::Format::Text,
                &mut out
            )
            .is_err()
        );
    }
}

#[test]
fn export_takes_what_is_asked() {
    let dir = log_of([decided(0), completed(0), refused(1), decided(2)], 1 << 16);
    let rows = |args: &[&str]| exported(dir.path(), args).lines().count();
    assert_eq!(rows(&[]), 3);
    assert_eq!(rows(&["--verdict", "block"]), 1);
    assert_eq!(rows(&["--destination", "nowhere"]), 0);
    assert_eq!(rows(&["--from", "2030-01-01T00:00:00Z"]), 0);
    assert_eq!(rows(&["--to", "2030-01-01T00:00:00Z"]), 3);
    let csv = exported(dir.path(), &["--format", "csv"]);
    assert_eq!(csv.lines().count(), 4);
    let columns: Vec<usize> = csv.lines().map(|it| it.split(',').count()).collect();
    assert_eq!(columns, [15; 4]);
}

#[test]
fn cells_are_quoted_and_never_formulas() {
    let cases = [
        ("a", "a"),
        ("a,b", "\"a,b\""),
        ("a\"b", "\"a\"\"b\""),
        ("=1+1", "'=1+1"),
        ("-x,y", "\"'-x,y\""),
    ];
    for (text, expected) in cases {
        assert_eq!(export::cell(text), expected);
    }
}

/// What left: sent or of unknown end; not what was refused, not sent, or dropped from the batch.
#[test]
fn the_register_holds_what_left() {
    let dir = log_of(what_left(), 1 << 16);
    let written = |args: &[&str]| {
        let Command::Register(args) = parse(&[&["register"], args].concat()) else {
            panic!("register");
        };
        printed(|out| register::register(dir.path(), &args, out))
    };
    let text = written(&[]);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 4, "{text}");
    for (row, n, says) in [
        (
            1,
            0,
            "Mailer GmbH,acts on the operator's instruction,Germany (DE),Germany (DE),yes,yes,no",
        ),
        (2, 3, "1,end unknown; to be taken as received"),
        (
            3,
            4,
            "marketing by e-mail (marketing.email),E-mail address,consent,2027-05-31,1,sent",
        ),
    ] {
        assert!(rows[row].contains(&id(n).to_string()), "{text}");
        assert!(rows[row].contains(says), "{says} in {text}");
    }
    let russian = written(&["--lang", "ru"]);
    assert!(russian.starts_with("Когда,Решение,Получатель"), "{russian}");
    assert!(
        russian.contains("согласие,2027-05-31,1,передано"),
        "{russian}"
    );
    assert_eq!(
        written(&["--to", "2026-01-01T00:00:00Z"]).lines().count(),
        1
    );
}

/// Decisions of every fate, of which three left.
fn what_left() -> Vec<AuditEvent> {
    let edit = |event, edit: &dyn Fn(&mut Decided)| {
        let AuditEvent::Decided(mut it) = event else {
            panic!("a decision");
        };
        edit(&mut it);
        AuditEvent::Decided(it)
    };
    let batch = edit(decided(4), &|it| {
        let mut other = it.transfer.persons[0].clone();
        other.categories = [Category::Phone].into_iter().collect();
        other.record = Some(1);
        it.transfer.persons.push(other);
        it.decision.verdict = Verdict::Reduce;
        it.decision.reduction.drop_records = vec![1];
        let record = "consent-9".into();
        it.decision.persons = vec![PersonOutcome {
            carriers: vec![(Facet::CrossBorder, Carrier::Consent { record })],
            ..PersonOutcome::default()
        }];
    });
    let not_sent = |n| {
        let AuditEvent::Completed(it) = completed(n) else {
            panic!("a completion");
        };
        AuditEvent::Completed(Completed { sent: false, ..it })
    };
    let granted = |n| {
        let AuditEvent::Register(mut it) = register_change(n) else {
            panic!("a change");
        };
        it.body = serde_json::json!({"purposes": ["marketing"], "until": {"day": "2027-05-31"}});
        AuditEvent::Register(it)
    };
    let impersonal = edit(decided(5), &|it| it.transfer.persons.clear());
    vec![
        decided(0),
        completed(0),
        refused(1),
        decided(2),
        not_sent(2),
        decided(3),
        batch,
        completed(4),
        granted(9),
        impersonal,
        completed(5),
    ]
}
