//! From a stored message to the facts of a transfer: inspection off or on the reactor, guarded, and what it says legally.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Snapshot, destination::Matched};
use crate::{
    inspect::{Plan, Reduced},
    model::{
        Purpose, Timestamp,
        finding::{Gap, GapKind, Location, Part},
        inspection::{Inspection, Person},
        message::Message,
        transfer::TransferPerson,
    },
};

/// Bodies above this are inspected off the reactor's threads.
pub(super) const INLINE_BYTES: usize = 64 * 1024;
/// Field by which a caller claims a purpose; removed before sending.
pub const PURPOSE_FIELD: &str = "shekara-purpose";

/// The claimed purpose, taken out of the head: it is for the gate, not for the upstream.
pub(super) fn take_claimed_purpose(message: &mut Message) -> Option<Purpose> {
    let claimed = message.headers.remove(PURPOSE_FIELD)?;
    claimed.to_str().ok()?.parse().ok()
}

/// The plan of the route, as it stands at `at`.
pub(super) fn plan_of(matched: &Matched, at: Timestamp) -> &Plan {
    matched
        .route
        .and_then(|it| matched.destination.plans.get(it))
        .unwrap_or(&matched.destination.default_plan)
        .at(at)
}

/// Reads the message: inline when small, on the blocking pool under the wall-clock deadline when not.
pub(super) async fn inspect(
    message: Message,
    matched: &Matched,
    at: Timestamp,
    snapshot: &Arc<Snapshot>,
) -> (Message, Inspection) {
    if message.body.len() <= INLINE_BYTES {
        let inspection = inspect_guarded(&message, matched, at, snapshot);
        return (message, inspection);
    }
    let task = {
        let (message, matched, snapshot) = (message.clone(), matched.clone(), Arc::clone(snapshot));
        tokio::task::spawn_blocking(move || inspect_guarded(&message, &matched, at, &snapshot))
    };
    let inspection =
        match tokio::time::timeout(matched.destination.limits.inspection_time, task).await {
            Ok(Ok(inspection)) => inspection,
            Ok(Err(_)) => blind(GapKind::InspectionFailed),
            Err(_) => blind(GapKind::DeadlineExceeded),
        };
    (message, inspection)
}

/// A panic in a reader is a gap, never a pass.
pub(super) fn inspect_guarded(
    message: &Message,
    matched: &Matched,
    at: Timestamp,
    snapshot: &Snapshot,
) -> Inspection {
    let plan = plan_of(matched, at);
    guarded(|| snapshot.inspector.inspect(message, plan))
}

/// The same for a reduced message.
pub(super) fn inspect_reduced(
    reduced: &Reduced,
    matched: &Matched,
    at: Timestamp,
    snapshot: &Snapshot,
) -> Inspection {
    let plan = plan_of(matched, at);
    guarded(|| snapshot.inspector.inspect_reduced(reduced, plan))
}

fn guarded(read: impl FnOnce() -> Inspection) -> Inspection {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| blind(GapKind::InspectionFailed))
}

/// An inspection that saw nothing, and says so.
fn blind(kind: GapKind) -> Inspection {
    let location = Location {
        part: Part::Body,
        name: None,
        path: None,
        inner: None,
    };
    Inspection {
        gaps: vec![Gap { kind, location }],
        ..Inspection::default()
    }
}

pub(super) fn count_gaps(gaps: &[Gap]) -> BTreeMap<GapKind, u32> {
    gaps.iter().fold(BTreeMap::new(), |mut counts, it| {
        *counts.entry(it.kind).or_default() += 1;
        counts
    })
}

pub(super) fn transfer_person(person: &Person, snapshot: &Snapshot) -> TransferPerson {
    TransferPerson {
        identifiers: person
            .identifiers
            .iter()
            .map(|it| snapshot.keys.references(it).current)
            .collect(),
        categories: person.categories,
        weak_categories: person.weak_categories,
        record: person.record.as_ref().map(|it| it.ordinal as u64),
    }
}
