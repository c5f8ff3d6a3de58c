//! Which addresses may be dialled. Names are checked by what they resolve to, literals by what they are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` must not be dialled. In the operator's declared zone private and loopback addresses may be.
///
/// The IPv4 address inside an IPv4-mapped, IPv4-compatible, 6to4 (RFC 3056) or NAT64 (RFC 6052) address is judged as itself.
pub(super) fn is_prohibited(address: IpAddr, controlled_zone: bool) -> bool {
    match address {
        IpAddr::V4(it) => is_prohibited_v4(it, controlled_zone),
        IpAddr::V6(it) => match embedded_v4(it) {
            Some(inner) => is_prohibited_v4(inner, controlled_zone),
            None => is_prohibited_v6(it, controlled_zone),
        },
    }
}

/// Special-purpose blocks of the IANA registry (RFC 6890) that no recipient abroad can have.
fn is_prohibited_v4(address: Ipv4Addr, controlled_zone: bool) -> bool {
    let is_zone = match address.octets() {
        [10 | 127, ..] | [192, 168, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        [100, second, ..] => (64..128).contains(&second),
        _ => false,
    };
    let is_special = matches!(
        address.octets(),
        [0 | 224..=255, ..]
            | [169, 254, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    );
    is_special || (is_zone && !controlled_zone)
}

fn is_prohibited_v6(address: Ipv6Addr, controlled_zone: bool) -> bool {
    if address.is_loopback() || is_unique_local(address) {
        // The metadata service of a cloud answers inside fc00::/7.
        return !controlled_zone || address.segments().starts_with(&[0xfd00, 0x0ec2]);
    }
    let is_global = (0x2000..0x4000).contains(&first(address));
    let is_special = match address.segments() {
        // Teredo, benchmarking and ORCHID; documentation.
        [0x2001, second, ..] => second < 0x0200 || second == 0x0db8,
        [0x3fff, second, ..] => second < 0x1000,
        _ => false,
    };
    !is_global || is_special
}

fn is_unique_local(address: Ipv6Addr) -> bool {
    first(address) & 0xfe00 == 0xfc00
}

const fn first(address: Ipv6Addr) -> u16 {
    let [a, b, ..] = address.octets();
    u16::from_be_bytes([a, b])
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => Some(join(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_dialled() {
        let check = |text: &str, outside: bool, in_zone: bool| {
            let address = text.parse().unwrap();
            assert_eq!(!is_prohibited(address, false), outside, "{text}");
            assert_eq!(!is_prohibited(address, true), in_zone, "{text} in the zone");
        };
        for text in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            check(text, true, true);
        }
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::10.0.0.1",
        ] {
            check(text, false, true);
        }
        for text in [
            "0.0.0.0",
            "169.254.169.254",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "2001:db8::1",
            "2001::1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "::ffff:169.254.169.254",
        ] {
            check(text, false, false);
        }
    }
}
