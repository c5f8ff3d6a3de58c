use super::*;
use crate::{cli::register::bench::Bench, store::contract};

const ADD: &str = "add --text news --text-version 2 --locale kk --from 2026-01-01";

/// SHA-256 of `abc`: FIPS 180-2, appendix B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn a_text_is_registered_by_the_hash_of_its_bytes() {
    let bench = Bench::new();
    let (output, _) = bench
        .run::<Args>(&format!("{ADD} --file -"), "abc")
        .unwrap();
    assert!(output.starts_with("text news/2/kk\nrecorded "), "{output}");
    let by_hash = format!("{ADD} --sha256 {}", ABC.to_uppercase());
    let (output, _) = bench.run::<Args>(&by_hash, "").unwrap();
    assert!(output.contains("recorded before"), "{output}");
    let (table, _) = bench.run::<Args>("list", "").unwrap();
    assert!(
        table.contains(&format!("news  2        kk      2026-01-01  none   {ABC}")),
        "{table}"
    );
    let (json, _) = bench.run::<Args>("list --format json", "").unwrap();
    let answer: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(answer["texts"][0]["sha256"], ABC);
}

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    let bench = Bench::new();
    bench
        .run::<Args>(&format!("{ADD} --file -"), "abc")
        .unwrap();
    for (line, says) in [
        (
            format!("{ADD} --file -"),
            "--text-version: version 2 is registered with another hash or other days; a text that changed is a new version",
        ),
        (
            format!("{ADD} --sha256 abc"),
            "--sha256: is not 64 lower-case hex digits; give the SHA-256 of the text that was shown",
        ),
        (
            format!("{ADD} --file /nowhere"),
            "--file: cannot read /nowhere: entity not found",
        ),
        (ADD.to_owned(), "--file <FILE>|--sha256 <HEX>"),
        (
            format!("{ADD} --file - --sha256 {ABC}"),
            "cannot be used with",
        ),
        (
            format!("{ADD} --sha256 {ABC} --until 2025-12-31"),
            "--until: is before `--from`",
        ),
        (
            format!("{} --sha256 {ABC}", ADD.replace("news", "news/a")),
            "--text: is empty or has a slash; give a word without one",
        ),
    ] {
        bench.check_refused::<Args>(&line, "abcd", &[says]);
    }
}

#[test]
fn consents_with_another_hash_are_counted() {
    let bench = Bench::new();
    let who = [contract::email("ann@example.org")];
    // Opened first, so that the directory has its keys.
    bench.run::<Args>("list", "").unwrap();
    bench.writer().grant(&contract::consent(&who)).unwrap();
    let line = format!("add --text t --text-version 1 --locale kk --sha256 {ABC}");
    let (_, notes) = bench.run::<Args>(&line, "").unwrap();
    assert!(
        notes.contains("warning: 1 recorded consents name this version with another hash"),
        "{notes}"
    );
}
