//! Heads that arrive parsed, as HTTP/2 requests do: held to what the raw check of HTTP/1.1 holds.
//!
//! The library has refused what breaks RFC 9113 by then (upper-case names, connection fields, pseudo-fields out of place). Here
//! falls what it lets through although two readers could differ over it, and the head takes the one form that the steps behind
//! expect: a target in origin form, one `Host`, one `Cookie`.

use http::{HeaderMap, HeaderValue, Uri, header, request::Parts};

use super::{
    Fault,
    chunks::{NOT_TRAILERS, TRAILER_BYTES},
    head::{
        FIELDS_MAX, HEAD_BYTES, LINE_BYTES, SINGLE_FIELDS, check_method, content_length, host,
        imitates_framing,
    },
};

/// What RFC 9113 §6.5.2 counts for each field beside name and value.
const FIELD_BYTES: usize = 32;
/// Fields that belong to an HTTP/1.1 connection (RFC 9113 §8.2.2).
const CONNECTION_FIELDS: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Checks the head and gives it its one form.
///
/// # Errors
/// What is in the way.
pub(in crate::proxy) fn check(parts: &mut Parts) -> Result<(), Fault> {
    check_size(parts)?;
    check_method(parts.method.as_str())?;
    check_fields(&parts.headers)?;
    let target = target(&parts.uri)?;
    let host = authority(&parts.uri, &parts.headers)?;
    parts.uri = target;
    parts.headers.insert(header::HOST, host);
    join_cookies(&mut parts.headers)
}

fn check_size(parts: &Parts) -> Result<(), Fault> {
    let fields = parts.headers.iter();
    let bytes: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES)
        .sum();
    let target = parts.uri.path_and_query();
    if target.is_some_and(|it| it.as_str().len() > LINE_BYTES) {
        Err(Fault::with_status(414, "the target is too long"))
    } else if bytes > HEAD_BYTES {
        Err(Fault::with_status(431, "the head is too long"))
    } else if parts.headers.len() > FIELDS_MAX {
        Err(Fault::with_status(431, "the head has too many fields"))
    } else {
        Ok(())
    }
}

fn check_fields(headers: &HeaderMap) -> Result<(), Fault> {
    for (name, value) in headers {
        let is_blank = |it: Option<&u8>| matches!(it, Some(b' ' | b'\t'));
        let bytes = value.as_bytes();
        if is_blank(bytes.first()) || is_blank(bytes.last()) {
            return Err(Fault::framing(
                "a field's value begins or ends with a blank",
            ));
        }
        if imitates_framing(name.as_str()) {
            return Err(Fault::framing("a field's name imitates a framing field"));
        }
        if CONNECTION_FIELDS.contains(&name.as_str()) {
            return Err(Fault::framing("a field belongs to HTTP/1.1 connections"));
        }
        if *name == header::TE && !bytes.eq_ignore_ascii_case(b"trailers") {
            return Err(Fault::framing("TE is not `trailers`"));
        }
        if *name == header::CONTENT_LENGTH {
            content_length(bytes)?;
        }
    }
    let is_repeated = |name: &&&str| headers.get_all(**name).iter().nth(1).is_some();
    match SINGLE_FIELDS.iter().find(is_repeated) {
        Some(_) => Err(Fault::framing("a field that may stand once stands twice")),
        None => Ok(()),
    }
}

/// The path and query alone. The library has taken off a fragment, which therefore goes nowhere.
fn target(uri: &Uri) -> Result<Uri, Fault> {
    if uri
        .scheme_str()
        .is_some_and(|it| !matches!(it, "http" | "https"))
    {
        return Err(Fault::framing("the scheme is not one of HTTP"));
    }
    let target = uri
        .path_and_query()
        .ok_or(Fault::framing("the path is missing"))?;
    if target.path() == "*" {
        return Err(Fault::method("the target `*` is not taken"));
    }
    let is_plain = target
        .as_str()
        .bytes()
        .all(|it| matches!(it, 0x21..=0x7e) && it != b'#');
    if is_plain && target.path().starts_with('/') {
        Ok(Uri::from(target.clone()))
    } else {
        Err(Fault::framing("the target is not a path of this host"))
    }
}

/// The one host that `:authority` and `Host` name.
fn authority(uri: &Uri, headers: &HeaderMap) -> Result<HeaderValue, Fault> {
    let field = headers.get(header::HOST);
    let value = match (uri.authority(), field) {
        (Some(authority), Some(field))
            if !field
                .as_bytes()
                .eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            return Err(Fault::framing(":authority and the Host field differ"));
        }
        (Some(authority), _) => HeaderValue::try_from(authority.as_str()).ok(),
        (None, field) => field.cloned(),
    };
    let value = value.ok_or(Fault::framing(":authority is missing"))?;
    host(value.as_bytes())?;
    Ok(value)
}

/// RFC 9113 §8.2.3: cookies may come in several fields, which are one.
fn join_cookies(headers: &mut HeaderMap) -> Result<(), Fault> {
    let crumbs: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() > 1 {
        let joined = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice()))
            .map_err(|_| Fault::framing("the cookies are not fields"))?;
        headers.insert(header::COOKIE, joined);
    }
    Ok(())
}

/// Checks trailer fields as they arrive parsed.
///
/// # Errors
/// There are too many of them, or one must not come late.
pub(in crate::proxy) fn check_trailers(fields: &HeaderMap) -> Result<(), Fault> {
    let bytes: usize = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > TRAILER_BYTES {
        return Err(Fault::with_status(431, "the trailer section is too long"));
    }
    let is_late = |it: &str| NOT_TRAILERS.contains(&it) || imitates_framing(it);
    if fields.keys().any(|it| is_late(it.as_str())) {
        return Err(Fault::framing("a field came late that must not"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{Method, Request};

    use super::*;

    fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// The status of the fault; 0 when there is none.
    fn status(method: &str, uri: &str, fields: &[(&str, &str)]) -> u16 {
        check(&mut parts(method, uri, fields)).map_or_else(|it| it.status, |()| 0)
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        let plain = "https://crm.test/a?b";
        for (uri, fields) in [
            (plain, &[("host", "kz.test")][..]),
            (plain, &[("host", "crm.test"), ("host", "crm.test")]),
            ("https://u@crm.test/", &[]),
            ("https://crm.test:99999/", &[]),
            ("/a", &[]),
            ("/a", &[("host", "kz.test@crm.test")]),
            ("ftp://crm.test/", &[]),
            (plain, &[("te", "gzip")]),
            (plain, &[("te", "trailers, deflate")]),
            (plain, &[("connection", "keep-alive")]),
            (plain, &[("transfer-encoding", "chunked")]),
            (plain, &[("upgrade", "h2c")]),
            (plain, &[("x-a", "\ta\t")]),
            (plain, &[("x-a", "a ")]),
            (plain, &[("content_length", "3")]),
            (plain, &[("content_type", "text/plain")]),
            (plain, &[("content-length", "03")]),
            (plain, &[("content-length", "3"), ("content-length", "3")]),
            (plain, &[("content-type", "a/b"), ("content-type", "c/d")]),
            ("https://crm.test/\u{436}", &[]),
        ] {
            assert_eq!(status("POST", uri, fields), 400, "{uri} {fields:?}");
        }
        for method in ["CONNECT", "TRACE", "post", "P!ST"] {
            assert_eq!(status(method, plain, &[]), 405, "{method}");
        }
        let long = "a".repeat(70_000);
        let far = format!("https://crm.test/{}", "a".repeat(9_000));
        assert_eq!(status("GET", plain, &[("x-a", &long)]), 431);
        assert_eq!(status("GET", &far, &[]), 414);
        let names: Vec<String> = (0..120).map(|it| format!("x-{it}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|it| (it.as_str(), "a")).collect();
        assert_eq!(status("GET", plain, &many), 431);
    }

    #[test]
    fn equal_forms_become_one() {
        for (uri, fields) in [
            ("https://CRM.test/a?b", &[("te", "trailers")][..]),
            ("http://CRM.test/a?b", &[("host", "crm.TEST")]),
            ("/a?b", &[("host", "CRM.test")]),
        ] {
            let mut parts = parts("GET", uri, fields);
            check(&mut parts).unwrap();
            assert_eq!(parts.uri.to_string(), "/a?b");
            assert_eq!(parts.headers[header::HOST], "CRM.test");
        }
        let crumbs = [("cookie", "a=1"), ("cookie", "b=2; c=3")];
        let mut parts = parts("GET", "https://crm.test/", &crumbs);
        check(&mut parts).unwrap();
        let cookies: Vec<_> = parts.headers.get_all(header::COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
    }
}
