//! The one log line of an exchange. Ids, codes, counts and times: no path, no query, no header value.

use std::time::Duration;

use crate::gatekeeper::{
    Report,
    record::{Outcome, TimeLimit},
};

/// How an exchange ended, as logged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// Status given to the client.
    pub(super) status: u16,
    /// How it ended; `None` when the request was refused.
    pub(super) outcome: Option<Outcome>,
    /// The time limit that ended it, if one did.
    pub(super) time_limit: Option<TimeLimit>,
    /// Bytes of the answer's body.
    pub(super) bytes_out: u64,
    /// Since the request's head.
    pub(super) time: Duration,
}

/// Writes the line.
pub(super) fn write(report: &Report, ended: Ended) {
    let decided = &report.decided;
    let decision = &decided.decision;
    let recipient = decided.recipient.as_ref();
    tracing::info!(
        decision_id = %decided.id,
        listener = &*decided.listener,
        caller = &*decided.caller,
        destination = &*decided.transfer.destination,
        recipient = recipient.map(|it| &*it.party),
        country = recipient.map(|it| it.country.code().to_owned()),
        verdict = decision.verdict.as_str(),
        would_be = decision.would_be.as_str(),
        reason = decision.primary().map(|it| it.code.as_str()),
        status = ended.status,
        outcome = ended.outcome.map(outcome_name),
        time_limit = ended.time_limit.map(TimeLimit::as_str),
        bytes_in = decided.bytes_in,
        bytes_out = ended.bytes_out,
        inspection_us = micros(report.timings.inspection),
        audit_us = micros(report.timings.audit),
        duration_us = micros(ended.time),
        config_generation = decided.versions.generation,
        "An exchange ended."
    );
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Aborted => "aborted",
        Outcome::Answered => "answered",
        Outcome::RedirectStopped => "redirect-stopped",
        Outcome::UpstreamFailed => "upstream-failed",
    }
}
