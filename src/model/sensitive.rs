//! A wrapper for values that must never be printed.

use std::fmt;

/// Holds a value of personal data or a secret; `Debug` prints `[sensitive]`.
///
/// There is no `Display` and no `Serialize`, so that a value cannot reach a log, a metric or a record
/// by accident. Reading it takes the word [`expose`](Self::expose), which a reviewer can search for.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Callers must not print it, store it or send it anywhere but on the wire.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Unwraps the value, under the same duty as [`expose`](Self::expose).
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[sensitive]")
    }
}
