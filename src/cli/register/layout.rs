//! Values of the registers as text for people.

use crate::model::consent::{PartyScope, PurposeEnd, PurposeEndScope, Until};

pub(in crate::cli) fn until(it: &Until) -> String {
    match it {
        Until::Day(day) => day.to_string(),
        Until::Programme(id) => format!("programme {id}"),
        Until::Purpose => "purpose".to_owned(),
    }
}

pub(in crate::cli) fn parties(it: Option<&PartyScope>) -> String {
    match it {
        None => "none".to_owned(),
        Some(PartyScope::Any) => "any".to_owned(),
        Some(PartyScope::Classes(classes)) => format!("classes {}", join(classes)),
        Some(PartyScope::Parties(parties)) => join(parties),
    }
}

/// What has ended, and when.
pub(in crate::cli) fn purpose_end(it: &PurposeEnd) -> String {
    let what = match &it.scope {
        PurposeEndScope::Consent(id) => format!("consent {id}"),
        PurposeEndScope::Programme(id) => format!("programme {id}"),
        PurposeEndScope::Purpose(purpose) => format!("purpose {purpose}"),
    };
    format!("{what} ended {}", it.at)
}

/// The word that stands for `value` in JSON.
pub(in crate::cli) fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|it| it.as_str().map(str::to_owned))
        .unwrap_or_default()
}

pub(in crate::cli) fn join<T: std::fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    values
        .into_iter()
        .map(|it| it.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

/// Rows with aligned columns; the last one is not padded.
pub(in crate::cli) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
