//! The decision record, and the masks that keep values out of it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Snapshot,
    destination::Destination,
    record::{Decided, DecisionId, FindingCount, Leaves, Recipient},
    screen::{Judged, Request},
};
use crate::model::{
    finding::{Location, Step},
    inspection::Inspection,
    message::Message,
};

/// Most locations in one record or problem body.
const LOCATIONS_MAX: usize = 64;

/// The decision record, with the `digest` of what leaves.
pub(super) fn compose(
    judged: Judged,
    request: &Request,
    destination: Option<&Arc<Destination>>,
    digest: String,
    snapshot: &Snapshot,
) -> (Decided, Option<Message>) {
    let outgoing = judged.outgoing;
    let leaves = outgoing.message.as_ref().map(|it| Leaves {
        bytes: it.body.len() as u64,
        digest,
        dropped: u32::try_from(judged.decision.reduction.drop_records.len()).unwrap_or(u32::MAX),
        removed: outgoing.removed,
        masked: outgoing.masked,
        pseudonymised: outgoing.pseudonymised,
    });
    let decided = Decided {
        id: DecisionId(uuid::Uuid::now_v7()),
        at: judged.transfer.at,
        caller: Arc::clone(&request.caller),
        listener: Arc::clone(&request.listener),
        method: Arc::clone(&request.method),
        recipient: destination.map(|it| recipient(it, snapshot)),
        findings: count_findings(&judged.inspection),
        locations: masked_locations(&judged.inspection, snapshot),
        transfer: judged.transfer,
        decision: judged.decision,
        register_sequence: judged.register_sequence,
        fault: judged.fault.map(Arc::from),
        bytes_in: request.bytes_in,
        leaves,
        opened: judged.opened,
        versions: Arc::clone(&snapshot.versions),
    };
    (decided, outgoing.message)
}

fn recipient(destination: &Destination, snapshot: &Snapshot) -> Recipient {
    let facts = &destination.facts;
    Recipient {
        party: Arc::clone(&facts.party.id),
        legal_name: facts.party.legal_name.as_str().into(),
        role: facts.party.role,
        country: facts.country,
        countries: facts
            .effective_countries(snapshot.operator.home)
            .into_iter()
            .collect(),
        controlled_zone: facts.controlled_zone,
    }
}

fn count_findings(inspection: &Inspection) -> Vec<FindingCount> {
    let mut counts = BTreeMap::new();
    for it in &inspection.findings {
        *counts
            .entry((it.category, it.location.part, it.confidence, it.detector))
            .or_default() += 1;
    }
    counts
        .into_iter()
        .map(
            |((category, part, confidence, detector), count)| FindingCount {
                category,
                part,
                confidence,
                detector: detector.into(),
                count,
            },
        )
        .collect()
}

/// Where the findings that act and the gaps stand, each place once.
fn masked_locations(inspection: &Inspection, snapshot: &Snapshot) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let findings = inspection
        .findings
        .iter()
        .filter(|it| it.acts)
        .map(|it| (&it.location, it.in_key));
    for (location, in_key) in findings.chain(inspection.gaps.iter().map(|it| (&it.location, false)))
    {
        let masked = mask_location(location, in_key, snapshot);
        if !out.contains(&masked) {
            out.push(masked);
        }
        if out.len() == LOCATIONS_MAX {
            break;
        }
    }
    out
}

/// `body $['to'][0]['#1a2b3c4d']`: every step that is a finding, or is not in the key dictionary, is a keyed hash.
pub fn mask_location(location: &Location, in_key: bool, snapshot: &Snapshot) -> String {
    let mut out = location.part.as_str().to_owned();
    if let Some(name) = &location.name {
        out.push(' ');
        out.push_str(&mask_name(
            name,
            in_key && location.path.is_none(),
            snapshot,
        ));
    }
    for path in [&location.path, &location.inner].into_iter().flatten() {
        let last = path.len().saturating_sub(1);
        let masked: Vec<Step> = path
            .iter()
            .enumerate()
            .map(|(at, step)| match step {
                Step::Index(at) => Step::Index(*at),
                Step::Name(name) => {
                    Step::Name(mask_name(name, in_key && at == last, snapshot).into())
                }
            })
            .collect();
        out.push(' ');
        out.push_str(&crate::model::finding::normalized_path(&masked));
    }
    out
}

fn mask_name(name: &str, is_finding: bool, snapshot: &Snapshot) -> String {
    if !is_finding && snapshot.inspector.is_known_key(name) {
        name.to_owned()
    } else {
        snapshot.keys.mask(name)
    }
}
