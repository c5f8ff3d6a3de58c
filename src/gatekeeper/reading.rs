//! From a stored message to the facts of a transfer: inspection off or on the reactor, guarded, and what it says legally.

use std::{
    cell::Cell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use http::header;
use tokio::time::Instant;

use super::{
    Snapshot,
    capacity::{Capacity, Full, Reserved},
    destination::{Destination, Matched},
};
use crate::{
    inspect::{Plan, Reduced, Scratch},
    model::{
        Purpose, Timestamp,
        finding::{Gap, GapKind, Location, Part},
        inspection::{Budget, Inspection, Person},
        message::Message,
        transfer::TransferPerson,
    },
};

/// Bodies above this are inspected off the reactor's threads.
const INLINE_BYTES: usize = 64 * 1024;
/// To this size a body may grow whatever its ratio (see [`Budget::decoded_ratio`]).
const DECODED_LEAST: u64 = 1024 * 1024;
/// Field by which a caller claims a purpose; removed before sending.
pub const PURPOSE_FIELD: &str = "shekara-purpose";

/// The claimed purpose, taken out of the head: it is for the gate, not for the upstream.
pub(super) fn take_claimed_purpose(message: &mut Message) -> Option<Purpose> {
    let claimed = message.headers.remove(PURPOSE_FIELD)?;
    claimed.to_str().ok()?.parse().ok()
}

/// Takes out the client's fields in whose place the gate sets its own: they do not leave, so they are not judged.
pub(super) fn take_replaced_fields(message: &mut Message, destination: &Destination) {
    for it in &destination.upstream.credentials {
        message.headers.remove(&it.field);
    }
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

/// Reads the message: inline when small and plain, off the reactor under the wall-clock deadline when not. There are as many places
/// for that as cores; the time spent waiting for one counts.
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
    let decoded = decoded_bytes(&message, matched);
    let copied = copied_bytes(&message, decoded, &matched.destination);
    if is_inline(&message, matched) {
        let spare = reserve(copied, capacity).await?;
        let inspection = inspect_guarded(&message, matched, at, snapshot);
        return Ok(Read {
            message,
            inspection,
            spare,
        });
    }
    // At least half of the time is for the reading itself.
    let place = capacity.inspections.take(time / 2).await?;
    // Only those that have a place take memory for what they decode, so that it is never held by who waits.
    let spare = reserve(decoded + copied, capacity).await?;
    let task = {
        let (message, matched, snapshot) = (message.clone(), matched.clone(), Arc::clone(snapshot));
        tokio::task::spawn_blocking(move || {
            // Both are held until the thread is done, also when nobody waits for it any more.
            let (_place, spare) = (place, spare);
            (inspect_guarded(&message, &matched, at, &snapshot), spare)
        })
    };
    let left = time.saturating_sub(began.elapsed());
    let (inspection, mut spare) = match tokio::time::timeout(left, task).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => (blind(GapKind::InspectionFailed), None),
        Err(_) => (blind(GapKind::DeadlineExceeded), None),
    };
    // What was decoded is gone; a reduction decodes again.
    if let Some(spare) = &mut spare {
        spare.shrink(copied);
    }
    Ok(Read {
        message,
        inspection,
        spare,
    })
}

/// Whether `message` is small and plain enough to be worked on by a reactor's thread.
pub(super) fn is_inline(message: &Message, matched: &Matched) -> bool {
    message.body.len() <= INLINE_BYTES && decoded_bytes(message, matched) == 0
}

async fn reserve(bytes: u64, capacity: &Capacity) -> Result<Option<Reserved>, Full> {
    if bytes == 0 {
        return Ok(None);
    }
    capacity.memory.reserve(bytes).await.map(Some)
}

/// Bytes of memory that the body may take with its codings undone; 0 when it is read as it is. The worst that the budget allows,
/// since nothing that the message says of it can be believed.
fn decoded_bytes(message: &Message, matched: &Matched) -> u64 {
    let length = message.body.len() as u64;
    let field = |name| {
        message
            .headers
            .get(name)
            .map_or(&b""[..], |it| it.as_bytes())
    };
    let content_type = field(header::CONTENT_TYPE).to_ascii_lowercase();
    let has = |word: &[u8]| memchr::memmem::find(&content_type, word).is_some();
    // Two bytes of UTF-8 for one of a national charset.
    let converted = if has(b"charset") && !has(b"utf-8") {
        2 * length
    } else {
        0
    };
    if field(header::CONTENT_ENCODING).is_empty() {
        return converted;
    }
    let routes = &matched.destination.facts.routes;
    let route = matched.route.and_then(|it| routes.get(it));
    let budget = route.map_or_else(Budget::default, |it| it.plan.budget.clone());
    let grown = length.saturating_mul(budget.decoded_ratio);
    budget.decoded_bytes.min(grown.max(DECODED_LEAST)) + converted
}

/// Bytes of memory that a reduction may take: a second copy of the body, and of what is decoded for it.
fn copied_bytes(message: &Message, decoded: u64, destination: &Destination) -> u64 {
    let fallback = &destination.facts.fallback;
    if fallback.drop_records || fallback.reduce_fields {
        message.body.len() as u64 + decoded
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

thread_local! {
    /// Every inspector of the process has the same dictionary, so what is known of names holds across reloads.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// A panic in a reader is a gap, never a pass.
pub(super) fn inspect_guarded(
    message: &Message,
    matched: &Matched,
    at: Timestamp,
    snapshot: &Snapshot,
) -> Inspection {
    let plan = plan_of(matched, at);
    guarded(|| {
        // One left by a panic is lost, and the next message begins without.
        let mut scratch = SCRATCH.take();
        let inspection = snapshot.inspector.inspect_with(message, plan, &mut scratch);
        SCRATCH.set(scratch);
        inspection
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_panics_leaves_a_gap() {
        let inspection = guarded(|| panic!("as asked"));
        assert_eq!(
            count_gaps(&inspection.gaps),
            BTreeMap::from([(GapKind::InspectionFailed, 1)])
        );
    }
}
