//! Capturing for real, inside network namespaces. Without root, `ip` or libpcap every test here says so and is skipped.

#![cfg(all(target_os = "linux", feature = "live"))]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ikescope::base::LinkType;
use ikescope::capture::live::{LiveError, SniffOptions, Sniffer, confine, open};
use ikescope::capture::{Captures, Heard, Source, WriteOptions, Writer};

mod support;

use support::live::{Namespace, Sender, play};
use support::packet::{self, Ip};
use support::{Capture, Link};

/// What a test waits for before it gives up: far more than a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A frame that owns its octets.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    number: u64,
    nanos: i64,
    link: LinkType,
    interface: u32,
    octets: Vec<u8>,
    wire: u32,
}

fn lab(name: &str) -> Capture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab").join(name);
    Capture::read_pcap(&fs::read(path).expect("a capture of the lab"))
}

fn options(interfaces: &[&str]) -> SniffOptions {
    SniffOptions { interfaces: interfaces.iter().map(ToString::to_string).collect(), ..SniffOptions::default() }
}

fn sniff(interfaces: &[&str]) -> Sniffer {
    open(&options(interfaces)).expect("the interfaces open")
}

/// The next thing heard that is not silence.
fn next(sniffer: &mut Sniffer) -> Result<Kept, String> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        match sniffer.next(Duration::from_millis(100)).expect("the source goes on") {
            Heard::Silence => {}
            Heard::Notice(notice) => return Err(notice),
            Heard::End => panic!("an interface does not end"),
            Heard::Frame(frame) => {
                assert_eq!(frame.reference.capture, 0);
                return Ok(Kept {
                    number: frame.reference.frame,
                    nanos: frame.at.as_nanos(),
                    link: frame.link,
                    interface: frame.interface,
                    octets: frame.bytes.to_vec(),
                    wire: frame.wire_len,
                });
            }
        }
    }
    panic!("nothing was heard in {PATIENCE:?}");
}

/// The next `count` frames; a notice is none.
fn frames(sniffer: &mut Sniffer, count: usize) -> Vec<Kept> {
    (0..count).map(|heard| next(sniffer).unwrap_or_else(|notice| panic!("{notice}, after {heard} frames"))).collect()
}

/// The next notice, and the frames before it.
fn notice(sniffer: &mut Sniffer) -> (Vec<Kept>, String) {
    let mut before = Vec::new();
    loop {
        match next(sniffer) {
            Ok(frame) => before.push(frame),
            Err(notice) => return (before, notice),
        }
    }
}

/// Nothing comes any more.
fn assert_silent(sniffer: &mut Sniffer) {
    for _ in 0..5 {
        let heard = sniffer.next(Duration::from_millis(50)).expect("the source goes on");
        assert!(matches!(heard, Heard::Silence), "{heard:?}");
    }
}

fn octets(kept: &[Kept]) -> Vec<Vec<u8>> {
    kept.iter().map(|frame| frame.octets.clone()).collect()
}

fn sent(capture: &Capture) -> Vec<Vec<u8>> {
    capture.frames.iter().map(|frame| frame.octets.clone()).collect()
}

/// Frames that the filter refuses, among those it admits, as they would pass on a busy link.
fn amid_others(capture: &Capture) -> Capture {
    let ip = Ip { source: address("192.0.2.7"), destination: address("192.0.2.8"), id: 1, ttl: 64 };
    let (source, destination) = (SocketAddr::new(ip.source, 40_000), SocketAddr::new(ip.destination, 443));
    let web = ip.packet(packet::UDP, &packet::udp(source, destination, &[0; 100]));
    let echo = ip.packet(packet::ICMP, &packet::icmp_echo(ip.source, ip.destination, false, 1));
    let mut busy = Capture { link: capture.link, frames: Vec::new() };
    for frame in &capture.frames {
        busy.record(frame.at, &web);
        busy.frames.push(frame.clone());
        busy.record(frame.at, &echo);
    }
    busy
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn what_the_filter_admits_is_delivered_octet_by_octet_in_order_and_nothing_else() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["left"]);
    assert_eq!(sniffer.interfaces().collect::<Vec<_>>(), [("left", LinkType::ETHERNET)]);
    let capture = lab("v2-psk-healthy.pcap");
    let busy = amid_others(&capture);
    let before = sniffer.now().as_nanos();
    let player = namespace.spawn(move || play(&busy, 1.0, "right"));
    let heard = frames(&mut sniffer, capture.frames.len());
    let after = sniffer.now().as_nanos();
    player.join().unwrap();
    assert_silent(&mut sniffer);
    assert_eq!(octets(&heard), sent(&capture));
    for (index, frame) in heard.iter().enumerate() {
        assert_eq!(frame.number, index as u64 + 1);
        assert_eq!((frame.link, frame.interface), (LinkType::ETHERNET, 0));
        assert_eq!(frame.wire as usize, frame.octets.len());
        assert!(frame.nanos > before && frame.nanos < after, "{} is outside {before}..{after}", frame.nanos);
    }
    assert!(heard.is_sorted_by_key(|frame| frame.nanos));
    assert!(heard.iter().any(|frame| frame.nanos % 1000 != 0), "no time stamp has nanoseconds");
    // as far apart as they were recorded, or further on a busy machine
    let span = |first: i64, last: i64| Duration::from_nanos((last - first) as u64);
    let recorded = span(capture.frames[0].at as i64, capture.frames.last().unwrap().at as i64);
    assert!(span(heard[0].nanos, heard.last().unwrap().nanos) >= recorded);
    let drops = sniffer.drops();
    assert_eq!((drops.received, drops.kernel, drops.interface), (capture.frames.len() as u64, 0, 0));
    let info = sniffer.infos().pop().unwrap();
    assert_eq!((info.path.as_path(), info.format, info.frames), (Path::new("left"), "live", heard.len() as u64));
    assert_eq!((info.link_types.as_slice(), info.dropped), (&[LinkType::ETHERNET][..], Some(0)));
    assert_eq!(info.first.unwrap().as_nanos(), heard[0].nanos);
}

#[test]
fn the_machines_own_packets_are_heard_too() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["left"]);
    let capture = lab("v2-dh-mismatch.pcap");
    play(&capture, 1.0, "left");
    let heard = frames(&mut sniffer, capture.frames.len());
    assert_eq!(octets(&heard), sent(&capture));
}

#[test]
fn tagged_frames_arrive_with_their_tags() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["left"]);
    let plain = lab("ss-lsw-v1-pfs-mismatch.pcap");
    for link in [Link::Vlan(100), Link::DoubleVlan(200, 100), Link::EthernetPppoe, Link::EthernetMpls(16)] {
        let capture = plain.relink(link);
        assert!(capture.frames.len() > 4);
        let busy = if link == Link::EthernetMpls(16) { capture.clone() } else { amid_others(&capture) };
        play(&busy, 1000.0, "right");
        assert_eq!(octets(&frames(&mut sniffer, capture.frames.len())), sent(&capture), "{link:?}");
    }
    // PPPoE behind a tag that the kernel takes off
    let mut tagged = plain.relink(Link::EthernetPppoe);
    for frame in &mut tagged.frames {
        frame.octets.splice(12..12, [0x81, 0x00, 0x00, 0x07]);
    }
    play(&tagged, 1000.0, "right");
    assert_eq!(octets(&frames(&mut sniffer, tagged.frames.len())), sent(&tagged));
    assert_silent(&mut sniffer);
}

#[test]
fn any_hears_all_interfaces() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["any"]);
    for link in [Link::Ethernet, Link::Vlan(100), Link::EthernetPppoe] {
        let capture = lab("v2-dh-mismatch.pcap").relink(link);
        play(&amid_others(&capture), 1000.0, "right");
        // each frame leaves one interface and enters the other
        let heard = frames(&mut sniffer, 2 * capture.frames.len());
        assert!(heard.iter().all(|frame| frame.link == LinkType::LINUX_SLL));
        // packet type 4: sent by this machine
        let (outgoing, incoming): (Vec<_>, Vec<_>) = heard.iter().partition(|frame| frame.octets[1] == 4);
        let behind_addresses: Vec<&[u8]> = capture.frames.iter().map(|frame| &frame.octets[12..]).collect();
        assert_eq!(incoming.iter().map(|frame| &frame.octets[14..]).collect::<Vec<_>>(), behind_addresses, "{link:?}");
        // what becomes of the tag of an outgoing frame differs among kernels
        for (frame, (_, packet)) in outgoing.iter().zip(capture.packets()) {
            assert!(frame.octets.ends_with(packet), "{link:?}");
        }
        assert_eq!(outgoing.len(), capture.frames.len());
    }
    assert_silent(&mut sniffer);
    // the kernel refuses the others, and not only this program
    assert_eq!(sniffer.drops().received, sniffer.infos()[0].frames);
}

#[test]
fn frames_of_two_interfaces_come_in_order_of_time() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.veth("outside", "inside");
    namespace.enter();
    let mut sniffer = sniff(&["left", "outside", "left"]);
    let names: Vec<&str> = sniffer.interfaces().map(|(name, _)| name).collect();
    assert_eq!(names, ["left", "outside"]);
    let capture = lab("v1-main-psk-healthy.pcap");
    let frames_sent = capture.frames.clone();
    let player = namespace.spawn(move || {
        let (mut one, mut other) = (Sender::new("right"), Sender::new("inside"));
        for round in 0..20 {
            for (index, frame) in frames_sent.iter().enumerate() {
                let to_first = (round + index) % 2 == 0;
                if to_first { one.send(&frame.octets) } else { other.send(&frame.octets) }
            }
            thread::sleep(Duration::from_millis(7));
        }
    });
    let heard = frames(&mut sniffer, 20 * capture.frames.len());
    player.join().unwrap();
    assert!(heard.is_sorted_by_key(|frame| frame.nanos), "not in order of time");
    for (index, frame) in heard.iter().enumerate() {
        let (round, place) = (index / capture.frames.len(), index % capture.frames.len());
        assert_eq!(frame.octets, capture.frames[place].octets);
        assert_eq!(frame.interface as usize, (round + place) % 2);
        assert_eq!(frame.number, index as u64 + 1);
    }
    let by_interface = sniffer.drops_by_interface();
    assert_eq!(by_interface.iter().map(|drops| drops.received).sum::<u64>(), heard.len() as u64);
    assert!(by_interface.iter().all(|drops| drops.received > 100));
}

#[test]
fn a_wait_is_never_longer_than_asked() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["left", "lo"]);
    for wait in [0, 1, 20, 300] {
        let wait = Duration::from_millis(wait);
        let started = Instant::now();
        assert!(matches!(sniffer.next(wait), Ok(Heard::Silence)));
        assert!(started.elapsed() >= wait);
        assert!(started.elapsed() < wait + Duration::from_secs(5));
    }
}

#[test]
fn an_interface_that_goes_down_is_told_of_and_heard_again() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.veth("outside", "inside");
    namespace.enter();
    let mut sniffer = sniff(&["left", "outside"]);
    let capture = lab("v2-dh-mismatch.pcap");
    play(&capture, 1000.0, "right");
    namespace.ip("link set dev left down");
    let (before, told) = notice(&mut sniffer);
    assert_eq!(octets(&before), sent(&capture), "what was heard before it went down is not lost");
    assert!(told.starts_with("left is down"), "{told}");
    // the other one is heard all the while
    play(&capture, 1000.0, "inside");
    let heard = frames(&mut sniffer, capture.frames.len());
    assert!(heard.iter().all(|frame| frame.interface == 1));
    assert_silent(&mut sniffer);
    namespace.ip("link set dev left up");
    let (_, told) = notice(&mut sniffer);
    assert!(told.starts_with("left is back"), "{told}");
    play(&capture, 1000.0, "right");
    assert_eq!(octets(&frames(&mut sniffer, capture.frames.len())), sent(&capture));
    assert_silent(&mut sniffer);
    assert_eq!(sniffer.drops().received, 3 * capture.frames.len() as u64);
}

#[test]
fn an_interface_that_is_made_again_is_heard_again() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["left", "lo"]);
    let capture = lab("v2-dh-mismatch.pcap");
    play(&capture, 1000.0, "right");
    namespace.ip("link delete left");
    let (before, told) = notice(&mut sniffer);
    assert_eq!(octets(&before), sent(&capture), "what was heard before it was removed is not lost");
    assert!(told.starts_with("left is gone"), "{told}");
    assert_silent(&mut sniffer);
    namespace.ip("link add left type veth peer name right");
    namespace.ip("link set dev left addrgenmode none");
    namespace.ip("link set dev right addrgenmode none");
    let (_, told) = notice(&mut sniffer);
    assert!(told.starts_with("left is down"), "{told}");
    namespace.ip("link set dev right up");
    namespace.ip("link set dev left up");
    let (_, told) = notice(&mut sniffer);
    assert!(told.starts_with("left is back"), "{told}");
    play(&amid_others(&capture), 1000.0, "right");
    assert_eq!(octets(&frames(&mut sniffer, capture.frames.len())), sent(&capture));
    // so quickly that it was never seen to be away
    namespace.ip("link delete left");
    namespace.veth("left", "right");
    let (_, told) = notice(&mut sniffer);
    assert!(told.contains("again") || told.contains("gone"), "{told}");
    while told_more(&mut sniffer) {}
    play(&capture, 1000.0, "right");
    let heard = frames(&mut sniffer, capture.frames.len());
    assert_eq!(octets(&heard), sent(&capture));
    assert_eq!(heard.last().unwrap().number, 3 * capture.frames.len() as u64);
    assert_eq!(sniffer.drops().received, 3 * capture.frames.len() as u64);
}

/// Whether a notice comes within a second.
fn told_more(sniffer: &mut Sniffer) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        match sniffer.next(Duration::from_millis(100)).expect("the source goes on") {
            Heard::Notice(_) => return true,
            Heard::Silence => {}
            other => panic!("{other:?}"),
        }
    }
    false
}

#[test]
fn what_a_small_ring_loses_is_counted() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = open(&SniffOptions { buffer_octets: 1 << 18, ..options(&["left"]) }).unwrap();
    let frame = lab("v2-dh-mismatch.pcap").frames[0].octets.clone();
    let mut sender = Sender::new("right");
    const FLOOD: u64 = 20_000;
    for _ in 0..FLOOD {
        sender.send(&frame);
    }
    let mut heard = 0;
    while let Heard::Frame(_) = sniffer.next(Duration::from_millis(200)).unwrap() {
        heard += 1;
    }
    let drops = sniffer.drops();
    assert!(drops.kernel > 0, "{drops:?}");
    assert_eq!(heard + drops.kernel, FLOOD, "{drops:?}");
    assert_eq!(drops.received, FLOOD, "{drops:?}");
    assert_eq!(sniffer.infos()[0].dropped, Some(drops.kernel));
}

#[test]
fn a_large_ring_holds_a_burst() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let mut sniffer = sniff(&["left"]);
    let capture = lab("v2-psk-healthy.pcap");
    let mut sender = Sender::new("right");
    const ROUNDS: usize = 300;
    for frame in capture.frames.iter().cycle().take(ROUNDS * capture.frames.len()) {
        sender.send(&frame.octets);
    }
    let heard = frames(&mut sniffer, ROUNDS * capture.frames.len());
    assert!(octets(&heard).chunks(capture.frames.len()).all(|round| round == sent(&capture)));
    assert_eq!(sniffer.drops().kernel, 0);
}

#[test]
fn an_interface_that_cannot_be_opened_says_why_and_what_helps() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let failed = |options: &SniffOptions| open(options).expect_err("an error").to_string();
    let unknown = failed(&options(&["left", "eth77"]));
    assert!(unknown.starts_with("eth77: ") && unknown.contains("left") && unknown.contains("right"), "{unknown}");
    namespace.ip("link set dev left down");
    let down = failed(&options(&["left"]));
    assert!(down.starts_with("left: ") && down.contains("ip link set dev left up"), "{down}");
    namespace.ip("link set dev left up");
    let filter = failed(&SniffOptions { filter: Some("host nowhere at all".to_owned()), ..options(&["left"]) });
    assert!(filter.contains("\"host nowhere at all\""), "{filter}");
    assert_eq!(open(&SniffOptions::default()).err(), Some(LiveError::NoneNamed));
    caps::drop(None, caps::CapSet::Effective, caps::Capability::CAP_NET_RAW).unwrap();
    let permission = failed(&options(&["left"]));
    let program = std::env::current_exe().unwrap();
    assert!(permission.contains(&format!("sudo setcap cap_net_raw=eip {}", program.display())), "{permission}");
    assert!(permission.contains("or run with sudo"), "{permission}");
}

#[test]
fn a_filter_of_the_user_is_applied_as_well() {
    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("left", "right");
    namespace.enter();
    let capture = lab("v2-psk-healthy.pcap");
    let source = support::link::source(capture.packets().next().unwrap().1);
    let filter = Some(format!("src host {source}"));
    let mut sniffer = open(&SniffOptions { filter, ..options(&["left"]) }).unwrap();
    play(&amid_others(&capture), 1000.0, "right");
    let one_way = capture.clone().only_from(source);
    assert!(!one_way.frames.is_empty() && one_way.frames.len() < capture.frames.len());
    assert_eq!(octets(&frames(&mut sniffer, one_way.frames.len())), sent(&one_way));
    assert_silent(&mut sniffer);
}

/// Where the confined child writes; also what makes it the child.
const FOLDER: &str = "IKESCOPE_TEST_CONFINED_FOLDER";

/// Not a test by itself: what the child of the next one does.
#[test]
fn confined_child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let say = |line: &str| {
        println!("\nchild: {line}");
        std::io::stdout().flush().unwrap();
    };
    let mut sniffer = sniff(&["left"]);
    let rotate = WriteOptions { rotate_octets: Some(2000), keep_files: Some(3) };
    let mut writer = Writer::create(&folder.join("kept.pcapng"), rotate).unwrap();
    let confinement = confine(std::slice::from_ref(&folder));
    say(&format!("confinement: {confinement}"));
    say(&format!("missing: {:?}", confinement.missing()));
    say(&format!("passwd: {:?}", fs::read("/etc/passwd").map_err(|error| error.kind()).map(drop)));
    say(&format!("a file elsewhere: {:?}", fs::write(folder.with_extension("not"), "").map_err(|error| error.kind())));
    say(&format!("listing the folder: {:?}", fs::read_dir(&folder).map(drop).map_err(|error| error.kind())));
    say(&format!("null: {:?}", fs::File::open("/dev/null").map(drop).map_err(|error| error.kind())));
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    for line in status.lines().filter(|line| line.starts_with("Cap") || line.starts_with("NoNewPrivs")) {
        say(&line.replace('\t', " "));
    }
    say("ready");
    loop {
        match next(&mut sniffer) {
            Ok(frame) => {
                let at = ikescope::base::Timestamp::from_nanos(frame.nanos);
                let frame = ikescope::capture::Frame {
                    reference: ikescope::base::FrameRef::new(0, frame.number),
                    at,
                    link: frame.link,
                    interface: frame.interface,
                    bytes: &frame.octets,
                    wire_len: frame.wire,
                };
                writer.write(&frame, "left").unwrap();
                writer.flush().unwrap();
                say(&format!("frame {}", frame.reference.frame));
            }
            Err(notice) => say(&notice),
        }
    }
}

/// The child, what it says, and the end of it.
struct Confined {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Confined {
    /// What the child says next with this beginning.
    fn line(&mut self, start: &str) -> String {
        for line in self.lines.by_ref() {
            let line = line.expect("the child talks");
            println!("{line}");
            if let Some(said) = line.strip_prefix("child: ").and_then(|said| said.strip_prefix(start)) {
                return said.to_owned();
            }
        }
        let mut error = String::new();
        let _ = self.child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut error));
        panic!("the child ended before it said {start:?}: {error}");
    }
}

impl Confined {
    fn start(namespace: &Namespace, folder: &Path) -> Self {
        let this = std::env::current_exe().unwrap();
        let mut child = namespace
            .command(this.to_str().unwrap())
            .args(["--exact", "confined_child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_confined_process_captures_writes_rotates_and_reopens_and_can_do_nothing_else() {
    let Some(namespace) = Namespace::new() else { return };
    let capture = lab("v2-dh-mismatch.pcap");
    // its own folder, and one of the user's, as when sudo writes there
    for (owner, capabilities) in [(0, "0000000000002000"), (12_345, "0000000000002002")] {
        namespace.veth("left", "right");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("confined-{}-{owner}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::chown(&folder, Some(owner), Some(owner)).unwrap();
        let mut child = Confined::start(&namespace, &folder);
        let confinement = child.line("confinement: ");
        // the test harness keeps a thread of its own
        if child.line("missing: ") != "[\"threads that run already keep what they have (1)\"]" {
            println!("skipped: the kernel cannot confine in full: {confinement}");
            return;
        }
        assert!(confinement.contains("CAP_NET_RAW") && confinement.contains("confined-"), "{confinement}");
        assert_eq!(child.line("passwd: "), "Err(PermissionDenied)");
        assert_eq!(child.line("a file elsewhere: "), "Err(PermissionDenied)");
        assert_eq!(child.line("listing the folder: "), "Err(PermissionDenied)");
        assert_eq!(child.line("null: "), "Ok(())");
        assert_eq!(child.line("CapInh: "), "0000000000000000");
        assert_eq!(child.line("CapPrm: "), capabilities);
        assert_eq!(child.line("CapEff: "), capabilities);
        assert_eq!(child.line("CapBnd: "), "0000000000000000");
        assert_eq!(child.line("NoNewPrivs: "), "1");
        child.line("ready");
        let frame = capture.frames[0].octets.clone();
        let send = move |count: usize| {
            let frame = frame.clone();
            move || (0..count).for_each(|_| Sender::new("right").send(&frame))
        };
        namespace.spawn(send(30)).join().unwrap();
        child.line("frame 30");
        namespace.ip("link delete left");
        child.line("left is gone");
        namespace.veth("left", "right");
        child.line("left is back");
        namespace.spawn(send(2)).join().unwrap();
        child.line("frame 32");
        // signals work as before
        assert!(Command::new("kill").arg(child.child.id().to_string()).status().unwrap().success());
        assert_eq!(child.child.wait().unwrap().signal(), Some(15));
        let mut names: Vec<String> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(!names[0].starts_with("kept_00001_"), "{names:?}");
        let mut captures = Captures::open(std::slice::from_ref(&folder));
        let mut last = None;
        while let Some(frame) = captures.next_frame() {
            last = Some(frame.bytes.to_vec());
        }
        assert_eq!(last.as_ref(), Some(&capture.frames[0].octets));
        assert!(captures.errors().is_empty());
        namespace.ip("link delete left");
        fs::remove_dir_all(&folder).unwrap();
    }
}
