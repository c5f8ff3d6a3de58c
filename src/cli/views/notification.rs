//! `notification list`.

use serde_json::{Value, json};

use super::{Book, Listing, join};
use crate::model::destination::Notification;

pub(super) fn list(book: &Book<'_>) -> Listing<7> {
    let mut rows = Vec::new();
    for facts in book.configuration.destinations.iter().map(|it| &it.facts) {
        for it in &facts.notifications {
            let cells = [
                facts.id.to_string(),
                it.authority.clone(),
                it.reference.clone(),
                it.submitted.to_string(),
                wait(book, it),
                join(&it.countries),
                it.outcome.clone().unwrap_or_else(|| "-".to_owned()),
            ];
            let mut value = value(it);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("destination".to_owned(), json!(facts.id));
            }
            rows.push((cells, value));
        }
    }
    Listing {
        head: [
            "DESTINATION",
            "AUTHORITY",
            "REFERENCE",
            "SUBMITTED",
            "WAIT UNTIL",
            "COUNTRIES",
            "OUTCOME",
        ],
        rows,
    }
}

/// The day before which nothing may go, marked while it is to come.
fn wait(book: &Book<'_>, it: &Notification) -> String {
    let offset = book.configuration.operator.utc_offset;
    match it.wait_until {
        Some(day) if book.now < day.start(offset) => format!("{day} (waiting)"),
        Some(day) => day.to_string(),
        None => "-".to_owned(),
    }
}

/// A notification in JSON.
pub(super) fn value(it: &Notification) -> Value {
    json!({
        "regime": it.regime,
        "authority": it.authority,
        "ref": it.reference,
        "submitted": it.submitted,
        "wait_until": it.wait_until,
        "countries": it.countries,
        "purposes": it.purposes,
        "outcome": it.outcome,
    })
}
