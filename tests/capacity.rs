//! The running binary under more than it may take at once: its memory as the system sees it, and what is left of it on the disk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const BUDGET: u64 = 32 * MIB;
/// Sockets, buffers of the HTTP library and stacks for each client; in all what the allocator has got back and not given back yet.
const OVERHEAD: u64 = 64 * MIB;
const PER_CLIENT: u64 = 512 * KIB;
const MARK: &[u8] = b"991231100010-person@example.org-";

/// Content that nobody reads: an opaque gap, which is recorded here and not enforced.
fn config(upstream: SocketAddr, limits: &str) -> String {
    format!(
        r#"version: 1
operator: {{legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: log-only
listeners: [{{id: main, bind: "127.0.0.1:0"}}]
admin: {{bind: "127.0.0.1:0"}}
limits: {{{limits}}}
parties: [{{id: us, legal_name: Example Inc., role: controller}}]
destinations:
  - id: us
    party: us
    country: US
    match: {{path_prefix: /us}}
    upstream: {{url: "http://{upstream}/", controlled_zone: true}}
    limits: {{body_size: 64MiB}}
    routes: [{{path: /, purpose: order.notice}}]
"#
    )
}

/// Reads every body and says 200.
fn upstream(bytes: Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, bytes) = (BufReader::new(stream.unwrap()), Arc::clone(&bytes));
            thread::spawn(move || {
                while let Some(length) = content_length(&mut stream) {
                    let body = &mut (&mut stream).take(length);
                    let read = std::io::copy(body, &mut std::io::sink()).unwrap_or_default();
                    bytes.fetch_add(read, Ordering::SeqCst);
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    if stream.get_mut().write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// The length of the next body; `None` at the end of the connection.
fn content_length(stream: &mut BufReader<TcpStream>) -> Option<u64> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.trim().parse().unwrap();
        }
        if line == "\r\n" {
            return Some(length);
        }
    }
}

struct Gate {
    child: Child,
    main: SocketAddr,
    admin: SocketAddr,
    folder: TempDir,
}

impl Gate {
    fn start(upstream: SocketAddr, limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shekara.yaml"), config(upstream, limits)).unwrap();
        let ready = folder.path().join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_shekara"))
            .args(["run", "--ready-file", "ready.json"])
            .current_dir(folder.path())
            .stderr(fs::File::create(folder.path().join("gate.log")).unwrap())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while !ready.exists() {
            let log = fs::read_to_string(folder.path().join("gate.log")).unwrap_or_default();
            assert!(Instant::now() < until, "the gate said:\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
        let told: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&ready).unwrap()).unwrap();
        let address = |it: &serde_json::Value| it.as_str().unwrap().parse().unwrap();
        Self {
            child,
            main: address(&told["listeners"]["main"]),
            admin: address(&told["admin"]),
            folder,
        }
    }

    /// A figure of `/proc/PID/status`, in bytes.
    fn status(&self, name: &str) -> u64 {
        figure(self.child.id(), name)
    }

    fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        let head = "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let line = text.lines().find(|it| it.starts_with(name));
        line.map_or(0, |it| it.rsplit(' ').next().unwrap().parse().unwrap())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Gone already where the test has ended it.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn figure(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|it| it.starts_with(name)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * KIB
}

fn head(length: u64) -> String {
    format!(
        "POST /us/file HTTP/1.1\r\nHost: gate.test\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Sends `length` bytes and gives the status of the answer, which may come before all are sent.
fn post(main: SocketAddr, length: u64) -> u16 {
    let mut stream = TcpStream::connect(main).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(head(length).as_bytes()).unwrap();
    let piece = vec![b'x'; usize::try_from(256 * KIB).unwrap()];
    for _ in 0..length.div_ceil(256 * KIB) {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    let mut line = [0; 12];
    match stream.read_exact(&mut line) {
        Ok(()) => std::str::from_utf8(&line[9..]).unwrap().parse().unwrap(),
        // The answer was lost to a reset: the gate had refused while this was still being sent.
        Err(_) => 503,
    }
}

/// All at once; the statuses, sorted.
fn post_all(main: SocketAddr, clients: u64, length: u64) -> Vec<u16> {
    let all: Vec<_> = (0..clients)
        .map(|_| thread::spawn(move || post(main, length)))
        .collect();
    let mut statuses: Vec<u16> = all.into_iter().map(|it| it.join().unwrap()).collect();
    statuses.sort_unstable();
    statuses
}

/// Three hundred megabytes at once where there is memory for thirty-two: some pass, the rest is told to come back, and the peak
/// that the system has seen stays at the budget and what connections cost.
#[test]
fn bodies_in_memory_stay_within_the_budget() {
    let received = Arc::new(AtomicU64::new(0));
    let gate = Gate::start(
        upstream(Arc::clone(&received)),
        "memory: 32MiB, spool_above: 8MiB",
    );
    assert_eq!(post(gate.main, KIB), 200);
    let before = gate.status("VmHWM");
    let (clients, length) = (48, 6 * MIB);
    let statuses = post_all(gate.main, clients, length);
    let grown = gate.status("VmHWM") - before;
    let passed = statuses.iter().filter(|it| **it == 200).count() as u64;
    assert!(
        statuses.iter().all(|it| [200, 503].contains(it)),
        "{statuses:?}"
    );
    assert!(passed >= 5, "{statuses:?}");
    assert_eq!(
        received.load(Ordering::SeqCst),
        passed * length + KIB,
        "what is refused is not sent"
    );
    let most = BUDGET + OVERHEAD + clients * PER_CLIENT;
    assert!(grown <= most, "{grown} of {most}");
    assert_eq!(gate.metric("shekara_memory_reserved_bytes"), 0);
    // Afterwards it is as it was.
    assert_eq!(post(gate.main, 6 * MIB), 200);
}

/// Half a gigabyte at once goes over the disk: memory of the process's own does not grow with it.
#[test]
fn bodies_on_disk_take_no_memory() {
    let received = Arc::new(AtomicU64::new(0));
    let gate = Gate::start(upstream(Arc::clone(&received)), "memory: 32MiB");
    assert_eq!(post(gate.main, KIB), 200);
    let before = gate.status("RssAnon");
    let (pid, is_over) = (gate.child.id(), Arc::new(AtomicBool::new(false)));
    let watch = {
        let is_over = Arc::clone(&is_over);
        thread::spawn(move || {
            let mut peak = 0;
            while !is_over.load(Ordering::SeqCst) {
                peak = peak.max(figure(pid, "RssAnon"));
                thread::sleep(Duration::from_millis(5));
            }
            peak
        })
    };
    let (clients, length) = (16, 32 * MIB);
    let statuses = post_all(gate.main, clients, length);
    is_over.store(true, Ordering::SeqCst);
    let grown = watch.join().unwrap().saturating_sub(before);
    assert_eq!(statuses, vec![200; 16]);
    assert_eq!(received.load(Ordering::SeqCst), clients * length + KIB);
    let most = BUDGET + OVERHEAD + clients * PER_CLIENT;
    assert!(grown <= most, "{grown} of {most}");
    assert_eq!(gate.metric("shekara_spool_bytes"), 0);
}

/// A process that is killed with a body on the disk leaves nothing of it: no name, no byte in any file of its directory.
#[test]
fn nothing_of_a_body_is_left_after_a_kill() {
    let mut gate = Gate::start(upstream(Arc::default()), "memory: 32MiB");
    let mut stream = TcpStream::connect(gate.main).unwrap();
    stream.write_all(head(32 * MIB).as_bytes()).unwrap();
    stream.write_all(&MARK.repeat(512 * 1024)).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while gate.metric("shekara_spool_bytes") < 32 * MIB {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(10));
    }
    let descriptors = fs::read_dir(format!("/proc/{}/fd", gate.child.id())).unwrap();
    let on_disk: u64 = descriptors
        .filter_map(|it| {
            let path = it.unwrap().path();
            let target = fs::read_link(&path).ok()?;
            let is_nameless = target.to_string_lossy().contains("spool/");
            is_nameless.then(|| fs::metadata(&path).map_or(0, |it| it.len()))
        })
        .sum();
    assert!(on_disk >= 16 * MIB, "{on_disk}");
    gate.child.kill().unwrap();
    gate.child.wait().unwrap();
    assert!(gate.folder.path().join("state/spool").is_dir());
    search(gate.folder.path());
}

fn search(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert!(!path.ends_with("spool") || fs::read_dir(&path).unwrap().count() == 0);
            search(&path);
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(MARK.len()).any(|it| it == MARK);
            assert!(!found, "{}", path.display());
        }
    }
}
