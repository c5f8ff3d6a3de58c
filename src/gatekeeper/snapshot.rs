//! Everything in force at one moment. A request takes one snapshot and sees no other; a reload is whole or nothing.

use std::sync::Arc;

use super::{
    destination::{Caller, DestinationTable},
    keys::Keys,
    record::Versions,
};
use crate::{inspect::Inspector, model::law::Operator, policy::Policy};

/// A configuration in force, compiled and immutable.
#[derive(Debug)]
pub struct Snapshot {
    /// Whose gate this is.
    pub operator: Operator,
    /// Ways out.
    pub destinations: DestinationTable,
    /// Who may call.
    pub callers: Arc<[Caller]>,
    /// Reads messages.
    pub inspector: Arc<Inspector>,
    /// Decides.
    pub policy: Policy,
    /// Keys of the installation.
    pub keys: Keys,
    /// Versions for the record.
    pub versions: Arc<Versions>,
}
