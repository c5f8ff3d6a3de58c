//! The gate as a process, and a recipient that keeps what it is sent.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::status::status;

/// Longer than a start takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A recipient on loopback.
#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recipient {
    /// Listens; each connection is served by a thread that ends with it.
    pub(crate) fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let it = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let received = Arc::clone(&it.received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let received = Arc::clone(&received);
                thread::spawn(move || serve(stream, answer, &received));
            }
        });
        it
    }

    /// Takes what came since the last call.
    pub(crate) fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.received.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, answer: &str, received: &Mutex<Vec<Vec<u8>>>) {
    let mut buffer = Vec::new();
    let mut space = vec![0; 64 * 1024];
    loop {
        if let Some(length) = whole(&buffer) {
            let rest = buffer.split_off(length);
            received
                .lock()
                .unwrap()
                .push(std::mem::replace(&mut buffer, rest));
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
            continue;
        }
        match stream.read(&mut space) {
            Ok(read) if read > 0 => buffer.extend_from_slice(&space[..read]),
            _ => {
                if !buffer.is_empty() {
                    received.lock().unwrap().push(buffer);
                }
                return;
            }
        }
    }
}

/// Length of the first request in `buffer`, once it is there.
fn whole(buffer: &[u8]) -> Option<usize> {
    let end = buffer.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
    let body = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length:"))
        .map_or(0, |it| it.trim().parse().unwrap());
    (buffer.len() >= end + body).then_some(end + body)
}

/// The gate, until it is dropped.
#[derive(Debug)]
pub(crate) struct Gate {
    process: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Gate {
    /// Starts the binary with `config`, in a folder of its own.
    pub(crate) fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shekara.yaml"), config).unwrap();
        let ready = folder.path().join("ready.json");
        let log = fs::File::create(folder.path().join("gate.log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_shekara"))
            .args(["run", "--config", "shekara.yaml", "--ready-file"])
            .arg(&ready)
            .current_dir(folder.path())
            .env_remove("SHEKARA_CONFIG")
            .env_remove("SHEKARA_STATE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut it = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            folder,
        };
        it.address = it.wait(&ready);
        it
    }

    fn wait(&mut self, ready: &Path) -> SocketAddr {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Ok(text) = fs::read_to_string(ready) {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                return value["listeners"]["main"]
                    .as_str()
                    .unwrap()
                    .parse()
                    .unwrap();
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the gate ended with {status}: {}", self.log());
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the gate was not ready in time: {}", self.log());
    }

    /// What the gate logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("gate.log")).unwrap_or_default()
    }

    /// Every byte of the audit log.
    pub(crate) fn audit(&self) -> String {
        let mut out = String::new();
        let mut folders = vec![self.folder.path().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    out += &String::from_utf8_lossy(&fs::read(path).unwrap_or_default());
                }
            }
        }
        out
    }

    /// How often `mark` stands in the audit log.
    pub(crate) fn count_in_audit(&self, mark: &[u8]) -> usize {
        let mut count = 0;
        let mut folders = vec![self.folder.path().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = fs::read(path).unwrap_or_default();
                    count += memchr::memmem::find_iter(&bytes, mark).count();
                }
            }
        }
        count
    }

    /// Sends `wire`, ends the sending side, and reads all that is answered.
    pub(crate) fn send(&self, wire: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        if wire.starts_with(b"PRI * HTTP/2.0\r\n") {
            return send_http2(stream, wire);
        }
        // The gate may answer and close before it has read everything.
        let _sent = stream
            .write_all(wire)
            .and_then(|()| stream.shutdown(Shutdown::Write));
        let mut bytes = Vec::new();
        let mut space = [0; 16 * 1024];
        while let Ok(read @ 1..) = stream.read(&mut space) {
            bytes.extend_from_slice(&space[..read]);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let statuses = text
            .match_indices("HTTP/1.1 ")
            .filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok())
            .collect();
        Answer { statuses, text }
    }
}

/// Sends the frames of one request, and reads until its stream has ended. A client of HTTP/2 that ends its side has gone.
///
/// A stream or connection that the gate resets counts as answered 400: that is what HTTP/1.1 would have said.
fn send_http2(mut stream: TcpStream, wire: &[u8]) -> Answer {
    let _sent = stream.write_all(wire);
    let mut statuses = Vec::new();
    let mut text = String::new();
    let mut header = [0; 9];
    while stream.read_exact(&mut header).is_ok() {
        let [a, b, c, kind, flags, ..] = header;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        stream.read_exact(&mut payload).unwrap();
        let is_end = match kind {
            0 => {
                text += &String::from_utf8_lossy(&payload);
                flags & 1 != 0
            }
            1 => {
                statuses.push(status(&payload));
                flags & 1 != 0
            }
            3 | 7 => {
                statuses.push(400);
                true
            }
            _ => false,
        };
        if is_end {
            break;
        }
    }
    assert!(!statuses.is_empty(), "nothing was answered over HTTP/2");
    Answer { statuses, text }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has reported by then.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// What came back on one connection.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) statuses: Vec<u16>,
    pub(crate) text: String,
}
