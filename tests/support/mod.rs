//! In-memory ports, a recording upstream, raw-socket clients and a gate to put between them.

pub(crate) mod authority;
pub(crate) mod client;
pub(crate) mod frames;
pub(crate) mod gate;
pub(crate) mod http2;
pub(crate) mod lines;
pub(crate) mod ports;
pub(crate) mod status;
pub(crate) mod upstream;
