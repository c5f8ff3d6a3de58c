use std::io::Write as _;

use super::*;
use crate::{
    cli::{
        basis,
        register::bench::{Bench, WHO},
    },
    model::consent::{BasisKind, ObjectionTarget},
};

const BASIS: &str = "add --subject - --kind legitimate-interest --document memo-1 --document-date 2026-01-10 \
    --facet third-party --purpose payment --category email --any-recipient --id b-1";

fn run(bench: &Bench, line: &str) -> String {
    let (output, _) = bench
        .run::<Args>(line, WHO)
        .unwrap_or_else(|it| panic!("{line}: {}", it.text));
    output
}

#[test]
fn what_is_wrong_with_records_is_named_with_the_mend() {
    let bench = Bench::new();
    run(&bench, "restrict --subject - --reason rights-request");
    for (line, says) in [
        (
            "restrict --subject - --reason accurate-doubt",
            "--reason: `accurate-doubt` is not a known reason; did you mean `accuracy-doubt`?",
        ),
        (
            "restrict --subject - --reason rights-request --allow-purpose marketing.emial",
            "--allow-purpose: `marketing.emial` is not a known purpose; did you mean `marketing.email`?",
        ),
        (
            "restrict --subject - --reason rights-request --from 22.11.2026",
            "--from: `22.11.2026` is not an RFC 3339 instant such as 2026-11-22T12:00:00+05:00",
        ),
        (
            "restrict --reason rights-request",
            "--subject: nobody is named; give `--subject -`",
        ),
        ("restrict --subject -", "--reason <REASON>"),
        ("release nope", "no restriction with id `nope` is recorded"),
        (
            "object --subject - --kind legitimate-interests",
            "--kind: `legitimate-interests` is not a known kind of basis; did you mean `legitimate-interest`?",
        ),
        (
            "object --subject - --basis nope",
            "no basis of this subject or of everybody with id `nope` is recorded",
        ),
        ("object --subject -", "--basis <ID>|--kind <KIND>"),
        (
            "object --subject - --basis b --kind contract",
            "cannot be used with",
        ),
        (
            "lift nope --record note-1",
            "no objection with id `nope` is recorded",
        ),
        ("lift nope", "--record <REF>"),
    ] {
        bench.check_refused::<Args>(line, WHO, &[says]);
    }
    let nobody = "email: nobody@example.org";
    bench.check_refused::<Args>(
        "object --subject - --kind contract",
        nobody,
        &["register the subject first with `shekara subject link`"],
    );
}

#[test]
fn what_is_wrong_with_persons_is_named_with_the_mend() {
    let bench = Bench::new();
    for (line, says) in [
        (
            "represent --subject - --kind mother --document d-1",
            "--kind: `mother` is not a known kind of representative; known are attorney, guardian, parent",
        ),
        (
            "represent --subject - --kind parent --document d-1 --from 2026-12-01 --until 2026-11-30",
            "--until: is before `--from`",
        ),
        (
            "needs-representative --subject - --until soon",
            "--until: `soon` is not a day such as 2026-11-22",
        ),
        (
            "needs-representative --subject -",
            "--until <DAY>|--no-longer",
        ),
        (
            "link --subject - --add -",
            "--add: standard input is read for --subject already; give `--add-file FILE`",
        ),
        (
            "link --subject - --add Ann@Example.org",
            "--add: standard input is read for --subject already",
        ),
        (
            "link --subject-id s-1 --add Ann@Example.org",
            "--add: an identifier on the command line can be read by others",
        ),
        (
            "link --subject -",
            "--add: nobody is named; give `--add -` (lines on standard input) or `--add-file FILE`",
        ),
        (
            "show --subject - --at yesterday",
            "--at: `yesterday` is not an RFC 3339 instant",
        ),
        (
            "show --subject-id s-9",
            "no subject is registered under these identifiers",
        ),
    ] {
        bench.check_refused::<Args>(line, WHO, &[says]);
    }
}

#[test]
fn a_restriction_reaches_the_gate_until_it_is_released() {
    let bench = Bench::new();
    let line =
        "restrict --subject - --reason accuracy-doubt --allow-purpose data.clarification --id r-1";
    let output = run(&bench, line);
    assert!(output.starts_with("restriction r-1\nsubject "), "{output}");
    assert!(
        output.ends_with("recorded 2026-11-22T07:00:00.000Z\nacts from 2026-11-22T07:00:00.000Z\n"),
        "{output}"
    );
    assert!(
        run(&bench, line).starts_with("restriction r-1 (was recorded before; nothing changed)")
    );
    bench.check_refused::<Args>(
        "restrict --subject - --reason breach-report --id r-1",
        WHO,
        &["id `r-1` is already recorded with other content"],
    );
    let restriction = bench.record().restrictions[0].clone();
    assert_eq!(&*restriction.reason, "accuracy-doubt");
    assert_eq!(restriction.lifted_at, None);
    assert!(
        restriction
            .allowed_purposes
            .contains(&"data.clarification".parse().unwrap())
    );

    bench.at("2026-11-23T07:00:00Z");
    assert!(run(&bench, "release r-1").starts_with("released restriction r-1\n"));
    assert!(run(&bench, "release r-1").contains("recorded before"));
    let lifted_at = bench.record().restrictions[0].lifted_at;
    assert_eq!(lifted_at, Some("2026-11-23T07:00:00Z".parse().unwrap()));
}

#[test]
fn an_objection_reaches_the_gate_until_it_is_lifted_on_a_record() {
    let bench = Bench::new();
    bench.run::<basis::Args>(BASIS, WHO).unwrap();
    let line = "object --subject - --basis b-1 --id o-1";
    assert!(run(&bench, line).starts_with("objection o-1\n"));
    assert!(run(&bench, line).contains("recorded before"));
    run(&bench, "object --subject - --kind public-source --id o-2");
    let objections = bench.record().objections;
    assert_eq!(objections[0].against, ObjectionTarget::Basis("b-1".into()));
    assert_eq!(
        objections[1].against,
        ObjectionTarget::Kind(BasisKind::PublicSource)
    );
    bench.at("2026-11-22T07:00:01Z");
    let (table, _) = bench.run::<basis::Args>("list --subject -", WHO).unwrap();
    assert!(
        table.contains("b-1  suspended  legitimate-interest  third-party"),
        "{table}"
    );
    bench.at("2026-11-23T07:00:00Z");
    assert!(run(&bench, "lift o-1 --record note-7").starts_with("lifted objection o-1\n"));
    assert!(run(&bench, "lift o-1 --record note-7").contains("recorded before"));
    bench.check_refused::<Args>(
        "lift o-1 --record note-8",
        "",
        &["--record: the objection is lifted already, on another record"],
    );
    let lifted = &bench.record().objections[0];
    assert_eq!(lifted.lifted_record.as_deref(), Some("note-7"));
    assert!(lifted.lifted_at.is_some());
}

#[test]
fn representation_reaches_the_gate() {
    let bench = Bench::new();
    let line = "represent --subject - --kind parent --document birth-1 --until 2030-05-04 --id p-1";
    assert!(run(&bench, line).starts_with("representative p-1\n"));
    assert!(run(&bench, line).contains("recorded before"));
    let needs = "needs-representative --subject - --until 2030-05-04";
    let output = run(&bench, needs);
    assert!(
        output.starts_with("representative required until 2030-05-04 for subject "),
        "{output}"
    );
    assert!(run(&bench, needs).contains("recorded before"));
    let record = bench.record();
    assert_eq!(
        record.needs_representative_until,
        Some("2030-05-04".parse().unwrap())
    );
    let parent = &record.representatives[0];
    assert_eq!((&*parent.kind, &*parent.document), ("parent", "birth-1"));
    assert_eq!(parent.from.to_string(), "2026-11-22");
    run(&bench, "needs-representative --subject - --no-longer");
    assert_eq!(bench.record().needs_representative_until, None);
}

#[test]
fn identifiers_are_linked_from_a_file_and_never_shown() {
    let bench = Bench::new();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "national-id: 991231100010").unwrap();
    let line = format!("link --subject - --add-file {}", file.path().display());
    let output = run(&bench, &line);
    assert!(
        output.starts_with("linked identifiers of subject "),
        "{output}"
    );
    assert!(run(&bench, &line).contains("recorded before"));
    assert_eq!(bench.record().identifier_kinds.len(), 3);
    let shown = run(&bench, "show --subject -");
    assert!(
        shown.contains("identifiers of kind email,national-id,phone"),
        "{shown}"
    );
    assert!(!shown.contains("991231100010"), "{shown}");

    let family = "link --subject - --add-file";
    let other = format!("{family} {}", file.path().display());
    let refused = bench
        .run::<Args>(&other, "email: ben@example.org")
        .unwrap_err();
    assert_eq!(
        (refused.code, &*refused.text),
        (
            2,
            "--add: one of them is registered for another subject; link it as shared if both have it"
        )
    );
    let shared = bench.run::<Args>(&format!("{other} --shared"), "email: ben@example.org");
    shared.unwrap();
}

#[test]
fn everything_on_record_is_shown_as_of_a_time() {
    let bench = Bench::new();
    bench.run::<basis::Args>(BASIS, WHO).unwrap();
    run(
        &bench,
        "restrict --subject - --reason rights-request --id r-1",
    );
    run(&bench, "object --subject - --basis b-1 --id o-1");
    run(
        &bench,
        "represent --subject - --kind guardian --document d-1 --until 2026-11-30 --id p-1",
    );
    run(
        &bench,
        "needs-representative --subject - --until 2026-12-31",
    );
    bench.at("2026-11-25T07:00:00Z");
    run(&bench, "release r-1");
    let state = |at: &str, kind: &str| {
        let line = format!("show --subject - --format json --at {at}");
        let answer: serde_json::Value = serde_json::from_str(&run(&bench, &line)).unwrap();
        let records = answer["records"].as_array().unwrap().clone();
        let found = records.iter().find(|it| it["kind"] == kind).unwrap();
        let says = answer["representation"].as_str().unwrap().to_owned();
        (found["state"].as_str().unwrap().to_owned(), says)
    };
    for (at, kind, wanted, representation) in [
        (
            "2026-11-01",
            "basis",
            "not-yet-recorded",
            "none is on record",
        ),
        ("2026-11-24", "basis", "suspended", "one is on record"),
        ("2026-11-01", "restriction", "not-yet", "none is on record"),
        ("2026-11-24", "restriction", "standing", "one is on record"),
        ("2026-11-26", "restriction", "lifted", "one is on record"),
        ("2026-11-24", "objection", "standing", "one is on record"),
        (
            "2026-12-01",
            "representative",
            "expired",
            "none is on record",
        ),
        (
            "2027-01-01",
            "representative",
            "expired",
            "no longer required",
        ),
    ] {
        let (found, says) = state(at, kind);
        assert_eq!(found, wanted, "{kind} at {at}");
        assert!(says.ends_with(representation), "{at}: {says}");
    }
    let text = run(&bench, "show --subject - --at 2026-11-26");
    assert!(
        text.contains("restriction     lifted            r-1 rights-request from 2026-11-22T07:00:00.001Z, allows nothing"),
        "{text}"
    );
    assert!(!text.contains("example.org"), "{text}");
}
