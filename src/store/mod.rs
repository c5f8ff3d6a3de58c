//! The registers in SQLite: consents, withdrawals, restrictions and the outbox of their audit events.

use std::path::PathBuf;

/// Where the registers and keys are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Directory; holds `registers.sqlite` and `keys.json`.
    pub dir: PathBuf,
}
