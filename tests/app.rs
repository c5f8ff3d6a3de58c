//! The running binary: reload, drain and state, as an operator meets them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const CONFIG: &str = r#"version: 1
operator: {legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}
state_dir: state
listeners: [{id: main, bind: "127.0.0.1:0"}]
admin: {bind: "127.0.0.1:0"}
log: {format: json, level: info}
reload: {watch: "off"}
parties: [{id: us, legal_name: Example Inc., role: controller}]
destinations:
  - id: us
    party: us
    country: US
    match: {path_prefix: /us}
    upstream: {url: "http://127.0.0.1:9/", controlled_zone: true}
    routes: [{path: /, purpose: order.notice}]
"#;

struct Gate {
    child: Child,
    main: SocketAddr,
    admin: SocketAddr,
}

impl Gate {
    fn start(folder: &Path) -> Self {
        let ready = folder.join("ready.json");
        if ready.exists() {
            fs::remove_file(&ready).unwrap();
        }
        let child = Command::new(env!("CARGO_BIN_EXE_shekara"))
            .args([
                "run",
                "--config",
                "shekara.yaml",
                "--ready-file",
                "ready.json",
            ])
            .current_dir(folder)
            .stderr(fs::File::create(folder.join("gate.log")).unwrap())
            .spawn()
            .unwrap();
        wait_for(folder, || ready.exists());
        let told: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&ready).unwrap()).unwrap();
        let address = |it: &serde_json::Value| it.as_str().unwrap().parse().unwrap();
        Self {
            child,
            main: address(told.pointer("/listeners/main").unwrap()),
            admin: address(told.pointer("/admin").unwrap()),
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    fn metric(&self, line: &str) -> bool {
        get(self.admin, "/metrics").lines().any(|it| it == line)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Gone already where the test has stopped it.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn wait_for(folder: &Path, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        let log = fs::read_to_string(folder.join("gate.log")).unwrap_or_default();
        assert!(
            Instant::now() < until,
            "waited in vain; the gate said:\n{log}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn command(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_shekara"))
        .args(arguments)
        .args(["--config", "shekara.yaml"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [done.stdout, done.stderr].concat();
    (
        done.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

/// If this fails, a reload takes force in part, a bad one does, or nobody can see which configuration is in force.
#[test]
fn a_reload_is_whole_or_nothing_and_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shekara.yaml");
    fs::write(&file, CONFIG).unwrap();
    let mut gate = Gate::start(folder.path());
    assert!(get(gate.main, "/de/x").starts_with("HTTP/1.1 403"));

    fs::write(
        &file,
        CONFIG.replace("path_prefix: /us", "path_prefix: /de"),
    )
    .unwrap();
    gate.signal("-HUP");
    wait_for(folder.path(), || gate.metric("shekara_config_generation 2"));
    assert!(get(gate.main, "/us/x").starts_with("HTTP/1.1 403"));
    assert!(
        get(gate.main, "/de/x").starts_with("HTTP/1.1 502"),
        "nobody listens upstream"
    );

    fs::write(&file, CONFIG.replace("country: US", "country: XX")).unwrap();
    gate.signal("-HUP");
    let refused = r#"shekara_config_reloads_total{outcome="refused"} 1"#;
    wait_for(folder.path(), || gate.metric(refused));
    assert!(
        get(gate.main, "/de/x").starts_with("HTTP/1.1 502"),
        "the old one stays"
    );

    gate.signal("-TERM");
    assert!(gate.child.wait().unwrap().success());
    let (code, tail) = command(
        folder.path(),
        &["audit", "tail", "-n", "20", "--state", "state"],
    );
    assert_eq!(code, 0, "{tail}");
    for action in ["started", "reloaded", "reload-refused", "stopped"] {
        assert!(tail.contains(action), "{action} is not on record:\n{tail}");
    }
}

/// If this fails, a second gate could write into the same log, or a lost key would let every reference match nobody.
#[test]
fn one_owner_and_no_start_without_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shekara.yaml"), CONFIG).unwrap();
    let gate = Gate::start(folder.path());
    let (code, told) = command(folder.path(), &["run"]);
    assert_eq!(code, 1);
    assert!(told.contains("audit"), "{told}");
    gate.signal("-TERM");
    drop(gate);
    fs::remove_file(folder.path().join("state/keys.json")).unwrap();
    let (code, told) = command(folder.path(), &["run"]);
    assert_eq!(code, 1);
    assert!(told.contains("keys.json"), "{told}");
    assert!(
        !folder.path().join("state/keys.json").exists(),
        "no new key is made over the old register"
    );
}

/// If this fails, a backup of the registers put back makes the gate forget withdrawals in silence.
#[test]
fn older_registers_than_the_log_knows_do_not_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shekara.yaml"), CONFIG).unwrap();
    let stop = |mut gate: Gate| {
        gate.signal("-TERM");
        assert!(gate.child.wait().unwrap().success());
    };
    stop(Gate::start(folder.path()));
    let registers = folder.path().join("state/registers.sqlite");
    let backup = fs::read(&registers).unwrap();
    let gate = Gate::start(folder.path());
    fs::write(folder.path().join("offer.txt"), "offer").unwrap();
    let added = [
        "text",
        "add",
        "--text",
        "offer",
        "--text-version",
        "1",
        "--locale",
        "kk",
        "--from",
        "2026-01-01",
        "--file",
        "offer.txt",
    ];
    let (code, told) = command(folder.path(), &added);
    assert_eq!(code, 0, "{told}");
    let drained = || {
        command(folder.path(), &["audit", "tail", "-n", "5"])
            .1
            .contains("register")
    };
    wait_for(folder.path(), drained);
    stop(gate);
    for name in ["registers.sqlite-wal", "registers.sqlite-shm"] {
        let left = folder.path().join("state").join(name);
        if left.exists() {
            fs::remove_file(left).unwrap();
        }
    }
    fs::write(&registers, backup).unwrap();
    let (code, told) = command(folder.path(), &["run"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("older than the audit log"), "{told}");
}

/// If this fails, a request tried again is missing from the record, and the counters lie (acceptance case 31).
#[test]
fn a_request_tried_again_is_two_records_with_one_verdict() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("shekara.yaml"), CONFIG).unwrap();
    let mut gate = Gate::start(folder.path());
    for _ in 0..2 {
        let refused = get(gate.main, "/us/notify?iin=991231100010");
        assert!(refused.starts_with("HTTP/1.1 451"), "{refused}");
    }
    gate.signal("-TERM");
    assert!(gate.child.wait().unwrap().success());
    let (code, records) = command(folder.path(), &["audit", "export", "--format", "ndjson"]);
    assert_eq!(code, 0, "{records}");
    let refusals: Vec<_> = records
        .lines()
        .filter(|it| it.contains(r#""code":"subject-unknown""#))
        .collect();
    assert_eq!(refusals.len(), 2, "{records}");
    assert!(
        !records.contains("991231100010"),
        "the record repeats the value"
    );
}

/// If this fails, an operator who asks the gate is not told that it refuses large bodies, or what it lets pass.
#[test]
fn readiness_says_what_cannot_be_used_and_what_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let opened =
        "    waivers: [{reason: no-agreement, officer: Officer, why: w, until: \"2099-12-31\"}]\n";
    fs::write(
        folder.path().join("shekara.yaml"),
        format!("{CONFIG}{opened}"),
    )
    .unwrap();
    let gate = Gate::start(folder.path());
    let told = || get(gate.admin, "/readyz?verbose");
    let whole = "[+] audit-log\n[+] accepting\n[+] registers\n[+] spool\n[!] opened: waiver no-agreement at us until 2099-12-31\nready\n";
    assert!(told().ends_with(whole), "{}", told());
    let spool = folder.path().join("state/spool");
    fs::remove_dir(&spool).unwrap();
    wait_for(folder.path(), || {
        told().contains("[!] cannot be used: spool\n")
    });
    assert!(told().starts_with("HTTP/1.1 200 "), "{}", told());
    fs::create_dir(&spool).unwrap();
    wait_for(folder.path(), || told().contains("[+] spool\n"));
}

/// If this fails, a container is called healthy that refuses everything, or unhealthy while it works.
#[test]
fn a_container_asks_whether_the_gate_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shekara.yaml");
    fs::write(&file, CONFIG).unwrap();
    let mut gate = Gate::start(folder.path());
    let url = format!("http://{}", gate.admin);
    let ready = (0, "ready\n".to_owned());
    assert_eq!(
        command(folder.path(), &["healthcheck", "--url", &url]),
        ready
    );
    let (code, screen) = command(folder.path(), &["status", "--url", &url]);
    assert_eq!(code, 0, "{screen}");
    for shown in [
        "ready          yes\n",
        ", generation 1, 0 refused",
        "in flight      0\n",
    ] {
        assert!(screen.contains(shown), "{screen}");
    }
    // By the configuration, also when it has become wrong since.
    let told = format!("version: 2\nadmin: {{bind: \"{}\"}}\n", gate.admin);
    fs::write(&file, told).unwrap();
    assert_eq!(command(folder.path(), &["healthcheck"]), ready);
    gate.signal("-KILL");
    gate.child.wait().unwrap();
    let (code, told) = command(folder.path(), &["healthcheck"]);
    assert_eq!(code, 1);
    assert!(
        told.starts_with("error: nobody answers at 127.0.0.1:"),
        "{told}"
    );
}
