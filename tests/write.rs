//! Captures as they are written: what is read back, rings of files, and files that cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use ikescope::base::{FrameRef, LinkType, Timestamp};
use ikescope::capture::{CaptureInfo, Captures, Drops, Frame, WriteOptions, Writer};
use proptest::prelude::*;

/// A frame that owns its octets.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    nanos: i64,
    link: u32,
    interface: u32,
    octets: Vec<u8>,
    wire: u32,
}

impl Kept {
    fn new(number: i64, link: LinkType, interface: u32, len: usize) -> Self {
        let octets: Vec<u8> = (0..len).map(|place| (place as i64 * 7 + number) as u8).collect();
        let nanos = 1_795_226_455_000_000_001 + number * 1_000_000_007;
        Self { nanos, link: link.0, interface, wire: len as u32 + 3 * (number % 2) as u32, octets }
    }

    fn write(&self, writer: &mut Writer) {
        let frame = Frame {
            reference: FrameRef::new(0, 1),
            at: Timestamp::from_nanos(self.nanos),
            link: LinkType(self.link),
            interface: self.interface,
            bytes: &self.octets,
            wire_len: self.wire,
        };
        writer.write(&frame, &format!("eth{}", self.interface)).expect("the frame is written");
    }
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("write-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn read(path: &Path) -> (Vec<Kept>, Vec<CaptureInfo>) {
    let mut captures = Captures::open(&[path.to_owned()]);
    let mut kept = Vec::new();
    while let Some(frame) = captures.next_frame() {
        kept.push(Kept {
            nanos: frame.at.as_nanos(),
            link: frame.link.0,
            interface: frame.interface,
            octets: frame.bytes.to_vec(),
            wire: frame.wire_len,
        });
    }
    assert_eq!(captures.errors().iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    let infos = captures.infos();
    assert!(infos.iter().all(|info| !info.cut_short && info.notes.is_empty()), "{infos:?}");
    (kept, infos)
}

fn write(path: &Path, frames: &[Kept]) {
    let mut writer = Writer::create(path, WriteOptions::default()).unwrap();
    frames.iter().for_each(|frame| frame.write(&mut writer));
    writer.finish().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read_back_frame_for_frame_in_both_formats() {
    let folder = folder("both");
    let frames: Vec<Kept> =
        (0..50).map(|number| Kept::new(number, LinkType::ETHERNET, 0, number as usize * 31)).collect();
    for (name, format) in [("a.pcap", "pcap"), ("a.pcapng", "pcapng"), ("a", "pcapng"), ("A.PCAP", "pcap")] {
        let path = folder.join(name);
        write(&path, &frames);
        let (kept, infos) = read(&path);
        assert_eq!(kept, frames, "{name}");
        assert_eq!(infos[0].format, format);
    }
}

#[test]
fn several_interfaces_and_link_types_keep_their_numbers_if_they_are_announced() {
    let folder = folder("interfaces");
    let frames: Vec<Kept> = (0..40)
        .map(|number| match number % 3 {
            0 => Kept::new(number, LinkType::RAW, 2, 60),
            1 => Kept::new(number, LinkType::ETHERNET, 1, 61),
            _ => Kept::new(number, LinkType::LINUX_SLL, 0, 62),
        })
        .collect();
    for name in ["several.pcapng", "several.pcap"] {
        let path = folder.join(name);
        let mut writer = Writer::create(&path, WriteOptions::default()).unwrap();
        for (number, link) in [(0, LinkType::LINUX_SLL), (1, LinkType::ETHERNET), (2, LinkType::RAW)] {
            writer.announce(number, &format!("eth{number}"), link);
        }
        frames.iter().for_each(|frame| frame.write(&mut writer));
        writer.note_drops(0, Drops { received: 14, kernel: 5, interface: 1 });
        writer.note_drops(2, Drops { received: 13, kernel: 2, interface: 0 });
        writer.finish().unwrap();
        let (kept, infos) = read(&path);
        assert_eq!(kept, frames);
        assert_eq!((infos[0].format, infos[0].dropped), ("pcapng", Some(8)));
        let file = fs::read(&path).unwrap();
        assert!((0..3).all(|number| file.windows(4).any(|octets| octets == format!("eth{number}").as_bytes())));
    }
}

#[test]
fn a_second_link_type_in_a_pcap_file_goes_on_in_another_file() {
    let folder = folder("second-link");
    let frames = [Kept::new(0, LinkType::ETHERNET, 0, 60), Kept::new(1, LinkType::RAW, 1, 60)];
    write(&folder.join("vpn.pcap"), &frames);
    let names = names(&folder);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"vpn.pcap".to_owned()) && names.iter().any(|name| name.starts_with("vpn_00002_2026")));
    let (kept, infos) = read(&folder);
    assert_eq!(kept.iter().map(|frame| &frame.octets).collect::<Vec<_>>(), [&frames[0].octets, &frames[1].octets]);
    assert_eq!(infos.len(), 2);
}

#[test]
fn a_capture_without_frames_is_a_capture() {
    let folder = folder("empty");
    for name in ["empty.pcap", "empty.pcapng"] {
        let path = folder.join(name);
        write(&path, &[]);
        let (kept, infos) = read(&path);
        assert!(kept.is_empty());
        assert!(name.ends_with(infos[0].format));
    }
}

#[test]
fn a_frame_is_in_the_file_once_it_is_flushed() {
    let folder = folder("flush");
    for name in ["flush.pcap", "flush.pcapng"] {
        let path = folder.join(name);
        let mut writer = Writer::create(&path, WriteOptions::default()).unwrap();
        for number in 0..3 {
            let frame = Kept::new(number, LinkType::ETHERNET, 0, 100);
            frame.write(&mut writer);
            writer.flush().unwrap();
            let (kept, _) = read(&path);
            assert_eq!(kept.len() as i64, number + 1);
            assert_eq!(kept.last(), Some(&frame));
        }
    }
}

#[test]
fn files_rotate_by_size_and_the_oldest_are_removed() {
    for (name, extension) in [("vpn.pcapng", ".pcapng"), ("vpn.pcap", ".pcap"), ("vpn", "")] {
        let folder = folder(&format!("rotate{extension}"));
        let frames: Vec<Kept> = (0..100).map(|number| Kept::new(number, LinkType::ETHERNET, 0, 900)).collect();
        let options = WriteOptions { rotate_octets: Some(5000), keep_files: Some(4) };
        let mut writer = Writer::create(&folder.join(name), options).unwrap();
        for frame in &frames {
            frame.write(&mut writer);
        }
        let files: Vec<PathBuf> = writer.files().map(Path::to_owned).collect();
        assert_eq!(files.last().map(PathBuf::as_path), Some(writer.current()));
        writer.finish().unwrap();
        let names = names(&folder);
        assert_eq!(names.len(), 4);
        assert_eq!(files, names.iter().map(|name| folder.join(name)).collect::<Vec<_>>());
        let (kept, _) = read(&folder);
        assert!(kept.len() >= 16 && kept.len() < 24, "{} frames of 900 octets in four files of 5000", kept.len());
        assert_eq!(kept, frames[frames.len() - kept.len()..], "the newest are kept, none is missing among them");
        for (place, name) in names.iter().enumerate() {
            let (frames, _) = read(&folder.join(name));
            let first = Timestamp::from_nanos(frames[0].nanos).to_utc().format("%Y%m%d%H%M%S");
            let number: u32 = name.strip_prefix("vpn_").unwrap()[..5].parse().unwrap();
            assert_eq!(*name, format!("vpn_{number:05}_{first}{extension}"));
            assert_eq!(number as usize, 17 + place, "five frames a file");
            assert!(fs::metadata(folder.join(name)).unwrap().len() <= 5000);
        }
    }
}

#[test]
fn each_file_of_a_ring_tells_what_was_lost_while_it_was_written() {
    let folder = folder("lost");
    let options = WriteOptions { rotate_octets: Some(3000), keep_files: None };
    let mut writer = Writer::create(&folder.join("vpn.pcapng"), options).unwrap();
    for number in 0..30 {
        Kept::new(number, LinkType::ETHERNET, 0, 900).write(&mut writer);
        writer.note_drops(0, Drops { received: number as u64, kernel: number as u64 * 2, interface: 0 });
    }
    writer.finish().unwrap();
    let (kept, infos) = read(&folder);
    assert_eq!(kept.len(), 30);
    assert!(infos.len() > 5);
    assert_eq!(infos.iter().map(|info| info.dropped.unwrap()).sum::<u64>(), 58);
}

#[test]
fn a_file_that_cannot_be_written_is_named_with_the_reason() {
    let folder = folder("refused");
    let missing = folder.join("no/such/folder.pcapng");
    let error = Writer::create(&missing, WriteOptions::default()).err().unwrap().to_string();
    assert!(error.starts_with(&missing.display().to_string()) && error.contains("no such file or folder"), "{error}");
    let error = Writer::create(&folder, WriteOptions::default()).err().unwrap().to_string();
    assert!(error.starts_with(&folder.display().to_string()) && error.contains("cannot be made"), "{error}");
    if cfg!(target_os = "linux") {
        let mut writer = Writer::create(Path::new("/dev/full"), WriteOptions::default()).unwrap();
        Kept::new(0, LinkType::ETHERNET, 0, 60).write(&mut writer);
        let error = writer.flush().unwrap_err().to_string();
        assert!(error.starts_with("/dev/full: cannot be written: ") && error.contains("space"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_frames_survive(
        frames in prop::collection::vec(
            (0..i64::MAX, prop::collection::vec(any::<u8>(), 0..80), 0_u32..9, 0_u32..3),
            0..20,
        ),
        classic in any::<bool>(),
    ) {
        let folder = folder("any");
        let path = folder.join(if classic { "any.pcap" } else { "any.pcapng" });
        // pcap counts seconds in 32 bits
        let most = if classic { i64::from(u32::MAX) * 1_000_000_000 } else { i64::MAX };
        let mut frames: Vec<Kept> = frames
            .into_iter()
            .map(|(nanos, octets, more, interface)| Kept {
                nanos: nanos % most,
                link: 1,
                interface: if classic { 0 } else { interface },
                wire: octets.len() as u32 + more,
                octets,
            })
            .collect();
        // clocks that run backwards are noted when they are read
        frames.sort_by_key(|frame| frame.nanos);
        let mut writer = Writer::create(&path, WriteOptions::default()).unwrap();
        (0..3).for_each(|number| writer.announce(number, "eth", LinkType::ETHERNET));
        frames.iter().for_each(|frame| frame.write(&mut writer));
        writer.finish().unwrap();
        prop_assert_eq!(read(&path).0, frames);
    }
}
