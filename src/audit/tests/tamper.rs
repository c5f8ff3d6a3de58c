//! Tampering: every change shows, and the first bad record is named.

use std::{fs, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;

use crate::audit::{
    Bad, Head, Log, Record, Report,
    format::HEADER_BYTES,
    reader::Records,
    segment,
    testing::{append, completed, decided, log_of, operated, refused, register_change, settings},
    verify,
};

const SEGMENT: u64 = 1 << 16;

fn records(dir: &Path) -> Vec<Record> {
    Records::open(dir, 0).unwrap().map(Result::unwrap).collect()
}

fn report(dir: &Path) -> Report {
    verify(dir, None).unwrap()
}

fn bad(dir: &Path, what: &str) -> Bad {
    report(dir)
        .bad
        .unwrap_or_else(|| panic!("{what}: not found"))
}

#[test]
fn any_changed_byte_is_found_at_its_record() {
    let dir = log_of((0..3).map(operated), SEGMENT);
    let path = segment::path(dir.path(), 0);
    let bytes = fs::read(&path).unwrap();
    let before = records(dir.path());
    for at in 0..bytes.len() {
        for change in [1 << (at % 8), 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            fs::write(&path, &changed).unwrap();
            let found = bad(dir.path(), &format!("byte {at}"));
            let sequence = before
                .iter()
                .rev()
                .find(|it| it.offset <= at as u64)
                .map_or(0, |it| it.sequence);
            assert_eq!(found.sequence, sequence, "byte {at}: {found}");
            let place = if at < HEADER_BYTES {
                0
            } else {
                before[usize::try_from(sequence).unwrap()].offset
            };
            assert_eq!(found.offset, place, "byte {at}: {found}");
            assert!(
                Log::open(&settings(dir.path(), SEGMENT)).is_err(),
                "byte {at}: opened"
            );
            assert_eq!(fs::read(&path).unwrap(), changed, "byte {at}: written");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_bit_of_any_segment_is_found(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let dir = log_of((0..12).map(decided), 4096);
        let firsts = segment::list(dir.path()).unwrap();
        let path = segment::path(dir.path(), *which.get(&firsts));
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        fs::write(&path, bytes).unwrap();
        prop_assert!(report(dir.path()).bad.is_some());
    }
}

/// A log whose records are moved about by `order` (of records 0 to 4).
fn check_order(order: &[usize], expected: u64) {
    let dir = log_of((0..5).map(operated), SEGMENT);
    let path = segment::path(dir.path(), 0);
    let bytes = fs::read(&path).unwrap();
    let before = records(dir.path());
    let part = |n: usize| {
        let offset = |n: usize| {
            before
                .get(n)
                .map_or(bytes.len(), |it| usize::try_from(it.offset).unwrap())
        };
        bytes[offset(n)..offset(n + 1)].to_vec()
    };
    let mut moved = bytes[..HEADER_BYTES].to_vec();
    moved.extend(order.iter().flat_map(|n| part(*n)));
    fs::write(&path, moved).unwrap();
    assert_eq!(bad(dir.path(), &format!("{order:?}")).sequence, expected);
}

#[test]
fn moved_doubled_and_deleted_records_are_found() {
    check_order(&[0, 2, 1, 3, 4], 1);
    check_order(&[0, 1, 1, 2, 3, 4], 2);
    check_order(&[0, 1, 3, 4], 2);
    check_order(&[1, 2, 3, 4], 0);
    check_order(&[0, 1, 2, 3, 4, 4], 5);
}

fn check_segments(what: &str, change: impl Fn(&Path, &[u64])) {
    let dir = log_of((0..12).map(decided), 4096);
    let firsts = segment::list(dir.path()).unwrap();
    assert!(firsts.len() >= 4);
    change(dir.path(), &firsts);
    bad(dir.path(), what);
    assert!(
        Log::open(&settings(dir.path(), 4096)).is_err(),
        "{what}: opened"
    );
}

#[test]
fn missing_doubled_swapped_and_linked_segments_are_found() {
    let path = segment::path;
    check_segments("first deleted", |dir, firsts| {
        fs::remove_file(path(dir, firsts[0])).unwrap();
    });
    check_segments("middle deleted", |dir, firsts| {
        fs::remove_file(path(dir, firsts[1])).unwrap();
    });
    check_segments("swapped", |dir, firsts| {
        fs::rename(path(dir, firsts[1]), dir.join("aside")).unwrap();
        fs::rename(path(dir, firsts[2]), path(dir, firsts[1])).unwrap();
        fs::rename(dir.join("aside"), path(dir, firsts[2])).unwrap();
    });
    check_segments("doubled under a hard link", |dir, firsts| {
        fs::hard_link(path(dir, firsts[1]), path(dir, firsts[1] + 1)).unwrap();
    });
    check_segments("renamed", |dir, firsts| {
        fs::rename(path(dir, firsts[1]), dir.join("1.seg")).unwrap();
    });
    check_segments("cut in the middle", |dir, firsts| {
        let bytes = fs::read(path(dir, firsts[1])).unwrap();
        fs::write(path(dir, firsts[1]), &bytes[..bytes.len() - 100]).unwrap();
    });
    check_segments("of another log", |dir, firsts| {
        let other = log_of((0..12).map(decided), 4096);
        let theirs = segment::list(other.path()).unwrap();
        fs::copy(path(other.path(), theirs[1]), path(dir, firsts[1])).unwrap();
    });
}

#[test]
fn a_symbolic_link_in_place_of_a_segment_is_refused() {
    let dir = log_of((0..12).map(decided), 4096);
    let path = segment::path(dir.path(), 0);
    fs::rename(&path, dir.path().join("aside")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("aside"), &path).unwrap();
    assert!(verify(dir.path(), None).is_err());
    assert!(Log::open(&settings(dir.path(), 4096)).is_err());
}

#[test]
fn zeros_and_other_bytes_behind_a_closed_segment_are_found() {
    for filler in [0_u8, 7] {
        let dir = log_of((0..12).map(decided), 4096);
        let path = segment::path(dir.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend([filler; 16]);
        fs::write(&path, bytes).unwrap();
        bad(dir.path(), "filler");
    }
}

/// A log of `count` records and its head.
fn with_head(count: u64) -> (TempDir, Head) {
    let dir = log_of((0..count).map(operated), SEGMENT);
    let head = report(dir.path()).head.unwrap();
    (dir, head)
}

#[test]
fn a_head_kept_elsewhere_shows_truncation_and_rollback() {
    let (dir, head) = with_head(5);
    assert_eq!(head.to_string().parse::<Head>().unwrap(), head);
    assert_eq!(verify(dir.path(), Some(&head)).unwrap().bad, None);
    // Grown since: still part of this history.
    let log = Log::open(&settings(dir.path(), SEGMENT)).unwrap();
    append(&log, operated(5));
    log.close().unwrap();
    assert_eq!(verify(dir.path(), Some(&head)).unwrap().bad, None);
    // Cut back at a record's end: holds together, but not with the head.
    let path = segment::path(dir.path(), 0);
    let bytes = fs::read(&path).unwrap();
    let offset = usize::try_from(records(dir.path())[4].offset).unwrap();
    fs::write(&path, &bytes[..offset]).unwrap();
    assert_eq!(report(dir.path()).bad, None);
    let found = verify(dir.path(), Some(&head)).unwrap().bad.unwrap();
    assert_eq!(found.sequence, 4);
    // Another history of the same length.
    let (other, _) = with_head(5);
    let found = verify(other.path(), Some(&head)).unwrap().bad.unwrap();
    assert_eq!(found.sequence, 4);
}

#[test]
fn a_head_is_read_strictly() {
    for text in [
        "",
        "1",
        "1:",
        "x:00",
        "1:zz",
        &format!("1:{}+", "0".repeat(63)),
    ] {
        assert!(text.parse::<Head>().is_err(), "{text}");
    }
}

#[test]
fn pairs_are_counted() {
    let events = [
        decided(0),
        decided(1),
        refused(2),
        completed(0),
        register_change(1),
        register_change(1),
        register_change(2),
    ];
    let dir = log_of(events, SEGMENT);
    let found = report(dir.path());
    assert_eq!(found.bad, None);
    assert_eq!(
        (found.decided, found.completed, found.unfinished),
        (3, 1, 1)
    );
    assert_eq!((found.register_changes, found.repeated_changes), (3, 1));
}

#[test]
fn a_completion_without_an_open_decision_is_bad() {
    let cases = [
        (vec![completed(0)], 0),
        (vec![refused(0), completed(0)], 1),
        (vec![decided(0), completed(0), completed(0)], 2),
    ];
    for (events, sequence) in cases {
        let dir = log_of(events, SEGMENT);
        assert_eq!(bad(dir.path(), "completion").sequence, sequence);
    }
}
