//! What inspection reports: where personal data stands, and where it could not look.

use std::{fmt, ops::Range, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Category, CategorySet, Timestamp};

/// How sure a detector is. A destination acts from its `confidence_min` (default `high`); below it the finding is recorded.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Shape only.
    Low,
    /// A check digit without a key, or a key that says otherwise.
    Medium,
    /// A key alone, or check digit and plausible content.
    High,
    /// A key and a valid value.
    Certain,
}

impl Confidence {
    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }

    /// What it says of a finding, as `docs/detection.md` has it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Low => "the shape only",
            Self::Medium => {
                "a check digit without a key, or under a key that says otherwise (an order number, a price)"
            }
            Self::High => "a key alone, or a check digit with plausible content",
            Self::Certain => "a key and a valid value",
        }
    }
}

/// Why a finding is surer than its detector alone would have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Raised {
    /// It stands beside other data of a person, or under a key that names one.
    BesidePerson,
    /// Several kinds of weak findings stand in one object.
    Combination,
}

impl Raised {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BesidePerson => "beside-person",
            Self::Combination => "combination",
        }
    }
}

/// Another threshold than the destination's `confidence_min`, for some categories or one detector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Threshold {
    /// What it is for.
    pub of: ThresholdOf,
    /// Findings act from here; `None`: never.
    pub min: Option<Confidence>,
    /// The instant at which it ends, if it does.
    pub until: Option<Timestamp>,
}

/// What a [`Threshold`] is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ThresholdOf {
    /// Findings of these categories.
    Categories(CategorySet),
    /// Findings of this detector; goes before those of categories.
    Detector(Arc<str>),
}

impl Threshold {
    /// Whether it is for findings of this category by this detector.
    pub fn covers(&self, category: Category, detector: &str) -> bool {
        match &self.of {
            ThresholdOf::Categories(set) => set.contains(category),
            ThresholdOf::Detector(name) => **name == *detector,
        }
    }
}

/// Part of a message.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The content.
    Body,
    /// What follows `?`.
    Query,
    /// The path's segments.
    Path,
    /// A header field, cookies included.
    Header,
    /// A trailer field.
    Trailer,
}

impl Part {
    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
            Self::Path => "path",
            Self::Header => "header",
            Self::Trailer => "trailer",
        }
    }
}

/// One step of a path into a structured body. `Debug` hides names, since a name may be personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Position in an array, from 0.
    Index(u64),
    /// Member of an object, or field of a form. May itself hold personal data: print through [`Location`] with care.
    Name(Arc<str>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(at) => write!(f, "[{at}]"),
            Self::Name(_) => f.write_str("[name]"),
        }
    }
}

/// Where in a message. Raw: a step may be personal data, so this prints only on the operator's own terminal (`scan`, `explain`);
/// everything else goes through the gatekeeper's `LocationMask`. `Debug` therefore shows no names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Part of the message.
    pub part: Part,
    /// Header, query parameter or cookie name.
    pub name: Option<Arc<str>>,
    /// Path of the value in a structured body.
    pub path: Option<Arc<[Step]>>,
    /// Path inside a JSON document that is itself the value.
    pub inner: Option<Arc<[Step]>>,
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.path.as_ref().map_or(0, |it| it.len());
        write!(f, "{}(+{steps} steps)", self.part.as_str())
    }
}

/// Writes `steps` as an RFC 9535 normalized path: `$['user']['emails'][0]`.
pub fn normalized_path(steps: &[Step]) -> String {
    use fmt::Write as _;
    let mut out = String::from("$");
    for step in steps {
        match step {
            Step::Index(at) => {
                let _infallible = write!(out, "[{at}]");
            }
            Step::Name(name) => {
                out.push_str("['");
                for ch in name.chars() {
                    push_escaped(&mut out, ch);
                }
                out.push_str("']");
            }
        }
    }
    out
}

/// RFC 9535 §2.7: the escapes of a normalized path's name selector.
fn push_escaped(out: &mut String, ch: char) {
    use fmt::Write as _;
    match ch {
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\'' => out.push_str("\\'"),
        '\\' => out.push_str("\\\\"),
        control if control < ' ' => {
            let _infallible = write!(out, "\\u{:04x}", control as u32);
        }
        other => out.push(other),
    }
}

/// Personal data found at one place. Never holds the value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of data.
    pub category: Category,
    /// Stable name of the detector, as in the audit log.
    pub detector: &'static str,
    /// How sure.
    pub confidence: Confidence,
    /// Why it is surer than its detector alone.
    pub raised: Option<Raised>,
    /// Whether it is acted on: it reaches the threshold that the destination sets for it. Else it is recorded only.
    pub acts: bool,
    /// Where.
    pub location: Location,
    /// Whether the data is a member name (key), not a value.
    pub in_key: bool,
    /// Bytes of the decoded part (the body after content decoding, or the part's raw text) that hold it, escapes included.
    pub span: Range<usize>,
    /// The bytes are an encoding as a whole (base64, an exponent): which of them hold the data cannot be told.
    pub is_encoded: bool,
    /// In head and trailer: number of the field line, from 0, `Host` not counted; the span is of its value. Else 0.
    pub line: usize,
}

/// Why a part of a message could not be read. The destination's `gaps` table says what each means; the default is block.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// Two readings are possible: duplicate JSON keys, label and bytes that disagree, content outside multipart parts. Never openable.
    Ambiguous,
    /// Larger than the destination's limit.
    BodyTooLarge,
    /// The time given to one message ran out. Raised by the gatekeeper, never by inspection.
    DeadlineExceeded,
    /// Larger than the destination's limit once its content coding is undone.
    DecodedTooLarge,
    /// Nested deeper than the limit.
    DepthExceeded,
    /// The wire framing does not hold together.
    Framing,
    /// Inspection itself failed (a defect). Opened only by the destination's failure policy for inspection.
    InspectionFailed,
    /// A supported format that does not parse.
    Malformed,
    /// Bytes with no readable meaning (images, archives, unknown binary).
    Opaque,
    /// More parts or members than the limit.
    PartsExceeded,
    /// Its content coding makes it grow by more than the destination's ratio.
    RatioExceeded,
    /// A charset that is unknown or unsafe.
    UnsupportedCharset,
    /// A content coding that is not undone.
    UnsupportedCoding,
    /// A media type that no reader here understands.
    UnsupportedMediaType,
    /// The work-unit budget of one message ran out.
    WorkExceeded,
}

impl GapKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Ambiguous,
        Self::BodyTooLarge,
        Self::DeadlineExceeded,
        Self::DecodedTooLarge,
        Self::DepthExceeded,
        Self::Framing,
        Self::InspectionFailed,
        Self::Malformed,
        Self::Opaque,
        Self::PartsExceeded,
        Self::RatioExceeded,
        Self::UnsupportedCharset,
        Self::UnsupportedCoding,
        Self::UnsupportedMediaType,
        Self::WorkExceeded,
    ];

    /// Why it was not read, for a terminal.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ambiguous => "it can be read in two ways, or label and bytes disagree",
            Self::BodyTooLarge => "larger than the limit",
            Self::DeadlineExceeded => "the time for one message ran out",
            Self::DecodedTooLarge => "larger than the limit once its coding is undone",
            Self::DepthExceeded => "nested deeper than the limit",
            Self::Framing => "where the message ends is not sure",
            Self::InspectionFailed => "inspection broke down, a defect",
            Self::Malformed => "it does not parse as its type",
            Self::Opaque => {
                "bytes without a meaning that is read here, such as a picture or an archive"
            }
            Self::PartsExceeded => "more members than the limit",
            Self::RatioExceeded => "its coding makes it grow beyond the limit",
            Self::UnsupportedCharset => "not in its charset, or in one that is not read",
            Self::UnsupportedCoding => "in a content coding that is not undone",
            Self::UnsupportedMediaType => "of a media type that is not read",
            Self::WorkExceeded => "the work for one message ran out",
        }
    }

    /// The kebab-case name, the same in configuration, audit, metrics and problem bodies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::BodyTooLarge => "body-too-large",
            Self::DeadlineExceeded => "deadline-exceeded",
            Self::DecodedTooLarge => "decoded-too-large",
            Self::DepthExceeded => "depth-exceeded",
            Self::Framing => "framing",
            Self::InspectionFailed => "inspection-failed",
            Self::Malformed => "malformed",
            Self::Opaque => "opaque",
            Self::PartsExceeded => "parts-exceeded",
            Self::RatioExceeded => "ratio-exceeded",
            Self::UnsupportedCharset => "unsupported-charset",
            Self::UnsupportedCoding => "unsupported-coding",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::WorkExceeded => "work-exceeded",
        }
    }

    /// Whether a destination may let it pass with `allow-logged`.
    pub const fn is_openable(self) -> bool {
        !matches!(
            self,
            Self::Ambiguous | Self::Framing | Self::InspectionFailed
        )
    }
}

impl FromStr for GapKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a kind of gap"))
    }
}

/// A part that could not be read, wholly or in part. Never "no findings".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// Where.
    pub location: Location,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalized_paths_escape_as_rfc_9535_says() {
        let steps = [
            Step::Name("a'b\\".into()),
            Step::Index(3),
            Step::Name("\u{b}\n".into()),
        ];
        assert_eq!(normalized_path(&steps), r"$['a\'b\\'][3]['\u000b\n']");
    }
}
