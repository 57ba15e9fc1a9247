//! A network to capture on: namespaces, veth pairs, and captures that are played into them with their timing.
//!
//! All of it needs root, `ip` and libpcap; [`Namespace::new`] says what is missing, and the test is skipped. A namespace
//! is gone when its value is dropped, with all that is in it.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::Capture;

/// A network namespace.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one, with loopback switched on; `None`, and a line that says why, where none can be made.
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if let Err(missing) = ikescope::capture::live::available() {
            println!("skipped: {missing}");
            return None;
        }
        let name = format!("ikescope-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        match Command::new("ip").args(["netns", "add", &name]).output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                println!("skipped: no network namespace: {}", String::from_utf8_lossy(&output.stderr).trim());
                return None;
            }
            Err(error) => {
                println!("skipped: no network namespace: ip: {error}");
                return None;
            }
        }
        let namespace = Self { name };
        namespace.ip("link set dev lo up");
        Some(namespace)
    }

    /// Runs `ip` with these words in the namespace.
    pub fn ip(&self, words: &str) {
        let output = self.try_ip(words);
        assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The same, and it may fail.
    pub fn try_ip(&self, words: &str) -> Output {
        Command::new("ip").args(["-n", &self.name]).args(words.split(' ')).output().expect("ip runs")
    }

    /// A veth pair, both ends in this namespace and up, without addresses: nothing passes but what is played.
    pub fn veth(&self, one: &str, other: &str) {
        self.ip(&format!("link add {one} type veth peer name {other}"));
        for end in [one, other] {
            // otherwise the kernel reports its IPv6 groups, behind a hop-by-hop header
            self.ip(&format!("link set dev {end} addrgenmode none"));
            self.ip(&format!("link set dev {end} up"));
        }
    }

    /// A command that runs in the namespace, and sees its interfaces under `/sys`.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Puts the calling thread into the namespace, for good.
    pub fn enter(&self) {
        let opened = File::open(format!("/run/netns/{}", self.name)).expect("the namespace has a name");
        move_into_link_name_space(opened.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may enter");
    }

    /// Runs `work` in a thread of its own in the namespace.
    pub fn spawn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        let inside = Self { name: self.name.clone() };
        thread::spawn(move || {
            inside.enter();
            // the one that made it takes it away
            std::mem::forget(inside);
            work()
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).output();
    }
}

/// Sends frames out of an interface of the calling thread's namespace.
pub struct Sender(pcap::Capture<pcap::Active>);

impl Sender {
    /// Through the end `interface` of a pair.
    pub fn new(interface: &str) -> Self {
        ikescope::capture::live::available().expect("libpcap was there a moment ago");
        let capture = pcap::Capture::from_device(interface).expect("an interface").buffer_size(1 << 16).snaplen(64);
        Self(capture.open().expect("the interface opens"))
    }

    /// One frame.
    pub fn send(&mut self, octets: &[u8]) {
        self.0.sendpacket(octets).expect("the frame is sent");
    }
}

/// Plays `capture` out of `interface`, `speed` times as fast as it was recorded, and returns after the last frame.
pub fn play(capture: &Capture, speed: f64, interface: &str) {
    let mut sender = Sender::new(interface);
    let first = capture.frames.first().map_or(0, |frame| frame.at);
    let mut started = None;
    for frame in &capture.frames {
        let due = Duration::from_nanos(frame.at.saturating_sub(first)).div_f64(speed);
        thread::sleep(due.saturating_sub(started.map_or(Duration::ZERO, |started: Instant| started.elapsed())));
        sender.send(&frame.octets);
        // counted from here, so that no distance is ever shorter than it was
        started.get_or_insert_with(Instant::now);
    }
}
