use super::*;
use crate::{
    cli::register::bench::{Bench, WHO},
    model::consent::{BasisKind, Facet, PartyScope},
};

const ADD: &str = "add --kind contract --document c-7 --document-date 2026-01-10 --facet third-party --facet cross-border \
    --purpose order.delivery --category email --category name --recipient carrier --country DE --until 2026-12-31";

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    let bench = Bench::new();
    for (from, to, says) in [
        (
            "contract",
            "contact",
            "--kind: `contact` is not a known kind of basis; did you mean `contract`?",
        ),
        (
            "cross-border",
            "crossborder",
            "--facet: `crossborder` is not a known facet; did you mean `cross-border`?",
        ),
        (
            "order.delivery",
            "order.delivry",
            "--purpose: `order.delivry` is not a known purpose; did you mean `order.delivery`?",
        ),
        (
            "category email",
            "category e-mail",
            "--category: `e-mail` is not a known category; did you mean `email`?",
        ),
        ("country DE", "country UK", "did you mean `GB`?"),
        (
            "2026-01-10",
            "10.01.2026",
            "--document-date: `10.01.2026` is not a day such as 2026-11-22",
        ),
        (
            "until 2026-12-31",
            "until 2026-11-01",
            "--until: is before `--from`",
        ),
        (
            "--country DE",
            "",
            "--country: `--facet cross-border` opens no country; name at least one",
        ),
        (
            "--facet cross-border",
            "",
            "--facet: countries count for `cross-border` only; add that facet or leave --country out",
        ),
        (
            "--recipient carrier",
            "",
            "--recipient: names nobody; give `--recipient PARTY`, `--class CLASS` or `--any-recipient`",
        ),
        ("--kind contract", "", "--kind <KIND>"),
        ("--everybody", "", "--subject: say whose it is"),
        (
            "--everybody",
            "--everybody --subject -",
            "cannot be used with",
        ),
    ] {
        let line = format!("{ADD} --everybody");
        assert!(line.contains(from), "{from}");
        bench.check_refused::<Args>(&line.replace(from, to), WHO, &[says]);
    }
    bench.check_refused::<Args>("show nope", "", &["no basis with id `nope` is recorded"]);
    bench.check_refused::<Args>(
        "list --subject -",
        WHO,
        &["no subject is registered under these identifiers"],
    );
}

#[test]
fn a_basis_of_a_subject_reaches_the_gate() {
    let bench = Bench::new();
    let line = format!("{ADD} --subject - --obligation-open --id b-1");
    let (output, _) = bench.run::<Args>(&line, WHO).unwrap();
    assert!(output.starts_with("basis b-1\nsubject "), "{output}");
    let (again, _) = bench.run::<Args>(&line, WHO).unwrap();
    assert!(again.contains("recorded before"), "{again}");
    bench.check_refused::<Args>(
        &line.replace("c-7", "c-8"),
        WHO,
        &["id `b-1` is already recorded with other content"],
    );
    let basis = bench.record().bases[0].clone();
    assert_eq!(basis.kind, BasisKind::Contract);
    assert_eq!(basis.facets, [Facet::CrossBorder, Facet::ThirdParty].into());
    assert_eq!(
        basis.parties,
        PartyScope::Parties(["carrier".into()].into())
    );
    assert_eq!(basis.from.to_string(), "2026-11-22");
    assert!(basis.obligation_open);
    assert_eq!(&*basis.recorded.by, "tester");
}

#[test]
fn a_basis_of_everybody_reaches_the_gate() {
    let bench = Bench::new();
    let line = format!("{ADD} --everybody --id b-2");
    let (output, _) = bench.run::<Args>(&line, "").unwrap();
    assert!(output.starts_with("basis b-2\nrecorded "), "{output}");
    let known = bench.evidence();
    assert_eq!(known.general.bases[0].subject, None);
    assert_eq!(
        known.newest_recorded_at,
        Some(known.general.bases[0].recorded.at)
    );
    for (at, state) in [
        ("2026-11-01", "not-yet-recorded"),
        ("2026-11-23", "standing"),
        ("2027-01-01", "expired"),
    ] {
        let (table, _) = bench.run::<Args>(&format!("list --at {at}"), "").unwrap();
        assert!(
            table.contains(&format!("b-2  {state}  contract")),
            "{table}"
        );
    }
    let (full, _) = bench.run::<Args>("show b-2 --at 2026-11-23", "").unwrap();
    for says in [
        "state         standing\n",
        "subject       everybody\n",
        "document      c-7 of 2026-01-10\n",
        "recipients    carrier\n",
        "countries     DE\n",
    ] {
        assert!(full.contains(says), "{full}");
    }
    let (json, _) = bench.run::<Args>("list --format json", "").unwrap();
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["bases"][0]["basis"]["document"], "c-7");
}
