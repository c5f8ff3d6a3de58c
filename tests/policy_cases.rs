//! The acceptance cases of `tests/policy`, and tests of these tests.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use shekara::{
    cli::test::{Suite, run_paths},
    model::decision::Verdict,
};

const DIRS: [&str; 2] = ["tests/policy", "tests/policy/operators"];

/// Rules whose cases need more than one decision: the table of `docs/cases.md` says where they are tested.
const ELSEWHERE: &[&str] = &["R-16", "R-17", "R-26", "R-30"];

fn suites() -> Vec<Suite> {
    let mut files: Vec<PathBuf> = DIRS
        .iter()
        .flat_map(|it| fs::read_dir(it).unwrap())
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|it| Suite::read(it).unwrap_or_else(|problems| panic!("{problems}")))
        .collect()
}

#[test]
fn every_case_comes_out() {
    let report = run_paths(&DIRS.map(PathBuf::from), "");
    let is_whole = report.failed() == 0 && report.unusable().next().is_none();
    assert!(is_whole, "\n{report}");
    assert!(report.passed() >= 300, "{} cases ran", report.passed());
}

/// The cases would notice: without any one of the consents that the settings hold, one at least comes out otherwise.
#[test]
fn no_consent_is_idle() {
    for file in suites() {
        for id in file.consents() {
            let name = file.file.clone();
            let less = Suite::read(Path::new(&name)).unwrap().without(&id);
            let flipped = less.run("").iter().filter(|it| !it.passed()).count();
            assert!(flipped > 0, "{name}: nothing depends on the consent {id}");
        }
    }
}

/// Each operator has a suite that cites its own text, with cases on both sides.
#[test]
fn every_operator_has_a_suite() {
    for (profile, text) in [
        ("health-programme", "S0 "),
        ("it-service", "S1 "),
        ("retail-loyalty", "S2 "),
        ("clinic-email", "S3 "),
        ("training-ngo", "S4 "),
    ] {
        let suites = suites();
        let of_profile = |it: &&Suite| Path::new(&it.file).file_stem().unwrap() == profile;
        let suite = suites.iter().find(of_profile).unwrap();
        let citations = suite.citations();
        let own: BTreeSet<&str> = citations
            .filter(|(_, cites)| cites.iter().any(|it| it.starts_with(text)))
            .map(|(name, _)| name)
            .collect();
        let passes = |it: &(&str, Verdict)| own.contains(it.0) && it.1 == Verdict::Allow;
        let passing = suite.verdicts().filter(passes).count();
        let refusing = own.len() - passing;
        assert!(
            passing >= 5 && refusing >= 9,
            "{profile}: {passing} pass, {refusing} do not"
        );
    }
}

/// Every rule of the catalogue has a case that passes and one that refuses or reduces.
#[test]
fn every_rule_has_two_sides() {
    let mut sides: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for file in suites() {
        let verdicts: Vec<bool> = file
            .verdicts()
            .map(|(_, it)| it == Verdict::Allow)
            .collect();
        for ((_, cites), passes) in file.citations().zip(verdicts) {
            for rule in cites.iter().filter(|it| it.starts_with("R-")) {
                sides.entry(rule.clone()).or_default().insert(passes);
            }
        }
    }
    let rules = (1..=36).map(|it| format!("R-{it:02}"));
    let one_sided: Vec<String> = rules
        .filter(|it| !ELSEWHERE.contains(&it.as_str()))
        .filter(|it| sides.get(it).is_none_or(|it| it.len() < 2))
        .collect();
    assert!(one_sided.is_empty(), "{one_sided:?}");
}

/// The table names every case, by the file it is in, and no case that is not there.
#[test]
fn the_table_of_cases_is_true() {
    let table = fs::read_to_string("docs/cases.md").unwrap();
    let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
    for line in table.lines().filter(|it| it.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [_, _, case, file] = cells.as_slice()
            && let Some(file) = file.strip_prefix('`').and_then(|it| it.strip_suffix('`'))
        {
            listed.insert((file.to_owned(), (*case).to_owned()));
        }
    }
    let there: BTreeSet<(String, String)> = suites()
        .iter()
        .flat_map(|suite| {
            let path = Path::new(&suite.file);
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            suite
                .names()
                .map(|it| (file.clone(), it.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    let gone: Vec<_> = listed.difference(&there).collect();
    let unlisted: Vec<_> = there.difference(&listed).collect();
    assert!(gone.is_empty(), "listed, but not there: {gone:?}");
    assert!(unlisted.is_empty(), "there, but not listed: {unlisted:?}");
}

/// The example of the manual is one that works.
#[test]
fn the_manual_tells_the_truth() {
    let manual = fs::read_to_string("docs/policy-tests.md").unwrap();
    let (_, rest) = manual.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let suite = Suite::parse(example.to_owned(), "example.yaml".to_owned(), Path::new(""))
        .unwrap_or_else(|problems| panic!("{problems}"));
    for outcome in suite.run("") {
        assert!(outcome.passed(), "{outcome:#?}");
    }
}
