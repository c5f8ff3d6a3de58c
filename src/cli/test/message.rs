//! A written request becomes the message that the gate would hold.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;

use super::written::Request;
use crate::model::message::Message;

/// A request that could be sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// The message, with the whole path of the request.
    pub(super) message: Message,
    /// Host, lower-case.
    pub(super) host: String,
}

/// The request, or the key that is wrong, why, and how to mend it.
pub(super) fn sent(written: &Request) -> Result<Sent, (&'static str, &'static str, &'static str)> {
    let method = written.method.as_deref().unwrap_or("POST");
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| ("method", "not a method", "write one such as POST"))?;
    let (path, query) = match written.path.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (written.path.as_str(), None),
    };
    if !path.starts_with('/') {
        let fix = "write it as the client sends it: /mail/orders?id=1";
        return Err(("path", "the path does not start with a slash", fix));
    }
    let mut headers = headers(written)?;
    let (body, media_type) = body(written)?;
    if let Some(media_type) = media_type {
        let value = HeaderValue::from_str(media_type);
        let value =
            value.map_err(|_| ("content_type", "not a field value", "write a media type"))?;
        headers.insert(header::CONTENT_TYPE, value);
    }
    Ok(Sent {
        message: Message {
            method,
            path: path.to_owned(),
            query,
            headers,
            body,
            trailers: HeaderMap::new(),
        },
        host: written.host.as_deref().unwrap_or("").to_lowercase(),
    })
}

fn headers(written: &Request) -> Result<HeaderMap, (&'static str, &'static str, &'static str)> {
    let mut headers = HeaderMap::new();
    for (name, value) in &written.headers {
        let fix = "write `Name: value`";
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ("headers", "a name is not a field name", fix))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| ("headers", "a value is not a field value", fix))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn body(
    written: &Request,
) -> Result<(Bytes, Option<&str>), (&'static str, &'static str, &'static str)> {
    let given = written.content_type.as_deref();
    let is_told = given.is_some() || written.headers.keys().any(|it| is_content_type(it));
    match (&written.body, &written.body_base64) {
        (Some(_), Some(_)) => Err(("body_base64", "two bodies", "keep one of the two")),
        (Some(Value::String(_)), None) if !is_told => Err((
            "body",
            "a text needs a media type",
            "add `content_type:`, such as text/plain; charset=utf-8",
        )),
        (Some(Value::String(text)), None) => Ok((Bytes::from(text.clone()), given)),
        (Some(value), None) => {
            let default = (!is_told).then_some("application/json");
            Ok((Bytes::from(value.to_string()), given.or(default)))
        }
        (None, Some(coded)) => match STANDARD.decode(coded) {
            Ok(bytes) => Ok((Bytes::from(bytes), given)),
            Err(_) => Err((
                "body_base64",
                "not base64",
                "encode it by RFC 4648 section 4",
            )),
        },
        (None, None) => Ok((Bytes::new(), given)),
    }
}

fn is_content_type(name: &str) -> bool {
    name.eq_ignore_ascii_case(header::CONTENT_TYPE.as_str())
}
