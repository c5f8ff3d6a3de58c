//! Reads one segment forwards, checking every length, hash, link, sequence and group.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    fault::{Bad, Error, Fault},
    format::{
        BODY_BYTES_MAX, HASHES_BYTES, HEADER_BYTES, Hash, Header, LENGTH_BYTES, chain_hash,
        envelope, leaf_hash,
    },
    segment, tail,
};

/// Where the next record stands and what it must follow from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    /// First sequence of the segment.
    pub(super) segment: u64,
    /// Offset of the next record.
    pub(super) offset: u64,
    /// Its sequence.
    pub(super) sequence: u64,
    /// Group of the record before; the sequence itself where none is open.
    pub(super) group: u64,
    /// Link it must follow from.
    pub(super) chain: Hash,
}

/// A record whose hashes hold; its event is not parsed.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) sequence: u64,
    pub(super) group: u64,
    pub(super) body: Vec<u8>,
    pub(super) chain: Hash,
}

/// What stands at a position.
#[derive(Debug)]
pub(super) enum Step {
    /// No record yet: end of file, or zeros.
    End,
    /// Something that is no whole record.
    Fault(Fault),
    /// A record.
    Record(Raw),
}

/// One segment, read forwards.
#[derive(Debug)]
pub(super) struct Scan {
    path: PathBuf,
    reader: BufReader<File>,
    position: Position,
    header: Header,
}

impl Scan {
    /// Opens the segment that begins with `first`; its header must hold.
    pub(super) fn open(dir: &Path, first: u64) -> Result<Self, Error> {
        let path = segment::path(dir, first);
        let mut file = segment::open(&path, false).map_err(Error::io("open", &path))?;
        let header = segment::header(&mut file, &path, first)?;
        let position = Position {
            segment: first,
            offset: HEADER_BYTES as u64,
            sequence: first,
            group: first,
            chain: header.hash(),
        };
        Ok(Self {
            path,
            reader: BufReader::with_capacity(1 << 18, file),
            position,
            header,
        })
    }

    /// Opens the segment of `position` and goes on from there.
    pub(super) fn resume(dir: &Path, position: Position) -> Result<Self, Error> {
        let mut scan = Self::open(dir, position.segment)?;
        scan.position = position;
        scan.rewind()?;
        Ok(scan)
    }

    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    pub(super) const fn position(&self) -> Position {
        self.position
    }

    /// Names `fault` at the present position.
    pub(super) fn bad(&self, fault: Fault) -> Bad {
        Bad {
            segment: segment::name(self.position.segment),
            offset: self.position.offset,
            sequence: self.position.sequence,
            fault,
        }
    }

    /// The next record. After `End` or `Fault` the position stands, so that a log that grows can be asked again.
    pub(super) fn step(&mut self) -> Result<Step, Error> {
        let step = self.read().map_err(Error::io("read", &self.path))?;
        match &step {
            Step::Record(raw) => {
                let bytes = (LENGTH_BYTES + raw.body.len() + HASHES_BYTES) as u64;
                self.position.offset += bytes;
                self.position.sequence += 1;
                self.position.group = raw.group;
                self.position.chain = raw.chain;
            }
            Step::End | Step::Fault(_) => self.rewind()?,
        }
        Ok(step)
    }

    /// [`Scan::step`] on a log that another process may be writing: what looks wrong is looked at again, for up to 100 ms, since a read can
    /// meet a write half-way.
    pub(super) fn step_live(&mut self) -> Result<Step, Error> {
        for _ in 0..10 {
            match self.step()? {
                Step::Fault(_) if self.path.parent().is_some_and(segment::is_owned) => {
                    thread::sleep(Duration::from_millis(10));
                }
                step @ (Step::End | Step::Fault(_) | Step::Record(_)) => return Ok(step),
            }
        }
        self.step()
    }

    /// Whether the link that stands before the present position is the one it goes on from.
    pub(super) fn stands(&mut self) -> Result<bool, Error> {
        let mut link: Hash = [0; 32];
        let at = SeekFrom::Start(self.position.offset.saturating_sub(link.len() as u64));
        let read = self
            .reader
            .seek(at)
            .and_then(|_| self.reader.read_exact(&mut link));
        self.rewind()?;
        Ok(read.is_ok() && link == self.position.chain)
    }

    /// Whether the file ends at the present position.
    pub(super) fn is_at_end(&self) -> Result<bool, Error> {
        let metadata = self
            .reader
            .get_ref()
            .metadata()
            .map_err(Error::io("read", &self.path))?;
        Ok(metadata.len() <= self.position.offset)
    }

    /// Whether only zeros stand from the present position to the end of the file.
    pub(super) fn is_zero_filled(&mut self) -> Result<bool, Error> {
        let mut chunk = vec![0; 1 << 16];
        let result = loop {
            match self.reader.get_mut().read(&mut chunk) {
                Ok(0) => break Ok(true),
                Ok(n) if chunk.iter().take(n).any(|it| *it != 0) => break Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(Error::io("read", &self.path)(error)),
            }
        };
        self.rewind()?;
        result
    }

    /// Judges what follows the last whole record of the *last* segment: `None` where only zeros do, else the bytes that a crash has torn.
    /// `found` is the fault at the present position; an altered record gives it back as an error.
    pub(super) fn torn_tail(&mut self, found: Fault) -> Result<Vec<u8>, Error> {
        let mut rest = Vec::new();
        self.reader
            .get_mut()
            .read_to_end(&mut rest)
            .map_err(Error::io("read", &self.path))?;
        self.rewind()?;
        let position = self.position;
        if tail::is_torn(&rest, position.offset, position.sequence, &position.chain) {
            let used = rest.iter().rposition(|it| *it != 0).map_or(0, |it| it + 1);
            rest.truncate(used);
            return Ok(rest);
        }
        Err(Error::Damaged(self.bad(found)))
    }

    /// Goes back to `position`, an earlier one of this segment.
    pub(super) fn return_to(&mut self, position: Position) -> Result<(), Error> {
        self.position = position;
        self.rewind()
    }

    fn rewind(&mut self) -> Result<(), Error> {
        self.reader
            .seek(SeekFrom::Start(self.position.offset))
            .map(drop)
            .map_err(Error::io("read", &self.path))
    }

    fn read(&mut self) -> io::Result<Step> {
        let mut field = Vec::with_capacity(LENGTH_BYTES);
        self.reader
            .by_ref()
            .take(LENGTH_BYTES as u64)
            .read_to_end(&mut field)?;
        if field.is_empty() {
            return Ok(Step::End);
        }
        let Ok(field) = <[u8; LENGTH_BYTES]>::try_from(field) else {
            return Ok(Step::Fault(Fault::Cut));
        };
        let length = u32::from_be_bytes(field);
        let Some(body_bytes) = usize::try_from(length)
            .ok()
            .filter(|it| *it <= BODY_BYTES_MAX)
        else {
            return Ok(Step::Fault(Fault::Length(length)));
        };
        if length == 0 {
            return Ok(Step::End);
        }
        let whole = body_bytes + HASHES_BYTES;
        let mut body = Vec::with_capacity(whole);
        self.reader
            .by_ref()
            .take(whole as u64)
            .read_to_end(&mut body)?;
        if body.len() < whole {
            return Ok(Step::Fault(Fault::Cut));
        }
        let hashes = body.split_off(body_bytes);
        Ok(self
            .check(body, &hashes)
            .map_or_else(Step::Fault, Step::Record))
    }

    fn check(&self, body: Vec<u8>, hashes: &[u8]) -> Result<Raw, Fault> {
        let position = self.position;
        let leaf = leaf_hash(&body);
        let chain = chain_hash(&position.chain, &leaf);
        let Some((stored_leaf, stored_chain)) = hashes.split_at_checked(leaf.len()) else {
            return Err(Fault::Cut);
        };
        if stored_leaf != leaf {
            return Err(Fault::Leaf);
        }
        let (sequence, group) = envelope(&body).ok_or(Fault::Envelope)?;
        if sequence != position.sequence {
            return Err(Fault::Sequence(sequence));
        }
        if stored_chain != chain {
            return Err(Fault::Chain);
        }
        if group != sequence && (group != position.group || group > sequence) {
            return Err(Fault::Group(group));
        }
        Ok(Raw {
            segment: position.segment,
            offset: position.offset,
            sequence,
            group,
            body,
            chain,
        })
    }
}
