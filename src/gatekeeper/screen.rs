//! Screening: a stored message becomes cleared or refused, and its decision durable, before anything leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, timeout};

use super::{
    Snapshot,
    asking::{ask, judged_at},
    capacity::Capacity,
    carry_out::{Outgoing, carry_out},
    completion::Completion,
    compose::compose,
    destination::{Destination, Matched},
    ports::{AuditError, AuditLog, Clock, Registers},
    reading::{
        Read, blind, count_gaps, digest, inspect, take_claimed_purpose, take_replaced_fields,
        transfer_person,
    },
    record::{AuditEvent, Decided, DecisionId, Receipt},
};
use crate::{
    inspect::ReductionFailed,
    model::{
        Purpose,
        decision::{Decision, ReasonCode},
        destination::{Destination as Facts, RoutePurpose},
        evidence::{Evidence, Known},
        finding::GapKind,
        inspection::Inspection,
        message::Message,
        transfer::Transfer,
    },
};

/// Time the log has to make a decision durable. A disk that is merely busy is faster; one that hangs must not hold requests.
const AUDIT_TIME: Duration = Duration::from_secs(5);

/// The use case, with its ports.
#[derive(Debug, Clone)]
pub struct Gatekeeper {
    registers: Arc<dyn Registers>,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    capacity: Arc<Capacity>,
}

/// What is known of a request beside the message.
#[derive(Debug, Clone)]
pub struct Request {
    /// Authenticated caller, or `anonymous`.
    pub caller: Arc<str>,
    /// Listener id.
    pub listener: Arc<str>,
    /// Method.
    pub method: Arc<str>,
    /// The destination; `None` when there is none.
    pub matched: Option<Matched>,
    /// Bytes of body received.
    pub bytes_in: u64,
}

/// What screening did, for metrics, log and the answer. Holds no value.
#[derive(Debug)]
pub struct Report {
    /// The record as written.
    pub decided: Decided,
    /// Gaps by kind.
    pub gaps: BTreeMap<GapKind, u32>,
    /// The receipt; `None` when the log could not be written.
    pub receipt: Option<Receipt>,
    /// Time spent.
    pub timings: Timings,
}

/// Time spent in each step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Reading.
    pub inspection: Duration,
    /// Asking the registers.
    pub evidence: Duration,
    /// Deciding.
    pub decision: Duration,
    /// Waiting for the log.
    pub audit: Duration,
}

/// A screening without consequences.
#[derive(Debug)]
pub struct Rehearsal {
    /// What was read.
    pub inspection: Inspection,
    /// The facts.
    pub transfer: Transfer,
    /// What the registers know.
    pub evidence: Evidence,
    /// What would be decided.
    pub decision: Decision,
    /// Why the message cannot be reduced, where that was decided first.
    pub failed: Option<ReductionFailed>,
}

/// The result.
#[must_use]
#[derive(Debug)]
pub enum Screening {
    /// It may be sent.
    Cleared(Box<Cleared>),
    /// It may not.
    Refused(Refused),
}

/// The permit: the only thing the upstream client takes. Made nowhere but in this module, after the decision is durable.
#[must_use = "send it, then report what became of it"]
#[derive(Debug)]
pub struct Cleared {
    message: Message,
    destination: Arc<Destination>,
    completion: Completion,
    /// What screening did.
    pub report: Arc<Report>,
}

impl Cleared {
    /// Where it may go, and nowhere else.
    pub const fn destination(&self) -> &Arc<Destination> {
        &self.destination
    }

    /// The message to send, and the duty to say how it ended.
    pub fn into_parts(self) -> (Message, Arc<Destination>, Completion) {
        (self.message, self.destination, self.completion)
    }
}

/// A refusal.
#[derive(Debug)]
pub struct Refused {
    /// What screening did.
    pub report: Arc<Report>,
}

/// A message judged, not yet on record.
pub(super) struct Judged {
    pub(super) transfer: Transfer,
    pub(super) decision: Decision,
    pub(super) register_sequence: Option<u64>,
    pub(super) inspection: Inspection,
    pub(super) outgoing: Outgoing,
    pub(super) opened: Vec<String>,
    pub(super) fault: Option<&'static str>,
    pub(super) timings: Timings,
}

impl Gatekeeper {
    /// A gatekeeper on its ports.
    pub fn new(
        registers: Arc<dyn Registers>,
        audit: Arc<dyn AuditLog>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            registers,
            audit,
            clock,
            capacity: Arc::default(),
        }
    }

    /// The same, within `capacity` instead of the default.
    #[must_use]
    pub fn within(self, capacity: Arc<Capacity>) -> Self {
        Self { capacity, ..self }
    }

    /// The log, for readiness.
    pub fn audit(&self) -> &Arc<dyn AuditLog> {
        &self.audit
    }

    /// Screens `message` under `snapshot`. Total: every failure on the way is a refusal, unless the destination's failure policy
    /// says otherwise, and then it is a recorded exception.
    ///
    /// Costs one pass over the message, one look-up in the registers, and one wait for the log's group commit.
    pub async fn screen(
        &self,
        mut message: Message,
        request: Request,
        snapshot: &Arc<Snapshot>,
    ) -> Screening {
        let Some(matched) = request.matched.clone() else {
            return Screening::Refused(
                self.refuse(ReasonCode::DestinationUnknown, None, request, snapshot)
                    .await,
            );
        };
        let claimed = take_claimed_purpose(&mut message);
        let destination = Arc::clone(&matched.destination);
        take_replaced_fields(&mut message, &destination);
        let started = Instant::now();
        let now = self.clock.now();
        let read = match inspect(message, &matched, now, snapshot, &self.capacity).await {
            Ok(read) => read,
            Err(full) => {
                tracing::warn!(destination = &*destination.facts.id, %full, "A message could not be inspected.");
                let fault = Some("the gate has no place free to inspect the message");
                return Screening::Refused(
                    self.refuse(ReasonCode::Overloaded, fault, request, snapshot)
                        .await,
                );
            }
        };
        let inspection_time = started.elapsed();
        let transfer = self.transfer(&read.inspection, &matched, &request, claimed, snapshot);
        let mut judged = self.judge(read, transfer, &matched, snapshot).await;
        judged.timings.inspection = inspection_time;
        self.conclude(judged, request, destination, snapshot).await
    }

    /// Inspects, asks and decides like [`screen`](Self::screen), but sends nothing and records nothing: for `explain`.
    pub async fn rehearse(
        &self,
        mut message: Message,
        matched: &Matched,
        request: &Request,
        snapshot: &Arc<Snapshot>,
    ) -> Rehearsal {
        let claimed = take_claimed_purpose(&mut message);
        take_replaced_fields(&mut message, &matched.destination);
        let now = self.clock.now();
        let read = inspect(message, matched, now, snapshot, &self.capacity).await;
        let unread = blind(GapKind::DeadlineExceeded);
        let inspection = read.as_ref().map_or(&unread, |it| &it.inspection);
        let mut transfer = self.transfer(inspection, matched, request, claimed, snapshot);
        let evidence = ask(&*self.registers, inspection, snapshot).await;
        transfer.at = judged_at(transfer.at, &evidence);
        let facts = &matched.destination.facts;
        let mut decision = snapshot.policy.decide(facts, &transfer, &evidence);
        let (inspection, failed) = match read {
            Ok(read) => {
                let (decision, capacity) = (&mut decision, &*self.capacity);
                let (inspection, outgoing) =
                    carry_out(decision, read, &transfer, matched, snapshot, capacity).await;
                (inspection, outgoing.failed)
            }
            Err(_) => (unread, None),
        };
        Rehearsal {
            inspection,
            transfer,
            evidence,
            decision,
            failed,
        }
    }

    /// Refuses a request for a reason that needs no inspection, on record like any other. `fault` says what stood in the way.
    pub async fn refuse(
        &self,
        code: ReasonCode,
        fault: Option<&'static str>,
        request: Request,
        snapshot: &Arc<Snapshot>,
    ) -> Refused {
        let destination = request
            .matched
            .as_ref()
            .map(|it| Arc::clone(&it.destination));
        let judged = Judged {
            transfer: Transfer {
                destination: destination
                    .as_ref()
                    .map_or_else(|| "unknown".into(), |it| Arc::clone(&it.facts.id)),
                route: None,
                at: self.clock.now(),
                purpose: None,
                purpose_claimed: false,
                section_purposes: Vec::new(),
                caller_allowed: code != ReasonCode::CallerNotAllowed,
                persons: Vec::new(),
                gaps: BTreeMap::new(),
                is_signed: false,
            },
            decision: Decision::refuse(code),
            register_sequence: None,
            inspection: Inspection::default(),
            outgoing: Outgoing::default(),
            opened: Vec::new(),
            fault,
            timings: Timings::default(),
        };
        let (report, _) = self
            .record(judged, &request, destination.as_ref(), snapshot)
            .await;
        Refused { report }
    }

    /// The facts of the message as the law sees it.
    fn transfer(
        &self,
        inspection: &Inspection,
        matched: &Matched,
        request: &Request,
        claimed: Option<Purpose>,
        snapshot: &Snapshot,
    ) -> Transfer {
        let facts = &matched.destination.facts;
        let route = matched.route.and_then(|it| facts.routes.get(it));
        let callers = &matched.destination.callers;
        let (purpose, purpose_claimed) = match route.map(|it| &it.purpose) {
            Some(RoutePurpose::Declared(purpose)) => (Some(purpose.clone()), false),
            Some(RoutePurpose::Claimable(choices)) => {
                let may = |it: &Purpose| {
                    choices.contains(it)
                        && callers
                            .get(&request.caller)
                            .is_some_and(|own| own.iter().any(|own| own.covers(it)))
                };
                (claimed.filter(may), true)
            }
            None => (None, false),
        };
        Transfer {
            destination: Arc::clone(&facts.id),
            route: route.map(|it| Arc::clone(&it.id)),
            at: self.clock.now(),
            purpose,
            purpose_claimed,
            section_purposes: inspection.section_purposes.clone(),
            caller_allowed: callers.is_empty() || callers.contains_key(&request.caller),
            persons: inspection
                .persons
                .iter()
                .filter(|it| !it.categories.is_empty())
                .map(|it| transfer_person(it, snapshot))
                .collect(),
            gaps: count_gaps(&inspection.gaps),
            is_signed: inspection.is_signed,
        }
    }

    /// Asks the registers and decides, then carries the decision out on the message.
    async fn judge(
        &self,
        read: Read,
        mut transfer: Transfer,
        matched: &Matched,
        snapshot: &Arc<Snapshot>,
    ) -> Judged {
        let facts = &matched.destination.facts;
        let started = Instant::now();
        let evidence = ask(&*self.registers, &read.inspection, snapshot).await;
        let evidence_time = started.elapsed();
        transfer.at = judged_at(transfer.at, &evidence);
        let started = Instant::now();
        let mut decision = snapshot.policy.decide(facts, &transfer, &evidence);
        let decision_time = started.elapsed();
        let mut opened = opened(facts, &transfer, &decision);
        let register_sequence = match &evidence {
            Evidence::Known(Known { sequence, .. }) => {
                (!transfer.persons.is_empty()).then_some(*sequence)
            }
            Evidence::Unavailable => {
                if facts.registers_failure.is_open(transfer.at) {
                    opened.push("failure:registers".to_owned());
                }
                None
            }
        };
        let (inspection, outgoing) = carry_out(
            &mut decision,
            read,
            &transfer,
            matched,
            snapshot,
            &self.capacity,
        )
        .await;
        Judged {
            transfer,
            decision,
            register_sequence,
            inspection,
            opened,
            fault: outgoing.fault,
            outgoing,
            timings: Timings {
                evidence: evidence_time,
                decision: decision_time,
                ..Timings::default()
            },
        }
    }

    /// Makes the decision durable; only then a permit exists.
    async fn conclude(
        &self,
        judged: Judged,
        request: Request,
        destination: Arc<Destination>,
        snapshot: &Arc<Snapshot>,
    ) -> Screening {
        let (report, outgoing) = self
            .record(judged, &request, Some(&destination), snapshot)
            .await;
        match outgoing {
            Some(message) => Screening::Cleared(Box::new(Cleared {
                message,
                destination,
                completion: self.completion(report.decided.id),
                report,
            })),
            None => Screening::Refused(Refused { report }),
        }
    }

    /// Appends the decision record. The outgoing message is given back only when the log holds it (or may fail by policy).
    async fn record(
        &self,
        judged: Judged,
        request: &Request,
        destination: Option<&Arc<Destination>>,
        snapshot: &Arc<Snapshot>,
    ) -> (Arc<Report>, Option<Message>) {
        let at = judged.transfer.at;
        let may_fail = destination.is_some_and(|it| it.audit_failure.is_open(at));
        let mut timings = judged.timings;
        let gaps = count_gaps(&judged.inspection.gaps);
        let digest = match &judged.outgoing.message {
            Some(message) => digest(&message.body, snapshot).await,
            None => String::new(),
        };
        let (mut decided, mut outgoing) = compose(judged, request, destination, digest, snapshot);
        let started = Instant::now();
        let ends_unsent = outgoing.is_some() && !may_fail;
        let appended = self.append(decided.clone(), ends_unsent).await;
        timings.audit = started.elapsed();
        let receipt = match appended {
            Ok(receipt) => Some(receipt),
            Err(error) => {
                tracing::error!(%error, "The decision could not be recorded.");
                if may_fail {
                    decided.opened.push("failure:audit".to_owned());
                } else {
                    outgoing = None;
                    decided.leaves = None;
                    decided.decision = Decision::refuse(ReasonCode::AuditUnavailable);
                }
                None
            }
        };
        (
            Arc::new(Report {
                decided,
                gaps,
                receipt,
                timings,
            }),
            outgoing,
        )
    }

    /// Appends a decision. One that is not durable in time has failed for its request; should it become durable later, and
    /// `ends_unsent`, the record that nothing was sent follows it.
    async fn append(&self, decided: Decided, ends_unsent: bool) -> Result<Receipt, AuditError> {
        let id = decided.id;
        let audit = Arc::clone(&self.audit);
        let event = AuditEvent::Decided(Box::new(decided));
        let mut appending = Box::pin(async move { audit.append(event).await });
        if let Ok(appended) = timeout(AUDIT_TIME, appending.as_mut()).await {
            return appended;
        }
        if ends_unsent {
            let gatekeeper = self.clone();
            tokio::spawn(async move {
                if appending.await.is_ok() {
                    drop(gatekeeper.completion(id));
                }
            });
        }
        Err(AuditError("it did not answer in time".to_owned()))
    }

    fn completion(&self, id: DecisionId) -> Completion {
        Completion::pending(id, Arc::clone(&self.audit), Arc::clone(&self.clock))
    }
}

/// What the destination's own declarations let pass here: opened gaps, a failed inspection, and reasons that an officer waived.
fn opened(facts: &Facts, transfer: &Transfer, decision: &Decision) -> Vec<String> {
    let gaps = transfer.gaps.keys();
    let gaps = gaps.filter(|it| facts.gaps.get(it).is_some_and(|it| it.is_open(transfer.at)));
    let waived: BTreeSet<ReasonCode> = decision.reasons.iter().map(|it| it.code).collect();
    let waived = waived
        .into_iter()
        .filter(|it| facts.modes.is_waived(*it, transfer.at));
    let has_failed = transfer.gaps.contains_key(&GapKind::InspectionFailed);
    let inspection = (has_failed && facts.inspection_failure.is_open(transfer.at))
        .then(|| "failure:inspection".to_owned());
    gaps.map(|it| format!("gap:{}", it.as_str()))
        .chain(inspection)
        .chain(waived.map(|it| format!("waiver:{it}")))
        .collect()
}
