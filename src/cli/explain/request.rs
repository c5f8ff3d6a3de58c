//! The request that `explain` is asked about: a file with a raw HTTP request, or flags.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use crate::cli::Failure;

/// A request as told, not yet matched.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) method: Method,
    /// Path as sent to the gate.
    pub(super) path: String,
    /// Query without the `?`.
    pub(super) query: Option<String>,
    /// Host of the request, lower-case, without port and final dot; empty when not told.
    pub(super) host: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Flags that make a request without a file.
#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Method
    #[arg(long, default_value = "POST")]
    method: String,
    /// Path and query as the client sends them to the gate, such as /us/notify
    #[arg(long)]
    path: Option<String>,
    /// Header field, `Name: value`; repeatable
    #[arg(short = 'H', long = "header")]
    headers: Vec<String>,
    /// Body from a file, or `-` for stdin
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

impl Flags {
    /// The request.
    pub(super) fn read(self) -> Result<Told, Failure> {
        let target = self
            .path
            .ok_or_else(|| Failure::new("say what to explain: a request file, or --path"))?;
        let headers = self
            .headers
            .iter()
            .map(|it| field(it))
            .collect::<Result<HeaderMap, _>>()?;
        let body = self.body.map_or_else(|| Ok(Vec::new()), |it| read(&it))?;
        told(&self.method, &target, headers, body.into())
    }
}

/// Reads a raw request: request line, fields, an empty line, the body. Line ends may be LF.
pub(super) fn from_file(path: &Path) -> Result<Told, Failure> {
    parse(&read(path)?).map_err(|it| Failure::new(format!("{}: {it}", path.display())))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |it: std::io::Error| Failure::new(format!("cannot read {}: {it}", path.display()));
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(wrong)?;
        Ok(bytes)
    } else {
        fs::read(path).map_err(wrong)
    }
}

fn parse(bytes: &[u8]) -> Result<Told, String> {
    let (head, body) = split_head(bytes)
        .ok_or("no empty line ends the head: put one between the fields and the body")?;
    let head = std::str::from_utf8(head).map_err(|_| "the head is not UTF-8")?;
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split_ascii_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err("line 1: not a request line such as `POST /us/notify HTTP/1.1`".to_owned());
    };
    let mut headers = HeaderMap::new();
    for (number, line) in lines.enumerate() {
        let (name, value) =
            field(line).map_err(|it| format!("line {}: {}", number + 2, it.text))?;
        headers.append(name, value);
    }
    told(method, target, headers, Bytes::copy_from_slice(body)).map_err(|it| it.text)
}

/// Head without its last line end, and body.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let crlf = memchr::memmem::find(bytes, b"\r\n\r\n").map(|it| (it, it + 4));
    let lf = memchr::memmem::find(bytes, b"\n\n").map(|it| (it, it + 2));
    let (end, start) = match (crlf, lf) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    Some((bytes.get(..end)?, bytes.get(start..)?))
}

fn field(line: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong = || Failure::new("not a header field such as `Content-Type: application/json`");
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let name = name.trim().parse().map_err(|_| wrong())?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| wrong())?;
    Ok((name, value))
}

fn told(method: &str, target: &str, headers: HeaderMap, body: Bytes) -> Result<Told, Failure> {
    let method = method
        .parse()
        .map_err(|_| Failure::new(format!("`{method}` is not a method")))?;
    let uri: Uri = target
        .parse()
        .ok()
        .filter(|it: &Uri| it.path().starts_with('/'))
        .ok_or_else(|| Failure::new("the target is not a path such as `/us/notify?lang=kk`; percent-encode what is not ASCII"))?;
    Ok(Told {
        method,
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        host: host(&uri, &headers),
        headers,
        body,
    })
}

/// As the gate reads it: the `Host` field, else the target's authority.
fn host(uri: &Uri, headers: &HeaderMap) -> String {
    let field = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let field = field
        .or_else(|| uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or_default();
    let name = match field.rfind(']') {
        Some(end) => field.get(..=end).unwrap_or_default(),
        None => field.split(':').next().unwrap_or_default(),
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_raw_request_with_either_line_end() {
        for text in [
            "POST /a?b=1 HTTP/1.1\r\nHost: Gate:8080\r\nX-A: 1\r\n\r\nbody\n\n",
            "POST /a?b=1\nHost: Gate:8080\nX-A: 1\n\nbody\n\n",
        ] {
            let told = parse(text.as_bytes()).unwrap();
            assert_eq!(
                (
                    told.path.as_str(),
                    told.query.as_deref(),
                    told.host.as_str()
                ),
                ("/a", Some("b=1"), "gate")
            );
            assert_eq!(told.headers.len(), 2);
            assert_eq!(&told.body[..], b"body\n\n");
        }
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        assert!(
            parse(b"POST /a HTTP/1.1\r\nno colon\r\n\r\n")
                .unwrap_err()
                .starts_with("line 2")
        );
        assert!(parse(b"POST\n\n").unwrap_err().starts_with("line 1"));
        assert!(parse(b"POST /a").unwrap_err().contains("empty line"));
    }
}
