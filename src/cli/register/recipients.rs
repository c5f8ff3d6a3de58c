//! Whom a consent or a basis lets data go to.

use super::texts;
use crate::model::consent::PartyScope;

/// Whom it lets data go to; none named = nobody.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Recipients {
    /// Recipient it allows transfer to, by party id (repeatable)
    #[arg(long, value_name = "PARTY", conflicts_with_all = ["any_recipient", "class"])]
    recipient: Vec<String>,
    /// It allows transfer to any recipient
    #[arg(long, conflicts_with = "class")]
    any_recipient: bool,
    /// Class of recipients it allows transfer to (repeatable)
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
}

impl Recipients {
    /// The scope that the flags name, if any.
    pub(in crate::cli) fn scope(&self) -> Option<PartyScope> {
        if self.any_recipient {
            Some(PartyScope::Any)
        } else if !self.class.is_empty() {
            Some(PartyScope::Classes(texts(&self.class)))
        } else if !self.recipient.is_empty() {
            Some(PartyScope::Parties(texts(&self.recipient)))
        } else {
            None
        }
    }
}
