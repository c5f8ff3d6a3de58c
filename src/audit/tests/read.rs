//! Reading back: from a sequence, the tail, the index.

use std::fs;

use crate::audit::{
    Log, index,
    reader::{Records, tail},
    testing::{REFERENCE, append, completed, decided, id, log_of, operated, refused, settings},
};

fn sequences(records: Records) -> Vec<u64> {
    records.map(|it| it.unwrap().sequence).collect()
}

#[test]
fn reads_from_any_sequence_across_segments() {
    let dir = log_of((0..20).map(decided), 4096);
    for from in 0..=21 {
        let read = sequences(Records::open(dir.path(), from).unwrap());
        assert_eq!(read, (from..20).collect::<Vec<_>>(), "from {from}");
        let read = sequences(tail(dir.path(), from).unwrap());
        let start = 20_u64.saturating_sub(from);
        assert_eq!(read, (start..20).collect::<Vec<_>>(), "last {from}");
    }
    assert!(Records::open(&dir.path().join("none"), 0).is_err());
}

#[test]
fn a_reader_goes_on_when_the_log_has_grown() {
    let dir = log_of([operated(0)], 700);
    let mut records = Records::open(dir.path(), 0).unwrap();
    assert_eq!(records.next().unwrap().unwrap().sequence, 0);
    assert!(records.next().is_none());
    let log = Log::open(&settings(dir.path(), 700)).unwrap();
    for n in 1..10 {
        append(&log, operated(n));
        assert_eq!(records.next().unwrap().unwrap().sequence, n);
        assert!(records.next().is_none());
    }
}

#[test]
fn the_index_follows_the_log_and_is_built_again_when_it_must() {
    let dir = log_of([decided(0), completed(0), refused(1)], 4096);
    let check = |decision: u64, expected: Option<(u64, Option<u64>)>, what: &str| {
        let found = index::update(dir.path())
            .unwrap()
            .find(id(decision))
            .unwrap();
        assert_eq!(
            found.map(|it| (it.decided, it.completed)),
            expected,
            "{what}"
        );
    };
    check(0, Some((0, Some(1))), "built");
    check(1, Some((2, None)), "refused");
    check(2, None, "not there");
    let log = Log::open(&settings(dir.path(), 4096)).unwrap();
    for n in 2..12 {
        append(&log, decided(n));
    }
    log.close().unwrap();
    check(11, Some((12, None)), "brought up");
    let about = index::update(dir.path()).unwrap().about(REFERENCE).unwrap();
    assert_eq!(about.len(), 12);
    fs::remove_file(dir.path().join(index::FILE)).unwrap();
    check(0, Some((0, Some(1))), "deleted");
    fs::write(
        dir.path().join(index::FILE),
        b"no database at all, only text",
    )
    .unwrap();
    check(0, Some((0, Some(1))), "damaged");
    // The index of another log.
    let other = log_of([decided(50), decided(51)], 4096);
    fs::remove_file(dir.path().join(index::FILE)).unwrap();
    drop(index::update(other.path()).unwrap());
    fs::copy(other.path().join(index::FILE), dir.path().join(index::FILE)).unwrap();
    check(50, None, "of another log");
    check(0, Some((0, Some(1))), "of another log");
}
