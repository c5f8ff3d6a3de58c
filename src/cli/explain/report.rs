//! The answer, for a terminal and as JSON. Locations are raw: this prints on the operator's own terminal only.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};

use super::{
    Answer,
    matching::{Candidate, Refusal},
};
use crate::{
    config::expiry::Exception,
    gatekeeper::Rehearsal,
    inspect::detect::categories,
    model::{
        finding::{Finding, Location, Raised, normalized_path},
        inspection::{Inspection, Person},
    },
    policy::Explanation,
};

/// A request that was judged.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) rehearsal: Rehearsal,
    pub(super) explanation: Explanation,
    /// Components whose failure passes at the destination then.
    pub(super) opened: Vec<Exception>,
}

impl Answer {
    /// For a terminal.
    pub(super) fn to_text(&self) -> String {
        let text = match self {
            Self::Refused(refusal) => refused(refusal),
            Self::Judged(report) => judged(report),
        };
        without_controls(&text)
    }

    /// One document. Members are added, never renamed.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Refused(it) => json!({
                "verdict": "block",
                "would_be": "block",
                "refused": {
                    "code": it.code, "why": it.why, "title": it.title, "mend": it.mend, "destinations": it.candidates,
                },
            }),
            Self::Judged(it) => {
                let inspection = &it.rehearsal.inspection;
                json!({
                    "verdict": it.explanation.verdict,
                    "would_be": it.explanation.would_be,
                    "findings": inspection.findings.iter().map(finding).collect::<Vec<_>>(),
                    "gaps": inspection.gaps.iter().map(|it| json!({
                        "kind": it.kind, "location": location(&it.location),
                    })).collect::<Vec<_>>(),
                    "persons": inspection.persons.iter().map(person).collect::<Vec<_>>(),
                    "opened_failures": it.opened.iter().map(|it| json!({
                        "component": it.what, "until": it.until, "owner": it.owner, "reason": it.reason,
                    })).collect::<Vec<_>>(),
                    "explanation": it.explanation,
                })
            }
        }
    }
}

fn refused(it: &Refusal) -> String {
    let mut out = format!("block: {}\n  {}\n  {}\n", it.code, it.title, it.why);
    if !it.candidates.is_empty() {
        let rows = it.candidates.iter().map(candidate);
        let head = ["DESTINATION", "LISTENER", "HOST", "PATH PREFIX", "FAILS"].map(str::to_owned);
        out.push('\n');
        out.push_str(&columns(
            &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        ));
        out.push('\n');
    }
    let _infallible = writeln!(out, "mend: {}", it.mend);
    out
}

fn candidate(it: &Candidate) -> [String; 5] {
    let any = |it: Option<&str>| it.unwrap_or("any").to_owned();
    [
        it.id.to_string(),
        any(it.listener.as_deref()),
        any(it.host.as_deref()),
        any(it.path_prefix.as_deref()),
        it.fails.join(", "),
    ]
}

fn judged(report: &Report) -> String {
    let inspection = &report.rehearsal.inspection;
    let mut out = String::new();
    findings(inspection, &mut out);
    for gap in &inspection.gaps {
        let place = location(&gap.location);
        let (kind, why) = (gap.kind.as_str(), gap.kind.meaning());
        let _infallible = writeln!(out, "Not read: {place} ({kind}: {why})");
    }
    let (judged, weak): (Vec<&Person>, Vec<&Person>) = inspection
        .persons
        .iter()
        .partition(|it| !it.categories.is_empty());
    for (number, it) in judged.into_iter().enumerate() {
        let _infallible = writeln!(out, "Person {number}: {}", person_line(it));
    }
    for it in weak {
        let who = person_line(it);
        let _infallible = writeln!(
            out,
            "Not judged, found below the destination's confidence: {who}"
        );
    }
    for it in &report.opened {
        let _infallible = writeln!(
            out,
            "Opened: failure.{} until {} ({}: {})",
            it.what, it.until, it.owner, it.reason
        );
    }
    out.push('\n');
    out.push_str(&report.explanation.render());
    out
}

fn findings(inspection: &Inspection, out: &mut String) {
    if inspection.findings.is_empty() {
        out.push_str(if inspection.gaps.is_empty() {
            "No personal data found.\n"
        } else {
            "Nothing found in what could be read.\n"
        });
        return;
    }
    let head = ["WHERE", "WHAT", "CONFIDENCE", "WHY", "ACTS"].map(str::to_owned);
    let row = |it: &Finding| {
        let label = categories::entry(it.category).map_or("", |it| it.en.as_str());
        [
            place(it),
            format!("{} ({label})", it.category),
            it.confidence.as_str().to_owned(),
            why(it),
            if it.acts { "yes" } else { "no" }.to_owned(),
        ]
    };
    let rows = inspection.findings.iter().map(row);
    out.push_str(&columns(
        &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
    ));
    // What stays below the destination's threshold is what people ask about.
    let idle = inspection.findings.iter().filter(|it| !it.acts);
    let levels: BTreeSet<_> = idle.map(|it| it.confidence).collect();
    for level in levels.iter().rev() {
        let (name, meaning) = (level.as_str(), level.meaning());
        let _infallible = writeln!(out, "{name}: {meaning}");
    }
}

/// The detector, and what made the finding surer.
fn why(it: &Finding) -> String {
    match it.raised {
        Some(raised) => format!("{}, {}", it.detector, raised.as_str()),
        None => it.detector.to_owned(),
    }
}

fn finding(it: &Finding) -> Value {
    json!({
        "category": it.category,
        "detector": it.detector,
        "confidence": it.confidence.as_str(),
        "location": location(&it.location),
        "in_key": it.in_key,
        "raised": it.raised.map(Raised::as_str),
        "acts": it.acts,
    })
}

fn person(it: &Person) -> Value {
    json!({
        "identifiers": it.identifiers.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>(),
        "categories": it.categories,
        "weak_categories": it.weak_categories,
        "record": it.record.as_ref().map(|it| it.ordinal),
    })
}

fn person_line(it: &Person) -> String {
    let identifiers: Vec<&str> = it.identifiers.iter().map(|it| it.kind.as_str()).collect();
    let identifiers = if identifiers.is_empty() {
        "no identifier".to_owned()
    } else {
        format!("identified by {}", identifiers.join(", "))
    };
    let record = it.record.as_ref();
    let record = record.map_or_else(String::new, |it| format!(", record {}", it.ordinal));
    format!("{identifiers}{record}")
}

fn place(it: &Finding) -> String {
    let in_key = if it.in_key { " (the name itself)" } else { "" };
    format!("{}{in_key}", location(&it.location))
}

/// `body $['to'][0]['email']`, as it is in the message.
fn location(it: &Location) -> String {
    let mut out = it.part.as_str().to_owned();
    if let Some(name) = &it.name {
        let _infallible = write!(out, " {name}");
    }
    for path in [&it.path, &it.inner].into_iter().flatten() {
        let _infallible = write!(out, " {}", normalized_path(path));
    }
    out
}

/// A step of a path may hold anything; a terminal is sent no control character of it.
fn without_controls(text: &str) -> String {
    text.chars()
        .map(|it| {
            if it.is_control() && it != '\n' {
                '\u{fffd}'
            } else {
                it
            }
        })
        .collect()
}

/// Rows with columns as wide as their widest cell.
fn columns(rows: &[[String; 5]]) -> String {
    let mut widths = [0; 5];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().fold(String::new(), |mut out, row| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
        out
    })
}
