//! An upstream that records raw bytes and answers from a script.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::ports::Order;

/// What the upstream does with each request.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Answers, one a request; the last one for ever. An empty answer closes the connection.
    pub(crate) answers: Vec<Vec<u8>>,
    /// Before answering.
    pub(crate) delay: Duration,
    /// Between the first half of an answer and the second.
    pub(crate) pause: Duration,
    /// Close the connection after each answer.
    pub(crate) closes: bool,
}

impl Script {
    pub(crate) fn answer(wire: &str) -> Self {
        Self {
            answers: vec![wire.into()],
            delay: Duration::ZERO,
            pause: Duration::ZERO,
            closes: false,
        }
    }

    pub(crate) fn ok() -> Self {
        Self::answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }
}

/// The running upstream.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Upstream {
    pub(crate) async fn start(script: Script, order: Order) -> Self {
        Self::start_with_tls(script, order, None).await
    }

    pub(crate) async fn start_with_tls(
        script: Script,
        order: Order,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let it = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let copy = it.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                order.note("connected");
                copy.connections.fetch_add(1, Ordering::SeqCst);
                let (script, requests) = (script.clone(), Arc::clone(&copy.requests));
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, script, requests).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, script, requests).await;
                            }
                        }
                    }
                });
            }
        });
        it
    }

    /// Raw requests received, whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|it| String::from_utf8_lossy(it).into_owned())
            .collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: Script,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    let mut buffer = Vec::new();
    loop {
        let Some(length) = read_request(&mut stream, &mut buffer).await else {
            return;
        };
        let rest = buffer.split_off(length);
        let request = std::mem::replace(&mut buffer, rest);
        let at = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len() - 1
        };
        tokio::time::sleep(script.delay).await;
        let last = script.answers.len() - 1;
        let answer = &script.answers[at.min(last)];
        let (first, second) = answer.split_at(answer.len() / 2);
        if answer.is_empty() || stream.write_all(first).await.is_err() {
            return;
        }
        if !script.pause.is_zero() {
            stream.flush().await.unwrap();
            tokio::time::sleep(script.pause).await;
        }
        if stream.write_all(second).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        if script.closes {
            return;
        }
    }
}

/// Length of the first whole request in `buffer`, which has a `Content-Length` or no body: the gate frames no other way.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let body: usize = text[..end]
                .lines()
                .find_map(|it| it.strip_prefix("content-length: "))
                .map_or(0, |it| it.parse().unwrap());
            if buffer.len() >= end + 4 + body {
                return Some(end + 4 + body);
            }
        }
        let mut space = vec![0; 64 * 1024];
        match stream.read(&mut space).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&space[..read]),
        }
    }
}
