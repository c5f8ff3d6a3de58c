//! The one orchestration: message in, cleared or refused out. Knows ports, not products.

mod asking;
pub mod capacity;
mod carry_out;
mod completion;
mod compose;
pub mod destination;
pub mod history;
pub mod keys;
pub mod memory;
pub mod ports;
mod reading;
pub mod record;
pub mod replay;
pub mod screen;
pub mod snapshot;

pub use completion::Completion;
pub use compose::mask_location;
pub use reading::PURPOSE_FIELD;
pub use screen::{Cleared, Gatekeeper, Refused, Rehearsal, Report, Request, Screening};
pub use snapshot::Snapshot;
