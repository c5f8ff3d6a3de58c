//! A decision carried out on the message it is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    Snapshot,
    destination::Matched,
    reading::{INLINE_BYTES, count_gaps, inspect_reduced, plan_of, transfer_person},
};
use crate::{
    inspect::{Order, ReductionFailed},
    model::{
        Category, CategorySet,
        decision::{Decision, Mode, Reason, ReasonCode, Reduction, Verdict},
        destination::Operator,
        inspection::{Inspection, Person},
        message::Message,
        subject::SubjectRef,
        transfer::{Transfer, TransferPerson},
    },
};

/// What may leave, and what was done to it.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// The message; `None` when nothing may.
    pub(super) message: Option<Message>,
    /// Values removed, masked or pseudonymised.
    pub(super) removed: u32,
    /// Categories that were masked.
    pub(super) masked: CategorySet,
    /// Categories that were pseudonymised.
    pub(super) pseudonymised: CategorySet,
    /// Why nothing may, where the decision was to reduce it.
    pub(super) failed: Option<ReductionFailed>,
}

/// What is left to send under `decision`; a reduction that fails, or leaves something it should not, turns it into a block.
/// Large bodies are reduced off the reactor's threads, under the time that inspection has.
pub(super) async fn carry_out(
    decision: &mut Decision,
    message: Message,
    inspection: Inspection,
    transfer: &Transfer,
    matched: &Matched,
    snapshot: &Arc<Snapshot>,
) -> (Inspection, Outgoing) {
    match decision.verdict {
        Verdict::Allow => {
            let outgoing = Outgoing {
                message: Some(message),
                ..Outgoing::default()
            };
            return (inspection, outgoing);
        }
        Verdict::Block => return (inspection, Outgoing::default()),
        Verdict::Reduce => {}
    }
    let is_small = message.body.len() <= INLINE_BYTES;
    let task = Task {
        message,
        inspection: Arc::new(inspection),
        reduction: decision.reduction.clone(),
        never: never(decision),
        transfer: transfer.clone(),
        matched: matched.clone(),
        snapshot: Arc::clone(snapshot),
    };
    let inspection = Arc::clone(&task.inspection);
    let reduced = if is_small {
        task.run()
    } else {
        let time = matched.destination.limits.inspection_time;
        let running = tokio::task::spawn_blocking(move || task.run());
        match tokio::time::timeout(time, running).await {
            Ok(Ok(reduced)) => reduced,
            Ok(Err(_)) => Err(BROKE_DOWN),
            Err(_) => Err(ReductionFailed("it took longer than inspection may")),
        }
    };
    let outgoing = reduced.unwrap_or_else(|error| {
        tracing::warn!(destination = %transfer.destination, "A message is refused: {error}.");
        fail(decision);
        Outgoing {
            failed: Some(error),
            ..Outgoing::default()
        }
    });
    (Arc::unwrap_or_clone(inspection), outgoing)
}

const BROKE_DOWN: ReductionFailed = ReductionFailed("taking data out of it broke down");

/// A reduction that cannot be carried out is a refusal.
fn fail(decision: &mut Decision) {
    decision.verdict = Verdict::Block;
    decision.would_be = Verdict::Block;
    let reason = Reason {
        mode: Mode::Enforce,
        ..Reason::of(ReasonCode::ReductionFailed)
    };
    decision.reasons.insert(0, reason);
}

/// What never leaves of each person, by number in the transfer: it is removed, whatever the destination's operators say, since a
/// masked or pseudonymised value is still one of its category.
fn never(decision: &Decision) -> BTreeMap<u32, CategorySet> {
    let mut never: BTreeMap<u32, CategorySet> = BTreeMap::new();
    for reason in decision.reasons.iter().filter(|it| it.code.is_never()) {
        if let Some(person) = reason.person {
            let known = never.entry(person).or_insert(CategorySet::EMPTY);
            *known = known.union(reason.categories);
        }
    }
    never
}

/// One reduction, with all it needs.
struct Task {
    message: Message,
    inspection: Arc<Inspection>,
    reduction: Reduction,
    never: BTreeMap<u32, CategorySet>,
    transfer: Transfer,
    matched: Matched,
    snapshot: Arc<Snapshot>,
}

impl Task {
    /// A panic is a failed reduction.
    fn run(self) -> Result<Outgoing, ReductionFailed> {
        catch_unwind(AssertUnwindSafe(|| self.reduce())).unwrap_or(Err(BROKE_DOWN))
    }

    /// The message without what may not go, read again before it may leave.
    fn reduce(&self) -> Result<Outgoing, ReductionFailed> {
        let facts = &self.matched.destination.facts;
        // Persons of the transfer are those of the inspection that are judged.
        let judged: Vec<usize> = (0..)
            .zip(&self.inspection.persons)
            .filter(|(_, it)| !it.categories.is_empty())
            .map(|(at, _)| at)
            .collect();
        let mut fields = Vec::with_capacity(self.reduction.reduce_fields.len());
        let mut never = BTreeMap::new();
        let mut outgoing = Outgoing::default();
        for (person, categories) in &self.reduction.reduce_fields {
            let at = usize::try_from(*person).ok();
            let at = at.and_then(|it| judged.get(it)).copied();
            let at = at.ok_or(ReductionFailed("a person to reduce is not in it"))?;
            let own = self.never.get(person).copied().unwrap_or_default();
            for category in categories.minus(own).iter() {
                match facts.operators.get(&category) {
                    Some(Operator::Mask) => outgoing.masked.insert(category),
                    Some(Operator::Pseudonymise) => outgoing.pseudonymised.insert(category),
                    Some(Operator::Remove) | None => {}
                }
            }
            never.insert(at, own);
            fields.push((at, *categories));
        }
        let operator = |person: usize, category: Category| {
            let is_never = never.get(&person).is_some_and(|it| it.contains(category));
            let own = facts.operators.get(&category).filter(|_| !is_never);
            own.copied().unwrap_or(Operator::Remove)
        };
        let keys = &self.snapshot.keys;
        let reduced = self.snapshot.inspector.reduce(
            &self.message,
            &self.inspection,
            plan_of(&self.matched, self.transfer.at),
            &Order {
                records: &self.reduction.drop_records,
                fields: &fields,
                operator: &operator,
                confidence_min: facts.confidence_min,
                token: &|category, value| keys.pseudonym(&facts.id, category, value),
            },
        )?;
        let after = inspect_reduced(&reduced, &self.matched, self.transfer.at, &self.snapshot);
        // A gap may have gone with a record or a coding. One more is something that nobody judged.
        let before = count_gaps(&self.inspection.gaps);
        let is_known = |(kind, count)| before.get(&kind).is_some_and(|it| *it >= count);
        if !count_gaps(&after.gaps).into_iter().all(is_known) {
            return Err(ReductionFailed("what is left has gaps that were not there"));
        }
        reduced.check(&self.inspection, &after)?;
        self.check_persons(&after)?;
        outgoing.removed = reduced.removed;
        outgoing.message = Some(reduced.message);
        Ok(outgoing)
    }

    /// Whether what is left is about the persons that were judged to stay, and says so of each of them.
    ///
    /// Somebody whose last identifier went would be data about nobody: nothing that leaves could be held against a person's basis
    /// again. So such a reduction fails.
    fn check_persons(&self, after: &Inspection) -> Result<(), ReductionFailed> {
        const OTHER: ReductionFailed =
            ReductionFailed("what is left is about other persons than before");
        let dropped = &self.reduction.drop_records;
        let kept: Vec<(u32, &TransferPerson)> = (0..)
            .zip(&self.transfer.persons)
            .filter(|(_, it)| it.record.is_none_or(|it| !dropped.contains(&it)))
            .collect();
        let left: Vec<(TransferPerson, &Person)> = after
            .persons
            .iter()
            .map(|it| (transfer_person(it, &self.snapshot), it))
            .collect();
        let judged = left.iter().filter(|it| !it.1.categories.is_empty());
        if self.reduction.reduce_fields.is_empty() {
            let is_kept =
                |it: &TransferPerson| kept.iter().any(|own| own.1.identifiers == it.identifiers);
            let is_same = judged.clone().all(|it| is_kept(&it.0)) && judged.count() == kept.len();
            return if is_same { Ok(()) } else { Err(OTHER) };
        }
        let all: BTreeSet<&SubjectRef> = kept.iter().flat_map(|it| &it.1.identifiers).collect();
        let has_nameless = kept.iter().any(|it| it.1.identifiers.is_empty());
        let is_known = |(it, person): &(TransferPerson, &Person)| {
            let own = &it.identifiers;
            let is_one = |kept: &TransferPerson| own.iter().all(|it| kept.identifiers.contains(it));
            let is_named = !own.is_empty() || has_nameless;
            is_named
                && if person.record.is_some() {
                    kept.iter().any(|it| it.1.record.is_some() && is_one(it.1))
                } else {
                    own.iter().all(|it| all.contains(it))
                }
        };
        let with_record = |it: &&(TransferPerson, &Person)| it.1.record.is_some();
        let records = kept.iter().filter(|it| it.1.record.is_some()).count();
        if !judged.clone().all(is_known) || judged.clone().filter(with_record).count() > records {
            return Err(OTHER);
        }
        let said: BTreeSet<&SubjectRef> = left.iter().flat_map(|it| &it.0.identifiers).collect();
        let is_reduced = |index: &u32| {
            let mut fields = self.reduction.reduce_fields.iter();
            fields.any(|it| it.0 == *index)
        };
        for (_, person) in kept.iter().filter(|it| is_reduced(&it.0)) {
            if !person.identifiers.iter().any(|it| said.contains(it)) {
                return Err(ReductionFailed(
                    "nothing would be left that says who it is about",
                ));
            }
        }
        Ok(())
    }
}
