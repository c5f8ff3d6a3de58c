//! The demo's world: a fresh folder, certificates, recipients on loopback, and the gate as a process of its own.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::upstream::Upstream;

/// How long the gate may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// The recipients.
#[derive(Debug)]
pub(super) struct Recipients {
    /// "In Kazakhstan".
    pub(super) kz: Upstream,
    /// "In Germany".
    pub(super) de: Upstream,
    /// "In the United States".
    pub(super) us: Upstream,
}

/// A folder that goes away with the demo.
#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // The system clears its temporary folder anyway; a failure here is no news for the reader of the demo.
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

/// Everything the story needs.
#[derive(Debug)]
pub(super) struct World {
    pub(super) folder: Folder,
    pub(super) recipients: Recipients,
    gate: Option<Child>,
    /// Where requests go.
    pub(super) address: SocketAddr,
    /// Where metrics are.
    pub(super) admin: SocketAddr,
}

impl World {
    /// Sets everything up and waits until the gate is ready.
    pub(super) async fn start() -> Result<Self, String> {
        let folder =
            Folder(std::env::temp_dir().join(format!("shekara-demo-{}", uuid::Uuid::now_v7())));
        fs::create_dir_all(&folder.0)
            .map_err(|it| format!("cannot create {}: {it}", folder.0.display()))?;
        let tls = certificates(&folder.0)?;
        let upstream = || Upstream::start(Arc::clone(&tls));
        let told = |it: std::io::Error| format!("cannot listen on loopback: {it}");
        let recipients = Recipients {
            kz: upstream().await.map_err(told)?,
            de: upstream().await.map_err(told)?,
            us: upstream().await.map_err(told)?,
        };
        let config = super::configuration::text(&recipients);
        write(&folder.0.join("shekara.yaml"), &config)?;
        let (gate, address, admin) = start_gate(&folder.0)?;
        Ok(Self {
            folder,
            recipients,
            gate: Some(gate),
            address,
            admin,
        })
    }

    /// Runs another command of this binary against the same folder, as an operator would beside the running gate.
    pub(super) fn command(&self, arguments: &[&str], input: &str) -> Result<Output, String> {
        run_beside(&self.folder.0, arguments, input)
    }

    /// Stops the gate as `systemd` would, and waits for its drain.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        let Some(mut gate) = self.gate.take() else {
            return Ok(());
        };
        let id = i32::try_from(gate.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            rustix::process::kill_process(id, rustix::process::Signal::TERM)
                .map_err(|it| it.to_string())?;
        }
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match gate.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(format!("the gate ended with {status}\n{}", self.gate_log()));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the gate did not stop in time".to_owned())
    }

    /// What the gate wrote.
    fn gate_log(&self) -> String {
        fs::read_to_string(self.folder.0.join("gate.log")).unwrap_or_default()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut gate) = self.gate.take() {
            // Only reached when the story broke off; the report of that is what matters.
            let _already_gone = gate.kill().and_then(|()| gate.wait());
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|it| format!("cannot write {}: {it}", path.display()))
}

/// A root of the demo's own, written as `root.pem`, and a server configuration whose certificate is for 127.0.0.1.
fn certificates(folder: &Path) -> Result<Arc<rustls::ServerConfig>, String> {
    let told = |it: &dyn std::fmt::Display| format!("cannot make the demo's certificates: {it}");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "Shekara demo root");
    let root_key = KeyPair::generate().map_err(|it| told(&it))?;
    let root = params.self_signed(&root_key).map_err(|it| told(&it))?;
    write(&folder.join("root.pem"), &root.pem())?;
    let issuer = Issuer::new(params, root_key);
    let leaf_key = KeyPair::generate().map_err(|it| told(&it))?;
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .and_then(|it| it.signed_by(&leaf_key, &issuer))
        .map_err(|it| told(&it))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|it| told(&it))?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .map(Arc::new)
        .map_err(|it| told(&it))
}

fn this_binary() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|it| format!("cannot find this program: {it}"))
}

/// Starts `shekara run` and reads from its ready file where it listens.
fn start_gate(folder: &Path) -> Result<(Child, SocketAddr, SocketAddr), String> {
    let log = fs::File::create(folder.join("gate.log")).map_err(|it| it.to_string())?;
    let ready = folder.join("ready.json");
    let mut gate = Command::new(this_binary()?)
        .args(["run", "--config", "shekara.yaml", "--ready-file"])
        .arg(&ready)
        .current_dir(folder)
        .env_remove("SHEKARA_CONFIG")
        .env_remove("SHEKARA_STATE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        // Ctrl-C is for the demo, which then ends the gate; a second signal would make the gate break off.
        .process_group(0)
        .spawn()
        .map_err(|it| format!("cannot start the gate: {it}"))?;
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some((address, admin)) = fs::read_to_string(&ready)
            .ok()
            .and_then(|it| addresses(&it))
        {
            return Ok((gate, address, admin));
        }
        if let Ok(Some(status)) = gate.try_wait() {
            let log = fs::read_to_string(folder.join("gate.log")).unwrap_or_default();
            return Err(format!("the gate did not start ({status}):\n{log}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _stopped = gate.kill().and_then(|()| gate.wait());
    Err("the gate was not ready in time".to_owned())
}

/// Addresses of the ready file: `{"listeners":{"main":"127.0.0.1:1"},"admin":"127.0.0.1:2"}`.
fn addresses(text: &str) -> Option<(SocketAddr, SocketAddr)> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let address = value
        .get("listeners")?
        .get("main")?
        .as_str()?
        .parse()
        .ok()?;
    let admin = value.get("admin")?.as_str()?.parse().ok()?;
    Some((address, admin))
}

fn run_beside(folder: &Path, arguments: &[&str], input: &str) -> Result<Output, String> {
    let told = |it: std::io::Error| format!("cannot run `shekara {}`: {it}", arguments.join(" "));
    let mut child = Command::new(this_binary()?)
        .args(arguments)
        .args(["--config", "shekara.yaml"])
        .current_dir(folder)
        .env_remove("SHEKARA_CONFIG")
        .env_remove("SHEKARA_STATE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(told)?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes()).map_err(told)?;
    }
    child.wait_with_output().map_err(told)
}
