//! The network interfaces of this machine, through libpcap: which there are, what it takes to capture on them, and the
//! frames that pass.
//!
//! | module | what it does |
//! |---|---|
//! | `sniffer` | frames from interfaces, in order of time |
//! | `filter` | which of them the kernel hands over |
//! | `confine` | what this process may still do once the interfaces are open |
//! | `library` | libpcap, loaded when it is needed |
//!
//! Not here: capture files. Contract: ask [`available`] first; without libpcap everything else here answers an error,
//! and nothing outside this module needs libpcap at all.

#[cfg(target_os = "linux")]
mod confine;
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
mod filter;
#[cfg(target_os = "linux")]
mod library;
#[cfg(target_os = "linux")]
mod sniffer;

use std::net::IpAddr;
use std::path::Path;

#[cfg(target_os = "linux")]
pub use confine::{Confinement, confine};
pub use filter::filter;
#[cfg(target_os = "linux")]
pub use library::available;
#[cfg(target_os = "linux")]
pub use sniffer::{SniffOptions, Sniffer, open};

use super::shown_path;

/// libpcap is part of the system where it is linked the usual way.
///
/// Errors: none.
#[cfg(not(target_os = "linux"))]
pub fn available() -> Result<(), LibraryMissing> {
    Ok(())
}

/// libpcap cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "capturing needs libpcap, which is not installed ({reason}). Install it: Debian, Ubuntu: apt-get install \
     libpcap0.8 (or libpcap0.8t64); Fedora, RHEL: dnf install libpcap; Alpine: apk add libpcap; Arch: pacman -S \
     libpcap. Reading captures from files works without it"
)]
pub struct LibraryMissing {
    /// What the loader said.
    pub reason: String,
}

/// Why interfaces cannot be listed or captured on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// No libpcap.
    #[error(transparent)]
    Library(#[from] LibraryMissing),
    /// libpcap said no.
    #[error("libpcap: {0}")]
    Pcap(String),
    /// No interface was named.
    #[error("no interface to capture on was named")]
    NoneNamed,
    /// This process may not capture.
    #[error(
        "{name}: capturing needs CAP_NET_RAW, which this process lacks. Grant it to the program once: sudo setcap \
         cap_net_raw=eip {program}; or run with sudo"
    )]
    Permission {
        /// The interface.
        name: String,
        /// The path of this program.
        program: String,
    },
    /// There is no interface of that name.
    #[error("{name}: there is no such interface; there are: {}", there.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names there are.
        there: Vec<String>,
    },
    /// The interface is switched off.
    #[error("{name}: the interface is down; switch it on first: sudo ip link set dev {name} up")]
    Down {
        /// The interface.
        name: String,
    },
    /// The user's filter cannot be used.
    #[error("the filter \"{text}\" cannot be used: {reason}")]
    Filter {
        /// As it was given.
        text: String,
        /// What libpcap says of it.
        reason: String,
    },
}

/// An interface that can be captured on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Interface {
    /// Name, as `live -i` wants it.
    pub name: String,
    /// libpcap's description.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Switched on.
    pub up: bool,
    /// Has a carrier.
    pub running: bool,
    /// Loopback.
    pub loopback: bool,
    /// Wireless.
    pub wireless: bool,
}

/// What libpcap lists beside network interfaces, by the beginning of the name: no IP passes there.
const NO_NETWORK: [&str; 5] = ["bluetooth", "dbus-", "usbmon", "nfqueue", "nflog"];

/// The network interfaces of this machine, in libpcap's order: the likeliest first.
///
/// Errors: libpcap is missing, or refuses.
pub fn interfaces() -> Result<Vec<Interface>, LiveError> {
    available()?;
    let devices = pcap::Device::list().map_err(|error| LiveError::Pcap(error.to_string()))?;
    Ok(devices
        .into_iter()
        .filter(|device| !NO_NETWORK.iter().any(|start| device.name.starts_with(start)))
        .map(|device| Interface {
            up: device.flags.is_up(),
            running: device.flags.is_running(),
            loopback: device.flags.is_loopback(),
            wireless: device.flags.is_wireless(),
            addresses: device.addresses.iter().map(|address| address.addr).collect(),
            name: device.name,
            description: device.desc,
        })
        .collect())
}

/// Whether this thread may open an interface: `None` where the system does not tell beforehand.
pub fn may_capture() -> Option<bool> {
    /// CAP_NET_RAW's bit in the capability sets (capabilities(7)).
    const NET_RAW: u32 = 13;
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let bits = u64::from_str_radix(effective.trim(), 16).ok()?;
    Some(bits >> NET_RAW & 1 == 1)
}

/// Why interface `name` could not be opened, which libpcap answered with `error`.
fn refusal(name: &str, error: &pcap::Error) -> LiveError {
    let shown = shown_path(Path::new(name));
    let there = interfaces().unwrap_or_default();
    match there.iter().find(|interface| interface.name == name) {
        _ if may_capture() == Some(false) => LiveError::Permission { name: shown, program: program() },
        None if !there.is_empty() => {
            let there = there.iter().map(|interface| shown_path(Path::new(&interface.name))).collect();
            LiveError::Unknown { name: shown, there }
        }
        Some(interface) if !interface.up => LiveError::Down { name: shown },
        _ => LiveError::Pcap(format!("{shown}: {error}")),
    }
}

/// The path of this program, as a shell takes it.
pub fn program() -> String {
    std::env::current_exe().map_or_else(|_| "ikescope".to_owned(), |path| shown_path(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_says_what_to_install_and_what_still_works() {
        let text = LibraryMissing { reason: "libpcap.so.0.8: cannot open".into() }.to_string();
        for needed in
            ["libpcap.so.0.8: cannot open", "apt-get install libpcap0.8", "dnf install libpcap", "apk add", "pacman"]
        {
            assert!(text.contains(needed), "{needed} in {text}");
        }
        assert!(!text.contains('\n'));
    }

    #[test]
    fn interfaces_are_listed_or_the_library_is_named() {
        match interfaces() {
            Ok(list) => assert!(list.iter().all(|interface| !interface.name.is_empty())),
            Err(LiveError::Library(missing)) => assert!(available().is_err() && !missing.reason.is_empty()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn packets_come_through_the_loaded_library() {
        let loopback = interfaces().ok().and_then(|list| list.into_iter().find(|interface| interface.loopback));
        let (Some(true), Some(loopback)) = (may_capture(), loopback) else {
            // without the permission there is only the refusal to look at
            let open = || pcap::Capture::from_device("no-such-interface").and_then(|capture| capture.open());
            return assert!(available().is_err() || open().is_err());
        };
        let capture = pcap::Capture::from_device(loopback.name.as_str()).unwrap();
        let mut capture = capture.immediate_mode(true).timeout(100).open().unwrap();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = socket.local_addr().unwrap();
        capture.filter(&format!("udp dst port {}", to.port()), true).unwrap();
        let mut seen = None;
        for _ in 0..50 {
            socket.send_to(b"through the library", to).unwrap();
            match capture.next_packet() {
                Ok(packet) => {
                    seen = Some(packet.data.to_vec());
                    break;
                }
                Err(pcap::Error::TimeoutExpired) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(seen.unwrap().ends_with(b"through the library"));
    }
}
