//! One listener: accepts, shakes hands, and serves each connection in a task of its own.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    admission::counted_address,
    answer::{self, Body},
    caller::Peer,
    stack::{self, Connection, Gate},
    tls::{Identity, subject_names},
    wire::{Checked, Verdicts},
};

/// Pause after a failed accept, when the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest time between two requests of a connection. Above what client pools keep idle connections for is better than below:
/// a client must not write to a connection that is just being closed. The time of a head that has begun is the wire check's.
const KEEP_ALIVE_TIME: Duration = Duration::from_secs(100);
/// Most fields of a head; the wire check has the same bound and answers for it.
const FIELDS_MAX: usize = 128;
/// Room for the largest head that passes the wire check.
const BUFFER_BYTES: usize = 128 * 1024;

/// A bound listener.
#[derive(Debug)]
pub(super) struct Bound {
    /// Id.
    pub(super) id: Arc<str>,
    /// Socket.
    pub(super) socket: TcpListener,
    /// What it presents to the handshakes that come, if it speaks TLS.
    pub(super) tls: Option<Arc<ArcSwap<Identity>>>,
    /// Time for a handshake, and for each head from its first byte.
    pub(super) head_time: Duration,
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
    /// No new connections; idle ones close, exchanges finish.
    pub(super) drain: CancellationToken,
    /// Everything ends now.
    pub(super) abort: CancellationToken,
}

/// Accepts until draining.
pub(super) async fn accept(bound: Bound, gate: Arc<Gate>, tasks: Tasks) {
    let bound = Arc::new(bound);
    loop {
        let accepting = async {
            let permit = Arc::clone(&gate.connections).acquire_owned().await;
            (permit, bound.socket.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = tasks.drain.cancelled() => return,
            accepted = accepting => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let address = counted_address(peer.ip().to_canonical());
                let Some(counted) = gate.peers.take(address, gate.connections_per_client) else {
                    gate.metrics.refused_connection();
                    continue;
                };
                let work = greet(
                    stream,
                    peer,
                    Arc::clone(&bound),
                    Arc::clone(&gate),
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
            Err(error) => {
                tracing::warn!(%error, listener = &*bound.id, "A connection could not be accepted.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Shakes hands where there is TLS, then serves.
async fn greet(
    stream: TcpStream,
    address: SocketAddr,
    bound: Arc<Bound>,
    gate: Arc<Gate>,
    tasks: Tasks,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "A connection was gone before it began.");
        return;
    }
    let mut peer = Peer {
        address: address.ip().to_canonical(),
        names: Vec::new(),
        server_name: None,
    };
    let Some(identity) = &bound.tls else {
        serve(stream, peer, &bound, gate, tasks).await;
        return;
    };
    match timeout(
        bound.head_time,
        TlsAcceptor::from(Arc::clone(&identity.load().config)).accept(stream),
    )
    .await
    {
        Ok(Ok(stream)) => {
            identify(&stream, &mut peer);
            serve(stream, peer, &bound, gate, tasks).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(kind = ?error.kind(), listener = &*bound.id, "A TLS handshake failed.");
        }
        Err(_) => tracing::debug!(listener = &*bound.id, "A TLS handshake took too long."),
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

/// Serves one connection until it closes, or until its exchange ends while draining.
async fn serve<S>(stream: S, peer: Peer, bound: &Bound, gate: Arc<Gate>, tasks: Tasks)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let verdicts = Verdicts::default();
    let stream = Checked::new(
        stream,
        bound.tls.is_some(),
        bound.head_time,
        verdicts.clone(),
    );
    let connection = Arc::new(Connection {
        listener: Arc::clone(&bound.id),
        peer,
        verdicts,
    });
    let drain = tasks.drain.clone();
    let service = service_fn(move |request| {
        handle(
            Arc::clone(&gate),
            Arc::clone(&connection),
            tasks.clone(),
            request,
        )
    });
    let mut serving = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(KEEP_ALIVE_TIME)
            .half_close(true)
            .max_headers(FIELDS_MAX)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
    );
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = drain.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(
            is_timeout = error.is_timeout(),
            is_parse = error.is_parse(),
            "A connection ended early."
        );
    }
}

/// Runs a request in a task of its own: neither a client that goes away nor a panic leaves it without a record.
async fn handle(
    gate: Arc<Gate>,
    connection: Arc<Connection>,
    tasks: Tasks,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let verdict = connection.verdicts.next();
    let abort = tasks.abort.clone();
    let walk = tasks.tracker.spawn(async move {
        tokio::select! {
            () = abort.cancelled() => Err(io::ErrorKind::Interrupted),
            response = stack::respond(gate, connection, verdict, request) => Ok(response),
        }
    });
    Ok(match walk.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => answer::breakdown(),
        Err(error) => {
            tracing::error!(is_panic = error.is_panic(), "A request's task broke down.");
            answer::breakdown()
        }
    })
}
