//! HTTP/2 clients: a real one, and one that writes frames byte for byte.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Body, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{client::PATIENCE, status::status};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A real client with prior knowledge, in the clear.
pub(crate) async fn connect<B>(address: SocketAddr) -> SendRequest<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    over(TcpStream::connect(address).await.unwrap()).await
}

/// The same over any stream.
pub(crate) async fn over<B, S>(stream: S) -> SendRequest<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(async move {
        // The gate may end it, which the test sees at its requests.
        let _ended = connection.await;
    });
    sender
}

/// A request with a whole body.
pub(crate) fn request(
    method: &str,
    uri: &str,
    fields: &[(&str, &[u8])],
    body: &str,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

/// An answer read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(crate) async fn read(response: Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let whole = timeout(PATIENCE, body.collect()).await.unwrap().unwrap();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            trailers: whole.trailers().cloned(),
            body: whole.to_bytes().to_vec(),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends `request` and reads its answer.
pub(crate) async fn ask(
    client: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Answer {
    let response = timeout(PATIENCE, client.send_request(request)).await;
    Answer::read(response.unwrap().unwrap()).await
}

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// Fields as literals that are not indexed and not compressed (RFC 7541 §6.2.2).
pub(crate) fn block(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name.as_bytes(), value] {
            let mut length = text.len();
            if length < 127 {
                out.push(u8::try_from(length).unwrap());
            } else {
                out.push(127);
                length -= 127;
                while length >= 128 {
                    out.push(u8::try_from(length % 128).unwrap() | 128);
                    length /= 128;
                }
                out.push(u8::try_from(length).unwrap());
            }
            out.extend_from_slice(text);
        }
    }
    out
}

/// What the gate says on a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Status(u32, u16),
    Data(u32, usize),
    Reset(u32, u32),
    GoAway(u32),
}

/// A client that writes frames.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    /// Connects and says nothing.
    pub(crate) async fn silent(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            buffer: Vec::new(),
        }
    }

    /// Connects; says the preface and empty settings.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut it = Self::silent(address).await;
        it.send(&[PREFACE, &frame(SETTINGS, 0, 0, b"")].concat())
            .await;
        it
    }

    pub(crate) async fn send(&mut self, wire: &[u8]) {
        // The gate may have closed already.
        let _sent = self.stream.write_all(wire).await;
    }

    /// The next thing said that matters; `None` at the end of the connection.
    pub(crate) async fn said(&mut self) -> Option<Said> {
        loop {
            while self.buffer.len() < 9 {
                self.more().await?;
            }
            let length = usize::from(self.buffer[0]) << 16
                | usize::from(self.buffer[1]) << 8
                | usize::from(self.buffer[2]);
            while self.buffer.len() < 9 + length {
                self.more().await?;
            }
            let rest = self.buffer.split_off(9 + length);
            let frame = std::mem::replace(&mut self.buffer, rest);
            let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
            let stream = number(5);
            match frame[3] {
                DATA => return Some(Said::Data(stream, length)),
                HEADERS => return Some(Said::Status(stream, status(&frame[9..]))),
                RST_STREAM => return Some(Said::Reset(stream, number(9))),
                GOAWAY => return Some(Said::GoAway(number(13))),
                _ => {}
            }
        }
    }

    /// Everything that is said until the connection ends.
    pub(crate) async fn all_said(&mut self) -> Vec<Said> {
        let mut all = Vec::new();
        while let Some(said) = self.said().await {
            all.push(said);
        }
        all
    }

    async fn more(&mut self) -> Option<()> {
        let mut space = vec![0; 64 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut space))
            .await
            .unwrap()
            .ok()?;
        self.buffer.extend_from_slice(&space[..read]);
        (read > 0).then_some(())
    }
}
