use super::*;
use crate::{
    cli::{
        register::bench::{Bench, WHO},
        subject,
    },
    model::consent::PurposeEndScope,
};

fn known(bench: &Bench) {
    let line = "restrict --subject - --reason rights-request";
    bench.run::<subject::Args>(line, WHO).unwrap();
}

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    let bench = Bench::new();
    for (line, says) in [
        ("end", "--programme <ID>|--purpose <PURPOSE>|--consent <ID>"),
        (
            "end --programme club --purpose survey",
            "cannot be used with",
        ),
        (
            "end --purpose surveys",
            "--purpose: `surveys` is not a known purpose; did you mean `survey`?",
        ),
        (
            "end --consent nope",
            "no consent with id `nope` is recorded",
        ),
        (
            "end --programme club --subject -",
            "--subject: only a purpose ends for one subject; leave it out here",
        ),
        (
            "end --purpose survey --at 31.12.2026",
            "--at: `31.12.2026` is not an RFC 3339 instant",
        ),
        (
            "end --purpose survey --subject -",
            "no subject is registered under these identifiers",
        ),
    ] {
        bench.check_refused::<Args>(line, WHO, &[says]);
    }
}

#[test]
fn ends_reach_the_gate() {
    let bench = Bench::new();
    known(&bench);
    let programme = "end --programme club --at 2026-11-20 --id e-1";
    let (output, notes) = bench.run::<Args>(programme, "").unwrap();
    assert!(output.starts_with("end e-1\nrecorded "), "{output}");
    assert!(
        notes.contains("ended for everybody") && notes.contains("no recorded consent"),
        "{notes}"
    );
    let (again, _) = bench.run::<Args>(programme, "").unwrap();
    assert!(again.contains("recorded before"), "{again}");
    bench
        .run::<Args>("end --purpose survey --id e-2", "")
        .unwrap();
    let own = "end --purpose marketing --subject - --id e-3";
    let (output, notes) = bench.run::<Args>(own, WHO).unwrap();
    assert!(output.starts_with("end e-3\nsubject "), "{output}");
    assert!(!notes.contains("everybody"), "{notes}");

    let ends = &bench.evidence().general.purpose_ends;
    assert_eq!(ends[0].scope, PurposeEndScope::Programme("club".into()));
    assert_eq!(ends[0].at.to_string(), "2026-11-19T19:00:00.000Z");
    assert_eq!(
        ends[1].scope,
        PurposeEndScope::Purpose("survey".parse().unwrap())
    );
    assert_eq!(ends.len(), 2);
    assert_eq!(
        bench.record().purpose_ends[0].scope,
        PurposeEndScope::Purpose("marketing".parse().unwrap())
    );
    let (listed, _) = bench.run::<Args>("list", "").unwrap();
    assert!(
        listed.starts_with("programme club ended 2026-11-19T19:00:00.000Z\npurpose survey ended "),
        "{listed}"
    );
    let (listed, _) = bench
        .run::<Args>("list --subject - --format json", WHO)
        .unwrap();
    assert!(listed.contains("\"purpose\":\"marketing\""), "{listed}");
}
