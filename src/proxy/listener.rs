//! One listener: accepts, waits for the first byte without a buffer, shakes hands, and finds out which HTTP is spoken.
//!
//! With TLS the handshake says it (ALPN). In the clear it is HTTP/2 when the first bytes are its preface; those bytes are waited
//! for no longer than a head.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::BytesMut;
use http::{Request, Response};
use hyper::body::Incoming;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    task::{JoinError, JoinHandle},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    activity::Activity,
    admission::counted_address,
    answer::Body,
    caller::Peer,
    http1, http2,
    socket::Socket,
    stack::{self, Connection, Gate},
    tls::{ALPN_HTTP_2, Identity, subject_names},
    wire::{Fault, PREFACE},
};
use crate::telemetry::Metrics;

/// Pause after a failed accept, when the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener.
#[derive(Debug)]
pub(super) struct Bound {
    /// Closed when draining begins, whatever connections are still open.
    pub(super) socket: TcpListener,
    /// What its connections share.
    pub(super) door: Door,
}

/// What the connections of a listener share.
#[derive(Debug)]
pub(super) struct Door {
    /// Listener id.
    pub(super) id: Arc<str>,
    /// What it presents to the handshakes that come, if it speaks TLS.
    pub(super) tls: Option<Arc<ArcSwap<Identity>>>,
    /// How long clients are waited for.
    pub(super) times: Times,
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks")
            .field("running", &self.tracker.len())
            .finish_non_exhaustive()
    }
}

/// The tasks of the data plane and the ways to end them.
#[derive(Clone)]
pub(super) struct Tasks {
    /// Counts connections and requests.
    pub(super) tracker: TaskTracker,
    /// No new connections; a connection ends with its next answer.
    pub(super) drain: CancellationToken,
    /// Connections on which nothing is under way close too.
    pub(super) quiet: CancellationToken,
    /// Everything ends now.
    pub(super) abort: CancellationToken,
}

/// How long a client is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// For a handshake, and for each head from its first byte.
    pub(super) head: Duration,
    /// From one request of a connection to the next.
    pub(super) idle: Duration,
    /// For the client to take the next bytes of an answer.
    pub(super) write: Duration,
}

/// What serving a connection needs beside its socket.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// Who is there.
    pub(super) connection: Arc<Connection>,
    /// What all requests share.
    pub(super) gate: Arc<Gate>,
    /// Tasks.
    pub(super) tasks: Tasks,
    /// How long it is waited for.
    pub(super) times: Times,
}

impl Served {
    /// Runs a request in a task of its own: neither a client that goes away nor a panic leaves it without a record. The task's
    /// result is an error when it broke down or was ended.
    ///
    /// `place` is held until the answer's head is there.
    pub(super) fn walk(
        &self,
        verdict: Result<(), Fault>,
        request: Request<Incoming>,
        place: Option<OwnedSemaphorePermit>,
    ) -> JoinHandle<io::Result<Response<Body>>> {
        let abort = self.tasks.abort.clone();
        let (gate, connection) = (Arc::clone(&self.gate), Arc::clone(&self.connection));
        self.tasks.tracker.spawn(async move {
            let _place = place;
            tokio::select! {
                () = abort.cancelled() => Err(io::ErrorKind::Interrupted.into()),
                response = stack::respond(gate, connection, verdict, request) => Ok(response),
            }
        })
    }

    /// Notes that the connection ended early.
    pub(super) fn note_end(&self, error: &hyper::Error, activity: &Activity) {
        if activity.is_given_up() {
            self.gate.metrics.connection_fault("slow-reader");
        }
        tracing::debug!(
            is_timeout = error.is_timeout(),
            is_parse = error.is_parse(),
            listener = &*self.connection.listener,
            "A connection ended early."
        );
    }
}

/// The answer of a walk; `None` when its task was ended or broke down.
pub(super) fn walked(
    walk: Result<io::Result<Response<Body>>, JoinError>,
) -> Option<Response<Body>> {
    match walk {
        Ok(response) => response.ok(),
        Err(error) => {
            tracing::error!(is_panic = error.is_panic(), "A request's task broke down.");
            None
        }
    }
}

/// Accepts until draining, and then whoever has connected before the socket closes.
pub(super) async fn accept(bound: Bound, gate: Arc<Gate>, tasks: Tasks) {
    let Bound { socket, door } = bound;
    let door = Arc::new(door);
    loop {
        let accepting = async {
            let permit = Arc::clone(&gate.connections).acquire_owned().await;
            (permit, socket.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = tasks.drain.cancelled() => break,
            accepted = accepting => accepted,
        };
        match accepted {
            Ok((stream, peer)) => begin(stream, peer, permit, (&door, &gate, &tasks)),
            Err(error) => {
                tracing::warn!(%error, listener = &*door.id, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Asked directly: the reactor may not have heard of the newest.
    let Ok(socket) = socket.into_std() else {
        return;
    };
    while let Ok(permit) = Arc::clone(&gate.connections).try_acquire_owned() {
        let Ok((stream, peer)) = socket.accept() else {
            return;
        };
        if stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            begin(stream, peer, permit, (&door, &gate, &tasks));
        }
    }
}

/// Serves a connection in a task of its own, which holds `permit`, unless its client has too many.
fn begin(
    stream: TcpStream,
    peer: SocketAddr,
    permit: impl Send + 'static,
    (door, gate, tasks): (&Arc<Door>, &Arc<Gate>, &Tasks),
) {
    let address = counted_address(peer.ip().to_canonical());
    let Some(counted) = gate.peers.take(address, gate.connections_per_client) else {
        gate.metrics.refused_connection();
        return;
    };
    let work = greet(
        stream,
        peer,
        Arc::clone(door),
        Arc::clone(gate),
        tasks.clone(),
    );
    let abort = tasks.abort.clone();
    tasks.tracker.spawn(async move {
        let _held = (permit, counted);
        tokio::select! {
            () = abort.cancelled() => {}
            () = work => {}
        }
    });
}

/// Waits for a client to say something, then serves it. What takes room is boxed, so that waiting takes none.
async fn greet(
    stream: TcpStream,
    address: SocketAddr,
    door: Arc<Door>,
    gate: Arc<Gate>,
    tasks: Tasks,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "A connection was gone before it began.");
        return;
    }
    let first_time = match door.tls {
        Some(_) => door.times.head,
        None => door.times.idle,
    };
    if !speaks(&stream, first_time, &tasks.quiet).await {
        return;
    }
    let opened = match &door.tls {
        None => Box::pin(open_plain(stream, door.times.head)).await,
        Some(identity) => {
            // That of the handshake's moment: a reload may present another one to the next.
            let config = Arc::clone(&identity.load().config);
            Box::pin(open_tls(stream, config, &door, &gate.metrics)).await
        }
    };
    let Some(opened) = opened else {
        return;
    };
    let served = Served {
        connection: Arc::new(Connection {
            listener: Arc::clone(&door.id),
            peer: Peer {
                address: address.ip().to_canonical(),
                names: opened.names,
                server_name: opened.server_name,
            },
            is_http_2: opened.speech == Speech::Http2,
        }),
        gate,
        tasks,
        times: door.times,
    };
    let (socket, early) = (opened.socket, opened.early);
    match opened.speech {
        Speech::Http1 => http1::serve(socket, early, served).await,
        Speech::Http2 => Box::pin(http2::serve(socket, early, served)).await,
        Speech::Late => Box::pin(http1::refuse_late(socket, served)).await,
    }
}

/// Waits until there is something to read, holding no buffer. `false` when nothing came in `time`, the client has closed, or it
/// is to be `quiet`.
pub(super) async fn speaks(stream: &TcpStream, time: Duration, quiet: &CancellationToken) -> bool {
    let mut byte = [0];
    tokio::select! {
        biased;
        () = quiet.cancelled() => false,
        peeked = timeout(time, stream.peek(&mut byte)) => matches!(peeked, Ok(Ok(1))),
    }
}

/// A connection whose client has begun to speak.
struct Opened {
    socket: Socket,
    speech: Speech,
    /// Read already of what it says.
    early: BytesMut,
    /// Names of its verified certificate.
    names: Vec<String>,
    /// The host name it asked for in TLS, lower-case.
    server_name: Option<String>,
}

/// What a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Speech {
    Http1,
    Http2,
    /// Something that could still become HTTP/2, and took too long.
    Late,
}

async fn open_plain(mut stream: TcpStream, time: Duration) -> Option<Opened> {
    let mut early = BytesMut::new();
    let speech = speech(&mut stream, &mut early, time).await?;
    Some(Opened {
        socket: Socket::Plain(stream),
        speech,
        early,
        names: Vec::new(),
        server_name: None,
    })
}

/// Reads into `early` as much as it takes to tell HTTP/2 from HTTP/1: a preface byte for byte, or the first byte that is none.
/// `None` when the client has closed.
async fn speech(stream: &mut TcpStream, early: &mut BytesMut, time: Duration) -> Option<Speech> {
    let deadline = Instant::now() + time;
    let mut space = [0; PREFACE.len()];
    loop {
        let room = space.get_mut(early.len()..).unwrap_or_default();
        match timeout_at(deadline, stream.read(room)).await {
            Err(_) => return Some(Speech::Late),
            Ok(Err(_)) => return None,
            Ok(Ok(0)) if early.is_empty() => return None,
            // The check of HTTP/1 says what is missing.
            Ok(Ok(0)) => return Some(Speech::Http1),
            Ok(Ok(length)) => {
                early.extend_from_slice(room.get(..length).unwrap_or_default());
                if !PREFACE.starts_with(early) {
                    return Some(Speech::Http1);
                }
                if early.len() == PREFACE.len() {
                    return Some(Speech::Http2);
                }
            }
        }
    }
}

/// Shakes hands, within a head's time.
async fn open_tls(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    door: &Door,
    metrics: &Metrics,
) -> Option<Opened> {
    let accepting = TlsAcceptor::from(config).accept(stream);
    let stream = match timeout(door.times.head, accepting).await {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => {
            metrics.connection_fault("tls-handshake");
            tracing::debug!(kind = ?error.kind(), listener = &*door.id, "A TLS handshake failed.");
            return None;
        }
        Err(_) => {
            metrics.connection_fault("tls-handshake");
            tracing::debug!(listener = &*door.id, "A TLS handshake took too long.");
            return None;
        }
    };
    let session = stream.get_ref().1;
    let speech = if session.alpn_protocol() == Some(ALPN_HTTP_2) {
        Speech::Http2
    } else {
        Speech::Http1
    };
    let certificates = session.peer_certificates();
    let leaf = certificates.and_then(<[CertificateDer<'_>]>::first);
    let names = leaf.map(subject_names).unwrap_or_default();
    let server_name = session.server_name().map(str::to_ascii_lowercase);
    Some(Opened {
        socket: Socket::Tls(stream),
        speech,
        early: BytesMut::new(),
        names,
        server_name,
    })
}
