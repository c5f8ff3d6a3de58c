//! A decision carried out on the message it is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::{
    Snapshot,
    capacity::{Capacity, Full, Reserved},
    destination::Matched,
    reading::{Read, count_gaps, inspect_reduced, is_inline, plan_of, transfer_person},
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
    /// What stood in the way of a reduction that might have been.
    pub(super) fault: Option<&'static str>,
}

/// What is left to send under `decision`; a reduction that fails, or leaves something it should not, turns it into a block.
///
/// Large bodies are reduced off the reactor's threads like they are inspected: in one of the places that there are for that, and
/// under the time that inspection has, the wait for the place included.
pub(super) async fn carry_out(
    decision: &mut Decision,
    read: Read,
    transfer: &Transfer,
    matched: &Matched,
    snapshot: &Arc<Snapshot>,
    capacity: &Capacity,
) -> (Inspection, Outgoing) {
    let Read {
        message,
        inspection,
        spare,
    } = read;
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
    let task = Task {
        message,
        inspection: Arc::new(inspection),
        reduction: decision.reduction.clone(),
        never: never(decision),
        transfer: transfer.clone(),
        matched: matched.clone(),
        snapshot: Arc::clone(snapshot),
        spare,
    };
    let inspection = Arc::clone(&task.inspection);
    let reduced = if is_inline(&task.message, matched) {
        task.run()
    } else {
        let time = matched.destination.limits.inspection_time;
        run_aside(move || task.run(), time, capacity).await
    };
    let outgoing = reduced.unwrap_or_else(|undone| {
        tracing::warn!(destination = %transfer.destination, "A message is refused: {undone}.");
        refuse(decision, undone)
    });
    (Arc::unwrap_or_clone(inspection), outgoing)
}

/// Does `work` on a thread of its own, in `time`. Its place, and the memory that it owns, are held until the thread is done, also when
/// nobody waits for it any more.
async fn run_aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Undone> + Send + 'static,
    time: Duration,
    capacity: &Capacity,
) -> Result<T, Undone> {
    let began = Instant::now();
    // At least half of the time is for the work itself.
    let place = capacity.inspections.take(time / 2).await?;
    let running = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    let left = time.saturating_sub(began.elapsed());
    match timeout(left, running).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(BROKE_DOWN.into()),
        Err(_) => Err(TOOK_LONGER.into()),
    }
}

const BROKE_DOWN: ReductionFailed = ReductionFailed("taking data out of it broke down");
const TOOK_LONGER: ReductionFailed = ReductionFailed("it took longer than inspection may");

/// Why a message was not reduced.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
enum Undone {
    /// It cannot be.
    #[error(transparent)]
    Failed(#[from] ReductionFailed),
    /// There is no place for it; a later attempt may find one.
    #[error("there is no place to take data out of it: {0}")]
    Full(#[from] Full),
}

/// A reduction that is not carried out is a refusal.
fn refuse(decision: &mut Decision, undone: Undone) -> Outgoing {
    let (code, outgoing) = match undone {
        Undone::Failed(failed) => (
            ReasonCode::ReductionFailed,
            Outgoing {
                failed: Some(failed),
                ..Outgoing::default()
            },
        ),
        Undone::Full(_) => (
            ReasonCode::Overloaded,
            Outgoing {
                fault: Some("the gate has no place free to reduce the message"),
                ..Outgoing::default()
            },
        ),
    };
    decision.verdict = Verdict::Block;
    decision.would_be = Verdict::Block;
    let reason = Reason {
        mode: Mode::Enforce,
        ..Reason::of(code)
    };
    decision.reasons.insert(0, reason);
    outgoing
}

/// Lets `body` hold its share of the memory until its last clone is dropped.
fn hold_with(body: &mut Bytes, reserved: Option<Reserved>) {
    if let Some(mut reserved) = reserved {
        reserved.shrink(body.len() as u64);
        *body = reserved.hold(std::mem::take(body));
    }
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
    /// Memory for what comes of it.
    spare: Option<Reserved>,
}

impl Task {
    /// A panic is a failed reduction. What is left holds its share of the memory.
    fn run(mut self) -> Result<Outgoing, Undone> {
        let reduced = catch_unwind(AssertUnwindSafe(|| self.reduce()));
        let mut outgoing = reduced.unwrap_or(Err(BROKE_DOWN))?;
        if let Some(message) = &mut outgoing.message {
            hold_with(&mut message.body, self.spare.take());
        }
        Ok(outgoing)
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::gatekeeper::capacity::Places;

    const SHORT: Duration = Duration::from_millis(40);

    fn capacity() -> Capacity {
        Capacity {
            inspections: Places::new(1, 8),
            ..Capacity::new(1 << 20, 1 << 20)
        }
    }

    async fn until_free(capacity: &Capacity) {
        let began = Instant::now();
        while capacity.inspections.held() > 0 {
            assert!(began.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn a_reduction_that_nobody_waits_for_holds_what_it_has() {
        let capacity = capacity();
        let share = capacity.memory.reserve(8 << 10).await.unwrap();
        let (go_on, waits) = mpsc::channel::<()>();
        let work = move || {
            let _share = share;
            let _told = waits.recv();
            Ok(())
        };
        let late = run_aside(work, SHORT, &capacity).await;
        assert_eq!(late, Err(TOOK_LONGER.into()));
        assert_eq!(capacity.inspections.held(), 1);
        assert_eq!(capacity.memory.reserved(), 8 << 10);
        let second = run_aside(|| Ok(()), SHORT, &capacity).await;
        assert_eq!(second, Err(Full::Late.into()), "there is one place");
        go_on.send(()).unwrap();
        until_free(&capacity).await;
        assert_eq!(capacity.memory.reserved(), 0);
        assert_eq!(run_aside(|| Ok(7), SHORT, &capacity).await, Ok(7));
    }

    #[test]
    fn who_finds_no_place_is_told_to_come_back() {
        let mut decision = Decision::refuse(ReasonCode::EvidenceMismatch);
        decision.verdict = Verdict::Reduce;
        let outgoing = refuse(&mut decision, Full::Late.into());
        assert_eq!(decision.primary().unwrap().code, ReasonCode::Overloaded);
        assert_eq!(decision.verdict, Verdict::Block);
        assert!(outgoing.fault.is_some() && outgoing.message.is_none());
    }
}
