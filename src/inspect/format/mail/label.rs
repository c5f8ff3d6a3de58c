//! What the fields of an entity say of its content.

use ::http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{header::Section, parameter::Parameterised, transfer::Transfer};
use crate::model::finding::GapKind;

/// How a content is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    /// A mail by itself.
    Mail,
    Multipart,
    Other,
}

/// The label of a content.
#[derive(Debug)]
pub(super) struct Label {
    /// Type and subtype, in lower case.
    pub(super) kind: String,
    pub(super) content: Content,
    pub(super) boundary: Option<String>,
    pub(super) transfer: Transfer,
    /// The same for the reader of parts.
    pub(super) headers: HeaderMap,
    /// Why others may read the content otherwise.
    pub(super) fault: Option<GapKind>,
}

impl Label {
    /// The label in the `section` of `bytes`.
    pub(super) fn of(section: &Section, bytes: &[u8]) -> Self {
        let mut fault = None;
        let mut value = |name: &str| {
            let (field, is_repeated) = section.one(name);
            if is_repeated {
                fault = Some(GapKind::Ambiguous);
            }
            let raw = bytes.get(field?.value.clone())?;
            let text = String::from_utf8_lossy(raw);
            Some(text.replace(['\r', '\n'], ""))
        };
        let (kind, transfer, coding) = (
            value("content-type"),
            value("content-transfer-encoding"),
            value("content-encoding"),
        );
        let mut it = Self::parse(kind.as_deref().unwrap_or("text/plain"));
        it.fault = it.fault.or(fault);
        // A comment may stand behind it.
        let transfer = Parameterised::parse(transfer.as_deref().unwrap_or_default());
        match Transfer::of(&transfer.kind) {
            Ok(_) if transfer.fault.is_some() => it.fault = transfer.fault,
            Ok(coded) if coded != Transfer::Plain && it.content == Content::Multipart => {
                // Not allowed (RFC 2045 §6.4), and undone by few.
                it.fault = Some(GapKind::Ambiguous);
            }
            Ok(transfer) => it.transfer = transfer,
            Err(kind) => it.fault = Some(kind),
        }
        if let Some(coding) = coding {
            match HeaderValue::from_str(&coding) {
                Ok(coding) => {
                    it.headers.insert(CONTENT_ENCODING, coding);
                }
                Err(_) => it.fault = Some(GapKind::Ambiguous),
            }
        }
        it
    }

    /// The label that a value of `Content-Type` is.
    pub(super) fn parse(text: &str) -> Self {
        let label = Parameterised::parse(text);
        let (boundary, is_clear) = label.one("boundary");
        let (charset, is_charset_clear) = label.one("charset");
        let mut fault = label.fault;
        if !is_clear || !is_charset_clear {
            fault = Some(GapKind::Ambiguous);
        }
        let content = match label.kind.split_once('/') {
            Some(("multipart", _)) => Content::Multipart,
            Some(("message", "rfc822" | "global" | "news")) | Some(("text", "rfc822-headers")) => {
                Content::Mail
            }
            _ => Content::Other,
        };
        let mut headers = HeaderMap::new();
        let kind = match label.kind.as_str() {
            // Sections of fields.
            "message/delivery-status"
            | "message/disposition-notification"
            | "message/feedback-report"
            | "message/global-delivery-status" => "text/plain",
            kind => kind,
        };
        let plain = match charset {
            Some(charset) => format!("{kind}; charset=\"{charset}\""),
            None => kind.to_owned(),
        };
        match HeaderValue::from_str(&plain) {
            Ok(value) => {
                headers.insert(CONTENT_TYPE, value);
            }
            Err(_) => fault = Some(GapKind::Ambiguous),
        }
        Self {
            content,
            boundary: boundary.map(str::to_owned),
            transfer: Transfer::Plain,
            headers,
            fault,
            kind: label.kind,
        }
    }

    /// Whether the content is a text of which a piece can be written over.
    pub(super) fn is_text(&self) -> bool {
        self.kind == "text/plain" || self.kind == "text/html"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_how_a_content_is_read() {
        let label = |text: &str| {
            let section = Section::of(text.as_bytes());
            let it = Label::of(&section, text.as_bytes());
            let kind = it
                .headers
                .get(CONTENT_TYPE)
                .map(|it| it.to_str().unwrap().to_owned());
            (it.content, it.transfer, it.fault, kind.unwrap_or_default())
        };
        let plain = (
            Content::Other,
            Transfer::Plain,
            None,
            "text/plain".to_owned(),
        );
        assert_eq!(label("Subject: a\n\n"), plain);
        assert_eq!(label("Content-Transfer-Encoding: 7bit (so)\n\n"), plain);
        assert_eq!(
            label(
                "Content-Type: Text/HTML;\n charset=utf-8\nContent-Transfer-Encoding: Base64\n\n"
            ),
            (
                Content::Other,
                Transfer::Base64,
                None,
                "text/html; charset=\"utf-8\"".to_owned()
            )
        );
        assert_eq!(label("Content-Type: message/rfc822\n\n").0, Content::Mail);
        for (text, fault) in [
            (
                "Content-Type: a/b\nContent-Type: c/d\n\n",
                GapKind::Ambiguous,
            ),
            (
                "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\n",
                GapKind::Ambiguous,
            ),
            (
                "Content-Transfer-Encoding: x-uuencode\n\n",
                GapKind::UnsupportedCoding,
            ),
            (
                "Content-Transfer-Encoding: base64, 7bit\n\n",
                GapKind::Ambiguous,
            ),
            (
                "Content-Type: multipart/mixed; boundary=a\nContent-Transfer-Encoding: base64\n\n",
                GapKind::Ambiguous,
            ),
            (
                "Content-Type: multipart/mixed; boundary*=utf-8''a\n\n",
                GapKind::Ambiguous,
            ),
            (
                "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n",
                GapKind::Ambiguous,
            ),
            (
                "Content-Type: text/plain; charset*0=utf-; charset*1=7\n\n",
                GapKind::Ambiguous,
            ),
        ] {
            let found = label(text).2;
            assert!(
                found == Some(fault) || (found.is_some() && fault == GapKind::Ambiguous),
                "{text}: {found:?}"
            );
        }
    }
}
