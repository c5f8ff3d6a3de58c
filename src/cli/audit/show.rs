//! `audit show`: one record whole.

use std::{
    io::{self, Write},
    path::Path,
    str::FromStr,
};

use serde_json::{Value, json};

use super::{Stop, line::Printable};
use crate::{
    audit::{Record, Records, index},
    cli::Failure,
    gatekeeper::record::{AuditEvent, DecisionId},
};

/// What to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Decision(DecisionId),
    Sequence(u64),
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(sequence) => Ok(Self::Sequence(sequence)),
            Err(_) => text
                .parse()
                .map(Self::Decision)
                .map_err(|_| format!("`{text}` is neither a decision id (a UUID) nor a sequence")),
        }
    }
}

/// How to show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum Format {
    /// Indented names and values
    Text,
    /// One JSON document
    Json,
}

/// Shows the record of `key`; of a decision or completion, both.
pub(super) fn show(dir: &Path, key: Key, format: Format, out: &mut dyn Write) -> Result<(), Stop> {
    let id = match key {
        Key::Decision(id) => Some(id),
        Key::Sequence(sequence) => match read(dir, sequence)?.event {
            AuditEvent::Decided(it) => Some(it.id),
            AuditEvent::Completed(it) => Some(it.id),
            AuditEvent::Register(_) | AuditEvent::Operated(_) => None,
        },
    };
    let mut records = Vec::new();
    if let Some(id) = id
        && let Some(exchange) = index::update(dir)?.find(id)?
    {
        records.push(read(dir, exchange.decided)?);
        if let Some(completed) = exchange.completed {
            records.push(read(dir, completed)?);
        }
    }
    match key {
        // A completion whose decision is missing still shows.
        Key::Sequence(sequence) if records.is_empty() => records.push(read(dir, sequence)?),
        Key::Decision(id) if records.is_empty() => {
            return Err(Stop::Failed(Failure::new(format!(
                "the log has no decision {id}"
            ))));
        }
        Key::Decision(_) | Key::Sequence(_) => {}
    }
    let values: Vec<Value> = records.iter().map(value).collect();
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &values).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Format::Text => {
            for it in &values {
                write_text(it, 0, out)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn read(dir: &Path, sequence: u64) -> Result<Record, Stop> {
    let missing = || {
        Stop::Failed(Failure::new(format!(
            "the log has no record of sequence {sequence}"
        )))
    };
    Ok(Records::open(dir, sequence)?.next().ok_or_else(missing)??)
}

/// A record as JSON: its place, then its event.
pub(super) fn value(record: &Record) -> Value {
    let hash: String = record.hash.iter().map(|it| format!("{it:02x}")).collect();
    let mut value = json!({ "sequence": record.sequence, "hash": hash });
    let event = serde_json::to_value(&record.event).unwrap_or_default();
    if let (Value::Object(all), Value::Object(event)) = (&mut value, event) {
        all.extend(event);
    }
    value
}

fn write_text(value: &Value, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, it)| {
            let name = Printable(name);
            match it {
                Value::Null => Ok(()),
                Value::Object(_) | Value::Array(_) if is_flat(it) => {
                    writeln!(out, "{indent}{name}: {}", flat(it))
                }
                Value::Object(_) | Value::Array(_) => {
                    writeln!(out, "{indent}{name}:")?;
                    write_text(it, depth + 1, out)
                }
                Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    writeln!(out, "{indent}{name}: {}", flat(it))
                }
            }
        }),
        Value::Array(items) => items.iter().try_for_each(|it| {
            writeln!(out, "{indent}-")?;
            write_text(it, depth + 1, out)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            writeln!(out, "{indent}{}", flat(value))
        }
    }
}

/// Whether `value` is a list without lists or objects in it, or empty: it takes one line.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.iter().any(|it| it.is_array() || it.is_object()),
        Value::Object(members) => members.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn flat(value: &Value) -> String {
    match value {
        Value::String(it) => Printable(it).to_string(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(", "),
        Value::Object(members) if members.is_empty() => "none".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
