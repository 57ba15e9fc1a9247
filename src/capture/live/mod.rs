//! The network interfaces of this machine, through libpcap: which there are, and what it takes to capture on them.
//!
//! Not here: capture files. Contract: ask [`available`] first; without libpcap everything else here answers an error,
//! and nothing outside this module needs libpcap at all.

#[cfg(target_os = "linux")]
mod library;

use std::net::IpAddr;

#[cfg(target_os = "linux")]
pub use library::available;

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

/// Why interfaces cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// No libpcap.
    #[error(transparent)]
    Library(#[from] LibraryMissing),
    /// libpcap said no.
    #[error("libpcap: {0}")]
    Pcap(String),
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
const NO_NETWORK: [&str; 4] = ["bluetooth", "dbus-", "usbmon", "nfqueue"];

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

/// Whether this process may open an interface: `None` where the system does not tell beforehand.
pub fn may_capture() -> Option<bool> {
    /// CAP_NET_RAW's bit in the capability sets (capabilities(7)).
    const NET_RAW: u32 = 13;
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let bits = u64::from_str_radix(effective.trim(), 16).ok()?;
    Some(bits >> NET_RAW & 1 == 1)
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
            Err(LiveError::Pcap(reason)) => assert!(!reason.is_empty()),
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
