//! The binary as a process, in a folder of its own.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn binary() -> PathBuf {
    let named = std::env::var_os("SHEKARA_BIN").map(PathBuf::from);
    let path = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_shekara").into());
    path.canonicalize().unwrap()
}

/// What a gate is started with.
#[derive(Default)]
pub(crate) struct Start<'a> {
    /// Variables.
    pub(crate) variables: Vec<(&'a str, String)>,
    /// A socket that listens, handed over under a name.
    pub(crate) socket: Option<(&'a str, &'a TcpListener)>,
}

/// A running gate.
pub(crate) struct Gate {
    pub(crate) child: Child,
    pub(crate) folder: PathBuf,
    pub(crate) listeners: BTreeMap<String, SocketAddr>,
    pub(crate) admin: SocketAddr,
}

impl Gate {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &Start::default())
    }

    pub(crate) fn start_with(folder: &Path, start: &Start<'_>) -> Self {
        let ready = folder.join("ready.json");
        if ready.exists() {
            fs::remove_file(&ready).unwrap();
        }
        let child = spawn(folder, start);
        let mut it = Self {
            child,
            folder: folder.to_owned(),
            listeners: BTreeMap::new(),
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        it.wait_for("the start", || ready.exists());
        let told: Value = serde_json::from_str(&fs::read_to_string(&ready).unwrap()).unwrap();
        let address = |it: &Value| it.as_str().unwrap().parse().unwrap();
        it.admin = address(&told["admin"]);
        let listeners = told["listeners"].as_object().unwrap();
        it.listeners = listeners
            .iter()
            .map(|(id, at)| (id.clone(), address(at)))
            .collect();
        it
    }

    pub(crate) fn main(&self) -> SocketAddr {
        self.listeners["main"]
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            let log = fs::read_to_string(self.folder.join("gate.log")).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(20).collect();
            assert!(
                Instant::now() < until,
                "{what}: waited in vain; the gate said\n{tail:#?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end of a gate that was told to stop.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the gate does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text
            .lines()
            .find_map(|it| it.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The value of a series; 0 when it is not there.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let (_, text) = get(self.admin, "/metrics").await;
        text.lines()
            .find_map(|it| it.strip_prefix(series)?.trim().parse().ok())
            .unwrap_or(0.0)
    }

    /// Exit code and output of another command beside the gate.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(&self.folder);
        let done = command.output().unwrap();
        let text = [done.stdout, done.stderr].concat();
        (
            done.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }

    /// Every record of the audit log, as exported.
    pub(crate) fn records(&self) -> Vec<Value> {
        let done = Command::new(binary())
            .args([
                "audit",
                "export",
                "--format",
                "ndjson",
                "--config",
                "shekara.yaml",
            ])
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let text = String::from_utf8(done.stdout).unwrap();
        text.lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect()
    }

    /// The decisions among [`records`](Self::records).
    pub(crate) fn decisions(&self) -> Vec<Value> {
        let event = |it: Value| it.get("event").cloned().unwrap_or(it);
        let all = self.records().into_iter().map(event);
        all.filter(|it| it["type"] == "decided").collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Gone already where the test has stopped it.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A shell gives the process its number (`LISTEN_PID`) and puts the socket on descriptor 3, then becomes the gate. It also lets the
/// signal about too large files be ignored, so that writing fails instead.
fn spawn(folder: &Path, start: &Start<'_>) -> Child {
    let script = if start.socket.is_some() {
        r#"trap '' XFSZ; export LISTEN_PID=$$; exec "$@" 3<&0 0</dev/null"#
    } else {
        r#"trap '' XFSZ; exec "$@""#
    };
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(binary()).args([
        "run",
        "--config",
        "shekara.yaml",
        "--ready-file",
        "ready.json",
    ]);
    command.envs(start.variables.iter().map(|(name, value)| (*name, value)));
    command.stdin(Stdio::null());
    if let Some((name, socket)) = start.socket {
        let copy: OwnedFd = socket.try_clone().unwrap().into();
        command
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDNAMES", name)
            .stdin(copy);
    }
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("gate.log"));
    command
        .current_dir(folder)
        .stderr(log.unwrap())
        .spawn()
        .unwrap()
}

/// Status and body of a page.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let wire = format!("GET {path} HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n");
    stream.write_all(wire.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// Puts `text` in the place of the file at once, as editors and configuration managers do.
pub(crate) fn replace(file: &Path, text: &str) {
    let next = file.with_extension("next");
    fs::write(&next, text).unwrap();
    fs::rename(next, file).unwrap();
}
