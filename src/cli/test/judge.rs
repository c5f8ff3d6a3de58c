//! One case on the gate's own path: match, inspect, ask, decide, carry out, record. Only the ports are in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    compare::{Difference, differences},
    suite::{Ready, Suite, keys},
};
use crate::{
    gatekeeper::{
        Gatekeeper, Report, Request, Screening, Snapshot,
        destination::{Matched, check_path},
        memory::{FixedClock, MemoryLog},
    },
    model::{
        CategorySet,
        decision::{Decision, ReasonCode},
        finding::Part,
        message::Message,
    },
    policy::trace::Demand,
};

/// What came of a case.
#[derive(Debug)]
pub struct Outcome {
    /// Name of the case.
    pub name: String,
    /// Its citations.
    pub cites: Vec<String>,
    /// What came out otherwise than expected; empty when it passed.
    pub differences: Vec<Difference>,
    /// Why the gate decided so, as a tree; of cases that failed.
    pub explanation: Option<String>,
}

impl Outcome {
    /// Whether it came out as expected.
    pub const fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// What the gate did, in the words of `expect`.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) decision: Decision,
    /// The body that may leave.
    pub(super) left: Option<Bytes>,
    /// The query beside it.
    pub(super) left_query: Option<String>,
    pub(super) persons: usize,
    /// `None` when it may leave: the recipient answers then.
    pub(super) status: Option<u16>,
    pub(super) carriers: BTreeMap<&'static str, BTreeSet<&'static str>>,
    pub(super) found: BTreeMap<Part, CategorySet>,
    pub(super) opened: Vec<String>,
}

impl Suite {
    /// Runs the cases whose names contain `filter`, in order.
    pub fn run(&self, filter: &str) -> Vec<Outcome> {
        let ready = self.ready().filter(|it| it.case.name.contains(filter));
        ready.map(|it| self.outcome(&it)).collect()
    }

    fn outcome(&self, ready: &Ready<'_>) -> Outcome {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
        else {
            return broken(ready);
        };
        let (got, explanation) = runtime.block_on(self.judge(ready));
        let differences = differences(&ready.case.expect, &got);
        Outcome {
            name: ready.case.name.clone(),
            cites: ready.case.cites.clone(),
            explanation: explanation.filter(|_| !differences.is_empty()),
            differences,
        }
    }

    async fn judge(&self, ready: &Ready<'_>) -> (Got, Option<String>) {
        let snapshot = ready.under.snapshot(keys());
        let gatekeeper = Gatekeeper::new(
            Arc::new(ready.registers.clone()),
            Arc::new(MemoryLog::default()),
            Arc::new(FixedClock(ready.at)),
        );
        let request = self.request(ready, &snapshot);
        let code = refused_before(&request, &ready.sent.message);
        let matched = request.matched.clone();
        let (Some(matched), None) = (matched, code) else {
            let code = code.unwrap_or(ReasonCode::DestinationUnknown);
            let refused = gatekeeper.refuse(code, None, request, &snapshot).await;
            return (got(&refused.report, None, None, &snapshot), None);
        };
        let message = Message {
            path: matched.path.clone(),
            ..ready.sent.message.clone()
        };
        let explanation =
            explain(&gatekeeper, message.clone(), &matched, &request, &snapshot).await;
        let screening = gatekeeper.screen(message, request, &snapshot).await;
        let got = match screening {
            Screening::Cleared(cleared) => {
                let report = Arc::clone(&cleared.report);
                let (message, _, _) = cleared.into_parts();
                let mut got = got(&report, Some(&matched), Some(message.body), &snapshot);
                got.left_query = message.query;
                got
            }
            Screening::Refused(refused) => got(&refused.report, Some(&matched), None, &snapshot),
        };
        (got, Some(explanation))
    }

    fn request(&self, ready: &Ready<'_>, snapshot: &Snapshot) -> Request {
        let written = &ready.case.request;
        let listeners = &self.configuration().proxy.listeners;
        let first = || {
            listeners
                .first()
                .map_or_else(|| "".into(), |it| Arc::clone(&it.id))
        };
        let listener: Arc<str> = written.listener.as_deref().map_or_else(first, Arc::from);
        let message = &ready.sent.message;
        let method = message.method.as_str();
        let table = &snapshot.destinations;
        Request {
            caller: written.caller.as_deref().unwrap_or("anonymous").into(),
            method: method.into(),
            matched: table.find(&listener, &ready.sent.host, method, &message.path),
            listener,
            bytes_in: message.body.len() as u64,
        }
    }
}

/// What the data plane refuses before anything is read (RFC 9112 §3.2; `limits.body_size`).
fn refused_before(request: &Request, message: &Message) -> Option<ReasonCode> {
    if check_path(&message.path).is_err() {
        return Some(ReasonCode::Framing);
    }
    let limits = &request.matched.as_ref()?.destination.limits;
    (request.bytes_in > limits.body_bytes).then_some(ReasonCode::BodyTooLarge)
}

/// The explanation tree.
async fn explain(
    gatekeeper: &Gatekeeper,
    message: Message,
    matched: &Matched,
    request: &Request,
    snapshot: &Arc<Snapshot>,
) -> String {
    let rehearsal = gatekeeper
        .rehearse(message, matched, request, snapshot)
        .await;
    let facts = &matched.destination.facts;
    let (_, explanation) =
        snapshot
            .policy
            .explain(facts, &rehearsal.transfer, &rehearsal.evidence, None);
    let explanation = match &rehearsal.failed {
        Some(why) => {
            let transfer = &rehearsal.transfer;
            let policy = &snapshot.policy;
            policy.explain_failed(explanation, facts, transfer, why.0)
        }
        None => explanation,
    };
    explanation.render()
}

fn got(
    report: &Report,
    matched: Option<&Matched>,
    left: Option<Bytes>,
    snapshot: &Snapshot,
) -> Got {
    let decided = &report.decided;
    let mut found: BTreeMap<Part, CategorySet> = BTreeMap::new();
    for it in &decided.findings {
        found.entry(it.part).or_default().insert(it.category);
    }
    let mut carriers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (facet, carrier) in decided.decision.persons.iter().flat_map(|it| &it.carriers) {
        let facet = Demand::Facet(*facet).as_str();
        carriers.entry(facet).or_default().insert(carrier.as_str());
    }
    let primary = decided.decision.primary().map(|it| it.code);
    let entry = primary.and_then(|it| snapshot.policy.reasons().entry(it));
    let status = entry.map(|it| match (it.status, matched) {
        (451, Some(matched)) => matched.destination.legal_status,
        (status, _) => status,
    });
    Got {
        decision: decided.decision.clone(),
        persons: decided.transfer.persons.len(),
        status: status.filter(|_| left.is_none()),
        left,
        left_query: None,
        carriers,
        found,
        opened: decided.opened.clone(),
    }
}

/// The machine gave no runtime; the case says so instead of passing.
fn broken(ready: &Ready<'_>) -> Outcome {
    Outcome {
        name: ready.case.name.clone(),
        cites: ready.case.cites.clone(),
        differences: vec![Difference {
            field: "run",
            expected: "a runtime".to_owned(),
            got: "none: the machine refused a timer".to_owned(),
        }],
        explanation: None,
    }
}
