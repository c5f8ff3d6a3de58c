//! From reasons to a verdict: the strictest enforced reason decides, and what may be reduced is reduced.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{
    Category, CategorySet,
    decision::{Decision, Mode, PersonOutcome, Reason, ReasonCode, Reduction, Verdict},
    destination::Destination,
    subject::IdentifierKind,
    transfer::{Transfer, TransferPerson},
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
    // For each person that something stands against, what would have to go; `None` when that is more than categories.
    let mut failing: BTreeMap<u32, Option<CategorySet>> = BTreeMap::new();
    for reason in reasons {
        let Some(person) = reason.person else {
            return (Verdict::Block, Reduction::default());
        };
        let known = failing.entry(person).or_insert(Some(CategorySet::EMPTY));
        *known = known.filter(|_| is_about_categories(reason.code));
        if let Some(known) = known.as_mut().filter(|_| reason.code.is_never()) {
            *known = known.union(reason.categories);
        }
    }
    if failing.is_empty() {
        return (Verdict::Allow, Reduction::default());
    }
    let mut reduction = Reduction::default();
    for (person, never) in failing {
        let outcome = persons.get(person as usize);
        let found = transfer.persons.get(person as usize);
        let fields = never
            .zip(outcome)
            .map(|(never, it)| never.union(it.uncovered))
            .filter(|it| found.is_some_and(|person| stays_somebody(person, *it)));
        match cure(destination, fields, found.and_then(|it| it.record)) {
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

/// Whether `code` stands against categories of a person, not against the person: what never leaves (question 4), and what no basis
/// carries (questions 9 and 10), whatever the nearest record fails in.
const fn is_about_categories(code: ReasonCode) -> bool {
    code.is_never() || matches!(code.question(), 9 | 10)
}

/// Whether `person` without `taken` is still data about somebody: something covered is left, and with it an identifier. Without
/// something covered there is no basis for what would be left. Without an identifier nobody could hold what left against a basis.
fn stays_somebody(person: &TransferPerson, taken: CategorySet) -> bool {
    let mut identifiers = person.identifiers.iter();
    !person.categories.minus(taken).is_empty()
        && identifiers.any(|it| !categories(it.kind).iter().any(|it| taken.contains(*it)))
}

/// The categories as which identifiers of `kind` are found.
const fn categories(kind: IdentifierKind) -> &'static [Category] {
    match kind {
        IdentifierKind::Email => &[Category::Email],
        IdentifierKind::IdDocument => &[Category::IdDocument, Category::IdDocumentNumber],
        IdentifierKind::InternalId => &[Category::OnlineAccountId],
        IdentifierKind::NationalId => &[Category::NationalId],
        IdentifierKind::Phone => &[Category::Phone],
    }
}

/// The mildest cure that the destination's fallback allows.
fn cure(
    destination: &Destination,
    fields: Option<CategorySet>,
    record: Option<u64>,
) -> Option<Cure> {
    let fields = fields.filter(|_| destination.fallback.reduce_fields);
    let drop = record.filter(|_| destination.fallback.drop_records);
    fields.map(Cure::Fields).or(drop.map(Cure::Record))
}
