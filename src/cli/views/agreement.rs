//! `agreement list`.

use serde_json::{Value, json};

use super::{Book, Listing, join};
use crate::model::destination::Agreement;

pub(super) fn list(book: &Book<'_>) -> Listing<7> {
    let destinations = book.configuration.destinations.iter();
    let row = |facts: &crate::model::destination::Destination| {
        let it = facts.agreement.as_ref()?;
        let cells = [
            facts.id.to_string(),
            it.reference.clone(),
            facts.party.legal_name.clone(),
            it.signed.to_string(),
            book.end(it.until),
            join(&it.purposes),
            book.wording.categories(it.categories),
        ];
        let mut value = value(book, it);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("destination".to_owned(), json!(facts.id));
            fields.insert("party".to_owned(), json!(facts.party.id));
        }
        Some((cells, value))
    };
    Listing {
        head: [
            "DESTINATION",
            "REFERENCE",
            "WITH",
            "SIGNED",
            "UNTIL",
            "PURPOSES",
            "CATEGORIES",
        ],
        rows: destinations.filter_map(|it| row(&it.facts)).collect(),
    }
}

/// An agreement in JSON.
pub(super) fn value(book: &Book<'_>, it: &Agreement) -> Value {
    json!({
        "ref": it.reference,
        "sha256": it.sha256,
        "signed": it.signed,
        "until": it.until,
        "standing": book.mark(it.until),
        "actions": it.actions,
        "purposes": it.purposes,
        "categories": it.categories,
        "confidentiality": it.confidentiality,
        "security": it.security,
    })
}
