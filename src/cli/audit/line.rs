//! One readable line a record.

use std::{
    fmt::{self, Write as _},
    io::{self, Write},
};

use crate::{
    audit::Record,
    gatekeeper::record::{AuditEvent, Completed, Decided},
    model::counted,
};

/// Writes `record` as one line.
pub(super) fn write(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>8}  {}",
        record.sequence,
        Printable(&of(&record.event))
    )
}

fn of(event: &AuditEvent) -> String {
    match event {
        AuditEvent::Decided(it) => decided(it),
        AuditEvent::Completed(it) => completed(it),
        AuditEvent::Register(it) => format!(
            "{}  register  {} {} by {} (change {})",
            it.at, it.action, it.record, it.by, it.register_sequence
        ),
        AuditEvent::Operated(it) => {
            let mut text = format!("{}  operated  {}", it.at, it.action);
            for (name, value) in &it.detail {
                let _infallible = write!(text, " {name}={value}");
            }
            text
        }
    }
}

fn decided(it: &Decided) -> String {
    let decision = &it.decision;
    let mut text = format!("{}  {}", it.at, decision.verdict.as_str());
    if decision.would_be != decision.verdict {
        let _infallible = write!(text, " (would {})", decision.would_be.as_str());
    }
    let _infallible = write!(text, "  {}", it.transfer.destination);
    if let Some(recipient) = &it.recipient {
        let _infallible = write!(text, "→{}/{}", recipient.party, recipient.country);
    }
    let purpose = it.transfer.purpose.as_ref().map_or("-", |it| it.as_str());
    let persons = counted(it.transfer.persons.len(), "person");
    let _infallible = write!(text, "  {purpose}  {persons}");
    if !decision.reasons.is_empty() {
        let codes: Vec<&str> = decision.reasons.iter().map(|it| it.code.as_str()).collect();
        let _infallible = write!(text, "  {}", codes.join(","));
    }
    let _infallible = write!(text, "  {}", it.id);
    text
}

fn completed(it: &Completed) -> String {
    let outcome = serde_json::to_value(it.outcome).unwrap_or_default();
    let status = it
        .status
        .map_or_else(|| "-".to_owned(), |it| it.to_string());
    let sent = if it.sent { "sent" } else { "not sent" };
    let outcome = outcome.as_str().unwrap_or_default();
    let via = if it.via_proxy { " via proxy" } else { "" };
    format!("{}  {outcome}  {status}  {sent}{via}  {}", it.at, it.id)
}

/// Text for a terminal: control characters and marks that turn the direction of writing are escaped, so that no record can move the cursor,
/// begin a line of its own or look like another.
pub(in crate::cli) struct Printable<'a>(pub(in crate::cli) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|it| {
            if is_deceptive(it) {
                write!(f, "{}", it.escape_unicode())
            } else {
                f.write_char(it)
            }
        })
    }
}

fn is_deceptive(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
