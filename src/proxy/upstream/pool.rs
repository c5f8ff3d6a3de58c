//! Connections of one destination: never shared with another one, kept over a reload that does not change how it is reached.
//!
//! An exchange takes, in this order: an HTTP/1.1 connection that is idle; a stream of an HTTP/2 connection with room; a new
//! connection, if the destination may have one more; whatever comes free first, within a second. While nobody knows that the
//! upstream speaks HTTP/1.1, connections are opened one after the other, so that exchanges that come at once share one.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Response;
use rustls::ClientConfig;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    Failure, Resolve,
    body::AnswerBody,
    breaker::Breaker,
    connect::{self, Link, One, Place, Route},
    interim::Interim,
    request::Outgoing,
    streams::{Sent, Shared},
    tls::{self, SystemRoots},
};
use crate::{
    gatekeeper::{
        Completion,
        destination::{Destination, HttpVersions, Upstream},
    },
    telemetry::Metrics,
};

/// Idle HTTP/1.1 connections kept.
const IDLE_MAX: usize = 64;
/// Time for a kept connection to say that it is ready.
const READY_TIME: Duration = Duration::from_millis(100);
/// Time to wait for one of the destination's exchanges, or connections, to come free.
const SLOT_TIME: Duration = Duration::from_secs(1);
/// Shortest time between two looks for connections that nobody uses.
const REAP_TIME_MIN: Duration = Duration::from_millis(50);

/// The connections.
#[derive(Debug)]
pub(in crate::proxy) struct Pool {
    destination: Arc<Destination>,
    tls: Option<Arc<ClientConfig>>,
    resolver: Arc<dyn Resolve>,
    metrics: Arc<Metrics>,
    breaker: Breaker,
    /// Exchanges at once.
    slots: Arc<Semaphore>,
    /// Connections at once.
    places: Arc<Semaphore>,
    /// A connection or stream came free.
    freed: Arc<Notify>,
    /// The turn to open a connection, where it may serve several exchanges.
    turn: Semaphore,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    idle: Vec<Idle>,
    shared: Vec<Arc<Shared>>,
    /// The last connection spoke HTTP/1.1.
    is_http1: bool,
    /// The last connection that could not be opened: when that was known, and why.
    failed: Option<(Instant, Failure)>,
    /// A task closes what nobody uses.
    is_reaped: bool,
}

#[derive(Debug)]
struct Idle {
    link: One,
    since: Instant,
}

/// A connection on loan. Given back when its answer has been read whole; dropped, it is closed (HTTP/1.1) or its stream ends.
#[derive(Debug)]
pub(in crate::proxy) struct Loan {
    link: Lent,
    pool: Arc<Pool>,
}

#[derive(Debug)]
enum Lent {
    One(One),
    Stream(Stream),
}

/// One of the streams of a connection; ends when dropped.
#[derive(Debug)]
struct Stream {
    shared: Arc<Shared>,
    freed: Arc<Notify>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.shared.give_back();
        self.freed.notify_one();
    }
}

impl Loan {
    /// The answer has been read whole: an HTTP/1.1 connection may serve again.
    pub(in crate::proxy) fn give_back(self) {
        let Self { link, pool } = self;
        let Lent::One(link) = link else {
            return;
        };
        if link.sender.is_closed() {
            return;
        }
        let mut kept = pool.kept();
        if kept.idle.len() < IDLE_MAX {
            kept.idle.push(Idle {
                link,
                since: Instant::now(),
            });
            pool.reap_later(&mut kept);
            drop(kept);
            pool.freed.notify_one();
        }
    }

    fn route(&self) -> Route {
        match &self.link {
            Lent::One(it) => it.route,
            Lent::Stream(it) => it.shared.route,
        }
    }
}

impl Pool {
    /// No connection yet.
    ///
    /// # Errors
    /// Roots, revocation lists or identity of the upstream cannot be used.
    pub(super) fn new(
        destination: Arc<Destination>,
        resolver: Arc<dyn Resolve>,
        system: &SystemRoots,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let upstream = &destination.upstream;
        let exchanges = destination.limits.concurrency;
        let id = Arc::clone(&destination.facts.id);
        Ok(Self {
            tls: tls::connector(upstream, system)?,
            breaker: Breaker::new(upstream.breaker, Arc::clone(&metrics), id),
            slots: Arc::new(Semaphore::new(exchanges)),
            places: Arc::new(Semaphore::new(
                upstream.connections.max.unwrap_or(exchanges),
            )),
            freed: Arc::default(),
            turn: Semaphore::new(1),
            kept: Mutex::new(Kept {
                is_http1: is_http1(upstream),
                ..Kept::default()
            }),
            destination,
            resolver,
            metrics,
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

    /// Sends `request`; a second time only when it was provably not processed: not written, or refused unread by the peer's word.
    ///
    /// # Errors
    /// Why there is no answer to pass on.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: &Outgoing,
        completion: &mut Completion,
    ) -> Result<(Response<AnswerBody>, Loan), Failure> {
        let it = self.breaker.admit(Instant::now())?;
        let sent = self.deliver(request, completion).await;
        it.ended(sent.as_ref().err().copied(), Instant::now());
        sent
    }

    async fn deliver(
        self: &Arc<Self>,
        request: &Outgoing,
        completion: &mut Completion,
    ) -> Result<(Response<AnswerBody>, Loan), Failure> {
        let mut deadline = None;
        for is_first in [true, false] {
            let loan = self.loan(is_first).await?;
            let deadline = *deadline
                .get_or_insert_with(|| Instant::now() + self.destination.limits.response_time);
            match attempt(loan, request, completion, deadline).await {
                Attempt::Answered(answer) => return Ok(*answer),
                Attempt::Failed(failure) => return Err(failure),
                Attempt::Unprocessed => {}
            }
        }
        Err(Failure::Unprocessed)
    }

    /// A connection for one exchange. After a failure the idle ones are not trusted.
    async fn loan(self: &Arc<Self>, is_first: bool) -> Result<Loan, Failure> {
        let since = Instant::now();
        if !is_first {
            self.kept().idle.clear();
        }
        if let Some(loan) = self.ready().await {
            return Ok(loan);
        }
        let mut turn = None;
        if !self.kept().is_http1 {
            turn = self.turn.acquire().await.ok();
            if let Some(loan) = self.ready().await {
                return Ok(loan);
            }
            if let Some(failure) = self.failed_since(since) {
                return Err(failure);
            }
        }
        self.opened(turn, since + SLOT_TIME).await
    }

    /// A new connection, or what comes free before there may be one.
    async fn opened(
        self: &Arc<Self>,
        turn: Option<SemaphorePermit<'_>>,
        deadline: Instant,
    ) -> Result<Loan, Failure> {
        let permit = loop {
            let freed = self.freed.notified();
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            if let Some(loan) = self.ready().await {
                return Ok(loan);
            }
            if timeout_at(deadline, freed).await.is_err() {
                return Err(Failure::Crowded);
            }
        };
        // Connections that serve one exchange each need not wait for each other.
        let _turn = turn.filter(|_| !self.kept().is_http1);
        let place = Place::new(
            permit,
            Arc::clone(&self.freed),
            Arc::clone(&self.metrics),
            Arc::clone(&self.destination.facts.id),
        );
        let (tls, resolver) = (self.tls.as_ref(), &*self.resolver);
        match connect::open(&self.destination, tls, resolver, place).await {
            Ok(link) => Ok(self.lend(link)),
            Err(failure) => {
                self.kept().failed = Some((Instant::now(), failure));
                Err(failure)
            }
        }
    }

    /// A new connection goes to the exchange that opened it; if others can share it, it is kept for them at once.
    fn lend(self: &Arc<Self>, link: Link) -> Loan {
        let mut kept = self.kept();
        kept.is_http1 = matches!(link, Link::One(_));
        let link = match link {
            Link::One(one) => Lent::One(one),
            Link::Shared(shared) => {
                shared.take();
                kept.shared.push(Arc::clone(&shared));
                self.reap_later(&mut kept);
                Lent::Stream(self.stream(shared))
            }
        };
        Loan {
            link,
            pool: Arc::clone(self),
        }
    }

    /// What is there already: the idle connection used last that is still good, or a stream.
    async fn ready(self: &Arc<Self>) -> Option<Loan> {
        let link = match self.idle().await {
            Some(one) => Lent::One(one),
            None => Lent::Stream(self.room()?),
        };
        Some(Loan {
            link,
            pool: Arc::clone(self),
        })
    }

    async fn idle(&self) -> Option<One> {
        let times = self.destination.upstream.connections;
        loop {
            let Idle { mut link, since } = self.kept().idle.pop()?;
            let is_fresh =
                since.elapsed() < times.idle_time && link.born.elapsed() < times.life_time;
            if is_fresh && matches!(timeout(READY_TIME, link.sender.ready()).await, Ok(Ok(()))) {
                return Some(link);
            }
        }
    }

    /// A stream of the connection opened last that has room.
    fn room(&self) -> Option<Stream> {
        let life_time = self.destination.upstream.connections.life_time;
        let mut kept = self.kept();
        kept.shared.retain(|it| it.is_alive(life_time));
        let shared = kept.shared.iter().rev().find(|it| it.has_room())?;
        shared.take();
        Some(self.stream(Arc::clone(shared)))
    }

    fn stream(&self, shared: Arc<Shared>) -> Stream {
        let freed = Arc::clone(&self.freed);
        Stream { shared, freed }
    }

    /// Why the connection could not be opened for which this exchange has waited: it would fare no better a moment later.
    fn failed_since(&self, since: Instant) -> Option<Failure> {
        let (at, failure) = self.kept().failed?;
        (at >= since).then_some(failure)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes connections that nobody uses, until there are none.
    fn reap_later(self: &Arc<Self>, kept: &mut Kept) {
        if std::mem::replace(&mut kept.is_reaped, true) {
            return;
        }
        let pool = Arc::downgrade(self);
        let pause = (self.destination.upstream.connections.idle_time / 4).max(REAP_TIME_MIN);
        tokio::spawn(async move {
            loop {
                sleep(pause).await;
                if !pool.upgrade().is_some_and(|it| it.reap()) {
                    return;
                }
            }
        });
    }

    /// Whether any connection is left.
    fn reap(&self) -> bool {
        let times = self.destination.upstream.connections;
        let mut kept = self.kept();
        kept.idle.retain(|it| {
            it.since.elapsed() < times.idle_time
                && it.link.born.elapsed() < times.life_time
                && !it.link.sender.is_closed()
        });
        kept.shared
            .retain(|it| it.is_alive(times.life_time) && !it.is_idle(times.idle_time));
        kept.is_reaped = !kept.idle.is_empty() || !kept.shared.is_empty();
        kept.is_reaped
    }
}

/// Whether it is known without asking that `upstream` is spoken to in HTTP/1.1.
fn is_http1(upstream: &Upstream) -> bool {
    match upstream.http {
        HttpVersions::Auto => upstream.url.scheme() == "http",
        HttpVersions::Http1 => true,
        HttpVersions::Http2 => false,
    }
}

/// What became of one sending.
enum Attempt {
    Answered(Box<(Response<AnswerBody>, Loan)>),
    Failed(Failure),
    /// Not a byte was written, or the peer says that it looked at none.
    Unprocessed,
}

async fn attempt(
    mut loan: Loan,
    request: &Outgoing,
    completion: &mut Completion,
    deadline: Instant,
) -> Attempt {
    let route = loan.route();
    completion.peer = Some(route.peer.to_string());
    completion.via_proxy = route.via_proxy;
    completion.tls = route.tls.map(str::to_owned);
    completion.sent = true;
    let sending = async {
        match &mut loan.link {
            Lent::One(it) => send_http1(it, request).await,
            Lent::Stream(it) => send_http2(&it.shared, request).await,
        }
    };
    match timeout_at(deadline, sending).await {
        Err(_) => {
            if let Lent::Stream(it) = &loan.link {
                it.shared.doubt();
            }
            Attempt::Failed(Failure::ResponseTimeout)
        }
        Ok(Ok(response)) => Attempt::Answered(Box::new((response, loan))),
        Ok(Err(Failure::Unprocessed)) => {
            completion.sent = false;
            Attempt::Unprocessed
        }
        Ok(Err(failure)) => Attempt::Failed(failure),
    }
}

async fn send_http1(link: &mut One, request: &Outgoing) -> Result<Response<AnswerBody>, Failure> {
    let mut request = request.for_http1();
    let interim = Interim::of(&mut request);
    let answer = interim.bound(link.sender.try_send_request(request)).await?;
    let mut unanswered = match answer {
        Ok(response) => return Ok(response.map(AnswerBody::of_http1)),
        Err(unanswered) => unanswered,
    };
    // The message comes back when not a byte of it was written.
    if unanswered.take_message().is_some() {
        return Err(Failure::Unprocessed);
    }
    let error = unanswered.error();
    Err(tls::cause(error).unwrap_or(if error.is_parse() {
        Failure::Protocol
    } else {
        Failure::ConnectionTerminated
    }))
}

async fn send_http2(shared: &Shared, request: &Outgoing) -> Result<Response<AnswerBody>, Failure> {
    match shared.send(request.for_http2()?, request.body()).await {
        Sent::Answered(response) => {
            let (parts, stream) = response.into_parts();
            let body = AnswerBody::of_http2(stream, &parts.headers);
            Ok(Response::from_parts(parts, body))
        }
        Sent::Failed(failure) => Err(failure),
        Sent::Unprocessed => Err(Failure::Unprocessed),
    }
}
