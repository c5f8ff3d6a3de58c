//! Why an upstream gave no answer that could be passed on: the error types of RFC 9209 §2.3.

use crate::gatekeeper::record::TimeLimit;

/// A failure after the decision. Names the kind only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", self.error_type())]
pub(in crate::proxy) enum Failure {
    /// The name resolves to an address that must not be dialled.
    AddressProhibited,
    /// Nobody listens there, or there is no way.
    ConnectionRefused,
    /// The connection broke before the answer's head.
    ConnectionTerminated,
    /// No connection in time.
    ConnectionTimeout,
    /// The name has no address.
    Dns,
    /// What came is not one HTTP response.
    Protocol,
    /// A 307 or 308 to an undeclared host.
    RedirectStopped,
    /// The answer paused for too long.
    ResponseIdle,
    /// No answer's head in time.
    ResponseTimeout,
    /// The certificate does not lead to a trusted root, or is for another name.
    TlsCertificate,
    /// No common TLS version or suite.
    TlsProtocol,
    /// The exchange as a whole took too long.
    TotalTime,
    /// The configuration has no such upstream.
    Unconfigured,
}

impl Failure {
    /// The error type for `Proxy-Status`.
    pub(in crate::proxy) const fn error_type(self) -> &'static str {
        match self {
            Self::AddressProhibited => "destination_ip_prohibited",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionTerminated => "connection_terminated",
            Self::ConnectionTimeout => "connection_timeout",
            Self::Dns => "dns_error",
            Self::Protocol => "http_protocol_error",
            Self::RedirectStopped => "http_response_incomplete",
            Self::ResponseIdle | Self::ResponseTimeout | Self::TotalTime => "http_response_timeout",
            Self::TlsCertificate => "tls_certificate_error",
            Self::TlsProtocol => "tls_protocol_error",
            Self::Unconfigured => "proxy_configuration_error",
        }
    }

    /// 504 when time ran out, else 502.
    pub(in crate::proxy) const fn status(self) -> u16 {
        match self {
            Self::ConnectionTimeout
            | Self::ResponseIdle
            | Self::ResponseTimeout
            | Self::TotalTime => 504,
            Self::AddressProhibited
            | Self::ConnectionRefused
            | Self::ConnectionTerminated
            | Self::Dns
            | Self::Protocol
            | Self::RedirectStopped
            | Self::TlsCertificate
            | Self::TlsProtocol
            | Self::Unconfigured => 502,
        }
    }

    /// The time limit that ran out, if one did.
    pub(in crate::proxy) const fn time_limit(self) -> Option<TimeLimit> {
        match self {
            Self::ConnectionTimeout => Some(TimeLimit::ConnectTime),
            Self::ResponseIdle => Some(TimeLimit::ResponseIdleTime),
            Self::ResponseTimeout => Some(TimeLimit::ResponseTime),
            Self::TotalTime => Some(TimeLimit::TotalTime),
            Self::AddressProhibited
            | Self::ConnectionRefused
            | Self::ConnectionTerminated
            | Self::Dns
            | Self::Protocol
            | Self::RedirectStopped
            | Self::TlsCertificate
            | Self::TlsProtocol
            | Self::Unconfigured => None,
        }
    }
}
