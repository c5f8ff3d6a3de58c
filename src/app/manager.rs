//! The service manager: what it is told (`sd_notify`), and the sockets that it hands over. Without one, nothing happens here.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    os::fd::{FromRawFd as _, OwnedFd},
    sync::Arc,
    time::Duration,
};

use sd_notify::NotifyState;
use tokio::time::{sleep, timeout};

use crate::{
    audit::Log,
    gatekeeper::ports::AuditLog as _,
    proxy::{Listener, Sockets},
};

/// The name under which the admin listener's socket is handed over.
const ADMIN: &str = "admin";
/// Time beyond the drain for closing the log.
const CLOSE_TIME: Duration = Duration::from_secs(10);

/// The gate serves, as `status` says.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A reload has begun; [`ready`] ends it.
pub(super) fn reloading() {
    // systemd tells this reload from an earlier one by the time.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "The monotonic clock cannot be read."),
    }
}

/// The gate stops, which takes up to `most`.
pub(super) fn stopping(most: Duration) {
    let most = most.saturating_add(CLOSE_TIME).as_micros();
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("draining: exchanges under way finish"),
        NotifyState::ExtendTimeoutUsec(u32::try_from(most).unwrap_or(u32::MAX)),
    ]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "The service manager cannot be told.");
    }
}

/// Tells the watchdog, as often as it asks for, that the gate can do its work: the log takes records and tasks run. A gate that
/// cannot is silent and is restarted, which is the mend for a poisoned log. Ends when the task is aborted.
pub(super) async fn feed_watchdog(audit: Arc<Log>) {
    let Some(every) = sd_notify::watchdog_enabled().map(|it| it / 3) else {
        return;
    };
    let mut was_well = true;
    loop {
        let is_well = audit.is_writable() && does_work(every).await;
        if is_well {
            tell(&[NotifyState::Watchdog]);
        } else if was_well {
            tracing::error!(
                "The gate cannot work; the service manager's watchdog is not answered."
            );
        }
        was_well = is_well;
        sleep(every).await;
    }
}

/// Whether both kinds of threads take work within `time`.
async fn does_work(time: Duration) -> bool {
    let work = async { tokio::spawn(tokio::task::spawn_blocking(|| ())).await };
    matches!(timeout(time, work).await, Ok(Ok(Ok(()))))
}

/// Sockets that were bound by somebody else, each with the name it was given.
#[derive(Debug, Default)]
pub(super) struct Passed(Vec<(String, TcpListener)>);

/// The sockets that were handed over (`LISTEN_FDS`, `LISTEN_FDNAMES`). To be called once, early: it takes them.
///
/// # Errors
/// The environment contradicts itself, or one is no TCP socket that listens.
pub(super) fn passed_sockets() -> Result<Passed, String> {
    let told = |it: std::io::Error| format!("the sockets that were handed over: {it}");
    let mut sockets = Vec::new();
    for (descriptor, name) in sd_notify::listen_fds_with_names().map_err(told)? {
        #[expect(
            unsafe_code,
            reason = "the descriptors of LISTEN_FDS are ours by that protocol: nobody else in this process owns them, and this is \
                      the only place that takes them, once"
        )]
        // SAFETY: `listen_fds` has checked that the descriptor is open (it set FD_CLOEXEC) and meant for this process.
        let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let socket = TcpListener::from(owned);
        let is_listening = rustix::net::sockopt::socket_acceptconn(&socket).unwrap_or(false);
        if !is_listening || socket.local_addr().is_err() {
            return Err(format!(
                "the socket `{name}` that was handed over is no TCP socket that listens; write ListenStream= with an address and a port"
            ));
        }
        socket.set_nonblocking(true).map_err(told)?;
        sockets.push((name, socket));
    }
    Ok(Passed(sockets))
}

impl Passed {
    /// Gives every socket to the listener it is for: the one of its name, else the one of its address. The second value is for
    /// the admin listener.
    ///
    /// # Errors
    /// A socket is for none, or a second one for the same: connections to it would wait for ever.
    pub(super) fn assign(
        self,
        listeners: &[Listener],
        admin: SocketAddr,
    ) -> Result<(Sockets, Option<TcpListener>), String> {
        let mut sockets: Sockets = BTreeMap::new();
        let mut for_admin = None;
        for (name, socket) in self.0 {
            let address = socket.local_addr().map_err(|it| it.to_string())?;
            let by_name = listeners.iter().find(|it| *it.id == *name);
            let listener = by_name.or_else(|| {
                let is_there = |it: &&Listener| name != ADMIN && it.bind == address;
                listeners.iter().find(is_there)
            });
            let before = match listener {
                Some(it) => sockets.insert(Arc::clone(&it.id), socket),
                None if name == ADMIN || address == admin => for_admin.replace(socket),
                None => {
                    return Err(format!(
                        "the socket `{name}` at {address} that was handed over is for no listener; name it after one \
                         (FileDescriptorName=), or give a listener this address"
                    ));
                }
            };
            if before.is_some() {
                return Err(format!(
                    "two sockets were handed over for one listener; the second is `{name}` at {address}"
                ));
            }
        }
        Ok((sockets, for_admin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(names: &[&str]) -> (Passed, Vec<SocketAddr>) {
        let sockets: Vec<_> = names
            .iter()
            .map(|it| ((*it).to_owned(), TcpListener::bind("127.0.0.1:0").unwrap()))
            .collect();
        let addresses = sockets
            .iter()
            .map(|it| it.1.local_addr().unwrap())
            .collect();
        (Passed(sockets), addresses)
    }

    fn listener(id: &str, bind: SocketAddr) -> Listener {
        Listener {
            id: id.into(),
            bind,
            tls: None,
        }
    }

    #[test]
    fn sockets_find_their_listener_by_name_then_by_address() {
        let (sockets, at) = passed(&["batch", "shekara.socket", "admin"]);
        let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let listeners = [listener("main", at[1]), listener("batch", nowhere)];
        let (given, admin) = sockets.assign(&listeners, nowhere).unwrap();
        assert_eq!(given["batch"].local_addr().unwrap(), at[0]);
        assert_eq!(given["main"].local_addr().unwrap(), at[1]);
        assert_eq!(admin.unwrap().local_addr().unwrap(), at[2]);
    }

    #[test]
    fn a_socket_for_nobody_stops_the_start() {
        let nowhere: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let listeners = [listener("main", nowhere)];
        let (sockets, _) = passed(&["mian"]);
        let told = sockets.assign(&listeners, nowhere).unwrap_err();
        assert!(told.contains("`mian`"), "{told}");
        let (sockets, _) = passed(&["main", "main"]);
        let told = sockets.assign(&listeners, nowhere).unwrap_err();
        assert!(told.contains("two sockets"), "{told}");
    }
}
