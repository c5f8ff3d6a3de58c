//! From a stored message to the facts of a transfer: inspection off or on the reactor, guarded, and what it says legally.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Snapshot,
    capacity::{Capacity, Full, Reserved},
    destination::{Destination, Matched},
};
use crate::{
    inspect::Plan,
    model::{
        Purpose, Timestamp,
        finding::{Gap, GapKind, Location, Part},
        inspection::{Inspection, Person},
        message::Message,
        transfer::TransferPerson,
    },
};

/// Bodies above this are inspected off the reactor's threads.
const INLINE_BYTES: usize = 64 * 1024;
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

/// A message that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// The message.
    pub(super) message: Message,
    /// What was found in it.
    pub(super) inspection: Inspection,
    /// Memory for what a reduction makes of it.
    pub(super) spare: Option<Reserved>,
}

/// Reads the message: inline when small, off the reactor under the wall-clock deadline when not. There are as many places for that
/// as cores; the time spent waiting for one counts.
///
/// # Errors
/// There is no place, or no memory, soon enough.
pub(super) async fn inspect(
    message: Message,
    matched: &Matched,
    at: Timestamp,
    snapshot: &Arc<Snapshot>,
    capacity: &Capacity,
) -> Result<Read, Full> {
    let time = matched.destination.limits.inspection_time;
    let began = Instant::now();
    let spare = match spare_bytes(&message, &matched.destination) {
        0 => None,
        bytes => Some(capacity.memory.reserve(bytes).await?),
    };
    if message.body.len() <= INLINE_BYTES {
        let inspection = inspect_guarded(&message, matched, at, snapshot);
        return Ok(Read {
            message,
            inspection,
            spare,
        });
    }
    // At least half of the time is for the reading itself.
    let place = capacity.inspections.take(time / 2).await?;
    let task = {
        let (message, matched, snapshot) = (message.clone(), matched.clone(), Arc::clone(snapshot));
        tokio::task::spawn_blocking(move || {
            // Both are held until the thread is done, also when nobody waits for it any more.
            let (_place, spare) = (place, spare);
            (inspect_guarded(&message, &matched, at, &snapshot), spare)
        })
    };
    let left = time.saturating_sub(began.elapsed());
    let (inspection, spare) = match tokio::time::timeout(left, task).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => (blind(GapKind::InspectionFailed), None),
        Err(_) => (blind(GapKind::DeadlineExceeded), None),
    };
    Ok(Read {
        message,
        inspection,
        spare,
    })
}

/// Bytes of memory that judging the message may take beside the message: a reduction is a second copy.
fn spare_bytes(message: &Message, destination: &Destination) -> u64 {
    let fallback = &destination.facts.fallback;
    if fallback.drop_records || fallback.reduce_fields {
        message.body.len() as u64
    } else {
        0
    }
}

/// The digest of a body that may leave; that of a large one is made off the reactor.
pub(super) async fn digest(body: &Bytes, snapshot: &Arc<Snapshot>) -> String {
    if body.len() <= INLINE_BYTES {
        return snapshot.keys.digest(body);
    }
    let task = {
        let (body, snapshot) = (body.clone(), Arc::clone(snapshot));
        tokio::task::spawn_blocking(move || snapshot.keys.digest(&body))
    };
    task.await.unwrap_or_else(|_| snapshot.keys.digest(body))
}

/// A panic in a reader is a gap, never a pass.
pub(super) fn inspect_guarded(
    message: &Message,
    matched: &Matched,
    at: Timestamp,
    snapshot: &Snapshot,
) -> Inspection {
    catch_unwind(AssertUnwindSafe(|| {
        snapshot.inspector.inspect(message, plan_of(matched, at))
    }))
    .unwrap_or_else(|_| blind(GapKind::InspectionFailed))
}

/// An inspection that saw nothing, and says so.
pub(super) fn blind(kind: GapKind) -> Inspection {
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
