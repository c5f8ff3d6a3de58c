//! Distinct member and field names: each is looked up in the dictionary once, and kept for the messages that come after.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{super::detect::KeyHint, pair::PairRole};

/// Slots tried for one name before it goes to the ordered map.
const PROBES_MAX: usize = 8;

/// Names after which a table starts anew with the next message: an interface has fewer, and names that are ids have no end.
const KEPT_MAX: usize = 8192;

/// Bytes of names after which it does.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// Number of a name in its [`KeyTable`].
pub(crate) type KeyId = u32;

#[derive(Debug)]
struct Entry {
    hash: u64,
    start: usize,
    length: u32,
    hint: KeyHint,
    pair: PairRole,
    /// Under what the name itself was scanned without a hit.
    clean: Option<Clean>,
    name: Option<Arc<str>>,
}

impl Entry {
    /// Its bytes in the text of the table.
    const fn place(&self) -> Range<usize> {
        self.start..self.start + self.length as usize
    }
}

/// A scan of a name that found nothing.
#[derive(Clone, Copy, Debug)]
struct Clean {
    /// The hints of the name and of its parent, on which the scan depends.
    under: (KeyHint, KeyHint),
    /// Work units that it took.
    work: u32,
    /// The last message in which they were counted.
    message: u32,
}

/// An interner. The hash is not keyed, so names that the sender chose to collide go to an ordered map after a few probes: the cost
/// stays logarithmic, and nothing here is random.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    text: String,
    entries: Vec<Entry>,
    /// Number of the name plus one; zero is free. The length is a power of two.
    slots: Vec<u32>,
    crowded: BTreeMap<Box<str>, KeyId>,
    /// Messages so far, all but the highest bits.
    message: u32,
    /// Names that were known before this message.
    known: usize,
}

impl KeyTable {
    /// Begins a message. What is known of names stays, within bounds; nothing of the reading depends on it.
    pub(crate) fn begin(&mut self) {
        self.message = self.message.wrapping_add(1);
        self.known = self.entries.len();
        if self.entries.len() > KEPT_MAX || self.text.len() > KEPT_BYTES_MAX {
            *self = Self {
                message: self.message,
                ..Self::default()
            };
        }
    }

    /// Forgets what this message brought, since something was found in its `names`; and all there is, when one of them was known.
    pub(crate) fn forget<'n>(&mut self, mut names: impl Iterator<Item = Option<&'n str>>) {
        let is_new = |name: &str| {
            self.find(name, hash(name.as_bytes()))
                .is_some_and(|id| id as usize >= self.known)
        };
        if names.all(|it| it.is_some_and(is_new)) {
            self.truncate(self.known);
        } else {
            *self = Self::default();
        }
    }

    /// Keeps the first `count` names. Later ones stand behind them wherever they share slots, so that their slots may be freed.
    fn truncate(&mut self, count: usize) {
        let first = u32::try_from(count).unwrap_or(u32::MAX);
        for entry in self.entries.drain(count..) {
            for slot in probes(entry.hash, self.slots.len()) {
                if let Some(slot) = self.slots.get_mut(slot)
                    && *slot > first
                {
                    *slot = 0;
                }
            }
            self.text.truncate(entry.start.min(self.text.len()));
        }
        self.crowded.retain(|_, id| *id < first);
    }

    /// The number of `key`; `lookup` is asked when it is new.
    pub(crate) fn intern(&mut self, key: &str, lookup: impl FnOnce(&str) -> KeyHint) -> KeyId {
        let hash = hash(key.as_bytes());
        if let Some(id) = self.find(key, hash) {
            return id;
        }
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let id = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let start = self.text.len();
        self.text.push_str(key);
        self.entries.push(Entry {
            hash,
            start,
            length: u32::try_from(key.len()).unwrap_or(u32::MAX),
            hint: lookup(key),
            pair: PairRole::of(key),
            clean: None,
            name: None,
        });
        self.place(id, hash);
        id
    }

    /// What the dictionary says of the name, and what a member of it may be in a pair.
    pub(crate) fn said(&self, id: KeyId) -> (KeyHint, PairRole) {
        self.entry(id)
            .map_or_else(Default::default, |it| (it.hint, it.pair))
    }

    /// What the dictionary says of the name.
    pub(crate) fn hint(&self, id: KeyId) -> KeyHint {
        self.entry(id).map_or_else(KeyHint::default, |it| it.hint)
    }

    /// The name.
    pub(crate) fn text(&self, id: KeyId) -> &str {
        self.entry(id)
            .and_then(|it| self.text.get(it.place()))
            .unwrap_or_default()
    }

    /// The name, shared.
    pub(crate) fn name(&mut self, id: KeyId) -> Arc<str> {
        if let Some(name) = self.entry(id).and_then(|it| it.name.as_ref()) {
            return Arc::clone(name);
        }
        let name: Arc<str> = self.text(id).into();
        if let Some(entry) = self.entries.get_mut(id as usize) {
            entry.name = Some(Arc::clone(&name));
        }
        name
    }

    /// Whether the name was scanned `under` these hints (its own, its parent's) before, without a hit: the work units to count for
    /// it, which a message does once.
    pub(crate) fn clean(&mut self, id: KeyId, under: (KeyHint, KeyHint)) -> Option<u64> {
        let message = self.message;
        let entry = self.entries.get_mut(id as usize)?;
        let clean = entry.clean.as_mut().filter(|it| it.under == under)?;
        let is_counted = std::mem::replace(&mut clean.message, message) == message;
        Some(if is_counted { 0 } else { clean.work.into() })
    }

    /// Notes that the name holds nothing under these hints, which took `work` to see.
    pub(crate) fn mark_clean(&mut self, id: KeyId, under: (KeyHint, KeyHint), work: u64) {
        if let Some(entry) = self.entries.get_mut(id as usize) {
            entry.clean = Some(Clean {
                under,
                work: u32::try_from(work).unwrap_or(u32::MAX),
                message: self.message,
            });
        }
    }

    fn entry(&self, id: KeyId) -> Option<&Entry> {
        self.entries.get(id as usize)
    }

    fn find(&self, key: &str, hash: u64) -> Option<KeyId> {
        for slot in probes(hash, self.slots.len()) {
            let Some(id) = self.slots.get(slot).and_then(|it| it.checked_sub(1)) else {
                break;
            };
            let names = self.text.as_bytes();
            if let Some(entry) = self.entries.get(id as usize)
                && entry.hash == hash
                && names.get(entry.place()) == Some(key.as_bytes())
            {
                return Some(id);
            }
        }
        if self.crowded.is_empty() {
            None
        } else {
            self.crowded.get(key).copied()
        }
    }

    fn place(&mut self, id: KeyId, hash: u64) {
        for slot in probes(hash, self.slots.len()) {
            if let Some(free @ 0) = self.slots.get_mut(slot) {
                *free = id + 1;
                return;
            }
        }
        let key = self.text(id).into();
        self.crowded.insert(key, id);
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(64);
        self.slots.clear();
        self.slots.resize(len, 0);
        self.crowded.clear();
        for id in 0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX) {
            let hash = self.entry(id).map_or(0, |it| it.hash);
            self.place(id, hash);
        }
    }
}

/// The slots where a name with `hash` may stand, in a table of `len` slots.
fn probes(hash: u64, len: usize) -> impl Iterator<Item = usize> {
    let mask = len.wrapping_sub(1);
    let from = usize::try_from(hash >> 32).unwrap_or_default();
    (0..PROBES_MAX.min(len)).map(move |it| from.wrapping_add(it) & mask)
}

/// A multiplicative hash, eight bytes at a time.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let mut chunks = bytes.chunks_exact(8);
    let mut sum = bytes.len() as u64;
    for chunk in &mut chunks {
        let word = chunk.first_chunk::<8>().copied().unwrap_or_default();
        sum = mix(sum, u64::from_le_bytes(word));
    }
    let tail = chunks
        .remainder()
        .iter()
        .fold(0, |word: u64, it| word << 8 | u64::from(*it));
    let sum = mix(sum, tail);
    sum ^ sum << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_through_growth_and_crowding() {
        let mut table = KeyTable::default();
        let name = |it: usize| format!("key-{it}");
        let ids: Vec<_> = (0..5_000)
            .map(|it| table.intern(&name(it), |_| KeyHint::default()))
            .collect();
        for (it, id) in ids.iter().enumerate() {
            assert_eq!(table.intern(&name(it), |_| panic!("looked up twice")), *id);
            assert_eq!(table.text(*id), name(it));
        }
        let crowd = KeyTable::default();
        let mut crowd = KeyTable {
            slots: vec![u32::MAX; 64],
            ..crowd
        };
        crowd.entries.clear();
        crowd.place(0, 1);
        assert_eq!(crowd.crowded.len(), 1, "no free slot among those tried");
    }
    #[test]
    fn a_clean_name_counts_once_a_message_and_under_its_hints() {
        let mut table = KeyTable::default();
        table.begin();
        let id = table.intern("kind", |_| KeyHint::default());
        let (plain, person) = (
            KeyHint::default(),
            KeyHint {
                is_person: true,
                ..KeyHint::default()
            },
        );
        assert_eq!(table.clean(id, (plain, plain)), None);
        table.mark_clean(id, (plain, plain), 4);
        assert_eq!(table.clean(id, (plain, plain)), Some(0));
        assert_eq!(table.clean(id, (plain, person)), None);
        assert_eq!(table.clean(id, (person, plain)), None);
        table.begin();
        assert_eq!(table.clean(id, (plain, plain)), Some(4));
        assert_eq!(table.clean(id, (plain, plain)), Some(0));
    }

    #[test]
    fn what_a_message_brought_is_forgotten_and_the_rest_stays() {
        let mut table = KeyTable::default();
        let name = |it: usize| format!("key-{it}");
        for it in 0..100 {
            table.intern(&name(it), |_| KeyHint::default());
        }
        table.begin();
        // Through a growth of the table.
        for it in 100..1000 {
            table.intern(&name(it), |_| KeyHint::default());
        }
        table.forget([Some("key-100"), Some("key-999")].into_iter());
        assert_eq!(table.entries.len(), 100);
        for it in 0..100 {
            let id = table.intern(&name(it), |_| panic!("forgotten"));
            assert_eq!(table.text(id), name(it));
        }
        for it in 100..1000 {
            assert_eq!(table.find(&name(it), hash(name(it).as_bytes())), None);
        }
        table.begin();
        for names in [[Some("key-1")], [None], [Some("never seen")]] {
            table.intern("key-1", |_| KeyHint::default());
            table.begin();
            table.forget(names.into_iter());
            assert!(table.entries.is_empty() && table.text.is_empty());
        }
    }

    #[test]
    fn names_without_end_are_not_kept() {
        let mut table = KeyTable::default();
        for it in 0..=KEPT_MAX {
            table.intern(&it.to_string(), |_| KeyHint::default());
        }
        table.begin();
        assert!(table.entries.is_empty());
        table.intern(&"k".repeat(KEPT_BYTES_MAX + 1), |_| KeyHint::default());
        table.begin();
        assert!(table.text.is_empty());
    }
}
