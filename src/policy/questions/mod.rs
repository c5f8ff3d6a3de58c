//! The questions, one file each. `Policy::decide_traced` holds their order.

pub(super) mod basis;
pub(super) mod categories;
pub(super) mod channel;
pub(super) mod consent;
pub(super) mod destination;
pub(super) mod gaps;
pub(super) mod ground;
pub(super) mod person;
pub(super) mod purpose;
pub(super) mod recipient;
