//! One HTTP/2 connection to an upstream, shared by concurrent exchanges (RFC 9113).
//!
//! Written on `h2` itself, because two things must be known that are not to be had above it: how many streams the peer takes at
//! once, and whether it says that it did not look at a request.

use std::{
    future::poll_fn,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::{
    Ping, PingPong, Reason, RecvStream,
    client::{self, Connection, SendRequest},
};
use http::{Request, Response};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    Failure,
    connect::{Place, Route},
    interim::INTERIM_MAX,
};

/// Streams at once on one connection, whatever the peer allows: all of them may fill their windows, and the connection's is not
/// used up, so that a client that reads slowly holds up nobody else's answer.
const STREAMS_MAX: u32 = 64;
/// Bytes of one answer that may wait for its client.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Most bytes of an answer's head.
const HEAD_BYTES: u32 = 64 * 1024;
/// Time for a connection under suspicion to answer a ping.
const PING_TIME: Duration = Duration::from_secs(5);

/// A connection that takes requests.
#[derive(Debug)]
pub(super) struct Shared {
    sender: SendRequest<Bytes>,
    /// Where it leads.
    pub(super) route: Route,
    born: Instant,
    health: Arc<Health>,
    streams: AtomicUsize,
    /// Milliseconds after birth when the last stream ended.
    quiet_since: AtomicU64,
}

/// What the task that drives the connection and its users tell each other.
#[derive(Debug, Default)]
struct Health {
    /// No more requests: it broke, or is about to end.
    is_over: AtomicBool,
    /// An answer did not come in time: no more requests until a ping is answered.
    is_doubted: AtomicBool,
    doubt: Notify,
}

/// What became of a request.
pub(super) enum Sent {
    /// The head of its answer.
    Answered(Response<RecvStream>),
    /// There is none.
    Failed(Failure),
    /// The peer did not look at it, by its own word or because not a byte was written.
    Unprocessed,
}

impl Shared {
    /// Opens HTTP/2 on `stream`. `place` is given back when the connection has ended.
    pub(super) async fn open<S>(stream: S, route: Route, place: Place) -> Result<Arc<Self>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(STREAM_WINDOW.saturating_mul(STREAMS_MAX))
            .max_header_list_size(HEAD_BYTES)
            .handshake(stream)
            .await
            .map_err(|error| failure(&error))?;
        let health = Arc::new(Health::default());
        tokio::spawn(drive(connection, Arc::clone(&health), place));
        Ok(Arc::new(Self {
            sender,
            route,
            born: Instant::now(),
            health,
            streams: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
        }))
    }

    /// Whether it may still serve at all.
    pub(super) fn is_alive(&self, life_time: Duration) -> bool {
        !self.health.is_over.load(Ordering::Acquire) && self.born.elapsed() < life_time
    }

    /// Whether one more stream fits. Asked under the pool's lock, where streams are also taken.
    pub(super) fn has_room(&self) -> bool {
        let most = usize::try_from(STREAMS_MAX).unwrap_or(usize::MAX);
        !self.health.is_doubted.load(Ordering::Acquire)
            && self.streams.load(Ordering::Acquire)
                < most.min(self.sender.current_max_send_streams())
    }

    /// Whether nobody has used it for `idle_time`.
    pub(super) fn is_idle(&self, idle_time: Duration) -> bool {
        let quiet_since = Duration::from_millis(self.quiet_since.load(Ordering::Acquire));
        self.streams.load(Ordering::Acquire) == 0
            && self.born.elapsed().saturating_sub(quiet_since) >= idle_time
    }

    /// One stream more.
    pub(super) fn take(&self) {
        self.streams.fetch_add(1, Ordering::AcqRel);
    }

    /// One stream less.
    pub(super) fn give_back(&self) {
        let quiet = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.quiet_since.store(quiet, Ordering::Release);
        self.streams.fetch_sub(1, Ordering::AcqRel);
    }

    /// An answer did not come in time: the connection must show that it lives before it takes another request.
    pub(super) fn doubt(&self) {
        self.health.is_doubted.store(true, Ordering::Release);
        self.health.doubt.notify_one();
    }

    /// Sends a request and waits for the head of its answer. Dropping the future resets the stream.
    pub(super) async fn send(&self, head: Request<()>, body: Bytes) -> Sent {
        let mut sender = self.sender.clone();
        if poll_fn(|cx| sender.poll_ready(cx)).await.is_err() {
            self.health.is_over.store(true, Ordering::Release);
            return Sent::Unprocessed;
        }
        let Ok((mut answer, mut stream)) = sender.send_request(head, body.is_empty()) else {
            return Sent::Unprocessed;
        };
        if !body.is_empty() {
            // The body is there as a whole: it waits in the connection's queue, not copied, until the peer's windows let it go. That
            // the stream has ended already is learnt below, with its reason.
            drop(stream.send_data(body, true));
        }
        let mut interim = 0;
        while let Some(it) = poll_fn(|cx| answer.poll_informational(cx)).await {
            interim += 1;
            if it.is_err() || interim > INTERIM_MAX {
                break;
            }
        }
        if interim > INTERIM_MAX {
            return Sent::Failed(Failure::Protocol);
        }
        match answer.await {
            Ok(response) => Sent::Answered(response),
            Err(error) if is_unprocessed(&error) => Sent::Unprocessed,
            Err(error) => Sent::Failed(failure(&error)),
        }
    }
}

/// Drives the connection to its end; pings it when somebody doubts that it lives.
async fn drive<S>(connection: Connection<S, Bytes>, health: Arc<Health>, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = connection;
    let mut pings = connection.ping_pong();
    let mut connection = pin!(connection);
    loop {
        let has_pings = pings.is_some();
        tokio::select! {
            ended = &mut connection => {
                note(&ended);
                break;
            }
            () = health.doubt.notified(), if has_pings => {}
        }
        let answered = tokio::select! {
            ended = &mut connection => {
                note(&ended);
                break;
            }
            answered = is_answered(pings.as_mut()) => answered,
        };
        if !answered {
            tracing::debug!("A connection to an upstream does not answer; it is closed.");
            break;
        }
        health.is_doubted.store(false, Ordering::Release);
    }
    health.is_over.store(true, Ordering::Release);
    drop(place);
}

async fn is_answered(pings: Option<&mut PingPong>) -> bool {
    let Some(pings) = pings else {
        return false;
    };
    matches!(
        timeout(PING_TIME, pings.ping(Ping::opaque())).await,
        Ok(Ok(_))
    )
}

fn note(ended: &Result<(), h2::Error>) {
    if let Err(error) = ended {
        tracing::debug!(
            is_remote = error.is_remote(),
            "A connection to an upstream ended."
        );
    }
}

/// Whether the peer says that it did not look at the request: the stream was refused (RFC 9113 §8.7), or is newer than the last
/// one that it will process (§6.8; `h2` gives a peer's GOAWAY to no other stream).
fn is_unprocessed(error: &h2::Error) -> bool {
    error.is_remote()
        && (error.is_go_away()
            || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)))
}

/// Why a stream or connection ended.
pub(super) fn failure(error: &h2::Error) -> Failure {
    if let Some(io) = error.get_io() {
        // Of an error of TLS `h2` keeps the kind. After the handshake it means that the peer broke off.
        if io.kind() == io::ErrorKind::InvalidData {
            Failure::TlsAlert
        } else {
            Failure::ConnectionTerminated
        }
    } else if error.is_remote() {
        Failure::ConnectionTerminated
    } else {
        Failure::Protocol
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http_body_util::BodyExt as _;
    use tokio::sync::Semaphore;

    use super::{super::body::AnswerBody, *};
    use crate::telemetry::Metrics;

    /// A connection, and the other end of it.
    async fn pair() -> (
        Arc<Shared>,
        h2::server::Connection<tokio::io::DuplexStream, Bytes>,
        Arc<Semaphore>,
    ) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let places = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&places).acquire_owned().await.unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        let place = Place::new(permit, Arc::default(), metrics, "crm".into());
        let route = Route {
            peer: ([127, 0, 0, 1], 443).into(),
            via_proxy: false,
            tls: None,
        };
        let (shared, server) =
            tokio::join!(Shared::open(near, route, place), h2::server::handshake(far));
        (shared.unwrap(), server.unwrap(), places)
    }

    fn head() -> Request<()> {
        Request::post("https://crm.example.org/v1")
            .body(())
            .unwrap()
    }

    /// What gRPC says of its outcome stands in trailer fields.
    #[tokio::test]
    async fn data_and_trailers_pass() {
        let (shared, mut server, _places) = pair().await;
        tokio::spawn(async move {
            while let Some(Ok((_, mut answer))) = server.accept().await {
                let head = Response::builder().header("content-length", "6");
                let mut to = answer.send_response(head.body(()).unwrap(), false).unwrap();
                to.send_data(Bytes::from_static(b"abc"), false).unwrap();
                to.send_data(Bytes::from_static(b"def"), false).unwrap();
                let mut fields = HeaderMap::new();
                fields.insert("grpc-status", "0".parse().unwrap());
                to.send_trailers(fields).unwrap();
            }
        });
        let Sent::Answered(response) = shared.send(head(), Bytes::from_static(b"x")).await else {
            panic!("no answer")
        };
        let (parts, stream) = response.into_parts();
        let body = AnswerBody::of_http2(stream, &parts.headers);
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(6));
        let whole = body.collect().await.unwrap();
        assert_eq!(whole.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(whole.to_bytes(), "abcdef");
    }

    /// Nobody waits for the answer any more: the upstream is told, the connection stays.
    #[tokio::test]
    async fn a_request_given_up_ends_its_stream() {
        let (shared, mut server, places) = pair().await;
        let asking = {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                shared.send(head(), Bytes::new()).await;
            })
        };
        let (_request, mut answer) = server.accept().await.unwrap().unwrap();
        asking.abort();
        let reset = tokio::select! {
            reset = poll_fn(|cx| answer.poll_reset(cx)) => reset,
            _ = server.accept() => panic!("there is one request"),
        };
        assert_eq!(reset.unwrap(), Reason::CANCEL);
        assert!(shared.is_alive(Duration::from_secs(60)));
        drop(shared);
        assert!(server.accept().await.is_none(), "the last user has left");
        let place = timeout(Duration::from_secs(5), places.acquire()).await;
        assert!(place.is_ok(), "and its place is free");
    }
}
