//! HTTP/1 on one connection, which costs a buffer only while something is under way.
//!
//! The library holds its buffers as long as a connection lives. So when nothing has been under way for a moment, it is wound down
//! without closing the socket, and the socket waits by itself until the client speaks again.

use std::{
    convert::Infallible,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use http::Response;
use hyper::{
    server::conn::http1::{Builder, Connection},
    service::{HttpService, service_fn},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt as _,
    task::JoinHandle,
    time::{Sleep, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::{
    activity::{Activity, Open, Sent},
    answer::{self, Body},
    listener::{self, Served, speaks},
    socket::Socket,
    wire::{Checked, Patient, Verdicts},
};

/// A connection on which nothing happens for this long gives its buffers back. Long against the pauses of a busy client.
const REST_TIME: Duration = Duration::from_millis(250);
/// Time for the last bytes of a connection that is closed.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// Most fields of a head; the wire check has a lower bound and answers for it.
const FIELDS_MAX: usize = 128;
/// Room for the largest head that passes the wire check.
const BUFFER_BYTES: usize = 128 * 1024;

/// The stream that the library reads.
type Io = TokioIo<Checked<Patient<Socket>>>;

/// Serves until the client or the drain ends it. `early` has been read of the first request.
pub(super) async fn serve(mut socket: Socket, mut early: BytesMut, served: Served) {
    loop {
        match Box::pin(work(socket, early, false, &served)).await {
            None => return,
            Some(rest) => (socket, early) = rest,
        }
        let has_more = !early.is_empty();
        if !has_more && !speaks(socket.tcp(), served.times.idle, &served.tasks.quiet).await {
            break;
        }
    }
    // Over TLS a client wants to be told that this is the end.
    if timeout(CLOSE_TIME, socket.shutdown()).await.is_err() {
        tracing::debug!("A connection did not close in time.");
    }
}

/// Answers a client whose first head did not come.
pub(super) async fn refuse_late(socket: Socket, served: Served) {
    work(socket, BytesMut::new(), true, &served).await;
}

/// Serves until the connection rests, and gives back its socket and what has been read of the next request; `None` when the
/// connection has ended.
async fn work(
    socket: Socket,
    early: BytesMut,
    is_late: bool,
    served: &Served,
) -> Option<(Socket, BytesMut)> {
    let activity = Arc::new(Activity::default());
    let verdicts = Verdicts::default();
    let is_tls = socket.is_tls();
    let stream = Checked::new(
        Patient::new(socket, served.times.write, Arc::clone(&activity)),
        early,
        is_tls,
        served.times.head,
        (verdicts.clone(), Arc::clone(&activity)),
    );
    let stream = if is_late { stream.late() } else { stream };
    let service = {
        let (activity, served) = (Arc::clone(&activity), served.clone());
        service_fn(move |request| Walking {
            walk: served.walk(verdicts.next(), request, None),
            open: Some(activity.begin()),
            drain: served.tasks.drain.clone(),
        })
    };
    let connection = Builder::new()
        // Before a head the connection rests, and within one the check keeps time.
        .header_read_timeout(None)
        .half_close(true)
        .max_headers(FIELDS_MAX)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let quiet = served.tasks.quiet.clone();
    let ended = Resting::new(connection, Arc::clone(&activity), &quiet).await;
    match ended {
        Ok(Some((stream, read))) => {
            let (stream, rest) = stream.into_inner().into_rest();
            let mut early = BytesMut::from(&*read);
            early.extend_from_slice(&rest);
            Some((stream.into_inner(), early))
        }
        Ok(None) => None,
        Err(error) => {
            served.note_end(&error, &activity);
            None
        }
    }
}

/// A connection at work, until it ends or rests.
struct Resting<'a, S: HttpService<hyper::body::Incoming>> {
    connection: Option<Connection<Io, S>>,
    activity: Arc<Activity>,
    /// Runs while nothing is under way.
    timer: Pin<Box<Sleep>>,
    is_timing: bool,
    quiet: Pin<Box<WaitForCancellationFuture<'a>>>,
    is_ending: bool,
}

impl<'a, S: HttpService<hyper::body::Incoming>> Resting<'a, S> {
    fn new(
        connection: Connection<Io, S>,
        activity: Arc<Activity>,
        quiet: &'a CancellationToken,
    ) -> Self {
        Self {
            connection: Some(connection),
            activity,
            timer: Box::pin(sleep(REST_TIME)),
            is_timing: false,
            quiet: Box::pin(quiet.cancelled()),
            is_ending: false,
        }
    }

    /// Whether nothing has been under way for a while.
    fn is_at_rest(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.activity.is_idle() {
            self.is_timing = false;
            return false;
        }
        if !self.is_timing {
            self.is_timing = true;
            let end = tokio::time::Instant::now() + REST_TIME;
            self.timer.as_mut().reset(end);
        }
        self.timer.as_mut().poll(cx).is_ready()
    }
}

impl<S> Future for Resting<'_, S>
where
    S: HttpService<hyper::body::Incoming, ResBody = Sent, Error = Infallible> + Unpin,
    S::Future: Unpin,
{
    type Output = hyper::Result<Option<(Io, bytes::Bytes)>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let it = self.get_mut();
        loop {
            let Some(connection) = &mut it.connection else {
                return Poll::Ready(Ok(None));
            };
            if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(cx) {
                it.connection = None;
                return Poll::Ready(ended.map(|()| None));
            }
            if !it.is_ending && it.quiet.as_mut().poll(cx).is_ready() {
                it.is_ending = true;
                Pin::new(connection).graceful_shutdown();
                continue;
            }
            if it.is_ending || !it.is_at_rest(cx) {
                return Poll::Pending;
            }
            let Some(mut connection) = it.connection.take() else {
                return Poll::Ready(Ok(None));
            };
            Pin::new(&mut connection).graceful_shutdown();
            if let Poll::Ready(ended) = connection.poll_without_shutdown(cx) {
                let parts = connection.into_parts();
                return Poll::Ready(ended.map(|()| Some((parts.io, parts.read_buf))));
            }
            // It was not idle after all: it ends with what is under way.
            it.is_ending = true;
            it.connection = Some(connection);
        }
    }
}

/// A request on its way, then its answer.
struct Walking {
    walk: JoinHandle<io::Result<Response<Body>>>,
    open: Option<Open>,
    /// Cancelled: this answer is the connection's last.
    drain: CancellationToken,
}

impl Future for Walking {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let it = self.get_mut();
        let Poll::Ready(walked) = Pin::new(&mut it.walk).poll(cx) else {
            return Poll::Pending;
        };
        let response = listener::walked(walked).unwrap_or_else(|| {
            let mut response = answer::breakdown();
            answer::close(response.headers_mut());
            response
        });
        let (mut parts, body) = response.into_parts();
        if it.drain.is_cancelled() {
            answer::close(&mut parts.headers);
        }
        match it.open.take() {
            Some(open) => Poll::Ready(Ok(Response::from_parts(parts, Sent::new(body, open)))),
            None => Poll::Pending,
        }
    }
}
