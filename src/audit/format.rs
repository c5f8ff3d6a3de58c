//! Bytes of headers and records, and their hashes.

use std::io::Write as _;

use aws_lc_rs::{digest, rand};
use serde::Deserialize;

use super::fault::Fault;
use crate::{gatekeeper::record::AuditEvent, model::Timestamp};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

const MAGIC: [u8; 8] = *b"SHEKLOG\n";
const VERSION: u32 = 1;
const LEAF_PREFIX: u8 = 0;
const CHAIN_PREFIX: u8 = 2;
const HEADER_PREFIX: u8 = 3;

/// Bytes of a header before its hash.
const HEADER_FIELDS_BYTES: usize = 76;
/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = HEADER_FIELDS_BYTES + 32;
/// Bytes of the length field.
pub(super) const LENGTH_BYTES: usize = 4;
/// Bytes of leaf and chain hash.
pub(super) const HASHES_BYTES: usize = 64;
/// Largest body.
pub(super) const BODY_BYTES_MAX: usize = 16 << 20;
/// What every body begins with.
pub(super) const BODY_START: &[u8] = b"{\"seq\":";
/// Most that framing, sequence, group and hashes add to a [`Prepared`].
pub(super) const OVERHEAD_BYTES: usize =
    LENGTH_BYTES + BODY_START.len() + 20 + 9 + 20 + 1 + HASHES_BYTES;

/// Lower-case hex of `bytes`.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|it| [it >> 4, it & 15])
        .filter_map(|it| char::from_digit(it.into(), 16))
        .collect()
}

fn sha256(prefix: u8, parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[prefix]);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// RFC 6962 leaf hash of `body`.
pub(super) fn leaf_hash(body: &[u8]) -> Hash {
    sha256(LEAF_PREFIX, &[body])
}

/// The link after `previous` for a record with `leaf`.
pub(super) fn chain_hash(previous: &Hash, leaf: &Hash) -> Hash {
    sha256(CHAIN_PREFIX, &[previous, leaf])
}

/// `N` random bytes from the operating system's generator.
pub(super) fn random<const N: usize>() -> Result<[u8; N], &'static str> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| "the random number generator failed")?;
    Ok(bytes)
}

/// Head of a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) log_id: [u8; 16],
    pub(super) first: u64,
    pub(super) previous: Hash,
    pub(super) created_at: Timestamp,
}

impl Header {
    fn fields(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.log_id);
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.previous);
        out.extend_from_slice(&self.created_at.as_millis().to_be_bytes());
        out
    }

    /// Its hash: the first link of the segment.
    pub(super) fn hash(&self) -> Hash {
        sha256(HEADER_PREFIX, &[&self.fields()])
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.fields();
        let hash = self.hash();
        out.extend_from_slice(&hash);
        out
    }

    /// Reads it back; the hash must hold.
    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, Fault> {
        let short = Fault::Header("it is shorter than 108 bytes");
        let mut whole = || -> Option<_> {
            Some((
                take::<8>(&mut bytes)?,
                u32::from_be_bytes(take(&mut bytes)?),
                Self {
                    log_id: take(&mut bytes)?,
                    first: u64::from_be_bytes(take(&mut bytes)?),
                    previous: take(&mut bytes)?,
                    created_at: Timestamp::from_millis(i64::from_be_bytes(take(&mut bytes)?)),
                },
                take::<32>(&mut bytes)?,
            ))
        };
        let (magic, version, header, hash) = whole().ok_or(short)?;
        if magic != MAGIC {
            return Err(Fault::Header("it does not begin with SHEKLOG"));
        }
        if version != VERSION {
            return Err(Fault::Header("its format version is not 1"));
        }
        if header.hash() != hash {
            return Err(Fault::Header("its hash does not match"));
        }
        Ok(header)
    }
}

/// Takes the next `N` bytes off `bytes`.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

/// A body without sequence and group: made by the caller's thread, finished by the writer.
#[derive(Debug)]
pub(super) struct Prepared(Vec<u8>);

impl Prepared {
    /// Serialises `event` with a fresh salt. Fails with what is wrong, without content.
    pub(super) fn new(event: &AuditEvent) -> Result<Self, String> {
        let salt = random::<16>()?;
        let mut out = Vec::with_capacity(2048);
        out.extend_from_slice(b"\"salt\":\"");
        out.extend_from_slice(hex(&salt).as_bytes());
        out.extend_from_slice(b"\",\"event\":");
        serde_json::to_writer(&mut out, event)
            .map_err(|_| "the event cannot be written as JSON".to_owned())?;
        out.push(b'}');
        if out.len() + OVERHEAD_BYTES > BODY_BYTES_MAX {
            return Err(format!(
                "the record has {} bytes, the limit is {BODY_BYTES_MAX}",
                out.len()
            ));
        }
        Ok(Self(out))
    }

    /// Upper bound of the record's bytes.
    pub(super) const fn record_bytes_max(&self) -> usize {
        self.0.len() + OVERHEAD_BYTES
    }

    /// Appends the whole record to `out`; gives leaf and chain hash.
    pub(super) fn write_to(
        &self,
        out: &mut Vec<u8>,
        sequence: u64,
        group: u64,
        previous: &Hash,
    ) -> (Hash, Hash) {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH_BYTES]);
        let _infallible = write!(out, "{{\"seq\":{sequence},\"group\":{group},");
        out.extend_from_slice(&self.0);
        let body = out.get(start + LENGTH_BYTES..).unwrap_or_default();
        let leaf = leaf_hash(body);
        let chain = chain_hash(previous, &leaf);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(field) = out.get_mut(start..start + LENGTH_BYTES) {
            field.copy_from_slice(&length);
        }
        out.extend_from_slice(&leaf);
        out.extend_from_slice(&chain);
        (leaf, chain)
    }
}

/// Sequence and group of `body`, read from its fixed beginning without parsing the rest.
pub(super) fn envelope(body: &[u8]) -> Option<(u64, u64)> {
    let (sequence, rest) = number(body.strip_prefix(BODY_START)?)?;
    let (group, rest) = number(rest.strip_prefix(b",\"group\":")?)?;
    rest.starts_with(b",\"salt\":\"")
        .then_some((sequence, group))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|it| !it.is_ascii_digit())?;
    let (digits, rest) = bytes.split_at_checked(end)?;
    let text = std::str::from_utf8(digits).ok()?;
    let canonical = text == "0" || !text.starts_with('0');
    canonical.then(|| text.parse().ok())?.map(|it| (it, rest))
}

/// A parsed body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(rename = "seq")]
    _sequence: u64,
    #[serde(rename = "group")]
    _group: u64,
    salt: String,
    event: AuditEvent,
}

/// Salt and event of `body`.
pub(super) fn parse(body: &[u8]) -> Result<(String, AuditEvent), Fault> {
    let body: Body = serde_json::from_slice(body).map_err(|it| Fault::Json(it.column()))?;
    let is_hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    if body.salt.len() != 32 || !body.salt.bytes().all(is_hex) {
        return Err(Fault::Envelope);
    }
    Ok((body.salt, body.event))
}
