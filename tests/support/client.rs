//! Raw bytes in, raw answers out.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than any answer of these tests takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A connection that reads one answer after another.
#[derive(Debug)]
pub(crate) struct Client<S = TcpStream> {
    pub(crate) stream: S,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, wire: &[u8]) {
        self.stream.write_all(wire).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next answer to a request with `method`; `None` when the connection ends first.
    pub(crate) async fn answer_to(&mut self, method: &str) -> Option<Answer> {
        timeout(PATIENCE, self.read_answer(method)).await.unwrap()
    }

    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        self.answer_to("POST").await
    }

    /// Sends `wire` and reads one answer.
    pub(crate) async fn ask(&mut self, wire: &str) -> Answer {
        self.send(wire.as_bytes()).await;
        let method = wire.split(' ').next().unwrap();
        self.answer_to(method).await.unwrap()
    }

    /// Whether the gate closes the connection now.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut space = [0; 1024];
        matches!(
            timeout(PATIENCE, self.stream.read(&mut space)).await,
            Ok(Ok(0) | Err(_))
        )
    }

    async fn read_answer(&mut self, method: &str) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let rest = self.buffer.split_off(end);
        let head = String::from_utf8(std::mem::replace(&mut self.buffer, rest)).unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
            return Some(answer);
        }
        answer.body = if answer.field("transfer-encoding") == Some("chunked") {
            self.chunks().await?
        } else {
            let length = answer.field("content-length").unwrap().parse().unwrap();
            self.bytes(length).await?
        };
        Some(answer)
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let at = loop {
                if let Some(at) = self.buffer.windows(2).position(|it| it == b"\r\n") {
                    break at;
                }
                self.more().await?;
            };
            let line = self.bytes(at + 2).await?;
            let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16);
            let length = length.unwrap();
            let chunk = self.bytes(length + 2).await?;
            if length == 0 {
                return Some(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }

    async fn bytes(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        let rest = self.buffer.split_off(length);
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    async fn more(&mut self) -> Option<()> {
        let mut space = vec![0; 64 * 1024];
        let read = self.stream.read(&mut space).await.ok()?;
        self.buffer.extend_from_slice(&space[..read]);
        (read > 0).then_some(())
    }
}
