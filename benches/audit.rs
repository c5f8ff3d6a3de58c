//! Durable appends of the audit log against raw `pwrite` + `fdatasync` of the same bytes in the same groups, in the same run.
//!
//! Prints for 1, 64 and 1024 concurrent waiters: records a second of the log over those of the raw file, at the batch that the log reached
//! (goal: at least 0.7) and at a batch of all waiters.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark may panic and prints its figures"
)]

use std::{
    fs::{self, File},
    hint::black_box,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rustix::fs::{FallocateFlags, fallocate, fdatasync};
use shekara::{
    audit::{Log, Settings},
    gatekeeper::{
        ports::AuditLog,
        record::{AuditEvent, Completed, DecisionId, Outcome},
    },
    model::Timestamp,
};
use tokio::runtime::Runtime;

const SEGMENT_BYTES: u64 = 64 << 20;
/// How long each side of a ratio is measured.
const ROUND: Duration = Duration::from_secs(2);

/// A record of about 450 bytes with its hashes.
fn event() -> AuditEvent {
    AuditEvent::Completed(Completed {
        id: DecisionId(uuid::Uuid::nil()),
        at: Timestamp::from_millis(1_795_330_000_000),
        outcome: Outcome::Answered,
        status: Some(200),
        sent: true,
        peer: Some("127.0.0.1:443".to_owned()),
        via_proxy: false,
        tls: Some("1.3".to_owned()),
        time_limit: None,
    })
}

fn open(dir: &Path) -> Arc<Log> {
    Arc::new(
        Log::open(&Settings {
            dir: dir.to_owned(),
            segment_bytes: SEGMENT_BYTES,
        })
        .unwrap(),
    )
}

/// `waiters` tasks that append one record after the other until `ROUND` is over: records a second, mean records a group, mean
/// bytes a record.
fn log_rate(runtime: &Runtime, waiters: usize, dir: &Path) -> (f64, u64, u64) {
    let log = open(dir);
    let started = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..waiters)
            .map(|_| {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    while started.elapsed() < ROUND {
                        log.append(event()).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    let stats = log.stats();
    let seconds = started.elapsed().as_secs_f64();
    let batch = stats.records.div_ceil(stats.groups.max(1));
    (
        per(stats.records, seconds),
        batch,
        stats.bytes / stats.records.max(1),
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// A preallocated file that is written from its start again when it is full.
struct Raw {
    file: File,
    offset: u64,
}

impl Raw {
    fn new(dir: &Path) -> Self {
        let file = File::create(dir.join("raw")).unwrap();
        fallocate(&file, FallocateFlags::empty(), 0, SEGMENT_BYTES).unwrap();
        file.sync_all().unwrap();
        Self { file, offset: 0 }
    }

    fn write(&mut self, group: &[u8]) {
        if self.offset + group.len() as u64 > SEGMENT_BYTES {
            self.offset = 0;
        }
        self.file
            .write_all_at(black_box(group), self.offset)
            .unwrap();
        fdatasync(&self.file).unwrap();
        self.offset += group.len() as u64;
    }
}

/// Records a second of the raw file in groups of `batch` records of `bytes`.
fn raw_rate(batch: u64, bytes: u64, dir: &Path) -> f64 {
    let mut raw = Raw::new(dir);
    let group = vec![b'x'; usize::try_from(batch * bytes).unwrap()];
    let started = Instant::now();
    let mut records = 0;
    while started.elapsed() < ROUND {
        raw.write(&group);
        records += batch;
    }
    per(records, started.elapsed().as_secs_f64())
}

fn print_ratios(runtime: &Runtime) {
    for waiters in [1_usize, 64, 1024] {
        let dir = tempfile::tempdir_in(target_dir()).unwrap();
        let (log, batch, bytes) = log_rate(runtime, waiters, dir.path());
        let raw = raw_rate(batch, bytes, dir.path());
        let full = raw_rate(waiters as u64, bytes, dir.path());
        println!(
            "audit/{waiters}: log {log:.0}/s in groups of {batch}, {bytes} B a record; raw at that batch {raw:.0}/s: ratio {:.2}; \
             raw at {waiters} {full:.0}/s: ratio {:.2}",
            log / raw,
            log / full
        );
    }
}

/// A directory on a disk: `/tmp` may be memory.
fn target_dir() -> std::path::PathBuf {
    let dir = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    fs::create_dir_all(&dir).unwrap();
    dir.into()
}

fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    print_ratios(&runtime);
    let mut group = criterion.benchmark_group("audit/append");
    group.sample_size(10);
    for waiters in [1_usize, 64, 1024] {
        let dir = tempfile::tempdir_in(target_dir()).unwrap();
        let log = open(dir.path());
        group.throughput(Throughput::Elements(waiters as u64));
        group.bench_function(BenchmarkId::from_parameter(waiters), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let tasks: Vec<_> = (0..waiters)
                        .map(|_| {
                            let log = Arc::clone(&log);
                            tokio::spawn(async move { log.append(event()).await.unwrap() })
                        })
                        .collect();
                    for task in tasks {
                        black_box(task.await.unwrap());
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
