//! What a connection is busy with, told by the layers around the HTTP library, which does not say.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Either;
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::Body;

/// The state of one connection, shared by its layers. Only its own tasks touch it.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Exchanges from their head to the end of their answer.
    open: AtomicUsize,
    /// A message is being received.
    is_reading: AtomicBool,
    /// Bytes wait because the peer does not take them.
    is_blocked: AtomicBool,
    /// They waited too long.
    is_given_up: AtomicBool,
    /// Of the exchange begun last, until its task asks for it.
    latest: Mutex<Option<Arc<Taking>>>,
}

impl Activity {
    /// Nothing is under way in either direction.
    pub(super) fn is_idle(&self) -> bool {
        self.open() == 0
            && !self.is_reading.load(Ordering::Relaxed)
            && !self.is_blocked.load(Ordering::Relaxed)
    }

    /// Exchanges under way.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether part of a message has arrived.
    pub(super) fn set_reading(&self, is_reading: bool) {
        self.is_reading.store(is_reading, Ordering::Relaxed);
    }

    /// Whether the peer keeps bytes waiting.
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        self.is_blocked.store(is_blocked, Ordering::Relaxed);
    }

    /// The peer has kept bytes waiting too long.
    pub(super) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// Whether the connection ends because its peer takes nothing.
    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    /// An exchange begins.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open {
            activity: Arc::clone(self),
            taking: None,
        }
    }

    /// An exchange begins on a stream of its own, whose task takes [`latest`](Self::latest) at once.
    pub(super) fn begin_stream(self: &Arc<Self>) -> Open {
        let taking = Arc::new(Taking::default());
        *self.lock() = Some(Arc::clone(&taking));
        let mut open = self.begin();
        open.taking = Some(taking);
        open
    }

    /// How the exchange begun last is taken.
    pub(super) fn latest(&self) -> Option<Arc<Taking>> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Taking>>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a client takes an answer that is sent on a stream of its own.
#[derive(Debug)]
pub(super) struct Taking {
    since: Instant,
    /// Milliseconds after `since` at which a piece was handed over, plus one; zero once the next is asked for.
    offered: AtomicU64,
    /// A piece was not taken in time.
    is_stalled: AtomicBool,
}

impl Default for Taking {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            offered: AtomicU64::new(0),
            is_stalled: AtomicBool::new(false),
        }
    }
}

impl Taking {
    fn offer(&self) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.offered.store(millis + 1, Ordering::Relaxed);
    }

    fn ask(&self) {
        self.offered.store(0, Ordering::Relaxed);
    }

    /// Returns once a piece of the answer has not been taken for `time`. The answer knows it by then.
    pub(super) async fn stalled(&self, time: Duration) {
        loop {
            match self.offered.load(Ordering::Relaxed).checked_sub(1) {
                None => sleep(time).await,
                Some(millis) => {
                    let end = self.since + Duration::from_millis(millis) + time;
                    if end <= Instant::now() {
                        self.is_stalled.store(true, Ordering::Relaxed);
                        return;
                    }
                    sleep_until(end).await;
                }
            }
        }
    }
}

/// An exchange under way; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Open {
    activity: Arc<Activity>,
    taking: Option<Arc<Taking>>,
}

impl Open {
    /// Whether it ends because the client takes nothing: of its stream, or of the whole connection.
    fn is_given_up(&self) -> bool {
        let is_stalled = |it: &Taking| it.is_stalled.load(Ordering::Relaxed);
        self.activity.is_given_up() || self.taking.as_deref().is_some_and(is_stalled)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.activity.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body that keeps its exchange open until the library has done with it.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    open: Open,
}

impl Sent {
    /// `body` as part of `open`.
    pub(super) const fn new(body: Body, open: Open) -> Self {
        Self { body, open }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Either::Right(streamed) = &mut self.body
            && self.open.is_given_up()
        {
            streamed.give_up();
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.body).poll_frame(cx);
        if let Some(taking) = &it.open.taking {
            if matches!(polled, Poll::Ready(Some(Ok(_)))) {
                taking.offer();
            } else {
                taking.ask();
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
