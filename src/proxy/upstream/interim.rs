//! Interim answers (1xx) to a request in HTTP/1.1: they reach nobody, and there may be only so many.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::Request;
use hyper::ext::on_informational;
use tokio::sync::Notify;

use super::Failure;

/// Interim answers before the answer; more are an attack.
pub(super) const INTERIM_MAX: usize = 16;

/// Counts the interim answers to one request.
#[derive(Debug, Default)]
pub(super) struct Interim {
    count: AtomicUsize,
    flood: Notify,
}

impl Interim {
    /// Counts those that come for `request`.
    pub(super) fn of<B>(request: &mut Request<B>) -> Arc<Self> {
        let it = Arc::new(Self::default());
        let counted = Arc::clone(&it);
        on_informational(request, move |_| {
            if counted.count.fetch_add(1, Ordering::AcqRel) == INTERIM_MAX {
                counted.flood.notify_one();
            }
        });
        it
    }

    /// What `answer` comes to, which is dropped as soon as there are too many.
    ///
    /// # Errors
    /// There were too many, were it together with the answer.
    pub(super) async fn bound<T>(&self, answer: impl Future<Output = T>) -> Result<T, Failure> {
        let answered = tokio::select! {
            () = self.flood.notified() => None,
            answered = answer => Some(answered),
        };
        answered
            .filter(|_| self.count.load(Ordering::Acquire) <= INTERIM_MAX)
            .ok_or(Failure::Protocol)
    }
}
