//! Where the questions leave their reasons.

use super::ReasonTable;
use crate::model::{
    Timestamp,
    decision::{Mode, Reason},
    destination::Modes,
};

/// Reasons of one message that are compared before another is added: those of one person under one reading fit.
const REPEAT_WINDOW: usize = 8;

/// Reasons so far, each with the mode it has at the destination.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    table: &'a ReasonTable,
    modes: &'a Modes,
    at: Timestamp,
    reasons: Vec<Reason>,
}

impl<'a> Findings<'a> {
    /// No reasons yet.
    pub(super) const fn new(table: &'a ReasonTable, modes: &'a Modes, at: Timestamp) -> Self {
        Self {
            table,
            modes,
            at,
            reasons: Vec::new(),
        }
    }

    /// Adds `reason`, giving it its mode. The same reason for a second purpose of the message is not repeated.
    pub(super) fn add(&mut self, mut reason: Reason) {
        reason.mode = if reason.code.acts_always() {
            Mode::Enforce
        } else {
            let rule = self.table.rule(reason.code);
            self.modes.at(reason.code, rule, self.at)
        };
        let mut recent = self.reasons.iter().rev().take(REPEAT_WINDOW);
        if !recent.any(|it| *it == reason) {
            self.reasons.push(reason);
        }
    }

    /// All reasons, in the order of questions; within one code, in the order of readings and persons.
    pub(super) fn into_ordered(mut self) -> Vec<Reason> {
        self.reasons.sort_by_key(|it| it.code);
        self.reasons
    }
}
