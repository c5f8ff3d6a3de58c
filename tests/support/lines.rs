//! What the gate logs, by test: each test runs on a thread of its own.

use std::{cell::RefCell, io, sync::Once};

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|it| it.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the process's log, down to traces of the gate itself.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .with_env_filter("shekara=trace")
            .with_writer(|| Writer)
            .init();
    });
}

/// What was logged on this thread so far.
pub(crate) fn written() -> String {
    LINES.with_borrow(|it| String::from_utf8(it.clone()).unwrap())
}
