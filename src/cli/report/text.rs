//! Plain text for a terminal: each row of a table as a block of names and values.

use std::fmt::Write as _;

use super::document::{Document, Table};
use crate::cli::audit::line::Printable;

/// The document as text.
pub(super) fn render(document: &Document) -> String {
    let mut out = String::new();
    heading(&mut out, &document.title, '=');
    pairs(
        &mut out,
        document.facts.iter().map(|(name, value)| (name, value)),
    );
    for section in &document.sections {
        out.push('\n');
        heading(&mut out, &section.heading, '-');
        for it in &section.paragraphs {
            let _infallible = writeln!(out, "{}", Printable(it));
        }
        if let Some(it) = &section.table {
            table(&mut out, it);
        }
    }
    out
}

fn heading(out: &mut String, text: &str, line: char) {
    let under: String = text.chars().map(|_| line).collect();
    let _infallible = writeln!(out, "{}\n{under}", Printable(text));
}

fn table(out: &mut String, table: &Table) {
    for row in &table.rows {
        out.push('\n');
        let lines = table
            .head
            .iter()
            .zip(row)
            .flat_map(|(name, cell)| cell.iter().map(move |line| (name, line)));
        pairs(out, lines.filter(|(_, line)| !line.is_empty()));
    }
}

fn pairs<'a>(out: &mut String, pairs: impl Iterator<Item = (&'a String, &'a String)>) {
    for (name, value) in pairs {
        let _infallible = writeln!(out, "{}: {}", Printable(name), Printable(value));
    }
}
