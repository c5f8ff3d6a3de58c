//! A recorded decision made again under another configuration. Pure: the record, what the registers knew then, a destination.
//!
//! The message is gone, so inspection is not done again: categories, persons and gaps are taken as recorded, and the route by its
//! id. What cannot be decided from the record is said to be undecidable, never guessed.

use std::collections::BTreeSet;

use super::{destination::Destination, record::Decided};
use crate::{
    model::{
        CategorySet,
        decision::{Decision, ReasonCode, Verdict},
        destination::RoutePurpose,
        evidence::Evidence,
        finding::Confidence,
        subject::SubjectId,
        transfer::Transfer,
    },
    policy::Policy,
};

/// What one configuration does with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What is done.
    pub verdict: Verdict,
    /// What would be done if every reason were enforced.
    pub would_be: Verdict,
    /// The primary reason.
    pub reason: Option<ReasonCode>,
    /// Ordinals of the records dropped.
    pub dropped: Vec<u64>,
    /// Persons, by number, with the categories taken out of what is theirs.
    pub reduced: Vec<(u32, CategorySet)>,
}

impl Answer {
    fn of(decision: &Decision) -> Self {
        Self {
            verdict: decision.verdict,
            would_be: decision.would_be,
            reason: decision.primary().map(|it| it.code),
            dropped: decision.reduction.drop_records.clone(),
            reduced: decision.reduction.reduce_fields.clone(),
        }
    }
}

/// A decision beside itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// As recorded.
    pub was: Answer,
    /// As it would be.
    pub is: Answer,
}

impl Replayed {
    /// Whether something else would leave: another verdict, other records dropped, or other categories taken out.
    pub fn flips(&self) -> bool {
        let is_reduced = self.is.verdict == Verdict::Reduce;
        let is_other = self.was.dropped != self.is.dropped || self.was.reduced != self.is.reduced;
        self.was.verdict != self.is.verdict || (is_reduced && is_other)
    }

    /// Whether, in log-only, what is recorded as what would be done is another.
    pub fn would_flip(&self) -> bool {
        !self.flips() && self.was.would_be != self.is.would_be
    }
}

/// Why a decision cannot be made again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unreplayable {
    /// Refused on its head alone: path and body are not on record.
    Unread,
    /// The persons are not those of then: erased, or registered anew under another key.
    PersonsUnknown,
    /// The register's changes up to then are not all on record.
    ChangesMissing,
    /// A change of the registers has a meaning that this program does not know.
    ChangesUnknown,
    /// Another confidence is asked, and the findings on record do not say which persons it concerns.
    Confidence,
    /// The reduction failed then; whether another one would is not known without the body.
    Reduction,
    /// The same configuration does not give the recorded decision: record or registers are not what they were.
    Unfaithful,
}

impl Unreplayable {
    /// The kebab-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::PersonsUnknown => "persons-unknown",
            Self::ChangesMissing => "changes-missing",
            Self::ChangesUnknown => "changes-unknown",
            Self::Confidence => "confidence",
            Self::Reduction => "reduction",
            Self::Unfaithful => "unfaithful",
        }
    }
}

/// What `policy` decides about the message of `decided` at `destination`, the one of the same id; `None` when there is none.
///
/// `evidence` is what the registers knew then. `confidence_was` is what the destination acted on then, where it is known;
/// else it is taken to be the same.
///
/// # Errors
/// The record does not hold what the answer depends on.
pub fn replay(
    decided: &Decided,
    evidence: &Evidence,
    destination: Option<&Destination>,
    confidence_was: Option<Confidence>,
    policy: &Policy,
) -> Result<Replayed, Unreplayable> {
    if is_unread(decided) {
        return Err(Unreplayable::Unread);
    }
    let was = Answer::of(&decided.decision);
    let Some(destination) = destination else {
        let is = Answer::of(&Decision::refuse(ReasonCode::DestinationUnknown));
        return Ok(Replayed { was, is });
    };
    let decide = |transfer: &Transfer| policy.decide(&destination.facts, transfer, evidence);
    let transfer = transfer(decided, destination);
    let mut decision = decide(&transfer);
    if persons(&decision) != persons(&decided.decision) {
        return Err(Unreplayable::PersonsUnknown);
    }
    let is_asked = destination.facts.confidence_min;
    let was_asked = confidence_was.unwrap_or(is_asked);
    if is_asked < was_asked {
        decision = more_sensitive(decided, transfer, decision, (is_asked, was_asked), decide)?;
    } else if is_asked > was_asked && has_between(decided, was_asked, is_asked) {
        return less_sensitive(&decision).map(|is| Replayed { was, is });
    }
    carry_out(decided, &mut decision)?;
    Ok(Replayed {
        was,
        is: Answer::of(&decision),
    })
}

/// Whether the gate refused before it read the message, so that none of it is on record.
fn is_unread(decided: &Decided) -> bool {
    let transfer = &decided.transfer;
    let has_nothing =
        transfer.route.is_none() && transfer.persons.is_empty() && transfer.gaps.is_empty();
    has_nothing && decided.decision.reasons.len() == 1
}

/// The facts of then, as `destination` would see them: its route of the same id, its purpose, its callers.
fn transfer(decided: &Decided, destination: &Destination) -> Transfer {
    let mut transfer = decided.transfer.clone();
    let callers = &destination.callers;
    transfer.caller_allowed = callers.is_empty() || callers.contains_key(&decided.caller);
    let mut routes = destination.facts.routes.iter();
    let route = routes.find(|it| Some(&it.id) == transfer.route.as_ref());
    transfer.route = route.map(|it| it.id.clone());
    (transfer.purpose, transfer.purpose_claimed) = match route.map(|it| &it.purpose) {
        None => (None, false),
        Some(RoutePurpose::Declared(purpose)) => (Some(purpose.clone()), false),
        Some(RoutePurpose::Claimable(choices)) => {
            let own = callers.get(&decided.caller);
            let claimed = transfer.purpose.filter(|it| {
                transfer.purpose_claimed
                    && choices.contains(it)
                    && own.is_some_and(|own| own.iter().any(|own| own.covers(it)))
            });
            (claimed, true)
        }
    };
    transfer
}

/// Whom each person was resolved to, and who of them was not known: the same under every configuration.
fn persons(decision: &Decision) -> (Vec<BTreeSet<&SubjectId>>, BTreeSet<Option<u32>>) {
    let subjects = decision
        .persons
        .iter()
        .map(|it| it.subjects.iter().collect());
    let codes = [ReasonCode::SubjectUnknown, ReasonCode::SubjectUnresolved];
    let reasons = decision
        .reasons
        .iter()
        .filter(|it| codes.contains(&it.code));
    (subjects.collect(), reasons.map(|it| it.person).collect())
}

/// Whether something was found with a confidence from `low` to below `high`.
fn has_between(decided: &Decided, low: Confidence, high: Confidence) -> bool {
    let mut findings = decided.findings.iter();
    findings.any(|it| it.confidence >= low && it.confidence < high)
}

/// The destination now acts on findings that it recorded only. More data never makes an answer milder: what is blocked without
/// them stays blocked, and what is blocked with those that are recorded of a person is blocked. The rest is not on record.
fn more_sensitive(
    decided: &Decided,
    mut transfer: Transfer,
    decision: Decision,
    (is_asked, was_asked): (Confidence, Confidence),
    decide: impl Fn(&Transfer) -> Decision,
) -> Result<Decision, Unreplayable> {
    if decision.verdict == Verdict::Block || !has_between(decided, is_asked, was_asked) {
        return Ok(decision);
    }
    let weak = decided
        .findings
        .iter()
        .filter(|it| it.confidence < was_asked);
    let too_weak: CategorySet = weak
        .filter(|it| it.confidence < is_asked)
        .map(|it| it.category)
        .collect();
    for person in &mut transfer.persons {
        let acting = person.weak_categories.minus(too_weak);
        person.categories = person.categories.union(acting);
        person.weak_categories = person.weak_categories.minus(acting);
    }
    let decision = decide(&transfer);
    if decision.verdict == Verdict::Block {
        Ok(decision)
    } else {
        Err(Unreplayable::Confidence)
    }
}

/// The destination no longer acts on all that it acted on. What goes with all of it goes with less.
fn less_sensitive(decision: &Decision) -> Result<Answer, Unreplayable> {
    if decision.verdict == Verdict::Allow && decision.would_be == Verdict::Allow {
        Ok(Answer::of(decision))
    } else {
        Err(Unreplayable::Confidence)
    }
}

/// A reduction that failed then, or for which there was no place, comes to the same again if it takes the same out.
fn carry_out(decided: &Decided, decision: &mut Decision) -> Result<(), Unreplayable> {
    let first = decided.decision.reasons.first();
    let is_undone =
        |it: ReasonCode| [ReasonCode::ReductionFailed, ReasonCode::Overloaded].contains(&it);
    let was_undone = first.is_some_and(|it| is_undone(it.code));
    if !was_undone || decision.verdict != Verdict::Reduce {
        return Ok(());
    }
    if decision.reduction != decided.decision.reduction {
        return Err(Unreplayable::Reduction);
    }
    decision.verdict = Verdict::Block;
    decision.would_be = Verdict::Block;
    decision.reasons.splice(0..0, first.cloned());
    Ok(())
}
