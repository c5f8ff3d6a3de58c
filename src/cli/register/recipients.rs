//! Whom a consent or a basis lets data go to.

use std::collections::BTreeSet;

use super::{Session, Terminal, texts, vocabulary::nearest};
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

    /// Notes each recipient that no destination leads to: it may come later, or it may be a slip that no transfer will ever match.
    pub(in crate::cli) fn note_strangers(
        &self,
        session: &Session<'_>,
        terminal: &mut Terminal<'_>,
    ) {
        let Some(configuration) = session.context.configuration else {
            return;
        };
        let known: BTreeSet<&str> = configuration
            .destinations
            .iter()
            .flat_map(|it| {
                let behind = it.facts.onward.iter().map(|it| &*it.party);
                behind.chain([&*it.facts.party.id])
            })
            .collect();
        for warning in self.recipient.iter().filter_map(|it| stranger(it, &known)) {
            terminal.note(warning);
        }
    }
}

fn stranger(party: &str, known: &BTreeSet<&str>) -> Option<String> {
    if known.contains(party) {
        return None;
    }
    let hint = nearest(party, known.iter().copied())
        .map_or_else(String::new, |it| format!("; did you mean `{it}`?"));
    Some(format!(
        "warning: no destination leads to a party `{party}`, so no transfer rests on this yet{hint}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_without_a_destination_is_noted() {
        let known = BTreeSet::from(["us-mail", "de-shop"]);
        assert_eq!(stranger("us-mail", &known), None);
        let slip = stranger("us-mial", &known).unwrap();
        assert!(slip.contains("did you mean `us-mail`?"), "{slip}");
        let later = stranger("parcels", &known).unwrap();
        assert!(later.ends_with("rests on this yet"), "{later}");
    }
}
