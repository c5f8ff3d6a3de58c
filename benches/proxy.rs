//! One 1, 4 and 64 KiB JSON POST through the running gate, beside the same POST straight to the upstream, in one run.
//!
//! Latency of a sequential client. The difference between `gate` and `direct` is what the gate adds: two sockets more, inspection,
//! registers, decision and one durable audit record.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench may panic"
)]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Reads one HTTP/1.1 message with a Content-Length from `stream`; `None` at its end.
fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    buffer.clear();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(head) = buffer.windows(4).position(|it| it == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|it| it.strip_prefix("content-length:"))
                .and_then(|it| it.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if buffer.len() >= head + 4 + length {
                return Some(head + 4 + length);
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}

/// An upstream that answers 200 to everything.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                let mut buffer = Vec::new();
                while read_message(&mut stream, &mut buffer).is_some() {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                        .unwrap();
                }
            });
        }
    });
    address
}

struct Gate {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn gate(upstream: SocketAddr) -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        r#"version: 1
operator: {{legal_name: Bench LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: log-only
listeners: [{{id: main, bind: "127.0.0.1:0"}}]
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: warn}}
parties: [{{id: us, legal_name: Example Inc., role: controller}}]
destinations:
  - id: us
    party: us
    country: US
    match: {{path_prefix: /us}}
    upstream: {{url: "http://{upstream}/", controlled_zone: true}}
    routes: [{{path: /, purpose: order.notice}}]
"#
    );
    fs::write(folder.path().join("shekara.yaml"), config).unwrap();
    let ready = folder.path().join("ready.json");
    let child = Command::new(env!("CARGO_BIN_EXE_shekara"))
        .args([
            "run",
            "--config",
            "shekara.yaml",
            "--ready-file",
            "ready.json",
        ])
        .current_dir(folder.path())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let address = loop {
        std::thread::sleep(Duration::from_millis(20));
        if let Ok(text) = fs::read_to_string(&ready) {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            break value["listeners"]["main"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
        }
    };
    Gate {
        child,
        address,
        _folder: folder,
    }
}

/// About `size` bytes of an order notice with two identifiers of one person.
fn body(size: usize) -> String {
    let item = r#"{"sku":"KZ-4471","title":"Kettle, steel, 1.7 l","quantity":1,"price":14990.0}"#;
    let items = vec![item; (size / item.len()).max(1)].join(",");
    format!(r#"{{"email":"aigul@example.org","phone":"+7 701 000 00 01","items":[{items}]}}"#)
}

fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) {
    stream.write_all(request).unwrap();
    read_message(stream, buffer).unwrap();
    assert!(
        buffer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(buffer)
    );
}

fn whole_proxy(criterion: &mut Criterion) {
    let upstream = upstream();
    let gate = gate(upstream);
    let mut group = criterion.benchmark_group("proxy");
    for size in [1024, 4096, 65536] {
        let body = body(size);
        let request = format!(
            "POST /us/notify HTTP/1.1\r\nHost: gate.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        group.throughput(Throughput::Bytes(body.len() as u64));
        for (name, address) in [("direct", upstream), ("gate", gate.address)] {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            let mut buffer = Vec::new();
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| exchange(&mut stream, request.as_bytes(), &mut buffer));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, whole_proxy);
criterion_main!(benches);
