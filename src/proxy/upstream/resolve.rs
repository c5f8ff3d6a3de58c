//! Names to addresses.

use std::{fmt::Debug, io, net::SocketAddr};

use async_trait::async_trait;

/// Looks up the addresses of a host. Asked once for each connection, after the decision is on record.
#[async_trait]
pub trait Resolve: Send + Sync + Debug {
    /// Every address of `host`, with `port`.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}
