//! A decision carried out on the message it is about.

use super::{
    Snapshot,
    destination::Matched,
    reading::{count_gaps, inspect_guarded, plan_of, transfer_person},
};
use crate::model::{
    decision::{Decision, Mode, Reason, ReasonCode, Verdict},
    inspection::{Inspection, Person},
    message::Message,
    subject::SubjectRef,
    transfer::Transfer,
};

/// What is left to send under `decision`; a reduction that fails, or leaves a person it should not, turns it into a block.
pub(super) fn carry_out(
    decision: &mut Decision,
    message: Message,
    inspection: &Inspection,
    transfer: &Transfer,
    matched: &Matched,
    snapshot: &Snapshot,
) -> Option<Message> {
    match decision.verdict {
        Verdict::Allow => Some(message),
        Verdict::Block => None,
        Verdict::Reduce => {
            let reduced = reduce(decision, &message, inspection, transfer, matched, snapshot);
            if reduced.is_none() {
                decision.verdict = Verdict::Block;
                decision.would_be = Verdict::Block;
                decision.reasons.insert(
                    0,
                    Reason {
                        mode: Mode::Enforce,
                        ..Reason::of(ReasonCode::ReductionFailed)
                    },
                );
            }
            reduced
        }
    }
}

/// The message without the records that may not go, read again before it may leave.
fn reduce(
    decision: &Decision,
    message: &Message,
    inspection: &Inspection,
    transfer: &Transfer,
    matched: &Matched,
    snapshot: &Snapshot,
) -> Option<Message> {
    let dropped = &decision.reduction.drop_records;
    let plan = plan_of(matched, transfer.at);
    let reduced = snapshot
        .inspector
        .drop_records(message, inspection, plan, dropped)
        .ok()?;
    let again = inspect_guarded(&reduced, matched, transfer.at, snapshot);
    let kept: Vec<&Vec<SubjectRef>> = transfer
        .persons
        .iter()
        .filter(|it| it.record.is_none_or(|it| !dropped.contains(&it)))
        .map(|it| &it.identifiers)
        .collect();
    let is_kept = |person: &Person| kept.contains(&&transfer_person(person, snapshot).identifiers);
    let judged = again.persons.iter().filter(|it| !it.categories.is_empty());
    let is_clean = count_gaps(&again.gaps) == count_gaps(&inspection.gaps)
        && judged.clone().all(is_kept)
        && judged.count() == kept.len();
    is_clean.then_some(reduced)
}
