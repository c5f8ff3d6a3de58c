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
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    activity::Activity,
    answer::Body,
    caller::Peer,
    http1, http2,
    socket::Socket,
    stack::{self, Connection, Gate},
    tls::{ALPN_HTTP_2, Identity, subject_names},
    wire::{Fault, PREFACE},
};

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

/// The tasks of the data plane and the two ways to end them.
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
        match (accepted, permit) {
            (Ok((stream, peer)), Ok(permit)) => {
                let work = greet(
                    stream,
                    peer,
                    Arc::clone(&door),
                    Arc::clone(&gate),
                    tasks.clone(),
                );
                begin(work, permit, &tasks);
            }
            (Err(error), _) => {
                tracing::warn!(%error, listener = &*door.id, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            // Permits come as long as the gate stands.
            (Ok(_), Err(_)) => break,
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
            let work = greet(
                stream,
                peer,
                Arc::clone(&door),
                Arc::clone(&gate),
                tasks.clone(),
            );
            begin(work, permit, &tasks);
        }
    }
}

/// Runs a connection in a task of its own.
fn begin(
    work: impl Future<Output = ()> + Send + 'static,
    permit: OwnedSemaphorePermit,
    tasks: &Tasks,
) {
    let abort = tasks.abort.clone();
    tasks.tracker.spawn(async move {
        let _permit = permit;
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
    match &door.tls {
        None => Box::pin(greet_plain(stream, address, &door, gate, tasks)).await,
        Some(identity) => {
            // That of the handshake's moment: a reload may present another one to the next.
            let config = Arc::clone(&identity.load().config);
            Box::pin(greet_tls(stream, address, config, &door, gate, tasks)).await;
        }
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

async fn greet_plain(
    mut stream: TcpStream,
    address: SocketAddr,
    door: &Door,
    gate: Arc<Gate>,
    tasks: Tasks,
) {
    let mut early = BytesMut::new();
    let opening = opening(&mut stream, &mut early, door.times.head).await;
    let served = Served {
        connection: Arc::new(Connection {
            listener: Arc::clone(&door.id),
            peer: peer_at(address),
            is_http_2: matches!(opening, Opening::Http2),
        }),
        gate,
        tasks,
        times: door.times,
    };
    let socket = Socket::Plain(stream);
    match opening {
        Opening::Closed => {}
        Opening::Http1 => http1::serve(socket, early, served).await,
        Opening::Http2 => Box::pin(http2::serve(socket, early, served)).await,
        Opening::Late => http1::refuse_late(socket, served).await,
    }
}

/// What the first bytes of a plain connection open.
enum Opening {
    Closed,
    Http1,
    Http2,
    /// Something that could still become HTTP/2, and took too long.
    Late,
}

/// Reads into `early` as much as it takes to tell HTTP/2 from HTTP/1: a preface byte for byte, or the first byte that is none.
async fn opening(stream: &mut TcpStream, early: &mut BytesMut, time: Duration) -> Opening {
    let deadline = Instant::now() + time;
    let mut space = [0; PREFACE.len()];
    loop {
        let room = space.get_mut(early.len()..).unwrap_or_default();
        match timeout_at(deadline, stream.read(room)).await {
            Err(_) => return Opening::Late,
            Ok(Err(_)) => return Opening::Closed,
            Ok(Ok(0)) if early.is_empty() => return Opening::Closed,
            // The check of HTTP/1 says what is missing.
            Ok(Ok(0)) => return Opening::Http1,
            Ok(Ok(length)) => {
                early.extend_from_slice(room.get(..length).unwrap_or_default());
                if !PREFACE.starts_with(early) {
                    return Opening::Http1;
                }
                if early.len() == PREFACE.len() {
                    return Opening::Http2;
                }
            }
        }
    }
}

async fn greet_tls(
    stream: TcpStream,
    address: SocketAddr,
    config: Arc<ServerConfig>,
    door: &Door,
    gate: Arc<Gate>,
    tasks: Tasks,
) {
    let accepting = TlsAcceptor::from(config).accept(stream);
    let stream = match timeout(door.times.head, accepting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            gate.metrics.connection_fault("tls-handshake");
            tracing::debug!(kind = ?error.kind(), listener = &*door.id, "A TLS handshake failed.");
            return;
        }
        Err(_) => {
            gate.metrics.connection_fault("tls-handshake");
            tracing::debug!(listener = &*door.id, "A TLS handshake took too long.");
            return;
        }
    };
    let is_http_2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP_2);
    let mut peer = peer_at(address);
    identify(&stream, &mut peer);
    let served = Served {
        connection: Arc::new(Connection {
            listener: Arc::clone(&door.id),
            peer,
            is_http_2,
        }),
        gate,
        tasks,
        times: door.times,
    };
    let socket = Socket::Tls(Box::new(stream));
    if is_http_2 {
        Box::pin(http2::serve(socket, BytesMut::new(), served)).await;
    } else {
        http1::serve(socket, BytesMut::new(), served).await;
    }
}

fn peer_at(address: SocketAddr) -> Peer {
    Peer {
        address: address.ip().to_canonical(),
        names: Vec::new(),
        server_name: None,
    }
}

fn identify(stream: &TlsStream<TcpStream>, peer: &mut Peer) {
    let session = stream.get_ref().1;
    peer.server_name = session.server_name().map(str::to_ascii_lowercase);
    peer.names = session
        .peer_certificates()
        .and_then(<[CertificateDer<'_>]>::first)
        .map(subject_names)
        .unwrap_or_default();
}
