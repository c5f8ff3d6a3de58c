//! A message body, opened once for all who read it: codings undone, format decided, charset read to UTF-8; and the way back, for a
//! body that is written anew.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_ENCODING};

use super::{
    ReductionFailed,
    charset::{self, Charset, Text},
    coding::{self, Aside, Bare},
    format::{
        json::{
            lines,
            token::{self, Fault},
        },
        xml,
    },
    media_type::{Format, MediaType},
};
use crate::model::{finding::GapKind, inspection::Budget, message::Message};

/// Fields that describe the content as it was and do not hold for another.
const DESCRIPTIONS: [&str; 5] = [
    "content-digest",
    "content-md5",
    "digest",
    "etag",
    "repr-digest",
];

/// What opening a body came to.
pub(crate) struct Opened<'b> {
    /// The content, or why there is none.
    pub(crate) content: Result<Content<'b>, GapKind>,
    /// What the codings carried beside it; a recipient may read it even where the content is a gap.
    pub(crate) aside: Aside,
    /// Work units spent: a unit a byte written.
    pub(crate) work: u64,
}

/// An opened body.
pub(crate) struct Content<'b> {
    pub(crate) media_type: MediaType,
    pub(crate) matter: Matter<'b>,
    /// Why there may be more than the matter.
    pub(crate) fault: Option<GapKind>,
}

/// What an opened body holds. Spans of findings in the body count in it.
pub(crate) enum Matter<'b> {
    /// A multipart body, of which each part has its own charset, or one that is not text.
    Bytes(Cow<'b, [u8]>),
    /// The text, a byte order mark at its start included.
    Text(Text<'b>),
}

/// Opens the body of `message` under the caps of `budget`. A plain UTF-8 body is borrowed, at the cost of one pass over it.
pub(crate) fn open<'m>(message: &'m Message, budget: &Budget) -> Opened<'m> {
    open_part(&message.headers, &message.body, budget)
}

/// Opens `body`, described by `headers`: a whole message's, or one part of a multipart body.
pub(crate) fn open_part<'b>(headers: &HeaderMap, body: &'b [u8], budget: &Budget) -> Opened<'b> {
    // What is not read at all need not be decoded.
    let media_type = match MediaType::of(headers) {
        Ok(media_type) => media_type,
        Err(kind) => return Opened::unread(kind),
    };
    let Bare {
        bytes,
        aside,
        fault,
        work,
    } = coding::undo(headers, body, budget);
    let content = match fault {
        Some(kind) if bytes.is_empty() => Err(kind),
        _ => read(media_type, bytes, fault, budget),
    };
    Opened {
        content,
        aside,
        work,
    }
}

/// The text of `bytes`, which have no coding any more.
fn read<'b>(
    media_type: Option<MediaType>,
    bytes: Cow<'b, [u8]>,
    fault: Option<GapKind>,
    budget: &Budget,
) -> Result<Content<'b>, GapKind> {
    let label = match &media_type {
        Some(it) if it.format.is_bytes() => {
            return Ok(Content {
                media_type: it.clone(),
                matter: Matter::Bytes(bytes),
                fault,
            });
        }
        Some(it) => it.parameter("charset")?,
        None => None,
    };
    let is_xml = media_type
        .as_ref()
        .is_some_and(|it| it.format == Format::Xml);
    let declared = xml::declared_encoding(&bytes).filter(|_| is_xml);
    let label = match (label, declared) {
        (Some(label), Some(declared)) if !charset::is_same(label, declared) => {
            return Err(GapKind::Ambiguous);
        }
        (Some(label), _) => Some(label),
        (None, declared) => declared,
    };
    let label = label.map(str::to_owned);
    let text = charset::decode(bytes, label.as_deref())?;
    let media_type = match media_type {
        Some(it) if it.format != Format::Text => it,
        // Whoever reads a body that says for itself that it is JSON finds its members, whatever the label says.
        labelled => match (json_format(&text, budget), labelled) {
            (Some(format), Some(it)) => it.read_as(format),
            (Some(format), None) => MediaType::bare(format),
            (None, Some(it)) => it,
            (None, None) => return Err(GapKind::UnsupportedMediaType),
        },
    };
    if media_type.format == Format::Form && text.charset.is_wide() {
        // Its escapes are of bytes, so nobody can say what they are.
        return Err(GapKind::UnsupportedCharset);
    }
    let unread = match media_type.format {
        Format::Json | Format::Lines | Format::Sequence => GapKind::Malformed,
        Format::Binary(_)
        | Format::ContentLines
        | Format::Csv
        | Format::Form
        | Format::GraphQl
        | Format::Http
        | Format::Mail
        | Format::Multipart
        | Format::Text
        | Format::Tsv
        | Format::Xml => GapKind::UnsupportedCharset,
    };
    Ok(Content {
        media_type,
        fault: fault.or(text.has_blanks.then_some(unread)),
        matter: Matter::Text(text),
    })
}

/// The format that `text` says for itself to have: a JSON object or array, or one a line.
fn json_format(text: &Text<'_>, budget: &Budget) -> Option<Format> {
    let bare = text.text.get(text.start()..)?;
    let depth = budget.depth as usize;
    let is_document = |it: &str| {
        it.trim_start().starts_with(['{', '['])
            && token::document_fault(it, depth) != Some(Fault::Malformed)
    };
    if text.has_blanks || !bare.trim_start().starts_with(['{', '[']) {
        None
    } else if is_document(bare) {
        Some(Format::Json)
    } else {
        let mut lines = lines::lines(bare).peekable();
        lines.peek()?;
        lines
            .all(|it| bare.get(it).is_some_and(is_document))
            .then_some(Format::Lines)
    }
}

impl Opened<'_> {
    fn unread(kind: GapKind) -> Self {
        Self {
            content: Err(kind),
            aside: Aside::default(),
            work: 0,
        }
    }
}

impl<'b> Content<'b> {
    /// The text that spans count in; `None` when it is not text.
    pub(crate) fn into_text(self) -> Option<Cow<'b, str>> {
        match self.matter {
            Matter::Text(it) => Some(it.text),
            Matter::Bytes(Cow::Borrowed(it)) => std::str::from_utf8(it).ok().map(Cow::Borrowed),
            Matter::Bytes(Cow::Owned(it)) => String::from_utf8(it).ok().map(Cow::Owned),
        }
    }

    /// `message`, of which this is the content, with `text` for its own: in its charset and without a coding.
    ///
    /// # Errors
    /// The old body was not read whole, or its charset has no way back byte for byte.
    pub(crate) fn rewritten(
        &self,
        message: &Message,
        text: String,
        budget: &Budget,
    ) -> Result<Message, ReductionFailed> {
        const NO_WAY_BACK: ReductionFailed = ReductionFailed("its charset has no way back");
        let Matter::Text(old) = &self.matter else {
            return Err(ReductionFailed("its body is not text"));
        };
        if self.fault.is_some() {
            return Err(ReductionFailed("its body was not read whole"));
        }
        if old.charset != Charset::Utf8 {
            // Some charsets write one character in two ways, and what stays must stay as it was.
            let bare = coding::undo(&message.headers, &message.body, budget);
            let again = old.charset.encode(old.text.to_string());
            if again.as_deref() != Some(&*bare.bytes) {
                return Err(NO_WAY_BACK);
            }
        }
        let body = old.charset.encode(text).ok_or(NO_WAY_BACK)?;
        Ok(with_body(message, body))
    }
}

/// `message` with `body` instead of its own: without content coding, and without the fields that described the old one.
pub(crate) fn with_body(message: &Message, body: Vec<u8>) -> Message {
    let mut it = message.clone();
    it.body = Bytes::from(body);
    it.headers.remove(CONTENT_ENCODING);
    for name in DESCRIPTIONS {
        it.headers.remove(name);
        it.trailers.remove(name);
    }
    it
}
