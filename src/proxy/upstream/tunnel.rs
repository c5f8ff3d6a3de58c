//! A tunnel through the operator's proxy (RFC 9110 §9.3.6): one request, one head back, then the bytes are the upstream's.

use std::fmt::Write as _;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::Host;

use super::Failure;
use crate::gatekeeper::destination::ForwardProxy;

/// Longest head of a proxy's answer.
const HEAD_BYTES: usize = 16 * 1024;
/// End of a head.
const END: &[u8] = b"\r\n\r\n";

/// Asks the proxy behind `stream` for `host` and `port`. The caller bounds the time.
pub(super) async fn open(
    stream: &mut TcpStream,
    proxy: &ForwardProxy,
    host: &Host<&str>,
    port: u16,
) -> Result<(), Failure> {
    let broken = |_| Failure::ConnectionTerminated;
    let request = request(proxy, host, port)?;
    stream.write_all(&request).await.map_err(broken)?;
    let mut head = Vec::with_capacity(512);
    while memchr::memmem::find(&head, END).is_none() {
        if head.len() >= HEAD_BYTES {
            return Err(Failure::Protocol);
        }
        if stream.read_buf(&mut head).await.map_err(broken)? == 0 {
            return Err(Failure::ConnectionTerminated);
        }
    }
    // In TLS the client speaks first: whatever follows the head is not the upstream's.
    if !head.ends_with(END) {
        return Err(Failure::Protocol);
    }
    match status(&head).ok_or(Failure::Protocol)? {
        200..=299 => Ok(()),
        407 => Err(Failure::Unconfigured),
        504 => Err(Failure::ConnectionTimeout),
        300..=599 => Err(Failure::ConnectionRefused),
        _ => Err(Failure::Protocol),
    }
}

fn request(proxy: &ForwardProxy, host: &Host<&str>, port: u16) -> Result<Vec<u8>, Failure> {
    let mut text = String::new();
    write!(
        text,
        "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"
    )
    .map_err(|_| Failure::Unconfigured)?;
    let mut bytes = text.into_bytes();
    if let Some(value) = &proxy.authorization {
        bytes.extend_from_slice(b"Proxy-Authorization: ");
        bytes.extend_from_slice(value.expose().as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    Ok(bytes)
}

/// The status of an HTTP/1 head.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|it| *it == b'\r').next()?;
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let (_, rest) = rest.split_once(' ')?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sensitive;

    #[test]
    fn asks_for_the_name_with_the_gates_credentials() {
        let proxy = ForwardProxy {
            host: Host::Domain("proxy.internal.test".to_owned()),
            port: 3128,
            authorization: Some(Sensitive::new(http::HeaderValue::from_static("Basic eA=="))),
        };
        let asked = |host| String::from_utf8(request(&proxy, &host, 443).unwrap()).unwrap();
        assert_eq!(
            asked(Host::Domain("api.example.org")),
            "CONNECT api.example.org:443 HTTP/1.1\r\nHost: api.example.org:443\r\nProxy-Authorization: Basic eA==\r\n\r\n"
        );
        assert!(
            asked(Host::Ipv6("2001:db8::1".parse().unwrap()))
                .contains("CONNECT [2001:db8::1]:443 ")
        );
    }

    #[test]
    fn reads_the_status_of_what_is_http() {
        for (head, wanted) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Some(200)),
            ("HTTP/1.0 200\r\n\r\n", Some(200)),
            ("HTTP/1.1 407 x\r\nA: b\r\n\r\n", Some(407)),
            ("HTTP/2 200\r\n\r\n", None),
            ("SSH-2.0-x\r\n\r\n", None),
        ] {
            assert_eq!(status(head.as_bytes()), wanted, "{head:?}");
        }
    }
}
