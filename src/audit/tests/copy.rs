//! A copy of a part of a log is a log.

use crate::audit::{
    Error, Log, Records, copy,
    testing::{append, completed, decided, log_of, operated, settings},
    verify,
};
use crate::gatekeeper::record::AuditEvent;

#[test]
fn a_copy_ends_where_it_is_told_and_can_be_gone_on_with() {
    let dir = log_of((0..20).map(operated), 4096);
    for until in 0..=20_u64 {
        let to = tempfile::tempdir().unwrap();
        let target = to.path().join("audit");
        let mut seen = 0;
        let copied = copy::copy(dir.path(), &target, |_| {
            seen += 1;
            seen > until
        })
        .unwrap();
        let count = Records::open(&target, 0)
            .unwrap()
            .map(Result::unwrap)
            .count();
        assert_eq!(count as u64, until);
        assert_eq!(
            copied.head.map(|it| it.sequence + 1).unwrap_or_default(),
            until
        );
        let log = Log::open(&settings(&target, 4096)).unwrap();
        append(&log, operated(99));
        drop(log);
        let report = verify(&target, copied.head.as_ref()).unwrap();
        assert_eq!((report.records, report.bad), (until + 1, None), "{until}");
    }
}

#[test]
fn a_log_in_use_is_copied_and_a_damaged_one_is_not() {
    let dir = log_of([decided(0), completed(0)], 1 << 16);
    let to = tempfile::tempdir().unwrap();
    let log = Log::open(&settings(dir.path(), 1 << 16)).unwrap();
    let never = |_: &AuditEvent| false;
    let copied = copy::copy(dir.path(), &to.path().join("one"), never).unwrap();
    assert_eq!(copied.head.unwrap().sequence, 1);
    drop(log);
    let path = dir.path().join("00000000000000000000.seg");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let failed = copy::copy(dir.path(), &to.path().join("two"), never);
    assert!(matches!(failed, Err(Error::Damaged(_))));
}
