//! Why an upstream gave no answer that could be passed on: the error types of RFC 9209 §2.3.

use crate::gatekeeper::record::TimeLimit;

/// A failure after the decision. Names the kind only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", self.error_type())]
pub(in crate::proxy) enum Failure {
    /// The name resolves to an address that must not be dialled.
    AddressProhibited,
    /// Nobody listens there, or the proxy opens no tunnel there.
    ConnectionRefused,
    /// The connection broke before the answer's head.
    ConnectionTerminated,
    /// No connection in time.
    ConnectionTimeout,
    /// Every connection that there may be is in use.
    Crowded,
    /// It failed so often that it is left alone for a time.
    CutOff {
        /// Seconds until it is tried again, at least one.
        retry_after: u16,
    },
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
    /// The certificate does not lead to a trusted root or a pinned key, is revoked, or is for another name.
    TlsCertificate,
    /// The upstream broke TLS off: it wants another certificate of the gate, or knows nobody of the name.
    TlsAlert,
    /// No common TLS version, suite or version of HTTP.
    TlsProtocol,
    /// The exchange as a whole took too long.
    TotalTime,
    /// It said twice that it did not look at the request.
    Unprocessed,
    /// The configuration has no such upstream, or the proxy does not take the gate's credentials.
    Unconfigured,
    /// No way leads to its addresses.
    Unroutable,
}

impl Failure {
    /// The error type for `Proxy-Status`.
    pub(in crate::proxy) const fn error_type(self) -> &'static str {
        match self {
            Self::AddressProhibited => "destination_ip_prohibited",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectionTerminated => "connection_terminated",
            Self::ConnectionTimeout => "connection_timeout",
            Self::Crowded => "connection_limit_reached",
            Self::CutOff { .. } | Self::Unprocessed => "destination_unavailable",
            Self::Dns => "dns_error",
            Self::Protocol => "http_protocol_error",
            Self::RedirectStopped => "http_response_incomplete",
            Self::ResponseIdle | Self::ResponseTimeout | Self::TotalTime => "http_response_timeout",
            Self::TlsAlert => "tls_alert_received",
            Self::TlsCertificate => "tls_certificate_error",
            Self::TlsProtocol => "tls_protocol_error",
            Self::Unconfigured => "proxy_configuration_error",
            Self::Unroutable => "destination_ip_unroutable",
        }
    }

    /// What `Proxy-Status` says beside the type, where the type leaves it open.
    pub(in crate::proxy) const fn details(self) -> Option<&'static str> {
        match self {
            Self::Crowded => Some("all connections to the destination are in use"),
            Self::CutOff { .. } => Some("circuit breaker open"),
            Self::Unprocessed => Some("not processed"),
            Self::AddressProhibited
            | Self::ConnectionRefused
            | Self::ConnectionTerminated
            | Self::ConnectionTimeout
            | Self::Dns
            | Self::Protocol
            | Self::RedirectStopped
            | Self::ResponseIdle
            | Self::ResponseTimeout
            | Self::TlsAlert
            | Self::TlsCertificate
            | Self::TlsProtocol
            | Self::TotalTime
            | Self::Unconfigured
            | Self::Unroutable => None,
        }
    }

    /// 504 when time ran out, 503 when the same request may well succeed in a moment, else 502.
    pub(in crate::proxy) const fn status(self) -> u16 {
        match self {
            Self::ConnectionTimeout
            | Self::ResponseIdle
            | Self::ResponseTimeout
            | Self::TotalTime => 504,
            Self::Crowded | Self::CutOff { .. } | Self::Unprocessed => 503,
            Self::AddressProhibited
            | Self::ConnectionRefused
            | Self::ConnectionTerminated
            | Self::Dns
            | Self::Protocol
            | Self::RedirectStopped
            | Self::TlsAlert
            | Self::TlsCertificate
            | Self::TlsProtocol
            | Self::Unconfigured
            | Self::Unroutable => 502,
        }
    }

    /// Seconds after which a client may come back, where the gate knows.
    pub(in crate::proxy) const fn retry_after(self) -> Option<u16> {
        if let Self::CutOff { retry_after } = self {
            Some(retry_after)
        } else {
            None
        }
    }

    /// Whether it says that the upstream is down, rather than something about one request, the configuration or the gate.
    pub(super) const fn is_outage(self) -> bool {
        match self {
            Self::ConnectionRefused
            | Self::ConnectionTerminated
            | Self::ConnectionTimeout
            | Self::Dns
            | Self::ResponseIdle
            | Self::ResponseTimeout
            | Self::TlsAlert
            | Self::TlsCertificate
            | Self::TlsProtocol
            | Self::Unprocessed
            | Self::Unroutable => true,
            Self::AddressProhibited
            | Self::Crowded
            | Self::CutOff { .. }
            | Self::Protocol
            | Self::RedirectStopped
            | Self::TotalTime
            | Self::Unconfigured => false,
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
            | Self::Crowded
            | Self::CutOff { .. }
            | Self::Dns
            | Self::Protocol
            | Self::RedirectStopped
            | Self::TlsAlert
            | Self::TlsCertificate
            | Self::TlsProtocol
            | Self::Unconfigured
            | Self::Unprocessed
            | Self::Unroutable => None,
        }
    }
}
