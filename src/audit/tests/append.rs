//! Appending: durable before acknowledged, grouped, in order, poisoned by the first error.

use std::{
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::task::unconstrained;

use crate::{
    audit::{
        Error, Log,
        reader::Records,
        testing::{Watch, append, completed, decided, operated, runtime, settings},
        verify,
    },
    gatekeeper::{ports::AuditLog as _, record::AuditEvent},
};

const SEGMENT: u64 = 1 << 20;

#[test]
fn a_thousand_appends_share_syncs_and_keep_their_order() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), SEGMENT);
    // All are queued, in order, while the first sync is held back.
    let held = watch.gate.lock().unwrap();
    let mut appends: Vec<_> = (0..1000)
        .map(|n| Box::pin(unconstrained(log.append(decided(n)))))
        .collect();
    for append in &mut appends {
        let mut context = Context::from_waker(Waker::noop());
        assert!(append.as_mut().poll(&mut context).is_pending());
    }
    drop(held);
    let runtime = runtime();
    let receipts: Vec<_> = appends
        .into_iter()
        .map(|it| runtime.block_on(it).unwrap())
        .collect();
    let stats = log.stats();
    assert_eq!((stats.records, stats.queued), (1000, 0));
    assert!(stats.groups <= 10, "{} syncs", stats.groups);
    let sequences: Vec<u64> = receipts.iter().map(|it| it.sequence).collect();
    assert_eq!(sequences, (0..1000).collect::<Vec<_>>());
    log.close().unwrap();
    for (n, record) in (0..).zip(Records::open(dir.path(), 0).unwrap()) {
        let record = record.unwrap();
        assert_eq!(record.event, decided(n));
        assert_eq!(record.hash, receipts[usize::try_from(n).unwrap()].hash);
    }
    let report = verify(dir.path(), None).unwrap();
    assert_eq!((report.records, report.bad), (1000, None));
}

#[test]
fn no_record_is_acknowledged_before_its_sync() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), SEGMENT);
    runtime().block_on(unconstrained(async {
        let held = watch.gate.lock().unwrap();
        let mut waiting = log.append(operated(0));
        let mut is_pending = || {
            let mut context = Context::from_waker(Waker::noop());
            waiting.as_mut().poll(&mut context).is_pending()
        };
        assert!(is_pending());
        while !watch.calls.lock().unwrap().contains(&"write") {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(20));
        assert!(is_pending(), "written, not synced");
        drop(held);
        waiting.await.unwrap();
        assert_eq!(*watch.calls.lock().unwrap(), ["write", "sync"]);
    }));
}

#[test]
fn a_lone_completion_is_written_soon() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    append(&log, decided(0));
    let started = Instant::now();
    log.append_later(completed(0));
    while log.stats().records < 2 {
        assert!(started.elapsed() < Duration::from_secs(5), "never written");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(started.elapsed() >= Duration::from_millis(40), "lingers");
}

#[test]
fn completions_ride_with_the_next_decision() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    append(&log, decided(0));
    log.append_later(completed(0));
    append(&log, decided(1));
    assert_eq!((log.stats().records, log.stats().groups), (3, 2));
}

fn check_poison(what: &str, arm: impl Fn(&Watch)) {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), SEGMENT);
    append(&log, decided(0));
    assert!(log.is_writable());
    arm(&watch);
    let runtime = runtime();
    let error = runtime.block_on(log.append(decided(1))).unwrap_err();
    assert!(error.0.contains("restart"), "{what}: {error}");
    assert!(!log.is_writable() && log.stats().is_poisoned, "{what}");
    assert_eq!(log.stats().queued, 0, "{what}");
    // The disk works again; the log must not.
    watch.fails_to_write.store(false, Ordering::SeqCst);
    watch.fails_to_sync.store(false, Ordering::SeqCst);
    watch.panics.store(false, Ordering::SeqCst);
    let calls = watch.calls.lock().unwrap().len();
    assert_eq!(
        runtime.block_on(log.append(decided(2))).unwrap_err(),
        error,
        "{what}"
    );
    log.append_later(completed(0));
    assert_eq!(log.close().unwrap_err(), error, "{what}");
    assert_eq!(
        watch.calls.lock().unwrap().len(),
        calls,
        "{what}: no second try"
    );
    drop(log);
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    append(&log, decided(3));
    log.close().unwrap();
    assert_eq!(verify(dir.path(), None).unwrap().bad, None, "{what}");
}

#[test]
fn the_first_error_poisons_for_good() {
    check_poison("write", |it| {
        it.fails_to_write.store(true, Ordering::SeqCst)
    });
    check_poison("sync", |it| it.fails_to_sync.store(true, Ordering::SeqCst));
    check_poison("panic", |it| it.panics.store(true, Ordering::SeqCst));
}

#[test]
fn everybody_who_waits_is_told_of_the_error() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), SEGMENT);
    runtime().block_on(unconstrained(async {
        let held = watch.gate.lock().unwrap();
        let mut appends: Vec<_> = (0..50).map(|n| log.append(decided(n))).collect();
        for append in &mut appends {
            let mut context = Context::from_waker(Waker::noop());
            assert!(append.as_mut().poll(&mut context).is_pending());
        }
        watch.fails_to_sync.store(true, Ordering::SeqCst);
        drop(held);
        for append in appends {
            assert!(append.await.unwrap_err().0.contains("EIO"));
        }
    }));
}

#[test]
fn segments_rotate_and_link() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(&settings(dir.path(), 4096)).unwrap();
    for n in 0..40 {
        append(&log, decided(n));
    }
    log.close().unwrap();
    let report = verify(dir.path(), None).unwrap();
    assert!(report.segments > 5, "{report:?}");
    assert_eq!((report.records, report.unfinished), (40, 40));
    assert_eq!(report.bad, None);
}

#[test]
fn a_closed_log_opens_again_and_goes_on() {
    let dir = TempDir::new().unwrap();
    for round in 0..5 {
        let log = Log::open(&settings(dir.path(), 4096)).unwrap();
        for n in 0..3 {
            let sequence = append(&log, decided(round * 3 + n)).sequence;
            assert_eq!(sequence, round * 3 + n);
        }
    }
    let report = verify(dir.path(), None).unwrap();
    assert_eq!((report.records, report.bad), (15, None));
}

#[test]
fn a_closed_log_takes_nothing() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    log.append_later(operated(0));
    log.close().unwrap();
    assert_eq!(log.stats().records, 1, "what waited was written");
    assert!(!log.is_writable());
    assert!(runtime().block_on(log.append(operated(1))).is_err());
    log.close().unwrap();
}

#[test]
fn a_second_owner_is_refused_by_name_of_the_first() {
    let dir = TempDir::new().unwrap();
    let _log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    let error = Log::open(&settings(dir.path(), SEGMENT)).unwrap_err();
    assert!(matches!(&error, Error::Locked { pid, .. } if *pid == std::process::id().to_string()));
    assert!(error.to_string().contains("in use by process"));
}

#[test]
fn a_record_that_is_too_large_is_refused_alone() {
    let dir = TempDir::new().unwrap();
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    let AuditEvent::Operated(mut large) = operated(0) else {
        panic!("operated");
    };
    large
        .detail
        .insert("filler".to_owned(), "x".repeat(17 << 20));
    let large = AuditEvent::Operated(large);
    assert!(runtime().block_on(log.append(large.clone())).is_err());
    log.append_later(large);
    append(&log, operated(1));
    log.close().unwrap();
    let report = verify(dir.path(), None).unwrap();
    assert_eq!((report.operated, report.bad), (2, None));
}

/// A disk that is full when the next segment begins refuses decisions until there is room, and keeps completions for then: nothing
/// is lost, nothing changes its place, and no restart is needed.
#[test]
fn a_full_disk_at_a_rotation_is_waited_out() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), 4096);
    let runtime = runtime();
    watch.fails_to_create.store(true, Ordering::SeqCst);
    let written = (0..)
        .find(|n| runtime.block_on(log.append(decided(*n))).is_err())
        .unwrap();
    assert!(written > 0 && !log.is_writable());
    let error = runtime.block_on(log.append(decided(99))).unwrap_err();
    assert!(error.0.contains("when there is room"), "{error}");
    log.append_later(completed(0));
    thread::sleep(Duration::from_millis(1_500));
    log.append_later(completed(1));
    let records = log.stats().records;
    assert_eq!((records, log.stats().is_poisoned), (written, false));
    watch.fails_to_create.store(false, Ordering::SeqCst);
    let began = Instant::now();
    while !log.is_writable() {
        assert!(began.elapsed() < Duration::from_secs(5), "never again");
        thread::sleep(Duration::from_millis(10));
    }
    append(&log, decided(200));
    log.close().unwrap();
    let events: Vec<AuditEvent> = Records::open(dir.path(), 0)
        .unwrap()
        .map(|it| it.unwrap().event)
        .collect();
    let mut wanted: Vec<AuditEvent> = (0..written).map(decided).collect();
    wanted.extend([completed(0), completed(1)]);
    let (before, after) = events.split_at(wanted.len());
    assert_eq!(before, wanted);
    let AuditEvent::Operated(resumed) = &after[0] else {
        panic!("{after:?}");
    };
    assert_eq!(&*resumed.action, "log-resumed");
    assert_eq!(after[1..], [decided(200)]);
    assert_eq!(verify(dir.path(), None).unwrap().bad, None);
}

/// What cannot be written when a suspended log is closed is said, as every failure is.
#[test]
fn a_log_that_is_closed_while_its_disk_is_full_says_so() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), 4096);
    let runtime = runtime();
    watch.fails_to_create.store(true, Ordering::SeqCst);
    let written = (0..).find(|n| runtime.block_on(log.append(decided(*n))).is_err());
    let error = log.close().unwrap_err();
    assert!(error.0.contains("cannot begin a segment"), "{error}");
    let report = verify(dir.path(), None).unwrap();
    assert_eq!((Some(report.records), report.bad), (written, None));
}

/// A disk that hangs lets nobody wait behind it.
#[test]
fn a_stalled_disk_refuses_at_once() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), SEGMENT);
    let runtime = runtime();
    runtime.block_on(unconstrained(async {
        let held = watch.gate.lock().unwrap();
        let mut first = log.append(decided(0));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(log.is_writable());
        thread::sleep(Duration::from_millis(5_200));
        assert!(!log.is_writable());
        let Poll::Ready(Err(error)) = log.append(decided(1)).as_mut().poll(&mut context) else {
            panic!("it waits");
        };
        assert!(error.0.contains("does not answer"), "{error}");
        drop(held);
        first.await.unwrap();
    }));
    let began = Instant::now();
    while !log.is_writable() {
        assert!(began.elapsed() < Duration::from_secs(5), "never again");
    }
    append(&log, decided(2));
    assert_eq!(log.stats().records, 2);
}

/// Completions that nobody waits for are bounded too; how many were lost is on record.
#[test]
fn completions_behind_a_stalled_disk_are_bounded() {
    let dir = TempDir::new().unwrap();
    let watch = Arc::new(Watch::default());
    let log = watch.open(dir.path(), 64 << 20);
    let held = watch.gate.lock().unwrap();
    log.append_later(completed(0));
    while !watch.calls.lock().unwrap().contains(&"write") {
        thread::yield_now();
    }
    for n in 0..80_000 {
        log.append_later(completed(n));
    }
    let queued = log.stats().queued;
    assert!((10_000..70_000).contains(&queued), "{queued}");
    drop(held);
    log.close().unwrap();
    let events = Records::open(dir.path(), 0).unwrap();
    let lost = events
        .filter_map(|it| {
            let AuditEvent::Operated(it) = it.unwrap().event else {
                return None;
            };
            assert_eq!(&*it.action, "completions-lost");
            it.detail["count"].parse::<u64>().ok()
        })
        .sum::<u64>();
    assert_eq!(log.stats().records, 80_001 - lost + 1);
}
