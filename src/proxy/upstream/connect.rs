//! One connection to an upstream: resolve once, check every address, dial a checked one, then a tunnel, then TLS. In this order.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Notify, OwnedSemaphorePermit},
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use url::Host;

use super::{Failure, Resolve, dial, streams::Shared, tls, tunnel};
use crate::{
    gatekeeper::destination::{Destination, HttpVersions, Upstream},
    proxy::tls::ALPN_HTTP_2,
    telemetry::Metrics,
};

/// Most fields of an answer's head.
const FIELDS_MAX: usize = 128;

/// What the record says about a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    /// The address that was dialled.
    pub(super) peer: SocketAddr,
    /// Whether it is the proxy's.
    pub(super) via_proxy: bool,
    /// TLS version negotiated with the upstream.
    pub(super) tls: Option<&'static str>,
}

/// An open connection.
#[derive(Debug)]
pub(super) enum Link {
    /// HTTP/1.1: for one exchange at a time.
    One(One),
    /// HTTP/2: for many.
    Shared(Arc<Shared>),
}

/// A connection that speaks HTTP/1.1.
#[derive(Debug)]
pub(super) struct One {
    /// Takes requests, one after the other.
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// Where it leads.
    pub(super) route: Route,
    /// When it was opened.
    pub(super) born: Instant,
}

/// A place among the connections that a destination may have; held by the task that drives the connection, as long as it lives.
#[derive(Debug)]
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
    metrics: Arc<Metrics>,
    destination: Arc<str>,
}

impl Place {
    /// Takes `permit`; `freed` is told when it is given back.
    pub(super) fn new(
        permit: OwnedSemaphorePermit,
        freed: Arc<Notify>,
        metrics: Arc<Metrics>,
        destination: Arc<str>,
    ) -> Self {
        metrics.upstream_connected(&destination);
        Self {
            permit: Some(permit),
            freed,
            metrics,
            destination,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.upstream_disconnected(&self.destination);
        drop(self.permit.take());
        self.freed.notify_one();
    }
}

/// Opens a connection to `destination`'s upstream within its time for connecting, tunnel and TLS included.
pub(super) async fn open(
    destination: &Destination,
    config: Option<&Arc<ClientConfig>>,
    resolver: &dyn Resolve,
    place: Place,
) -> Result<Link, Failure> {
    timeout(
        destination.limits.connect_time,
        reach(&destination.upstream, config, resolver, place),
    )
    .await
    .unwrap_or(Err(Failure::ConnectionTimeout))
}

async fn reach(
    upstream: &Upstream,
    config: Option<&Arc<ClientConfig>>,
    resolver: &dyn Resolve,
    place: Place,
) -> Result<Link, Failure> {
    let (stream, mut route) = socket(upstream, resolver).await?;
    let Some(config) = config else {
        let is_http2 = upstream.http == HttpVersions::Http2;
        return speak(stream, route, is_http2, place).await;
    };
    let stream = TlsConnector::from(Arc::clone(config))
        .connect(tls::server_name(upstream)?, stream)
        .await
        .map_err(|error| tls::handshake_failure(&error))?;
    let session = stream.get_ref().1;
    route.tls = session.protocol_version().map(tls::version_name);
    let is_http2 = session.alpn_protocol() == Some(ALPN_HTTP_2);
    if upstream.http == HttpVersions::Http2 && !is_http2 {
        return Err(Failure::TlsProtocol);
    }
    speak(stream, route, is_http2, place).await
}

/// A stream of bytes to the upstream, directly or through its proxy.
async fn socket(
    upstream: &Upstream,
    resolver: &dyn Resolve,
) -> Result<(TcpStream, Route), Failure> {
    let host = upstream.url.host().ok_or(Failure::Unconfigured)?;
    let port = upstream
        .url
        .port_or_known_default()
        .ok_or(Failure::Unconfigured)?;
    let Some(proxy) = &upstream.proxy else {
        let addresses = dial::addresses(host, port, upstream.controlled_zone, resolver).await?;
        let (stream, peer) = dial::dial(&addresses).await?;
        return Ok((stream, route(peer, false)));
    };
    // The proxy stands in the operator's own network, as the configuration says by naming it. Nobody else looks the upstream up.
    let addresses = dial::addresses(borrowed(&proxy.host), proxy.port, true, resolver).await?;
    let (mut stream, peer) = dial::dial(&addresses).await?;
    tunnel::open(&mut stream, proxy, &host, port).await?;
    Ok((stream, route(peer, true)))
}

fn borrowed(host: &Host) -> Host<&str> {
    match host {
        Host::Domain(it) => Host::Domain(it),
        Host::Ipv4(it) => Host::Ipv4(*it),
        Host::Ipv6(it) => Host::Ipv6(*it),
    }
}

const fn route(peer: SocketAddr, via_proxy: bool) -> Route {
    Route {
        peer,
        via_proxy,
        tls: None,
    }
}

async fn speak<S>(stream: S, route: Route, is_http2: bool, place: Place) -> Result<Link, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    if is_http2 {
        return Ok(Link::Shared(Shared::open(stream, route, place).await?));
    }
    let (sender, connection) = http1::Builder::new()
        .max_headers(FIELDS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Failure::ConnectionTerminated)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(
                is_parse = error.is_parse(),
                "A connection to an upstream ended."
            );
        }
        drop(place);
    });
    Ok(Link::One(One {
        sender,
        route,
        born: Instant::now(),
    }))
}
