//! What came out against what was expected, field by field.

use bytes::Bytes;
use serde_json::Value;

use super::{judge::Got, written::Expect};
use crate::model::{CategorySet, decision::ReasonCode};

/// A field that came out otherwise.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Difference {
    /// Key of `expect`.
    pub field: &'static str,
    /// What it says.
    pub expected: String,
    /// What came out.
    pub got: String,
}

/// Every field of `expect` that `got` does not meet.
pub(super) fn differences(expect: &Expect, got: &Got) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    let decision = &got.decision;
    let would_be = expect.would_be.unwrap_or(expect.verdict);
    found.check(
        "verdict",
        expect.verdict.as_str(),
        decision.verdict.as_str(),
    );
    found.check("would_be", would_be.as_str(), decision.would_be.as_str());
    let primary = decision.primary();
    if let Some(code) = expect.reason {
        found.check(
            "reason",
            code.as_str(),
            primary.map_or("none", |it| it.code.as_str()),
        );
    }
    if let Some(country) = expect.country {
        let got = primary.and_then(|it| it.country);
        found.check(
            "country",
            country.code(),
            got.as_ref().map_or("none", |it| it.code()),
        );
    }
    if let Some(record) = &expect.record {
        let got = primary.and_then(|it| it.record.as_deref());
        found.check("record", record, got.unwrap_or("none"));
    }
    also(expect, got, &mut found);
    if let Some(left) = &expect.left {
        self::left(left, got.left.as_ref(), &mut found);
    }
    reduction(expect, got, &mut found);
    if let Some(persons) = expect.persons {
        found.check("persons", &persons.to_string(), &got.persons.to_string());
    }
    if let Some(status) = expect.status {
        let status = status.to_string();
        let answered = got
            .status
            .map_or_else(|| "sent on".to_owned(), |it| it.to_string());
        found.check("status", &status, &answered);
    }
    if let Some(regime) = &expect.regime {
        found.check(
            "regime",
            regime,
            decision.regime.as_deref().unwrap_or("none"),
        );
    }
    carriers(expect, got, &mut found);
    parts(expect, got, &mut found);
    if let Some(opened) = &expect.opened {
        found.check("opened", &listed(opened), &listed(&got.opened));
    }
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn check(&mut self, field: &'static str, expected: &str, got: &str) {
        if expected != got {
            self.add(field, expected.to_owned(), got.to_owned());
        }
    }

    fn add(&mut self, field: &'static str, expected: String, got: String) {
        self.0.push(Difference {
            field,
            expected,
            got,
        });
    }
}

fn also(expect: &Expect, got: &Got, found: &mut Found) {
    let given: Vec<ReasonCode> = got.decision.reasons.iter().map(|it| it.code).collect();
    let missing: Vec<&str> = expect
        .also
        .iter()
        .filter(|it| !given.contains(it))
        .map(|it| it.as_str())
        .collect();
    if !missing.is_empty() {
        let mut given: Vec<&str> = given.iter().map(|it| it.as_str()).collect();
        given.dedup();
        found.add("also", listed(&missing), listed(&given));
    }
}

/// What was taken out, of a message that may leave.
fn reduction(expect: &Expect, got: &Got, found: &mut Found) {
    let reduction = &got.decision.reduction;
    let has_left = got.left.is_some();
    if let Some(expected) = expect.reduced {
        let fields = reduction.reduce_fields.iter().filter(|_| has_left);
        let reduced = fields.fold(CategorySet::EMPTY, |all, it| all.union(it.1));
        found.check("reduced", &categories(expected), &categories(reduced));
    }
    if let Some(expected) = expect.dropped {
        let dropped = reduction.drop_records.iter().filter(|_| has_left).count();
        found.check("dropped", &expected.to_string(), &dropped.to_string());
    }
    if let Some(expected) = &expect.left_query {
        let query = got.left_query.as_deref().unwrap_or_default();
        found.check("left_query", expected, query);
    }
}

fn carriers(expect: &Expect, got: &Got, found: &mut Found) {
    for (facet, expected) in &expect.carriers {
        let mut expected = expected.0.clone();
        expected.sort_unstable();
        let carried = got.carriers.get(facet.as_str());
        let carried: Vec<&str> = carried.into_iter().flatten().copied().collect();
        let field = if facet == "third-party" {
            "carriers.third-party"
        } else {
            "carriers.cross-border"
        };
        found.check(field, &listed(&expected), &listed(&carried));
    }
}

fn parts(expect: &Expect, got: &Got, found: &mut Found) {
    for (part, expected) in &expect.found {
        let all = got.found.get(part).copied().unwrap_or_default();
        if !all.contains_all(*expected) {
            let said = |it: CategorySet| format!("{} in {}", categories(it), part.as_str());
            found.add("found", said(*expected), said(all));
        }
    }
}

/// A text is compared byte for byte; any other value as JSON, whatever the spaces.
fn left(expected: &Value, got: Option<&Bytes>, found: &mut Found) {
    let Some(body) = got else {
        found.add("left", shown(expected), "nothing".to_owned());
        return;
    };
    let is_same = match expected.as_str() {
        Some(text) => text.as_bytes() == &body[..],
        None => serde_json::from_slice::<Value>(body).is_ok_and(|it| it == *expected),
    };
    if !is_same {
        let body = String::from_utf8_lossy(body).into_owned();
        found.add("left", shown(expected), body);
    }
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn categories(set: CategorySet) -> String {
    let codes: Vec<&str> = set.iter().map(|it| it.code()).collect();
    listed(&codes)
}

fn listed<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}
