//! One connection to an upstream: resolve once, check every address, dial a checked one, then TLS. In this order.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, version};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Host;

use super::{Failure, Resolve, address::is_prohibited};
use crate::{
    gatekeeper::destination::{Destination, Roots, TlsFloor, Upstream},
    proxy::tls::{ALPN_HTTP_1_1, provider, root_store},
};

/// Most fields of an answer's head.
const FIELDS_MAX: usize = 128;

/// An open connection that speaks HTTP/1.1.
#[derive(Debug)]
pub(super) struct Link {
    /// Takes requests, one after the other.
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// The address that was dialled.
    pub(super) peer: SocketAddr,
    /// TLS version negotiated.
    pub(super) tls: Option<&'static str>,
}

/// The client's side of TLS for `upstream`; `None` when it is plain HTTP.
///
/// # Errors
/// The roots cannot be used.
pub(super) fn connector(upstream: &Upstream) -> Result<Option<Arc<ClientConfig>>, String> {
    if upstream.url.scheme() != "https" {
        return Ok(None);
    }
    let roots = match &upstream.roots {
        Roots::Pem(pem) => root_store(pem)?,
        Roots::System => {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            store
        }
    };
    let versions: &[_] = match upstream.tls_floor {
        TlsFloor::Tls12 => &[&version::TLS13, &version::TLS12],
        TlsFloor::Tls13 => &[&version::TLS13],
    };
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Opens a connection to `destination`'s upstream within its time for connecting.
pub(super) async fn open(
    destination: &Destination,
    tls: Option<&Arc<ClientConfig>>,
    resolver: &dyn Resolve,
) -> Result<Link, Failure> {
    let opening = async {
        let addresses = addresses(&destination.upstream, resolver).await?;
        let (stream, peer) = dial(&addresses).await?;
        match tls {
            None => speak(stream, peer, None).await,
            Some(config) => {
                let name = server_name(&destination.upstream)?;
                let stream = TlsConnector::from(Arc::clone(config))
                    .connect(name, stream)
                    .await
                    .map_err(|error| tls_failure(&error))?;
                let version = stream.get_ref().1.protocol_version();
                speak(stream, peer, version.map(version_name)).await
            }
        }
    };
    timeout(destination.limits.connect_time, opening)
        .await
        .unwrap_or(Err(Failure::ConnectionTimeout))
}

/// The addresses of `upstream`. One that is prohibited spoils them all: who answers for the name is not to be trusted.
async fn addresses(
    upstream: &Upstream,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, Failure> {
    let port = upstream
        .url
        .port_or_known_default()
        .ok_or(Failure::Unconfigured)?;
    let found = match upstream.url.host().ok_or(Failure::Unconfigured)? {
        Host::Domain(name) => resolver
            .resolve(name, port)
            .await
            .map_err(|_| Failure::Dns)?,
        Host::Ipv4(it) => vec![SocketAddr::from((it, port))],
        Host::Ipv6(it) => vec![SocketAddr::from((it, port))],
    };
    if found.is_empty() {
        return Err(Failure::Dns);
    }
    if found
        .iter()
        .any(|it| is_prohibited(it.ip(), upstream.controlled_zone))
    {
        return Err(Failure::AddressProhibited);
    }
    Ok(found)
}

/// Dials `addresses` in turn. The peer must be one of them.
async fn dial(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failure> {
    for address in addresses {
        let Ok(stream) = TcpStream::connect(address).await else {
            continue;
        };
        let peer = stream
            .peer_addr()
            .map_err(|_| Failure::ConnectionTerminated)?;
        if !addresses.contains(&peer) {
            return Err(Failure::AddressProhibited);
        }
        stream
            .set_nodelay(true)
            .map_err(|_| Failure::ConnectionTerminated)?;
        return Ok((stream, peer));
    }
    Err(Failure::ConnectionRefused)
}

async fn speak<S>(stream: S, peer: SocketAddr, tls: Option<&'static str>) -> Result<Link, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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
    });
    Ok(Link { sender, peer, tls })
}

fn server_name(upstream: &Upstream) -> Result<ServerName<'static>, Failure> {
    match upstream.url.host().ok_or(Failure::Unconfigured)? {
        Host::Domain(name) => {
            ServerName::try_from(name.to_owned()).map_err(|_| Failure::Unconfigured)
        }
        Host::Ipv4(it) => Ok(ServerName::IpAddress(std::net::IpAddr::V4(it).into())),
        Host::Ipv6(it) => Ok(ServerName::IpAddress(std::net::IpAddr::V6(it).into())),
    }
}

fn tls_failure(error: &io::Error) -> Failure {
    let inner = error
        .get_ref()
        .and_then(|it| it.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Failure::TlsCertificate
        }
        Some(_) => Failure::TlsProtocol,
        None => Failure::ConnectionTerminated,
    }
}

fn version_name(version: ProtocolVersion) -> &'static str {
    if version == ProtocolVersion::TLSv1_3 {
        "TLSv1.3"
    } else if version == ProtocolVersion::TLSv1_2 {
        "TLSv1.2"
    } else {
        "unknown"
    }
}
