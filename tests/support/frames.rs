//! An HTTP/2 upstream made of frames, for what no library would say (RFC 9113), and one of a library, for what they all do.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use tokio_rustls::TlsAcceptor;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// 200, after some time.
    Answer(Duration),
    /// 413 before the body was read, then RST_STREAM with NO_ERROR (RFC 9113 §8.1).
    AnswerEarly,
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY; the last stream is this request's, or the one before it. Then the connection stays open.
    GoAway { is_last: bool },
    /// The connection ends.
    Close,
    /// So many interim answers, then 200.
    Interim(usize),
    /// Nothing.
    Silence,
}

impl Act {
    pub(crate) const OK: Self = Self::Answer(Duration::ZERO);
    /// REFUSED_STREAM.
    pub(crate) const REFUSE: Self = Self::Reset(7);
}

/// What the peer is.
#[derive(Clone, Debug)]
pub(crate) struct Character {
    /// One act a request, the last one for ever.
    pub(crate) acts: Vec<Act>,
    /// MAX_CONCURRENT_STREAMS.
    pub(crate) streams_max: u32,
    /// Answers no ping.
    pub(crate) is_deaf: bool,
}

impl Character {
    pub(crate) fn that(acts: &[Act]) -> Self {
        Self {
            acts: acts.to_vec(),
            streams_max: 100,
            is_deaf: false,
        }
    }
}

/// The running upstream.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    pub(crate) address: SocketAddr,
    /// Begun.
    pub(crate) connections: Arc<AtomicUsize>,
    /// Still open.
    pub(crate) open: Arc<AtomicUsize>,
    /// Most streams at once on one connection.
    pub(crate) streams_peak: Arc<AtomicUsize>,
    /// Connection and stream of each request, in order.
    pub(crate) requests: Arc<Mutex<Vec<(usize, u32)>>>,
    /// Bytes of bodies.
    pub(crate) bytes: Arc<AtomicUsize>,
}

impl Frames {
    pub(crate) async fn start(character: Character) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let it = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            open: Arc::default(),
            streams_peak: Arc::default(),
            requests: Arc::default(),
            bytes: Arc::default(),
        };
        let copy = it.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = copy.connections.fetch_add(1, Ordering::SeqCst);
                copy.open.fetch_add(1, Ordering::SeqCst);
                let (copy, character) = (copy.clone(), character.clone());
                tokio::spawn(async move {
                    let _ended = copy.serve(stream, number, character).await;
                    copy.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        it
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<(usize, u32)> {
        self.requests.lock().unwrap().clone()
    }

    async fn serve(
        &self,
        stream: TcpStream,
        number: usize,
        character: Character,
    ) -> std::io::Result<()> {
        stream.set_nodelay(true).unwrap();
        let (mut from, to) = stream.into_split();
        let to = Arc::new(tokio::sync::Mutex::new(to));
        let mut settings = vec![0, 3];
        settings.extend(character.streams_max.to_be_bytes());
        write(&to, SETTINGS, 0, 0, &settings).await?;
        let mut preface = [0; 24];
        from.read_exact(&mut preface).await?;
        let streams = Arc::new(AtomicUsize::new(0));
        loop {
            let (kind, flags, id, payload) = read(&mut from).await?;
            match kind {
                SETTINGS if flags & ACK == 0 => write(&to, SETTINGS, ACK, 0, &[]).await?,
                PING if flags & ACK == 0 && !character.is_deaf => {
                    write(&to, PING, ACK, 0, &payload).await?;
                }
                DATA => {
                    self.bytes.fetch_add(payload.len(), Ordering::SeqCst);
                    let more = u32::try_from(payload.len()).unwrap().to_be_bytes();
                    if !payload.is_empty() {
                        write(&to, WINDOW_UPDATE, 0, 0, &more).await?;
                        write(&to, WINDOW_UPDATE, 0, id, &more).await?;
                    }
                }
                _ => {}
            }
            let act = |at: usize| character.acts[at.min(character.acts.len() - 1)];
            let count = self.requests.lock().unwrap().len();
            if kind == HEADERS && matches!(act(count), Act::AnswerEarly) {
                self.requests.lock().unwrap().push((number, id));
                // 413, literal on the indexed name `:status`.
                let head = [0x08, 3, b'4', b'1', b'3'];
                write(&to, HEADERS, END_HEADERS | END_STREAM, id, &head).await?;
                write(&to, RST_STREAM, 0, id, &[0; 4]).await?;
            } else if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                self.requests.lock().unwrap().push((number, id));
                let now = streams.fetch_add(1, Ordering::SeqCst) + 1;
                self.streams_peak.fetch_max(now, Ordering::SeqCst);
                if matches!(act(count), Act::Close) {
                    return Ok(());
                }
                let (to, streams, act) = (Arc::clone(&to), Arc::clone(&streams), act(count));
                tokio::spawn(async move {
                    let _written = perform(&to, id, act).await;
                    streams.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }
    }
}

type Writer = Arc<tokio::sync::Mutex<OwnedWriteHalf>>;

async fn perform(to: &Writer, id: u32, act: Act) -> std::io::Result<()> {
    let ok = [0x88];
    match act {
        Act::Answer(after) => {
            tokio::time::sleep(after).await;
            write(to, HEADERS, END_HEADERS | END_STREAM, id, &ok).await
        }
        Act::Reset(code) => write(to, RST_STREAM, 0, id, &code.to_be_bytes()).await,
        Act::GoAway { is_last } => {
            let last = if is_last { id } else { id.saturating_sub(2) };
            let mut payload = last.to_be_bytes().to_vec();
            payload.extend([0; 4]);
            write(to, GOAWAY, 0, 0, &payload).await
        }
        Act::Interim(count) => {
            for _ in 0..count {
                let head = [0x08, 3, b'1', b'0', b'3'];
                write(to, HEADERS, END_HEADERS, id, &head).await?;
            }
            write(to, HEADERS, END_HEADERS | END_STREAM, id, &ok).await
        }
        Act::AnswerEarly | Act::Close | Act::Silence => Ok(()),
    }
}

async fn write(to: &Writer, kind: u8, flags: u8, id: u32, payload: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(id.to_be_bytes());
    frame.extend(payload);
    to.lock().await.write_all(&frame).await
}

async fn read(from: &mut OwnedReadHalf) -> std::io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    from.read_exact(&mut head).await?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let id = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    let mut payload = vec![0; length];
    from.read_exact(&mut payload).await?;
    Ok((head[3], head[4], id, payload))
}

/// Heads and bodies, in order.
type Received = Arc<Mutex<Vec<(Request<()>, Bytes)>>>;

/// An upstream of a library, behind TLS: remembers heads and bodies, answers `ok` with a trailer field.
#[derive(Clone, Debug)]
pub(crate) struct Secured {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) requests: Received,
}

impl Secured {
    pub(crate) async fn start(tls: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let it = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let copy = it.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                copy.connections.fetch_add(1, Ordering::SeqCst);
                let (tls, copy) = (tls.clone(), copy.clone());
                tokio::spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let Ok(mut connection) = h2::server::handshake(stream).await else {
                        return;
                    };
                    while let Some(Ok((request, answer))) = connection.accept().await {
                        tokio::spawn(copy.clone().answer(request, answer));
                    }
                });
            }
        });
        it
    }

    async fn answer(
        self,
        request: Request<h2::RecvStream>,
        mut answer: h2::server::SendResponse<Bytes>,
    ) {
        let (parts, mut stream) = request.into_parts();
        let mut body = Vec::new();
        while let Some(Ok(data)) = stream.data().await {
            let _released = stream.flow_control().release_capacity(data.len());
            body.extend_from_slice(&data);
        }
        let request = Request::from_parts(parts, ());
        self.requests.lock().unwrap().push((request, body.into()));
        let mut sender = answer.send_response(Response::new(()), false).unwrap();
        sender.send_data(Bytes::from_static(b"ok"), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        sender.send_trailers(trailers).unwrap();
    }
}
