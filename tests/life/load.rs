//! An open-loop load of small requests over kept connections, and an upstream that answers them.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_rustls::TlsConnector;

/// Longest that a request may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Clients at once.
const CLIENTS: u32 = 20;

/// Answers every request with 200 after `delay`. Returns its address and the number of connections it got.
pub(crate) async fn upstream(delay: Duration) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let mut buffer = Vec::new();
                while read_message(&mut stream, &mut buffer).await.is_some() {
                    tokio::time::sleep(delay).await;
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, connections)
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The id in `Shekara-Decision` or in the problem.
    pub(crate) decision: String,
    pub(crate) took: Duration,
}

/// How the load ended.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) answers: Vec<Answer>,
    /// Requests that were sent again, because the connection had closed without a byte of an answer.
    pub(crate) again: usize,
    /// Requests whose answer broke off.
    pub(crate) broken: usize,
    /// Clients that found nobody listening any more, and stopped.
    pub(crate) turned_away: usize,
}

impl Outcome {
    /// Of the times of answers, in milliseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let mut times: Vec<_> = self.answers.iter().map(|it| it.took).collect();
        times.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index from a share"
        )]
        let at = ((times.len() - 1) as f64 * share) as usize;
        times[at].as_secs_f64() * 1000.0
    }
}

/// How to reach a gate.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// A new connection for each request.
    pub(crate) is_fresh: bool,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A load under way.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    outcome: Arc<Mutex<Outcome>>,
    clients: JoinSet<()>,
    since: Instant,
}

impl Load {
    /// Posts `rate` requests a second to /us/x over `way`.
    pub(crate) fn start(way: &Way, rate: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let outcome = Arc::new(Mutex::new(Outcome::default()));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (way, stop, outcome) = (way.clone(), Arc::clone(&stop), Arc::clone(&outcome));
            let every = Duration::from_secs(1) * CLIENTS / rate;
            clients.spawn(async move { client(&way, every, &stop, &outcome).await });
        }
        Self {
            stop,
            outcome,
            clients,
            since: Instant::now(),
        }
    }

    pub(crate) fn answered(&self) -> usize {
        self.outcome.lock().unwrap().answers.len()
    }

    /// Lets every client finish its request. Also returns the rate that was reached.
    pub(crate) async fn stop(mut self) -> (Outcome, f64) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
        let outcome = std::mem::take(&mut *self.outcome.lock().unwrap());
        let rate = f64::from(u32::try_from(outcome.answers.len()).unwrap());
        (outcome, rate / self.since.elapsed().as_secs_f64())
    }
}

async fn client(way: &Way, every: Duration, stop: &AtomicBool, outcome: &Mutex<Outcome>) {
    let mut kept: Option<Box<dyn Stream>> = None;
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !stop.load(Ordering::SeqCst) {
        tick.tick().await;
        let began = Instant::now();
        loop {
            let stream = match kept.take() {
                Some(stream) => stream,
                None => match connect(way).await {
                    Ok(stream) => stream,
                    Err(ConnectError::Nobody) => {
                        outcome.lock().unwrap().turned_away += 1;
                        return;
                    }
                    Err(ConnectError::Closed) => {
                        outcome.lock().unwrap().again += 1;
                        continue;
                    }
                },
            };
            match tokio::time::timeout(PATIENCE, exchange(stream))
                .await
                .unwrap()
            {
                Exchange::Answered(status, decision, rest) => {
                    kept = rest.filter(|_| !way.is_fresh);
                    let took = began.elapsed();
                    let answer = Answer {
                        status,
                        decision,
                        took,
                    };
                    outcome.lock().unwrap().answers.push(answer);
                    break;
                }
                Exchange::Closed => outcome.lock().unwrap().again += 1,
                Exchange::Broken => {
                    outcome.lock().unwrap().broken += 1;
                    break;
                }
            }
        }
    }
}

enum ConnectError {
    /// The connection ended in the handshake.
    Closed,
    Nobody,
}

async fn connect(way: &Way) -> Result<Box<dyn Stream>, ConnectError> {
    let stream = match TcpStream::connect(way.address).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(ConnectError::Nobody);
        }
        Err(_) => return Err(ConnectError::Closed),
    };
    stream.set_nodelay(true).map_err(|_| ConnectError::Closed)?;
    match &way.tls {
        None => Ok(Box::new(stream)),
        Some(config) => {
            let name = ServerName::try_from("gate.test").unwrap();
            let stream = TlsConnector::from(Arc::clone(config))
                .connect(name, stream)
                .await;
            stream
                .map(|it| Box::new(it) as Box<dyn Stream>)
                .map_err(|error| {
                    assert!(
                        error.get_ref().is_none_or(|it| !it.is::<rustls::Error>()),
                        "{error}"
                    );
                    ConnectError::Closed
                })
        }
    }
}

enum Exchange {
    /// With the connection, where it is kept.
    Answered(u16, String, Option<Box<dyn Stream>>),
    /// Without a byte.
    Closed,
    Broken,
}

async fn exchange(mut stream: Box<dyn Stream>) -> Exchange {
    const BODY: &str = r#"{"email":"nobody@example.org"}"#;
    let wire = format!(
        "POST /us/x HTTP/1.1\r\nHost: gate.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    if stream.write_all(wire.as_bytes()).await.is_err() || stream.flush().await.is_err() {
        return Exchange::Closed;
    }
    let mut buffer = Vec::new();
    let Some(message) = read_message(&mut stream, &mut buffer).await else {
        return if buffer.is_empty() {
            Exchange::Closed
        } else {
            Exchange::Broken
        };
    };
    let text = String::from_utf8(message).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    let field = |name: &str| head.lines().find_map(|it| it.strip_prefix(name));
    let decision = match field("shekara-decision: ") {
        Some(it) => it.split(';').next().unwrap().to_owned(),
        None => serde_json::from_str::<serde_json::Value>(body).unwrap()["decision_id"]
            .as_str()
            .unwrap()
            .to_owned(),
    };
    let closes = field("connection: ").is_some_and(|it| it.trim() == "close");
    Exchange::Answered(status, decision, (!closes).then_some(stream))
}

/// One message with a `Content-Length`.
async fn read_message<S: AsyncRead + Unpin + ?Sized>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length: usize = head
                .lines()
                .find_map(|it| it.strip_prefix("content-length: "))
                .map_or(0, |it| it.trim().parse().unwrap());
            if buffer.len() >= end + 4 + length {
                let rest = buffer.split_off(end + 4 + length);
                return Some(std::mem::replace(buffer, rest));
            }
        }
        let mut space = [0; 8 * 1024];
        match stream.read(&mut space).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&space[..read]),
        }
    }
}
