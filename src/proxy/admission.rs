//! How many at once: connections of one address, exchanges of one caller, and what an exchange holds until its last byte.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedSemaphorePermit;

/// Whose exchanges are counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Client {
    /// A caller that the configuration knows, by id.
    Caller(Arc<str>),
    /// Whoever comes from there and proves nothing.
    Address(IpAddr),
}

/// The address that a client is counted by. An IPv6 network of 64 bits is one: whoever has one address of it has them all.
pub(super) fn counted_address(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Counts by key. Holds an entry for as long as something of it is held, so it is never larger than what it counts.
#[derive(Debug)]
pub(super) struct Tally<K: Ord>(Mutex<BTreeMap<K, usize>>);

impl<K: Ord> Default for Tally<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Tally<K> {
    /// Counts one more of `key`; `None` when there are `most` already.
    pub(super) fn take(self: &Arc<Self>, key: K, most: usize) -> Option<Counted<K>> {
        let mut counts = self.lock();
        let count = counts.get(&key).copied().unwrap_or_default();
        if count >= most {
            return None;
        }
        counts.insert(key.clone(), count + 1);
        drop(counts);
        Some(Counted {
            key,
            tally: Arc::clone(self),
        })
    }
}

impl<K: Ord> Tally<K> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is counted; no longer when dropped.
#[derive(Debug)]
pub(super) struct Counted<K: Ord> {
    key: K,
    tally: Arc<Tally<K>>,
}

impl<K: Ord> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut counts = self.tally.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

/// The places of one exchange, held until the last byte of its answer is passed on.
#[derive(Debug)]
pub(super) struct Held {
    /// Among the gate's exchanges.
    pub(super) _gate: OwnedSemaphorePermit,
    /// Among the client's.
    pub(super) _client: Counted<Client>,
    /// Among the destination's, once the body is whole.
    pub(super) destination: Option<OwnedSemaphorePermit>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_count_and_none_is_kept() {
        let tally = Arc::new(Tally::default());
        let first = tally.take("a", 2).unwrap();
        let second = tally.take("a", 2).unwrap();
        assert!(tally.take("a", 2).is_none());
        let other = tally.take("b", 2).unwrap();
        drop(first);
        let third = tally.take("a", 2).unwrap();
        assert!(tally.take("a", 2).is_none());
        drop((second, third, other));
        assert!(tally.lock().is_empty());
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let counted = |text: &str| counted_address(text.parse().unwrap()).to_string();
        assert_eq!(counted("192.0.2.7"), "192.0.2.7");
        assert_eq!(counted("2001:db8:0:1:a:b:c:d"), "2001:db8:0:1::");
        assert_ne!(counted("2001:db8:0:1::1"), counted("2001:db8:0:2::1"));
    }
}
