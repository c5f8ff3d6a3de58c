//! Keyed references: subjects, locations and digests, all HMAC-SHA-256 (RFC 2104) under keys of the installation.

use std::fmt;

use aws_lc_rs::hmac;

use crate::model::{
    Category,
    subject::{Identifier, SubjectRef},
};

/// A 256-bit key with its number.
#[derive(Clone)]
pub struct SubjectKey {
    /// Number; goes into every reference.
    pub id: u32,
    key: hmac::Key,
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({})", self.id)
    }
}

impl SubjectKey {
    /// From key material of 32 bytes.
    pub fn new(id: u32, material: &[u8; 32]) -> Self {
        Self {
            id,
            key: hmac::Key::new(hmac::HMAC_SHA256, material),
        }
    }

    /// The reference of `identifier`. The kind is part of what is hashed.
    pub fn reference(&self, identifier: &Identifier) -> SubjectRef {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(identifier.kind.as_str().as_bytes());
        context.update(&[0]);
        context.update(identifier.value.expose().as_bytes());
        SubjectRef {
            key_id: self.id,
            kind: identifier.kind,
            hash: first_16(&context.sign()),
        }
    }
}

/// All keys of an installation. `Debug` shows ids only.
#[derive(Clone)]
pub struct Keys {
    current: SubjectKey,
    older: Vec<SubjectKey>,
    log: hmac::Key,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("current", &self.current.id)
            .finish_non_exhaustive()
    }
}

/// Every reference of one identifier: under the current key, and under older keys whose rows still stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentifierRefs {
    /// Under the current key.
    pub current: SubjectRef,
    /// Under older keys.
    pub older: Vec<SubjectRef>,
}

impl Keys {
    /// `current` makes new references, `older` are still looked up, `log` masks locations and digests bodies.
    pub fn new(current: SubjectKey, older: Vec<SubjectKey>, log: &[u8; 32]) -> Self {
        Self {
            current,
            older,
            log: hmac::Key::new(hmac::HMAC_SHA256, log),
        }
    }

    /// The references of `identifier`.
    pub fn references(&self, identifier: &Identifier) -> IdentifierRefs {
        IdentifierRefs {
            current: self.current.reference(identifier),
            older: self
                .older
                .iter()
                .map(|it| it.reference(identifier))
                .collect(),
        }
    }

    /// Number of the current subject key.
    pub const fn current_id(&self) -> u32 {
        self.current.id
    }

    /// Keyed digest of a body, 32 bytes as lower-case hex.
    pub fn digest(&self, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.log);
        context.update(b"body\0");
        context.update(body);
        hex(context.sign().as_ref())
    }

    /// The token of `value`, of `category`, in the pseudonyms that one destination gets: 24 hex digits. The same value has the same
    /// token there and another one everywhere else, so that two recipients cannot join what they hold. It lives as long as the log
    /// key.
    pub fn pseudonym(&self, destination: &str, category: Category, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.log);
        for part in ["pseudonym", destination, category.code()] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        context.update(value.as_bytes());
        let tag = context.sign();
        hex(tag.as_ref().get(..12).unwrap_or_default())
    }

    /// What stands in place of a path step that may be personal data: `#` and 8 hex digits.
    pub fn mask(&self, step: &str) -> String {
        let mut context = hmac::Context::with_key(&self.log);
        context.update(b"step\0");
        context.update(step.as_bytes());
        let tag = context.sign();
        format!("#{}", hex(tag.as_ref().get(..4).unwrap_or_default()))
    }
}

fn first_16(tag: &hmac::Tag) -> [u8; 16] {
    let mut out = [0; 16];
    out.iter_mut()
        .zip(tag.as_ref())
        .for_each(|(to, from)| *to = *from);
    out
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, it| {
            let _infallible = write!(out, "{it:02x}");
            out
        })
}
