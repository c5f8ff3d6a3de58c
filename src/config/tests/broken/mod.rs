//! What is wrong, where, and how to mend it: each row breaks the small configuration in one way.

mod shape;
mod terms;
mod together;
mod upstream;
mod ways;

use super::{SMALL, load};
use crate::config::Severity;

/// `line:column severity path: message [fix]` of every problem.
fn lines(text: &str) -> Vec<String> {
    let problems = match load(text) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => {
            assert!(problems.has_errors(), "{problems}");
            problems
        }
    };
    let line = |it: &crate::config::Problem| {
        assert_eq!(it.file, "shekara.yaml");
        let severity = if it.severity == Severity::Error {
            "E"
        } else {
            "W"
        };
        let fix = it.fix.as_deref().unwrap_or("-");
        format!(
            "{}:{} {severity} {}: {} [{fix}]",
            it.line, it.column, it.path, it.message
        )
    };
    problems.iter().map(line).collect()
}

/// Replaces `from` once, and compares all problems with `wanted`, a line each.
fn check(from: &str, to: &str, wanted: &str) {
    assert!(SMALL.contains(from), "{from}");
    let text = SMALL.replacen(from, to, 1);
    let wanted: Vec<&str> = wanted
        .lines()
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(lines(&text), wanted, "{to}");
}
