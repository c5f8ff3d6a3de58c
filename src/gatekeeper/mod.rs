//! The one orchestration: message in, cleared or refused out. Knows ports, not products.

pub mod destination;
pub mod keys;
pub mod ports;
pub mod record;
pub mod screen;
pub mod snapshot;

pub use screen::{Cleared, Completion, Gatekeeper, Refused, Report, Request, Screening};
pub use snapshot::Snapshot;
