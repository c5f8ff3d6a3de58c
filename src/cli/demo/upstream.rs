//! Mock recipients: real TLS servers on loopback that keep what they receive.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What a recipient got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Path and query.
    pub(super) target: String,
    /// The body.
    pub(super) body: Bytes,
}

/// A recipient on loopback.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// Where it listens.
    pub(super) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    /// Listens on a port of the system's choice, with TLS only.
    pub(super) async fn start(tls: Arc<rustls::ServerConfig>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let upstream = Self {
            address: listener.local_addr()?,
            received: Arc::default(),
        };
        tokio::spawn(accept(listener, TlsAcceptor::from(tls), upstream.clone()));
        Ok(upstream)
    }

    /// Everything received since the last call.
    pub(super) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, received: Received) {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(received);
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, upstream: Upstream) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, upstream) = (tls.clone(), upstream.clone());
        tokio::spawn(async move {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, upstream).await;
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, upstream: Upstream) {
    let service = service_fn(move |request| answer(request, upstream.clone()));
    // A client that goes away in the middle is none of the recipient's business.
    let _closed = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    upstream: Upstream,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let target = request.uri().to_string();
    let body = request.into_body().collect().await?.to_bytes();
    upstream.keep(Received { target, body });
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"accepted\":true}")));
    *response.status_mut() = http::StatusCode::ACCEPTED;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
