//! The demo's client: one request a connection, as `curl` would send it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// A member of the problem body, or nothing.
    pub(super) fn member(&self, name: &str) -> String {
        serde_json::from_slice::<serde_json::Value>(&self.body)
            .ok()
            .and_then(|it| it.get(name).cloned())
            .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
            .unwrap_or_default()
    }

    /// The reason code of a problem: the last part of its `type`.
    pub(super) fn reason(&self) -> String {
        self.member("type")
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    /// The decision id of `Shekara-Decision`.
    pub(super) fn decision(&self) -> String {
        let field = self
            .headers
            .get("shekara-decision")
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        field
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

/// Sends `POST path` with `body` to the gate.
pub(super) async fn post(
    gate: SocketAddr,
    path: &str,
    content_type: &str,
    body: Bytes,
) -> Result<Answer, String> {
    let told =
        |error: &dyn std::fmt::Display| format!("the gate at {gate} did not answer: {error}");
    let stream = TcpStream::connect(gate).await.map_err(|it| told(&it))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|it| told(&it))?;
    let driver = tokio::spawn(connection);
    let request = Request::post(path)
        .header(http::header::HOST, gate.to_string())
        .header(http::header::CONTENT_TYPE, content_type)
        .header(http::header::USER_AGENT, "shekara-demo")
        .body(Full::new(body))
        .map_err(|it| told(&it))?;
    let response = sender.send_request(request).await.map_err(|it| told(&it))?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|it| told(&it))?.to_bytes();
    drop(sender);
    driver.abort();
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body,
    })
}
