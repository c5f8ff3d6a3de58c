//! Names to sockets: resolve once, check every address, dial only what was checked.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{net::TcpStream, task::JoinSet, time::sleep};
use url::Host;

use super::{Failure, Resolve, address::is_prohibited};

/// Head start of an address before the next is dialled beside it (RFC 8305 §8).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of a name that are dialled.
const ADDRESSES_MAX: usize = 8;

/// The addresses of `host`. One that is prohibited spoils them all: who answers for the name is not to be trusted.
pub(super) async fn addresses(
    host: Host<&str>,
    port: u16,
    controlled_zone: bool,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, Failure> {
    let found = match host {
        Host::Domain(name) => resolver
            .resolve(name, port)
            .await
            .map_err(|_| Failure::Dns)?,
        Host::Ipv4(it) => vec![SocketAddr::from((it, port))],
        Host::Ipv6(it) => vec![SocketAddr::from((it, port))],
    };
    if found.is_empty() {
        return Err(Failure::Dns);
    }
    if found
        .iter()
        .any(|it| is_prohibited(it.ip(), controlled_zone))
    {
        return Err(Failure::AddressProhibited);
    }
    Ok(in_turns(&found))
}

/// `addresses` in their order, but of the two families in turns, so that a broken one costs one head start (RFC 8305 §4).
fn in_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first_family = |it: &&SocketAddr| {
        addresses
            .first()
            .is_some_and(|first| first.is_ipv6() == it.is_ipv6())
    };
    let mut first = addresses.iter().filter(is_first_family);
    let mut second = addresses.iter().filter(|it| !is_first_family(it));
    let mut turns = Vec::with_capacity(addresses.len());
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] || turns.len() >= ADDRESSES_MAX {
            return turns;
        }
        turns.extend(pair.into_iter().flatten().copied());
    }
}

/// The first of `addresses` that takes a connection: each is dialled a head start after the one before, or as soon as that one
/// has failed. The caller bounds the time for them all.
pub(super) async fn dial(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut waiting = addresses.iter().copied();
    let mut dialling = JoinSet::new();
    let mut failure = Failure::ConnectionRefused;
    loop {
        let next = waiting.next();
        let is_last = next.is_none();
        if let Some(address) = next {
            dialling.spawn(TcpStream::connect(address));
        }
        let joined = tokio::select! {
            joined = dialling.join_next() => joined,
            () = sleep(HEAD_START), if !is_last => continue,
        };
        match joined {
            Some(Ok(Ok(stream))) => return checked(stream, addresses),
            Some(Ok(Err(error))) => failure = connect_failure(&error),
            Some(Err(_)) => {}
            None if is_last => return Err(failure),
            None => {}
        }
    }
}

/// The peer must be one of the addresses that were checked.
fn checked(
    stream: TcpStream,
    addresses: &[SocketAddr],
) -> Result<(TcpStream, SocketAddr), Failure> {
    let peer = stream
        .peer_addr()
        .map_err(|_| Failure::ConnectionTerminated)?;
    if !addresses.contains(&peer) {
        return Err(Failure::AddressProhibited);
    }
    stream
        .set_nodelay(true)
        .map_err(|_| Failure::ConnectionTerminated)?;
    Ok((stream, peer))
}

fn connect_failure(error: &io::Error) -> Failure {
    if matches!(
        error.kind(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
    ) {
        Failure::Unroutable
    } else if error.kind() == io::ErrorKind::TimedOut {
        Failure::ConnectionTimeout
    } else {
        Failure::ConnectionRefused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_in_the_order_of_the_resolver() {
        let list = |text: &[&str]| -> Vec<SocketAddr> {
            text.iter().map(|it| it.parse().unwrap()).collect()
        };
        let found = list(&["[2001:db8::1]:1", "[2001:db8::2]:1", "192.0.2.1:1"]);
        assert_eq!(
            in_turns(&found),
            list(&["[2001:db8::1]:1", "192.0.2.1:1", "[2001:db8::2]:1"])
        );
        assert_eq!(in_turns(&[]), []);
    }

    /// A name whose first address says nothing must not take the time that the others need.
    #[tokio::test]
    async fn a_silent_address_costs_a_head_start() {
        let full = full_backlog();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let began = std::time::Instant::now();
        let (_stream, peer) = dial(&[full.1, open]).await.unwrap();
        assert_eq!(peer, open);
        assert!(began.elapsed() >= HEAD_START, "{:?}", began.elapsed());
        assert!(began.elapsed() < HEAD_START * 4, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_refusal_is_not_waited_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], 1));
        let began = std::time::Instant::now();
        assert_eq!(dial(&[closed, open]).await.unwrap().1, open);
        assert!(began.elapsed() < HEAD_START);
        assert_eq!(
            dial(&[closed]).await.unwrap_err(),
            Failure::ConnectionRefused
        );
    }

    /// A listener whose backlog is full: Linux drops what else knocks, as a firewall would.
    fn full_backlog() -> (Vec<socket2::Socket>, SocketAddr) {
        use socket2::{Domain, Socket, Type};
        let new = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = new();
        listener
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut sockets = vec![listener];
        for _ in 0..4 {
            let client = new();
            client.set_nonblocking(true).unwrap();
            // It is under way, or waits for ever.
            drop(client.connect(&address));
            sockets.push(client);
        }
        (sockets, address.as_socket().unwrap())
    }
}
