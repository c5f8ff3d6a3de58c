//! From reasons to a verdict: the strictest enforced reason decides, and what may be reduced is reduced.

use std::{collections::BTreeSet, sync::Arc};

use crate::model::{
    CategorySet,
    decision::{Decision, Mode, PersonOutcome, Reason, ReasonCode, Reduction, Verdict},
    destination::Destination,
    transfer::Transfer,
};

/// The decision that `reasons`, in the order of questions, and `persons` amount to.
pub(super) fn decision(
    destination: &Destination,
    transfer: &Transfer,
    mut reasons: Vec<Reason>,
    persons: Vec<PersonOutcome>,
) -> Decision {
    let weigh = |enforced_only: bool| {
        let counted = reasons
            .iter()
            .filter(|it| !enforced_only || it.mode == Mode::Enforce);
        verdict(destination, transfer, counted, &persons)
    };
    let (mut verdict, mut reduction) = weigh(true);
    let (mut would_be, _) = weigh(false);
    if transfer.is_signed && (verdict == Verdict::Reduce || would_be == Verdict::Reduce) {
        // A signed body cannot lose a byte, whatever the mode of that rule: what would be reduced is refused.
        let mode = if verdict == Verdict::Reduce {
            Mode::Enforce
        } else {
            Mode::LogOnly
        };
        reasons.push(Reason {
            mode,
            ..Reason::of(ReasonCode::SignedMessage)
        });
        would_be = Verdict::Block;
        if mode == Mode::Enforce {
            verdict = Verdict::Block;
            reduction = Reduction::default();
        }
    }
    let mut decision = Decision {
        verdict,
        would_be,
        reduction,
        reasons,
        persons,
        regime: None,
    };
    let first = || destination.readings.first();
    decision.regime = decision
        .primary()
        .and_then(|it| it.regime.clone())
        .or_else(|| first().map(|it| Arc::clone(&it.regime.code)));
    decision
}

/// What can be done about one person that something stands against.
enum Cure {
    /// Take these categories out.
    Fields(CategorySet),
    /// Drop the record with this ordinal.
    Record(u64),
}

/// The verdict if exactly `reasons` act, and what it takes out.
fn verdict<'a>(
    destination: &Destination,
    transfer: &Transfer,
    reasons: impl Iterator<Item = &'a Reason> + Clone,
    persons: &[PersonOutcome],
) -> (Verdict, Reduction) {
    let mut failing: BTreeSet<u32> = BTreeSet::new();
    let mut uncurable = BTreeSet::new();
    for reason in reasons {
        let Some(person) = reason.person else {
            return (Verdict::Block, Reduction::default());
        };
        failing.insert(person);
        if !is_about_categories(reason.code) {
            uncurable.insert(person);
        }
    }
    if failing.is_empty() {
        return (Verdict::Allow, Reduction::default());
    }
    let mut reduction = Reduction::default();
    for person in failing {
        let outcome = persons.get(person as usize);
        let outcome = outcome.filter(|_| !uncurable.contains(&person));
        let record = transfer.persons.get(person as usize);
        match cure(destination, outcome, record.and_then(|it| it.record)) {
            Some(Cure::Fields(categories)) => reduction.reduce_fields.push((person, categories)),
            Some(Cure::Record(ordinal)) => reduction.drop_records.push(ordinal),
            None => return (Verdict::Block, Reduction::default()),
        }
    }
    reduction.drop_records.sort_unstable();
    reduction.drop_records.dedup();
    let stays = |record: Option<u64>| {
        record.is_none_or(|it| reduction.drop_records.binary_search(&it).is_err())
    };
    if !transfer.persons.iter().any(|it| stays(it.record)) {
        return (Verdict::Block, Reduction::default());
    }
    reduction.reduce_fields.retain(|(person, _)| {
        let record = transfer.persons.get(*person as usize);
        stays(record.and_then(|it| it.record))
    });
    (Verdict::Reduce, reduction)
}

/// Only what the person's own basis does not name, so that taking it out leaves something lawful.
const fn is_about_categories(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::SpecialCategory | ReasonCode::CategoryNotCovered
    )
}

/// The mildest cure that the destination's fallback allows. Fields of a person with nothing covered are not cured by removal:
/// there is no basis for what would be left.
fn cure(
    destination: &Destination,
    reducible: Option<&PersonOutcome>,
    record: Option<u64>,
) -> Option<Cure> {
    let fields = reducible
        .filter(|_| destination.fallback.reduce_fields)
        .filter(|it| !it.covered.is_empty());
    let drop = record.filter(|_| destination.fallback.drop_records);
    fields
        .map(|it| Cure::Fields(it.uncovered))
        .or(drop.map(Cure::Record))
}
