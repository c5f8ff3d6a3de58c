//! HTTP/2 on one connection: bounded in streams, heads, windows and time.
//!
//! Each stream that becomes a request walks the way of all requests. A stream that the library refuses by itself is put on record
//! too, and so is a connection that it ends for a fault.

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use http::{Request, Response};
use hyper::{body::Incoming, rt::Executor, server::conn::http2::Builder, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};
use tokio_util::task::TaskTracker;

use super::{
    activity::{Activity, Open, Sent},
    answer,
    listener::{self, Served, Times},
    socket::Socket,
    stack,
    wire::{Fault, Followed, Patient, Sight, check_parsed},
};
use crate::telemetry::Metrics;

/// Streams at once.
const STREAMS_MAX: u32 = 100;
/// Bytes of a body under way that a stream may send before they are read.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same for all streams of a connection together; this bounds what a connection can make the gate hold.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of an answer held for each stream while the client does not take them.
const SEND_BYTES: usize = 64 * 1024;
/// Bytes of a head, counted as RFC 9113 §6.5.2 does. Above what the head check takes, so that the gate's own refusal comes first.
const HEAD_BYTES: u32 = 96 * 1024;
/// Streams that a client may open and reset before they are taken up.
const RESETS_MAX: usize = 20;
/// Streams that may break the protocol before the connection is ended.
const BROKEN_MAX: usize = 100;
/// A peer that has said nothing for this long is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// Time for it to say so.
const PING_TIME: Duration = Duration::from_secs(20);

/// What the requests of one connection share.
#[derive(Debug)]
struct Shared {
    served: Served,
    activity: Arc<Activity>,
    /// Requests being walked. A client that resets its streams frees them for new ones, but not the gate of their work.
    places: Arc<Semaphore>,
    /// Heads that became requests.
    requests: AtomicU64,
}

/// Serves until the client, the drain or a fault ends it. `early` has been read of the preface.
pub(super) async fn serve(socket: Socket, early: BytesMut, served: Served) {
    let activity = Arc::new(Activity::default());
    let stream = Patient::new(socket, served.times.write, Arc::clone(&activity));
    let stream = Followed::new(stream, early);
    let mut watch = Watch::new(stream.sight(), &served);
    let shared = Arc::new(Shared {
        served: served.clone(),
        activity: Arc::clone(&activity),
        places: Arc::new(Semaphore::new(STREAMS_MAX as usize)),
        requests: AtomicU64::new(0),
    });
    let service = {
        let shared = Arc::clone(&shared);
        service_fn(move |request| {
            shared.requests.fetch_add(1, Ordering::Relaxed);
            let open = shared.activity.begin_stream();
            answer(Arc::clone(&shared), open, request)
        })
    };
    let streams = Streams {
        tracker: served.tasks.tracker.clone(),
        metrics: Arc::clone(&served.gate.metrics),
        activity,
        write_time: served.times.write,
    };
    let mut connection = Box::pin(
        Builder::new(streams)
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BYTES)
            .max_header_list_size(HEAD_BYTES)
            .max_pending_accept_reset_streams(RESETS_MAX)
            .max_local_error_reset_streams(BROKEN_MAX)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIME)
            .serve_connection(TokioIo::new(stream), service),
    );
    let mut drained = pin!(served.tasks.drain.cancelled());
    let mut is_closing = false;
    let ended = std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            watch.account(&shared);
            let next = watch.poll(cx, &shared.activity);
            if next == Next::End {
                return Poll::Ready(Ok(()));
            }
            let is_over = next == Next::Close || drained.as_mut().poll(cx).is_ready();
            if is_closing || !is_over {
                return Poll::Pending;
            }
            is_closing = true;
            connection.as_mut().graceful_shutdown();
        }
    })
    .await;
    drop(connection);
    watch.conclude(&shared, ended.err());
}

/// Answers one request.
async fn answer(
    shared: Arc<Shared>,
    open: Open,
    request: Request<Incoming>,
) -> Result<Response<Sent>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let verdict = check_parsed(&mut parts);
    let request = Request::from_parts(parts, body);
    // As long as a client keeps its streams open, there is a place. A stream that waits here and is reset was never begun.
    let place = Arc::clone(&shared.places).acquire_owned().await;
    let walk = shared.served.walk(verdict, request, place.ok());
    let response = listener::walked(walk.await).unwrap_or_else(answer::breakdown);
    let (parts, body) = response.into_parts();
    Ok(Response::from_parts(parts, Sent::new(body, open)))
}

/// Runs the streams of a connection, and ends one whose client does not take its answer.
#[derive(Clone, Debug)]
struct Streams {
    tracker: TaskTracker,
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
    write_time: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let taking = self.activity.latest();
        let write_time = self.write_time;
        let metrics = Arc::clone(&self.metrics);
        self.tracker.spawn(async move {
            let Some(taking) = taking else {
                return stream.await;
            };
            tokio::select! {
                () = stream => {}
                () = taking.stalled(write_time) => {
                    metrics.connection_fault("slow-reader");
                    tracing::debug!("A client did not take an answer; its stream was reset.");
                }
            }
        });
    }
}

/// What a connection is to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// Begin nothing new, and end with the last stream.
    Close,
    /// End now.
    End,
    /// Go on.
    Stay,
}

/// Keeps the time of a connection and the account of its streams.
struct Watch {
    sight: Sight,
    times: Times,
    timer: std::pin::Pin<Box<tokio::time::Sleep>>,
    /// Heads for which there is a request or a record.
    accounted: u64,
    closing_since: Option<Instant>,
    is_late: bool,
    is_broken: bool,
}

impl Watch {
    fn new(sight: Sight, served: &Served) -> Self {
        Self {
            sight,
            times: served.times,
            timer: Box::pin(sleep(served.times.idle)),
            accounted: 0,
            closing_since: None,
            is_late: false,
            is_broken: false,
        }
    }

    /// Puts on record each stream that the library refused. To be called when it has nothing more to do: what it was given is
    /// a request by then, or never will be.
    fn account(&mut self, shared: &Arc<Shared>) {
        for (is_connection, code) in self.sight.take_faults() {
            self.is_broken |= is_connection;
            let fault = fault_name(is_connection, code);
            shared.served.gate.metrics.connection_fault(fault);
            tracing::debug!(fault, "The gate ended a stream or a connection.");
        }
        // The heads that came with a fault of the whole connection are one refusal, made at its end.
        if self.is_broken {
            return;
        }
        let known = shared.requests.load(Ordering::Relaxed) + self.accounted;
        for _ in known..self.sight.heads() {
            self.accounted += 1;
            record(
                shared,
                Fault::framing("the stream was refused by the protocol"),
            );
        }
    }

    /// What the clock says.
    fn poll(&mut self, cx: &mut Context<'_>, activity: &Activity) -> Next {
        let is_idle = activity.open() == 0;
        loop {
            let now = Instant::now();
            let head = self.sight.head_since().map(|it| it + self.times.head);
            let idle = self.sight.message_at() + self.times.idle;
            if is_idle && idle <= now && self.closing_since.is_none() {
                self.closing_since = Some(now);
            }
            let close = self.closing_since.filter(|_| is_idle);
            let close = close.map(|it| it + self.times.write);
            if head.is_some_and(|it| it <= now) {
                self.is_late = true;
                return Next::End;
            }
            if close.is_some_and(|it| it <= now) {
                return Next::End;
            }
            let times = [head, close, Some(idle).filter(|it| *it > now)];
            let is_running = match times.into_iter().flatten().min() {
                Some(next) => self.is_running(cx, next),
                None => true,
            };
            if is_running {
                break;
            }
        }
        match self.closing_since {
            Some(_) => Next::Close,
            None => Next::Stay,
        }
    }

    /// Whether the timer runs, and ends at `next` or earlier. It is not set anew each time that `next` moves on.
    fn is_running(&mut self, cx: &mut Context<'_>, next: Instant) -> bool {
        if self.timer.is_elapsed() || self.timer.deadline() > next {
            self.timer.as_mut().reset(next);
        }
        self.timer.as_mut().poll(cx).is_pending()
    }

    /// Puts on record how the connection ended, if a request was lost with it.
    fn conclude(&mut self, shared: &Arc<Shared>, error: Option<hyper::Error>) {
        self.account(shared);
        let known = shared.requests.load(Ordering::Relaxed) + self.accounted;
        let is_cut = self.sight.head_since().is_some() || known < self.sight.heads();
        if self.is_late {
            shared.served.gate.metrics.connection_fault("late-head");
            record(
                shared,
                Fault::with_status(408, "the head did not arrive in time"),
            );
        } else if self.is_broken && is_cut {
            record(
                shared,
                Fault::framing("the connection was ended by the protocol"),
            );
        } else if known < self.sight.heads() {
            record(
                shared,
                Fault::framing("the connection ended before the request was taken up"),
            );
        }
        if let Some(error) = error {
            shared.served.note_end(&error, &shared.activity);
        }
    }
}

/// Records a request that there never was one to answer for.
fn record(shared: &Arc<Shared>, fault: Fault) {
    let served = shared.served.clone();
    let tracker = served.tasks.tracker.clone();
    tracker.spawn(async move {
        stack::record(served.gate, served.connection, fault).await;
    });
}

/// A closed set of names for metrics: who was ended, and the error code of RFC 9113 §7.
const fn fault_name(is_connection: bool, code: u32) -> &'static str {
    match (is_connection, code) {
        (true, 1) => "h2-connection-protocol-error",
        (true, 3) => "h2-connection-flow-control-error",
        (true, 6) => "h2-connection-frame-size-error",
        (true, 9) => "h2-connection-compression-error",
        (true, 11) => "h2-connection-enhance-your-calm",
        (true, _) => "h2-connection-other",
        (false, 1) => "h2-stream-protocol-error",
        (false, 3) => "h2-stream-flow-control-error",
        (false, 5) => "h2-stream-closed",
        (false, 7) => "h2-stream-refused",
        (false, _) => "h2-stream-other",
    }
}
