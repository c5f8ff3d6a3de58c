//! The admin listener: `/metrics`, `/livez`, `/readyz`. Never on the data port.

use std::net::SocketAddr;

/// What the admin listener needs to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Address. Default 127.0.0.1:9464.
    pub bind: SocketAddr,
}
