//! `adequacy list`.

use serde_json::{Value, json};

use super::{Book, Listing};
use crate::{
    cli::report::texts::word, config::expiry::assessment_end, model::law::AdequacyAssessment,
};

pub(super) fn list(book: &Book<'_>) -> Listing<7> {
    let mut all: Vec<&AdequacyAssessment> = Vec::new();
    let destinations = book.configuration.destinations.iter();
    for it in destinations
        .flat_map(|it| &it.facts.readings)
        .flat_map(|it| &it.assessments)
    {
        // Every destination under a regime holds all assessments under it.
        if !all.contains(&it) {
            all.push(it);
        }
    }
    all.sort_by_key(|it| (&it.regime, it.country, &it.party, it.at));
    let row = |it: &AdequacyAssessment| {
        let cells = [
            it.regime.to_string(),
            it.country.to_string(),
            it.party.as_deref().unwrap_or("any").to_owned(),
            word(&it.result),
            it.by.clone(),
            it.at.to_string(),
            book.end(Some(assessment_end(it))),
        ];
        (cells, value(book, it))
    };
    Listing {
        head: [
            "REGIME", "COUNTRY", "PARTY", "RESULT", "BY", "MADE", "UNTIL",
        ],
        rows: all.into_iter().map(row).collect(),
    }
}

/// An assessment in JSON; `until` is the day it ends, written or not.
pub(super) fn value(book: &Book<'_>, it: &AdequacyAssessment) -> Value {
    let until = assessment_end(it);
    let mut value = json!(it);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("until".to_owned(), json!(until));
        fields.insert("standing".to_owned(), json!(book.mark(Some(until))));
    }
    value
}
