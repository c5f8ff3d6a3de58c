//! Power cuts and kills: whatever part of the last write arrived, acknowledged records stand and the log goes on.

use std::{fs, path::Path};

use crate::{
    audit::{
        Error, Log, Record,
        reader::Records,
        testing::{append, completed, decided, log_of, operated, runtime, settings},
        verify,
    },
    gatekeeper::{ports::AuditLog as _, record::AuditEvent},
};

const SEGMENT: u64 = 1 << 16;
const FIRST: &str = "00000000000000000000.seg";

fn records(dir: &Path) -> Vec<Record> {
    Records::open(dir, 0).unwrap().map(Result::unwrap).collect()
}

/// Opens, appends, closes and verifies what `bytes` is as last segment; the first `kept` records must be there, and a cut reported iff `is_cut`.
fn check(bytes: &[u8], before: &[Record], kept: usize, is_cut: bool, what: &str) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FIRST), bytes).unwrap();
    let report = verify(dir.path(), None).unwrap();
    assert_eq!(report.bad, None, "{what}");
    assert_eq!(report.torn.is_some(), is_cut, "{what}");
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    append(&log, operated(99));
    log.close().unwrap();
    let after = records(dir.path());
    assert_eq!(&after[..kept], &before[..kept], "{what}");
    let actions: Vec<String> = after[kept..]
        .iter()
        .map(|it| match &it.event {
            AuditEvent::Operated(it) => it.action.to_string(),
            AuditEvent::Completed(_) | AuditEvent::Decided(_) | AuditEvent::Register(_) => {
                "other".to_owned()
            }
        })
        .collect();
    let expected: &[&str] = if is_cut {
        &["torn-tail-cut", "started"]
    } else {
        &["started"]
    };
    assert_eq!(actions, expected, "{what}");
    let report = verify(dir.path(), None).unwrap();
    assert_eq!((report.bad, report.torn), (None, None), "{what}");
}

#[test]
fn a_log_cut_at_any_byte_of_the_last_records_keeps_all_before() {
    let dir = log_of((0..4).map(operated), SEGMENT);
    let bytes = fs::read(dir.path().join(FIRST)).unwrap();
    let before = records(dir.path());
    let start = |n: usize| usize::try_from(before[n].offset).unwrap();
    for length in start(2)..bytes.len() {
        let kept = if length < start(3) { 2 } else { 3 };
        let is_cut = length != start(kept);
        let what = format!("cut at {length}");
        check(&bytes[..length], &before, kept, is_cut, &what);
        if length % 8 == 0 && bytes[length..].iter().any(|it| *it != 0) {
            // The same in a segment that was allocated ahead, where only whole sectors can be missing.
            let whole = length / 512 * 512;
            if whole > start(2) {
                let mut torn = bytes[..whole].to_vec();
                torn.resize(8192, 0);
                let kept = before.iter().filter(|it| it.offset < whole as u64).count() - 1;
                check(&torn, &before, kept, true, &format!("zeros from {whole}"));
            }
        }
    }
}

/// A log whose last write held several records, each larger than a sector.
fn grouped() -> (Vec<u8>, Vec<Record>) {
    let dir = log_of([operated(0)], SEGMENT);
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    append(&log, decided(1));
    for n in 2..6 {
        log.append_later(decided(n));
    }
    append(&log, decided(6));
    log.append_later(completed(6));
    log.close().unwrap();
    let before = records(dir.path());
    (fs::read(dir.path().join(FIRST)).unwrap(), before)
}

#[test]
fn any_missing_sectors_of_the_last_group_are_cut() {
    let dir = log_of([decided(0)], SEGMENT);
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    for n in 1..5 {
        log.append_later(decided(n));
    }
    append(&log, decided(5));
    log.close().unwrap();
    let before = records(dir.path());
    assert!(before[1..].iter().all(|it| it.group == 1), "one group");
    let mut bytes = fs::read(dir.path().join(FIRST)).unwrap();
    bytes.resize(usize::try_from(SEGMENT).unwrap(), 0);
    let from = usize::try_from(before[1].offset).unwrap().div_ceil(512) * 512;
    let used = bytes.iter().rposition(|it| *it != 0).unwrap();
    for sector in (from..used).step_by(512) {
        let mut torn = bytes.clone();
        torn[sector..sector + 512].fill(0);
        let end = |n: usize| {
            before
                .get(n + 1)
                .map_or(used + 1, |it| usize::try_from(it.offset).unwrap())
        };
        let kept = (0..before.len()).take_while(|n| end(*n) <= sector).count();
        check(&torn, &before, kept, true, &format!("sector at {sector}"));
    }
}

#[test]
fn a_missing_sector_of_an_earlier_group_is_damage() {
    let (bytes, before) = grouped();
    let inside = usize::try_from(before[1].offset).unwrap().div_ceil(512) * 512;
    assert!(inside < usize::try_from(before[2].offset).unwrap());
    let mut torn = bytes;
    torn[inside..inside + 512].fill(0);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FIRST), &torn).unwrap();
    let error = Log::open(&settings(dir.path(), SEGMENT)).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Damaged(_)), "{text}");
    for part in [FIRST, "sequence 1", "offset", "restore the segment"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(fs::read(dir.path().join(FIRST)).unwrap(), torn, "untouched");
    assert_eq!(verify(dir.path(), None).unwrap().bad.unwrap().sequence, 1);
}

#[test]
fn an_unnamed_segment_of_a_crash_is_no_obstacle() {
    let dir = log_of((0..3).map(operated), 700);
    fs::write(dir.path().join("next.tmp"), b"half a hea").unwrap();
    let log = Log::open(&settings(dir.path(), 700)).unwrap();
    for n in 3..9 {
        append(&log, operated(n));
    }
    log.close().unwrap();
    let report = verify(dir.path(), None).unwrap();
    assert_eq!((report.records, report.bad), (9, None));
    assert!(!dir.path().join("next.tmp").exists());
}

#[test]
fn a_log_is_read_and_verified_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(&settings(dir.path(), 1 << 14)).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            runtime().block_on(async {
                for n in 0..400 {
                    log.append(decided(n)).await.unwrap();
                }
            });
        });
        let mut reader = None;
        let mut seen = 0;
        while !writer.is_finished() {
            if let Ok(report) = verify(dir.path(), None) {
                assert_eq!(report.bad, None);
            }
            if reader.is_none() {
                reader = Records::open(dir.path(), 0).ok();
            }
            for record in reader.iter_mut().flatten() {
                assert_eq!(record.unwrap().sequence, seen);
                seen += 1;
            }
        }
        seen += reader.iter_mut().flatten().count() as u64;
        assert_eq!(seen, 400);
    });
}
