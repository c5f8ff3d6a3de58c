//! The way to recipients. Takes a permit and nothing else; before there is one, no name is looked up and no connection opened.

mod address;
mod body;
mod breaker;
mod connect;
mod dial;
mod failure;
mod interim;
mod pool;
mod request;
mod resolve;
mod streams;
mod tls;
mod tunnel;

use std::{collections::BTreeMap, sync::Arc};

use http::Response;
use tokio::time::{Instant, timeout_at};

pub use self::resolve::{Resolve, SystemResolver};
pub(super) use self::{
    body::AnswerBody,
    failure::Failure,
    pool::{Loan, Pool},
};
use crate::{
    gatekeeper::{Cleared, Completion, Snapshot, destination::Destination},
    telemetry::Metrics,
};

/// The upstreams of one configuration.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    pools: BTreeMap<Arc<str>, Arc<Pool>>,
}

/// What became of a cleared message, with the duty to record how it ends.
#[derive(Debug)]
pub(super) struct Forwarded {
    /// Where it went.
    pub(super) destination: Arc<Destination>,
    /// The duty.
    pub(super) completion: Completion,
    /// The answer's head with its body still to come, and its connection; or why there is none.
    pub(super) answer: Result<(Response<AnswerBody>, Loan), Failure>,
}

impl Upstreams {
    /// A pool for each destination of `snapshot`: the one of `before`, with its connections, where nothing about the way changed.
    ///
    /// # Errors
    /// Names the destination whose roots, revocation lists or identity cannot be used.
    pub(super) fn new(
        snapshot: &Snapshot,
        before: &Self,
        resolver: &Arc<dyn Resolve>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, String> {
        let system = tls::SystemRoots::default();
        let pools = snapshot
            .destinations
            .iter()
            .map(|it| {
                let id = Arc::clone(&it.facts.id);
                if let Some(kept) = before.pool(&id).filter(|kept| kept.fits(it)) {
                    return Ok((id, Arc::clone(kept)));
                }
                let pool = Pool::new(
                    Arc::clone(it),
                    Arc::clone(resolver),
                    &system,
                    Arc::clone(metrics),
                )
                .map_err(|error| format!("upstream of destination `{id}`: {error}"))?;
                Ok((id, Arc::new(pool)))
            })
            .collect::<Result<_, String>>()?;
        Ok(Self { pools })
    }

    /// The connections of a destination.
    pub(super) fn pool(&self, destination: &str) -> Option<&Arc<Pool>> {
        self.pools.get(destination)
    }

    /// Sends a cleared message to its destination; the answer's head must be there when the exchange `ends`.
    pub(super) async fn forward(&self, cleared: Box<Cleared>, ends: Instant) -> Forwarded {
        let verdict = cleared.report.decided.decision.verdict;
        let (message, destination, mut completion) = cleared.into_parts();
        let answer = match (
            self.pool(&destination.facts.id),
            request::write(message, &destination.upstream, verdict),
        ) {
            (Some(pool), Ok(request)) => {
                let sending = pool.send(&request, &mut completion);
                timeout_at(ends, sending)
                    .await
                    .unwrap_or(Err(Failure::TotalTime))
            }
            (None, _) => Err(Failure::Unconfigured),
            (_, Err(failure)) => Err(failure),
        };
        Forwarded {
            destination,
            completion,
            answer,
        }
    }
}
