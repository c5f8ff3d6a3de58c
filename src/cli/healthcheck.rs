//! `shekara healthcheck`: is the gate that runs here ready? For containers, whose image has no other client.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _},
    process::ExitCode,
    time::Duration,
};

use url::Url;

use super::{Common, Failure, Outcome, print};
use crate::config;

/// Longer answers are cut.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// Asks the running gate whether it is ready; exit code 0 if it is, else 1 (for Docker's HEALTHCHECK and Kubernetes' exec probes)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Page to ask [default: /readyz of the admin listener that the configuration names, else http://127.0.0.1:9464/readyz]
    #[arg(long)]
    url: Option<String>,
    /// Longest time to wait, in seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
}

/// Where to ask.
#[derive(Clone, Debug)]
pub(super) struct Page {
    address: SocketAddr,
    /// For the `Host` field.
    host: String,
    target: String,
}

/// Exit code 0: the gate is ready.
///
/// # Errors
/// It is not, or nobody answers; one line says why.
pub fn run(args: &Args, common: &Common) -> Outcome {
    let page = Page::find(args.url.as_deref(), common)?;
    let (status, body) = page.ask(Duration::from_secs(args.timeout))?;
    if status == 200 {
        print("ready");
        return Ok(ExitCode::SUCCESS);
    }
    let failed: Vec<&str> = body
        .lines()
        .filter_map(|it| it.strip_prefix("[-] "))
        .collect();
    Err(Failure::new(if failed.is_empty() {
        format!("not ready: {} answers {status}", page.address)
    } else {
        format!("not ready: {}", failed.join(", "))
    }))
}

impl Page {
    /// The page of a URL, else `/readyz` of the configuration's admin listener.
    pub(super) fn find(url: Option<&str>, common: &Common) -> Result<Self, Failure> {
        match url {
            Some(url) => named(url),
            None => Ok(of_configuration(common)),
        }
    }

    /// Another page of the same listener.
    pub(super) fn at(&self, target: &str) -> Self {
        Self {
            target: target.to_owned(),
            ..self.clone()
        }
    }

    /// Status and body.
    ///
    /// # Errors
    /// Nobody answers within `time`.
    pub(super) fn ask(&self, time: Duration) -> Result<(u16, String), Failure> {
        ask(self, time)
            .map_err(|why| Failure::new(format!("nobody answers at {}: {why}", self.address)))
    }
}

fn named(text: &str) -> Result<Page, Failure> {
    let wrong = |why: &str| {
        Failure::new(format!(
            "--url {text}: {why}; write http://127.0.0.1:9464/readyz"
        ))
    };
    let url: Url = text.parse().map_err(|_| wrong("not a URL"))?;
    if url.scheme() != "http" {
        return Err(wrong("the admin listener speaks plain HTTP"));
    }
    let host = url.host_str().ok_or_else(|| wrong("no host"))?;
    let port = url.port().unwrap_or(80);
    let address = url
        .socket_addrs(|| None)
        .ok()
        .and_then(|it| it.first().copied())
        .or_else(|| (host, port).to_socket_addrs().ok()?.next())
        .ok_or_else(|| wrong("the host has no address"))?;
    let path = match url.path() {
        "/" => "/readyz",
        path => path,
    };
    Ok(Page {
        address,
        host: host.to_owned(),
        target: format!("{path}?{}", url.query().unwrap_or("verbose")),
    })
}

/// The admin listener of the configuration, however wrong the rest of it is: the gate runs on with the one before.
fn of_configuration(common: &Common) -> Page {
    let file = config::discover(common.config.as_deref()).ok();
    let mut address = file
        .and_then(|it| config::admin_address(&it))
        .unwrap_or(config::ADMIN_ADDRESS);
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Page {
        address,
        host: "localhost".to_owned(),
        target: "/readyz?verbose".to_owned(),
    }
}

/// Status and body of the page.
fn ask(page: &Page, time: Duration) -> Result<(u16, String), String> {
    let told = |it: std::io::Error| it.to_string();
    let mut stream = TcpStream::connect_timeout(&page.address, time).map_err(told)?;
    stream.set_read_timeout(Some(time)).map_err(told)?;
    stream.set_write_timeout(Some(time)).map_err(told)?;
    let Page { host, target, .. } = page;
    let wire = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(wire.as_bytes()).map_err(told)?;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_MAX)
        .read_to_end(&mut answer)
        .map_err(told)?;
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|it| it.get(..3)?.parse().ok())
        .ok_or("this is no answer of HTTP")?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_leave_out_the_page() {
        for (url, target) in [
            ("http://127.0.0.1:9464", "/readyz?verbose"),
            ("http://127.0.0.1:9464/livez", "/livez?verbose"),
            ("http://127.0.0.1:9464/readyz?a", "/readyz?a"),
        ] {
            let page = named(url).unwrap();
            assert_eq!(page.address, "127.0.0.1:9464".parse().unwrap());
            assert_eq!(page.target, target);
        }
        for wrong in ["https://127.0.0.1/", "127.0.0.1:9464", "http://"] {
            let told = named(wrong).err().unwrap().text;
            assert!(
                told.contains("write http://127.0.0.1:9464/readyz"),
                "{told}"
            );
        }
    }

    #[test]
    fn the_address_is_read_from_a_configuration_that_is_otherwise_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shekara.yaml");
        let common = Common {
            config: Some(file.clone()),
            state: None,
        };
        let address = || of_configuration(&common).address.to_string();
        assert_eq!(address(), "127.0.0.1:9464");
        for (text, expected) in [
            (
                "version: 7\nadmin: {bind: '0.0.0.0:9999'}\nnonsense: 1\n",
                "127.0.0.1:9999",
            ),
            ("admin: {bind: '[::]:9999'}\n", "[::1]:9999"),
            ("admin: {bind: '192.0.2.1:1'}\n", "192.0.2.1:1"),
            ("version: 1\n", "127.0.0.1:9464"),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(address(), expected);
        }
    }
}
