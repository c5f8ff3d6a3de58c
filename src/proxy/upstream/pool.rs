//! Connections of one destination: never shared with another one, kept over a reload that does not change how it is reached.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use rustls::ClientConfig;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Failure, Resolve,
    connect::{self, Link},
};
use crate::gatekeeper::{Completion, destination::Destination};

/// A connection that has been idle longer is not used again.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// A connection that is older is not used again, so that a name's new address is noticed.
const LIFE_TIME: Duration = Duration::from_secs(300);
/// Idle connections kept.
const IDLE_MAX: usize = 64;
/// Time for a kept connection to say that it is ready.
const READY_TIME: Duration = Duration::from_millis(100);
/// Time to wait for one of the destination's exchanges to end.
const SLOT_TIME: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Idle {
    link: Link,
    born: Instant,
    since: Instant,
}

/// The connections.
#[derive(Debug)]
pub(in crate::proxy) struct Pool {
    destination: Arc<Destination>,
    tls: Option<Arc<ClientConfig>>,
    resolver: Arc<dyn Resolve>,
    slots: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

/// A connection on loan. Given back when its answer has been read whole; closed when dropped.
#[derive(Debug)]
pub(in crate::proxy) struct Loan {
    link: Link,
    born: Instant,
    pool: Arc<Pool>,
}

impl Loan {
    /// The answer has been read whole: the connection may serve again.
    pub(in crate::proxy) fn give_back(self) {
        let Self { link, born, pool } = self;
        if link.sender.is_closed() {
            return;
        }
        let mut idle = pool.idle();
        if idle.len() < IDLE_MAX {
            idle.push(Idle {
                link,
                born,
                since: Instant::now(),
            });
        }
    }
}

impl Pool {
    /// No connection yet.
    ///
    /// # Errors
    /// The roots of the upstream cannot be used.
    pub(super) fn new(
        destination: Arc<Destination>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, String> {
        let tls = connect::connector(&destination.upstream)?;
        let slots = Arc::new(Semaphore::new(destination.limits.concurrency));
        Ok(Self {
            destination,
            tls,
            resolver,
            slots,
            idle: Mutex::default(),
        })
    }

    /// Whether the pool reaches `destination` as it is to be reached now: same upstream, same limits.
    pub(super) fn fits(&self, destination: &Destination) -> bool {
        let own = &*self.destination;
        own.upstream == destination.upstream && own.limits == destination.limits
    }

    /// One of the destination's concurrent exchanges; `None` when none comes free in a second.
    pub(in crate::proxy) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let waiting = Arc::clone(&self.slots).acquire_owned();
        timeout(SLOT_TIME, waiting).await.ok()?.ok()
    }

    /// Sends `request`, once; again only when a kept connection turned out closed before a byte was written.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<Full<Bytes>>,
        completion: &mut Completion,
    ) -> Result<(Response<Incoming>, Loan), Failure> {
        let request = match self.kept().await {
            None => request,
            Some(loan) => match self.attempt(loan, request, completion).await {
                Attempt::Answered(answer) => return Ok(*answer),
                Attempt::Failed(failure) => return Err(failure),
                Attempt::Unsent(request) => *request,
            },
        };
        let link = connect::open(&self.destination, self.tls.as_ref(), &*self.resolver).await?;
        let loan = Loan {
            link,
            born: Instant::now(),
            pool: Arc::clone(self),
        };
        match self.attempt(loan, request, completion).await {
            Attempt::Answered(answer) => Ok(*answer),
            Attempt::Failed(failure) => Err(failure),
            Attempt::Unsent(_) => Err(Failure::ConnectionTerminated),
        }
    }

    async fn attempt(
        &self,
        mut loan: Loan,
        request: Request<Full<Bytes>>,
        completion: &mut Completion,
    ) -> Attempt {
        let deadline = Instant::now() + self.destination.limits.response_time;
        completion.peer = Some(loan.link.peer.to_string());
        completion.tls = loan.link.tls.map(str::to_owned);
        completion.sent = true;
        match timeout_at(deadline, loan.link.sender.try_send_request(request)).await {
            Err(_) => Attempt::Failed(Failure::ResponseTimeout),
            Ok(Ok(response)) => Attempt::Answered(Box::new((response, loan))),
            Ok(Err(mut error)) => match error.take_message() {
                Some(request) => {
                    completion.sent = false;
                    Attempt::Unsent(Box::new(request))
                }
                None if error.error().is_parse() => Attempt::Failed(Failure::Protocol),
                None => Attempt::Failed(Failure::ConnectionTerminated),
            },
        }
    }

    /// The connection used last that is still good.
    async fn kept(self: &Arc<Self>) -> Option<Loan> {
        loop {
            let Idle {
                mut link,
                born,
                since,
            } = self.idle().pop()?;
            let is_fresh = since.elapsed() < IDLE_TIME && born.elapsed() < LIFE_TIME;
            if is_fresh && matches!(timeout(READY_TIME, link.sender.ready()).await, Ok(Ok(()))) {
                return Some(Loan {
                    link,
                    born,
                    pool: Arc::clone(self),
                });
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of one sending.
enum Attempt {
    Answered(Box<(Response<Incoming>, Loan)>),
    Failed(Failure),
    /// Not a byte was written; here it is again.
    Unsent(Box<Request<Full<Bytes>>>),
}
