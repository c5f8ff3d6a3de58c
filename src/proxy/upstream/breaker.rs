//! An upstream that fails again and again is left alone for a time; then one request tries whether it is back.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Failure;
use crate::{gatekeeper::destination::Breaker as Settings, telemetry::Metrics};

/// Counts failures in a row. Closed: requests pass. Open: none does. Half-open: one does, and decides.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: Settings,
    state: Mutex<State>,
    metrics: Arc<Metrics>,
    destination: Arc<str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

impl State {
    /// As shown in metrics.
    const fn number(self) -> i64 {
        match self {
            Self::Closed { .. } => 0,
            Self::HalfOpen => 1,
            Self::Open { .. } => 2,
        }
    }
}

/// A request under way; says how it went. One that tries whether the upstream is back and is given up leaves that to the next.
#[must_use]
#[derive(Debug)]
pub(super) struct Try<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Breaker {
    /// Closed.
    pub(super) fn new(settings: Settings, metrics: Arc<Metrics>, destination: Arc<str>) -> Self {
        let state = State::Closed { failures: 0 };
        metrics.breaker(&destination, state.number());
        Self {
            settings,
            state: Mutex::new(state),
            metrics,
            destination,
        }
    }

    /// Lets a request pass at `now`.
    ///
    /// # Errors
    /// The upstream is left alone.
    pub(super) fn admit(&self, now: Instant) -> Result<Try<'_>, Failure> {
        let mut state = self.state();
        let is_probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if until <= now => {
                self.enter(&mut state, State::HalfOpen);
                true
            }
            State::Open { until } => return Err(cut_off(until - now)),
            State::HalfOpen => return Err(cut_off(Duration::ZERO)),
        };
        Ok(Try {
            breaker: self,
            is_probe,
        })
    }

    fn enter(&self, state: &mut State, next: State) {
        *state = next;
        self.metrics.breaker(&self.destination, next.number());
    }

    fn open(&self, state: &mut State, now: Instant) {
        let until = now + self.settings.open_for;
        self.enter(state, State::Open { until });
        tracing::warn!(
            destination = &*self.destination,
            seconds = self.settings.open_for.as_secs(),
            "The upstream keeps failing and is left alone."
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try<'_> {
    /// The request ended at `now`, with `failure` or with an answer, whatever the answer says.
    pub(super) fn ended(mut self, failure: Option<Failure>, now: Instant) {
        let breaker = self.breaker;
        let mut state = breaker.state();
        let is_probe = std::mem::take(&mut self.is_probe);
        let is_outage = match failure {
            None => false,
            Some(failure) if failure.is_outage() => true,
            // It says nothing about the upstream.
            Some(_) if !is_probe => return,
            Some(_) => {
                breaker.enter(&mut state, State::Open { until: now });
                return;
            }
        };
        match *state {
            State::HalfOpen if is_probe && is_outage => breaker.open(&mut state, now),
            State::HalfOpen if is_probe => {
                breaker.enter(&mut state, State::Closed { failures: 0 });
                tracing::info!(
                    destination = &*breaker.destination,
                    "The upstream answers again."
                );
            }
            State::Closed { failures } => {
                let failures = if is_outage {
                    failures.saturating_add(1)
                } else {
                    0
                };
                *state = State::Closed { failures };
                if failures > 0 && failures == breaker.settings.failures {
                    breaker.open(&mut state, now);
                }
            }
            // It began before the upstream was left alone.
            State::HalfOpen | State::Open { .. } => {}
        }
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            let mut state = self.breaker.state();
            let until = Instant::now();
            self.breaker.enter(&mut state, State::Open { until });
        }
    }
}

fn cut_off(rest: Duration) -> Failure {
    let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
    Failure::CutOff {
        retry_after: u16::try_from(seconds.max(1)).unwrap_or(u16::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Option<Failure> = Some(Failure::ConnectionRefused);

    fn breaker(failures: u32) -> Breaker {
        let settings = Settings {
            failures,
            open_for: Duration::from_secs(10),
        };
        Breaker::new(settings, Arc::new(Metrics::new().unwrap()), "crm".into())
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn passes(breaker: &Breaker, failure: Option<Failure>, now: Instant) {
        breaker.admit(now).unwrap().ended(failure, now);
    }

    fn retry_after(breaker: &Breaker, now: Instant) -> Option<u16> {
        breaker.admit(now).err().and_then(Failure::retry_after)
    }

    #[test]
    fn opens_after_failures_in_a_row_and_only_then() {
        let (it, start) = (breaker(3), Instant::now());
        for _ in 0..2 {
            passes(&it, DOWN, start);
        }
        passes(&it, None, start);
        for failure in [
            DOWN,
            Some(Failure::Protocol),
            Some(Failure::AddressProhibited),
            DOWN,
        ] {
            passes(&it, failure, start);
        }
        assert_eq!(retry_after(&it, start), None, "only two in a row");
        passes(&it, DOWN, start);
        assert_eq!(retry_after(&it, start), Some(10));
        assert_eq!(retry_after(&it, after(start, 9)), Some(1));
    }

    #[test]
    fn one_request_tries_again_and_decides() {
        let (it, start) = (breaker(1), Instant::now());
        passes(&it, DOWN, start);
        let probe = it.admit(after(start, 10)).unwrap();
        assert_eq!(retry_after(&it, after(start, 10)), Some(1), "one at a time");
        probe.ended(DOWN, after(start, 12));
        assert_eq!(retry_after(&it, after(start, 21)), Some(1));
        passes(&it, None, after(start, 22));
        assert_eq!(retry_after(&it, after(start, 22)), None);
    }

    /// A client that goes away must not leave the upstream cut off for ever.
    #[test]
    fn a_try_that_is_given_up_is_the_nexts() {
        let (it, start) = (breaker(1), Instant::now());
        passes(&it, DOWN, start);
        drop(it.admit(after(start, 10)).unwrap());
        passes(&it, Some(Failure::Crowded), after(start, 11));
        passes(&it, None, after(start, 11));
        assert_eq!(retry_after(&it, after(start, 11)), None);
    }

    #[test]
    fn what_began_before_does_not_decide() {
        let (it, start) = (breaker(1), Instant::now());
        let late = it.admit(start).unwrap();
        passes(&it, DOWN, start);
        late.ended(None, after(start, 1));
        assert_eq!(retry_after(&it, after(start, 1)), Some(9));
    }

    #[test]
    fn zero_failures_mean_never() {
        let (it, start) = (breaker(0), Instant::now());
        for _ in 0..100 {
            passes(&it, DOWN, start);
        }
    }
}
