//! What a service manager is told, and when its watchdog is not answered.

use std::{
    fs,
    net::TcpListener,
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use crate::gate::{Gate, Start, get};

const CONFIG: &str = r#"version: 1
operator: {legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}
state_dir: state
listeners: [{id: main, bind: "127.0.0.1:0"}]
admin: {bind: "127.0.0.1:0"}
reload: {watch: "off"}
parties: [{id: us, legal_name: Example Inc., role: controller}]
destinations:
  - {id: us, party: us, country: US, match: {path_prefix: /us}, upstream: {url: "http://127.0.0.1:9/", controlled_zone: true}, routes: [{purpose: order.notice}]}
"#;

/// A folder with a configuration and the socket of a service manager.
fn managed() -> (tempfile::TempDir, UnixDatagram) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shekara.yaml"), CONFIG).unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    (folder, socket)
}

fn told(socket: &UnixDatagram) -> String {
    let mut space = [0; 4096];
    let read = socket.recv(&mut space).unwrap();
    String::from_utf8(space[..read].to_vec()).unwrap()
}

/// The first message that is not about the watchdog.
fn told_of_state(socket: &UnixDatagram) -> String {
    loop {
        let text = told(socket);
        if text != "WATCHDOG=1\n" {
            return text;
        }
    }
}

fn start(folder: &tempfile::TempDir) -> Gate {
    let notify = folder.path().join("notify");
    Gate::start_with(
        folder.path(),
        &Start {
            variables: vec![
                ("NOTIFY_SOCKET", notify.to_str().unwrap().to_owned()),
                ("WATCHDOG_USEC", "300000".to_owned()),
            ],
            socket: None,
        },
    )
}

/// If this fails, systemd believes that the gate is ready, reloading or stopping when it is not.
#[test]
fn a_service_manager_is_told_of_start_reload_and_stop() {
    let (folder, socket) = managed();
    let mut gate = start(&folder);
    let ready = told_of_state(&socket);
    assert!(
        ready.starts_with("READY=1\nSTATUS=serving: 1 destination, "),
        "{ready}"
    );
    assert_eq!(told(&socket), "WATCHDOG=1\n");
    for (text, generation) in [(CONFIG.replace("US", "DE"), 2), ("nonsense".to_owned(), 2)] {
        fs::write(folder.path().join("shekara.yaml"), text).unwrap();
        gate.signal(Signal::HUP);
        let reloading = told_of_state(&socket);
        let since = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        assert!(
            since.unwrap().trim().parse::<u64>().unwrap() > 0,
            "{reloading}"
        );
        let ready = told_of_state(&socket);
        let shown = format!("(generation {generation})\n");
        assert!(
            ready.starts_with("READY=1\n") && ready.ends_with(&shown),
            "{ready}"
        );
    }
    gate.signal(Signal::TERM);
    let stopping = told_of_state(&socket);
    assert!(
        stopping.starts_with("STOPPING=1\nSTATUS=draining"),
        "{stopping}"
    );
    assert!(
        stopping.contains("EXTEND_TIMEOUT_USEC=40000000"),
        "{stopping}"
    );
    assert!(gate.ended().success());
}

/// If this fails, a gate whose log is poisoned is never restarted: it refuses everything for ever.
#[tokio::test]
async fn the_watchdog_is_not_answered_when_the_log_takes_no_records() {
    let (folder, socket) = managed();
    let gate = start(&folder);
    assert!(told_of_state(&socket).starts_with("READY=1"));
    for _ in 0..3 {
        assert_eq!(told(&socket), "WATCHDOG=1\n");
    }
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    prlimit(Some(gate.pid()), Resource::Fsize, none).unwrap();
    assert_eq!(get(gate.main(), "/us/x").await.0, 503);
    socket
        .set_read_timeout(Some(Duration::from_millis(900)))
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut space = [0; 4096];
    while socket.recv(&mut space).is_ok() {
        assert!(Instant::now() < deadline, "the watchdog is still answered");
    }
}

/// If this fails, connections to a socket that was handed over for no listener wait for ever.
#[test]
fn a_socket_for_no_listener_stops_the_start() {
    let (folder, _socket) = managed();
    let stray = TcpListener::bind("127.0.0.1:0").unwrap();
    let copy: std::os::fd::OwnedFd = stray.into();
    let done = Command::new("sh")
        .args([
            "-c",
            r#"export LISTEN_PID=$$; exec "$@" 3<&0 0</dev/null"#,
            "sh",
        ])
        .arg(env!("CARGO_BIN_EXE_shekara"))
        .args(["run", "--config", "shekara.yaml"])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", "mian")
        .stdin(copy)
        .stderr(Stdio::piped())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert!(
        text.contains("`mian`") && text.contains("FileDescriptorName="),
        "{text}"
    );
}
