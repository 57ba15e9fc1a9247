//! Capture files written octet by octet from the specifications, and what comes back of them.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ikescope::base::{FrameRef, LinkType};
use ikescope::capture::{CaptureInfo, Captures, Chunk, Each, Frame};
use proptest::prelude::*;

mod octets;

use octets::{BOTH, MICROSECONDS, NANOSECONDS, Order};

/// A frame that owns its octets.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    reference: FrameRef,
    nanos: i64,
    link: u32,
    interface: u32,
    octets: Vec<u8>,
    wire: u32,
}

fn drain(captures: &mut Captures) -> Vec<Kept> {
    let mut kept = Vec::new();
    while let Some(frame) = captures.next_frame() {
        kept.push(Kept {
            reference: frame.reference,
            nanos: frame.at.as_nanos(),
            link: frame.link.0,
            interface: frame.interface,
            octets: frame.bytes.to_vec(),
            wire: frame.wire_len,
        });
    }
    kept
}

/// What came of reading one stream.
struct Outcome {
    frames: Vec<Kept>,
    info: Option<CaptureInfo>,
    errors: Vec<String>,
}

fn read(octets: &[u8]) -> Outcome {
    let mut captures = Captures::from_reader("test", io::Cursor::new(octets.to_vec()));
    let frames = drain(&mut captures);
    let errors = captures.errors().iter().map(ToString::to_string).collect();
    Outcome { frames, info: captures.infos().pop(), errors }
}

/// Reads what has to be without errors.
fn read_whole(octets: &[u8]) -> (Vec<Kept>, CaptureInfo) {
    let Outcome { frames, info, errors } = read(octets);
    assert_eq!(errors, [""; 0]);
    (frames, info.expect("one capture"))
}

fn octets_of(frames: &[Kept]) -> Vec<&[u8]> {
    frames.iter().map(|frame| frame.octets.as_slice()).collect()
}

/// Three frames, one of them cut at the snap length, in a plain pcap file.
fn small_pcap(order: Order) -> Vec<u8> {
    [
        order.pcap(MICROSECONDS, (2, 4), 65535, 1),
        order.record(1000, 1, 5, b"first"),
        order.record(1001, 999_999, 600, b"second"),
        order.record(1002, 0, 0, b""),
    ]
    .concat()
}

/// Two sections of opposite byte order with every kind of block.
fn small_pcapng() -> Vec<u8> {
    let (little, big) = (Order::Little, Order::Big);
    [
        little.section(),
        little.interface(1, 0, &[(9, vec![6])]),
        little.enhanced(0, 1_000_000_000, 5, b"first"),
        little.block(4, b"names"),
        little.block(0x1234_5678, &[0; 40]),
        little.simple(6, b"second"),
        big.section(),
        big.interface(101, 65535, &[(2, b"tun0".to_vec()), (9, vec![9])]),
        big.obsolete(0, 2, 1_002_000_000_003, b"third"),
        big.statistics(0, &[(5, big.u64(7).to_vec())]),
    ]
    .concat()
}

#[test]
fn pcap_in_both_byte_orders_and_resolutions() {
    for order in BOTH {
        for (magic, nanos) in [(MICROSECONDS, 123_456_000), (NANOSECONDS, 123_456)] {
            let file = [
                order.pcap(magic, (2, 4), 262_144, 101),
                order.record(1_700_000_000, 123_456, 3, b"abc"),
                order.record(1_700_000_001, 0, 1500, b"defg"),
            ]
            .concat();
            let (frames, info) = read_whole(&file);
            assert_eq!(frames.len(), 2);
            assert_eq!(
                frames[0],
                Kept {
                    reference: FrameRef::new(0, 1),
                    nanos: 1_700_000_000_000_000_000 + nanos,
                    link: 101,
                    interface: 0,
                    octets: b"abc".to_vec(),
                    wire: 3,
                }
            );
            assert_eq!((frames[1].reference.frame, frames[1].wire), (2, 1500));
            assert_eq!((info.format, info.compression, info.frames, info.octets), ("pcap", None, 2, 7));
            assert_eq!((info.snapped, info.cut_short, info.dropped), (1, false, None));
            assert_eq!(info.link_types, [LinkType::RAW]);
            assert_eq!(info.first.map(|at| at.as_nanos()), Some(frames[0].nanos));
            assert_eq!(info.last.map(|at| at.as_nanos()), Some(frames[1].nanos));
            assert_eq!(info.notes, [""; 0]);
        }
    }
}

#[test]
fn pcap_with_longer_headers() {
    for order in BOTH {
        let mut patched = order.pcap(0xa1b2_cd34, (2, 4), 65535, 1);
        for octets in [b"one", b"two"] {
            let mut record = order.record(5, 6, 3, b"");
            record[8..12].copy_from_slice(&order.u32(3));
            record.extend([9; 8]);
            record.extend(octets);
            patched.extend(record);
        }
        let (frames, _) = read_whole(&patched);
        assert_eq!(octets_of(&frames), [b"one", b"two"]);
        assert_eq!(frames[0].nanos, 5_000_006_000);

        for (magic, nanos) in [(0x1c00_01ac, 5_000_000_006), (0x1c00_01ab, 5_000_006_000)] {
            let mut file = order.pcap(magic, (2, 4), 65535, 1);
            file.extend(order.u32(19));
            file.extend(order.record(5, 6, 3, b"one"));
            let (frames, _) = read_whole(&file);
            assert_eq!((octets_of(&frames), frames[0].nanos), (vec![&b"one"[..]], nanos));
        }
    }
}

#[test]
fn the_frame_check_sequence_bits_are_no_link_type() {
    let file = Order::Little.pcap(MICROSECONDS, (2, 4), 65535, 0x4400_0001);
    assert_eq!(read_whole(&file).1.link_types, [LinkType::ETHERNET]);
}

#[test]
fn old_pcap_versions_swap_the_lengths() {
    let order = Order::Big;
    let mut record = order.record(1, 0, 0, b"");
    record[8..12].copy_from_slice(&order.u32(900));
    record[12..16].copy_from_slice(&order.u32(3));
    let file = [order.pcap(MICROSECONDS, (2, 2), 68, 1), record, b"abc".to_vec()].concat();
    let (frames, info) = read_whole(&file);
    assert_eq!((octets_of(&frames), frames[0].wire), (vec![&b"abc"[..]], 900));
    assert_eq!(info.notes, ["pcap version 2.2, read like 2.4"]);
}

#[test]
fn odd_pcap_records_are_delivered_and_noted_once() {
    let order = Order::Little;
    let mut file = order.pcap(MICROSECONDS, (2, 4), 4, 1);
    for _ in 0..1000 {
        file.extend(order.record(10, 1_500_000, 3, b"longer"));
        file.extend(order.record(7, 0, 3, b"abc"));
    }
    let (frames, info) = read_whole(&file);
    assert_eq!(frames.len(), 2000);
    assert_eq!((frames[0].wire, frames[0].nanos), (6, 11_500_000_000));
    assert_eq!(
        info.notes,
        [
            "time stamps run backwards 1000 times, by up to 4.5s",
            "1000 frames with more than a second in the fraction of a second",
            "1000 frames recorded longer than on the wire, which is taken as unknown",
            "1000 frames longer than the snap length",
        ]
    );
    assert_eq!(info.first.map(|at| at.as_nanos()), Some(7_000_000_000));
    assert_eq!(info.last.map(|at| at.as_nanos()), Some(11_500_000_000));
}

#[test]
fn a_pcap_record_that_lies_about_its_length_is_an_error_after_what_was_read() {
    let order = Order::Little;
    let mut file = small_pcap(order);
    let place = file.len();
    let mut record = order.record(1, 1, 1, b"x");
    record[8..12].copy_from_slice(&order.u32(u32::MAX));
    file.extend(record);
    let Outcome { frames, errors, info } = read(&file);
    assert_eq!(octets_of(&frames), [&b"first"[..], b"second", b""]);
    assert_eq!(
        errors,
        [format!("test: a record claims 4294967295 octets where at most 262144 can be (octet {place}, after frame 3)")]
    );
    assert!(!info.expect("it was a capture").cut_short);
}

#[test]
fn frames_larger_than_the_buffer_are_read_whole() {
    let order = Order::Little;
    let large: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    let file = [
        order.pcap(MICROSECONDS, (2, 4), 4_000_000, 1),
        order.record(1, 0, 3, b"abc"),
        order.record(2, 0, 3_000_000, &large),
        order.record(3, 0, 3, b"def"),
    ]
    .concat();
    let (frames, _) = read_whole(&file);
    assert_eq!(octets_of(&frames), [b"abc", &large[..], b"def"]);
}

#[test]
fn pcapng_sections_have_their_own_byte_order_and_interfaces() {
    let (frames, info) = read_whole(&small_pcapng());
    assert_eq!(octets_of(&frames), [&b"first"[..], b"second", b"third"]);
    assert_eq!(
        frames.iter().map(|frame| frame.nanos).collect::<Vec<_>>(),
        [1_000_000_000_000, 1_000_000_000_000, 1_002_000_000_003]
    );
    assert_eq!(frames.iter().map(|frame| frame.link).collect::<Vec<_>>(), [1, 1, 101]);
    assert_eq!(frames.iter().map(|frame| frame.interface).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!((info.format, info.frames, info.dropped), ("pcapng", 3, Some(9)));
    assert_eq!(info.link_types, [LinkType::ETHERNET, LinkType::RAW]);
    assert_eq!(
        info.notes,
        [
            "1 frame without time stamp, given that of the frame before",
            "unknown blocks skipped once, the first of type 0x12345678"
        ]
    );
}

#[test]
fn pcapng_time_resolutions_and_offsets() {
    for order in BOTH {
        for (resolution, ticks, nanos) in [
            (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
            (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
            (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
            (12, 1_700_000_123_456_789_999, 1_700_000_123_456_789),
            (0x8a, 1_700_000_000 * 1024 + 512, 1_700_000_000_500_000_000),
        ] {
            let file = [
                order.section(),
                order.interface(1, 0, &[(9, vec![resolution])]),
                order.interface(1, 0, &[(9, vec![resolution]), (14, order.u64(1).to_vec())]),
                order.interface(1, 0, &[(9, vec![resolution]), (14, order.u64(-3i64 as u64).to_vec())]),
                order.enhanced(0, ticks, 1, b"x"),
                order.enhanced(1, ticks, 1, b"x"),
                order.enhanced(2, ticks, 1, b"x"),
            ]
            .concat();
            let (frames, _) = read_whole(&file);
            let read: Vec<i64> = frames.iter().map(|frame| frame.nanos).collect();
            assert_eq!(read, [nanos, nanos + 1_000_000_000, nanos - 3_000_000_000], "{resolution} {order:?}");
        }
    }
}

#[test]
fn simple_packets_are_cut_at_the_snap_length_of_interface_0() {
    let order = Order::Big;
    let file =
        [order.section(), order.interface(1, 5, &[]), order.simple(9, b"abcde"), order.simple(2, b"fg")].concat();
    let (frames, info) = read_whole(&file);
    assert_eq!(octets_of(&frames), [&b"abcde"[..], b"fg"]);
    assert_eq!((frames[0].wire, frames[1].wire, info.snapped), (9, 2, 1));
    assert_eq!((info.first, info.last), (None, None));
}

#[test]
fn the_latest_interface_statistics_count() {
    let order = Order::Little;
    let drops = |received: u64, system: u64| {
        order.statistics(0, &[(5, order.u64(received).to_vec()), (7, order.u64(system).to_vec())])
    };
    let file = [order.section(), order.interface(1, 0, &[]), drops(1, 2), drops(10, 20)].concat();
    assert_eq!(read_whole(&file).1.dropped, Some(30));
    let silent = [order.section(), order.interface(1, 0, &[]), order.statistics(0, &[])].concat();
    assert_eq!(read_whole(&silent).1.dropped, None);
}

#[test]
fn packets_of_undescribed_interfaces_and_broken_options_are_noted() {
    let order = Order::Little;
    let mut interface = order.interface(1, 0, &[(9, vec![9])]);
    interface[18..20].copy_from_slice(&order.u16(400));
    let file = [order.section(), interface, order.enhanced(7, 1, 1, b"x"), order.enhanced(0, 1, 1, b"y")].concat();
    let (frames, info) = read_whole(&file);
    assert_eq!((octets_of(&frames), frames[0].reference.frame), (vec![&b"y"[..]], 1));
    assert_eq!(
        info.notes,
        ["1 frame of interfaces that the file does not describe, skipped", "block options that cannot be read once"]
    );
}

#[test]
fn pcapng_blocks_that_lie_are_errors_after_what_was_read() {
    let order = Order::Big;
    let good = [order.section(), order.interface(1, 0, &[]), order.enhanced(0, 1, 1, b"x")].concat();
    let place = good.len();
    let block = order.enhanced(0, 1, 8, b"12345678");
    let with = |at: usize, number: u32| {
        let mut block = block.clone();
        block[at..at + 4].copy_from_slice(&order.u32(number));
        [&good[..], &block].concat()
    };
    let trailer = block.len() - 4;
    for (file, reason) in [
        (with(4, 8), "a block claims 8 octets, at least 12 are needed"),
        (with(4, 41), "a block claims 41 octets, which is no multiple of 4"),
        (with(4, u32::MAX - 3), "a block claims 4294967292 octets, at most 67112960 are read"),
        (with(trailer, 44), "a block claims 40 octets at its head and 44 at its end"),
        (with(20, 9), "a packet claims 9 octets in a block with room for 8"),
        (with(20, u32::MAX), "a packet claims 4294967295 octets in a block with room for 8"),
    ] {
        let Outcome { frames, errors, .. } = read(&file);
        assert_eq!(octets_of(&frames), [b"x"], "{reason}");
        assert_eq!(errors, [format!("test: {reason} (octet {place}, after frame 1)")]);
    }
    let mut other_version = order.section();
    other_version[13] = 2;
    assert_eq!(read(&other_version).errors, ["test: pcapng version 2.0 is not known (octet 0)"]);
}

/// Cut anywhere, a file gives a prefix of its frames and says that it was cut.
fn assert_prefixes(file: &[u8]) {
    let whole = read_whole(file).0;
    let mut most = 0;
    for end in 0..file.len() {
        let Outcome { frames, info, errors } = read(&file[..end]);
        assert_eq!(frames, whole[..frames.len()], "cut at {end}");
        assert!(frames.len() >= most, "cut at {end}");
        most = frames.len();
        match info {
            Some(info) => {
                assert_eq!(errors, [""; 0], "cut at {end}");
                assert_eq!(info.cut_short, info.notes.iter().any(|note| note.contains("ends inside")));
            }
            None => assert_eq!(errors.len(), 1, "cut at {end}"),
        }
    }
    assert!(read(&file[..file.len() - 1]).info.expect("still a capture").cut_short);
}

#[test]
fn files_cut_anywhere_give_a_prefix() {
    for order in BOTH {
        let mut file = small_pcap(order);
        file.extend(order.record(1003, 0, 4, b"last"));
        assert_prefixes(&file);
    }
    assert_prefixes(&small_pcapng());
}

#[test]
fn a_cut_file_says_where() {
    let file = small_pcap(Order::Little);
    let info = read_whole(&file[..file.len() - 17]).1;
    assert!(info.cut_short);
    assert_eq!(info.notes, ["the file ends inside a record, at octet 45 after frame 1"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_never_panic_and_keep_the_frames_before_the_damage(
        at in 0usize..1000, octet: u8, which in 0usize..3,
    ) {
        let mut file = [small_pcap(Order::Little), small_pcap(Order::Big), small_pcapng()][which].clone();
        let at = at % file.len();
        file[at] = octet;
        let Outcome { frames, errors, .. } = read(&file);
        prop_assert!(errors.len() <= 1);
        let before = read(&file[..at]).frames;
        prop_assert!(frames.len() >= before.len());
        prop_assert_eq!(&frames[..before.len()], &before[..]);
    }

    #[test]
    fn anything_after_a_file_header_ends(tail in proptest::collection::vec(any::<u8>(), 0..2000), which in 0usize..2) {
        let head = [
            Order::Little.pcap(MICROSECONDS, (2, 4), 0, 1),
            [Order::Little.section(), Order::Little.interface(1, 0, &[])].concat(),
        ];
        let Outcome { frames, .. } = read(&[&head[which][..], &tail].concat());
        prop_assert!(frames.len() <= 2000 / 12);
    }
}

/// Hands out one octet at a time, as a slow pipe may.
struct Trickle(io::Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(octets).and_then(|()| encoder.finish()).expect("memory takes everything")
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 0).expect("memory takes everything")
}

#[test]
fn packed_and_trickling_streams_give_the_same_frames() {
    for file in [small_pcap(Order::Big), small_pcapng()] {
        let plain = read_whole(&file).0;
        let (first, second) = file.split_at(50);
        for (packed, name) in [
            (file.clone(), None),
            (gzip(&file), Some("gzip")),
            ([gzip(first), gzip(second)].concat(), Some("gzip")),
            (zstd(&file), Some("zstd")),
            ([zstd(first), zstd(second)].concat(), Some("zstd")),
        ] {
            let (frames, info) = read_whole(&packed);
            assert_eq!((&frames, info.compression, info.cut_short), (&plain, name, false));
            let mut trickle = Captures::from_reader("-", Trickle(io::Cursor::new(packed)));
            assert_eq!(drain(&mut trickle), plain);
            assert!(trickle.errors().is_empty());
        }
    }
}

/// A capture of octets that hardly compress, so that a cut of the packed file falls between frames.
fn noisy_pcap() -> Vec<u8> {
    let noise: Vec<u8> = (0..400_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let order = Order::Little;
    let mut file = small_pcap(order);
    for chunk in noise.chunks(100) {
        file.extend(order.record(1003, 0, 100, chunk));
    }
    file
}

#[test]
fn packed_data_that_end_too_early_are_a_cut() {
    let file = noisy_pcap();
    let whole = read_whole(&file).0;
    for (packed, name) in [(gzip(&file), "gzip"), (zstd(&file), "zstd")] {
        for (end, frames) in [(packed.len() - 1, 3..=whole.len()), (packed.len() * 3 / 4, 3..=whole.len() - 1)] {
            let (read, info) = read_whole(&packed[..end]);
            assert!(frames.contains(&read.len()), "{name} {end}");
            assert_eq!(read, whole[..read.len()]);
            assert!(info.cut_short, "{name} {end}");
            assert_eq!(info.notes, [format!("the {name} data ends too early")]);
        }
    }
}

#[test]
fn packed_data_that_is_damaged_gives_the_same_however_it_comes() {
    let file = noisy_pcap();
    for packed in [gzip(&file), zstd(&file)] {
        let mut damaged = 0;
        for place in (100..packed.len()).step_by(packed.len() / 23) {
            let mut packed = packed.clone();
            packed[place] ^= 0x55;
            packed[place + 1] ^= 0xff;
            let Outcome { frames, errors, .. } = read(&packed);
            let mut trickle = Captures::from_reader("test", Trickle(io::Cursor::new(packed)));
            assert_eq!(drain(&mut trickle), frames, "damaged at {place}");
            assert_eq!(trickle.errors().iter().map(ToString::to_string).collect::<Vec<_>>(), errors);
            damaged += usize::from(!errors.is_empty());
        }
        assert!(damaged > 5, "{damaged}");
    }
}

#[test]
fn packed_garbage_names_its_reason() {
    let file = small_pcap(Order::Little);
    let mut broken = gzip(&file);
    let checksum = broken.len() - 8;
    broken[checksum] ^= 0xff;
    let Outcome { frames, errors, .. } = read(&broken);
    assert_eq!(frames.len(), 3);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("test: the gzip data cannot be unpacked: "), "{errors:?}");
    assert!(errors[0].ends_with(&format!("(octet {}, after frame 3)", file.len())), "{errors:?}");

    let errors = read(&[&[0x28, 0xb5, 0x2f, 0xfd][..], &[0xff; 40]].concat()).errors;
    assert!(errors[0].starts_with("test: the zstd data cannot be unpacked: "), "{errors:?}");
    let foreign = read(&gzip(b"hello")).errors;
    assert_eq!(foreign, ["test: the gzip data is not a pcap or pcapng capture: starts with 68 65 6c 6c"]);
}

#[test]
fn what_is_no_capture_is_named() {
    assert_eq!(read(b"").errors, ["test: empty file"]);
    assert_eq!(
        read(b"PK\x03\x04rest").errors,
        ["test: not a pcap or pcapng capture: starts with 50 4b 03 04 (a zip archive)"]
    );
    assert_eq!(read(b"\n\n").errors, ["test: not a pcap or pcapng capture: starts with 0a 0a"]);
    assert!(read(b"PK\x03\x04rest").info.is_none());
}

/// One-octet frames at these seconds; the octet is the second.
fn at_seconds(seconds: &[u32]) -> Vec<u8> {
    let order = Order::Little;
    let records = seconds.iter().map(|second| order.record(*second, 0, 1, &[*second as u8]));
    [order.pcap(MICROSECONDS, (2, 4), 65535, 1)].into_iter().chain(records).collect::<Vec<_>>().concat()
}

fn merged(captures: &mut Captures) -> Vec<(u32, u8)> {
    drain(captures).iter().map(|frame| (frame.reference.capture, frame.octets[0])).collect()
}

#[test]
fn captures_are_merged_by_time_and_keep_their_own_order() {
    let streams = [&[1, 4, 5, 9][..], &[2, 7, 3, 8], &[], &[2, 6]].map(|seconds| {
        let stream: Box<dyn Read + Send> = Box::new(io::Cursor::new(at_seconds(seconds)));
        (PathBuf::from("-"), stream)
    });
    let mut captures = Captures::from_readers(streams);
    assert_eq!(
        merged(&mut captures),
        // The 3 after the 7 of capture 1 waits as long as the 7.
        [(0, 1), (1, 2), (3, 2), (0, 4), (0, 5), (3, 6), (1, 7), (1, 3), (1, 8), (0, 9)]
    );
    assert_eq!(captures.infos().iter().map(|info| info.frames).collect::<Vec<_>>(), [4, 4, 0, 2]);
    assert!(captures.next_frame().is_none());
}

#[test]
fn one_broken_capture_does_not_stop_the_others() {
    let mut broken = at_seconds(&[1, 3]);
    broken.extend([0xff; 16]);
    let streams = [broken, at_seconds(&[2, 4])].map(|octets| {
        let stream: Box<dyn Read + Send> = Box::new(io::Cursor::new(octets));
        (PathBuf::from("x"), stream)
    });
    let mut captures = Captures::from_readers(streams);
    assert_eq!(merged(&mut captures), [(0, 1), (1, 2), (0, 3), (1, 4)]);
    assert_eq!(captures.errors().len(), 1);
    assert_eq!(captures.errors()[0].frame, Some(2));
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("capture").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

fn write(path: PathBuf, octets: &[u8]) -> PathBuf {
    fs::write(&path, octets).expect("the build folder can be written");
    path
}

fn names(captures: &Captures) -> Vec<String> {
    let infos = captures.infos();
    infos.iter().map(|info| info.path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_file_named_alone_is_read_and_progresses() {
    let octets = small_pcap(Order::Little);
    let path = write(folder("alone").join("a.txt"), &octets);
    let mut captures = Captures::open(&[path]);
    let frames = drain(&mut captures);
    assert_eq!(frames, read(&octets).frames);
    assert_eq!(captures.progress(), (octets.len() as u64, Some(octets.len() as u64)));
    assert!(captures.errors().is_empty());
}

#[test]
fn folders_are_walked_and_only_captures_taken() {
    let folder = folder("walk");
    fs::create_dir_all(folder.join("b/deep")).expect("the build folder can be written");
    write(folder.join("a"), &at_seconds(&[5]));
    write(folder.join("b/deep/late.gz"), &gzip(&at_seconds(&[9])));
    write(folder.join("b/early"), &at_seconds(&[1, 6]));
    write(folder.join("notes.txt"), b"not a capture");
    write(folder.join("empty.pcap"), b"");
    let mut captures = Captures::open(std::slice::from_ref(&folder));
    // Ids follow the first time stamps.
    assert_eq!(names(&captures), ["early", "a", "late.gz"]);
    assert_eq!(merged(&mut captures), [(0, 1), (1, 5), (0, 6), (2, 9)]);
    assert!(captures.errors().is_empty());
}

#[test]
fn named_captures_keep_the_order_of_their_names() {
    let folder = folder("order");
    let late = write(folder.join("late"), &at_seconds(&[7]));
    let early = write(folder.join("early"), &at_seconds(&[1]));
    let mut captures = Captures::open(&[late, early]);
    assert_eq!(names(&captures), ["late", "early"]);
    assert_eq!(merged(&mut captures), [(1, 1), (0, 7)]);
}

#[test]
fn a_capture_named_twice_is_read_once() {
    let folder = folder("twice");
    let path = write(folder.join("a"), &at_seconds(&[1, 2]));
    for paths in [vec![path.clone(), path.clone()], vec![folder.clone(), path.clone()], vec![path, folder]] {
        let mut captures = Captures::open(&paths);
        assert_eq!(merged(&mut captures), [(0, 1), (0, 2)]);
        assert!(captures.errors().is_empty());
        assert_eq!(captures.infos()[0].notes, ["named more than once, read once"]);
    }
}

#[test]
fn what_cannot_be_opened_is_an_error_and_the_rest_is_read() {
    let folder = folder("errors");
    let bare = folder.join("bare");
    fs::create_dir_all(&bare).expect("the build folder can be written");
    write(bare.join("notes.txt"), b"not a capture");
    let paths = [
        folder.join("missing.pcap"),
        write(folder.join("empty.pcap"), b""),
        write(folder.join("a.zip"), b"PK\x03\x04"),
        bare,
        write(folder.join("good.pcap"), &at_seconds(&[3])),
    ];
    let mut captures = Captures::open(&paths);
    assert_eq!(merged(&mut captures), [(0, 3)]);
    let reasons: Vec<&str> = captures.errors().iter().map(|error| error.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no such file or folder",
            "empty file",
            "not a pcap or pcapng capture: starts with 50 4b 03 04 (a zip archive)",
            "no captures in this folder",
        ]
    );
    assert!(captures.errors().iter().zip(&paths).all(|(error, path)| error.path == *path));
}

#[cfg(unix)]
#[test]
fn devices_are_refused_and_loops_of_links_end() {
    let captures = Captures::open(&[PathBuf::from("/dev/zero")]);
    assert_eq!(captures.errors()[0].to_string(), "/dev/zero: a device or socket, not a file");

    let folder = folder("links");
    write(folder.join("a"), &at_seconds(&[1]));
    for (target, link) in [(".", "again"), ("a", "b"), ("/dev/zero", "zero"), ("nowhere", "dangling"), ("self", "self")]
    {
        std::os::unix::fs::symlink(target, folder.join(link)).expect("the build folder can be written");
    }
    let mut captures = Captures::open(&[folder]);
    assert_eq!(merged(&mut captures), [(0, 1)]);
    assert!(captures.errors().is_empty());
}

#[test]
fn more_captures_than_may_be_open_are_merged() {
    let folder = folder("many");
    // Plain and packed files that all overlap, so that each frame is in another file than the one before.
    let count = 300u32;
    for number in 0..count {
        let octets = at_seconds(&[number, number + count, number + 2 * count]);
        let octets = if number % 5 == 0 { gzip(&octets) } else { octets };
        write(folder.join(format!("{number:04}.pcap")), &octets);
    }
    let mut captures = Captures::open(&[folder]);
    let frames = drain(&mut captures);
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    assert_eq!(frames.len(), 3 * count as usize);
    for (second, frame) in (0u32..).zip(&frames) {
        assert_eq!(frame.nanos, i64::from(second) * 1_000_000_000);
        assert_eq!(frame.reference, FrameRef::new(second % count, u64::from(second / count) + 1));
        assert_eq!(frame.octets, [second as u8]);
    }
}

#[test]
fn files_that_vanish_or_shrink_while_others_are_read_are_errors() {
    let folder = folder("vanish");
    let paths: Vec<PathBuf> = (0..200u32)
        .map(|number| write(folder.join(format!("{number:04}.pcap")), &at_seconds(&[number, number + 200])))
        .collect();
    let mut captures = Captures::open(&paths);
    fs::remove_file(&paths[198]).expect("the build folder can be written");
    write(paths[199].clone(), &at_seconds(&[]));
    let frames = drain(&mut captures);
    assert_eq!(frames.len(), 2 * 198);
    let errors = captures.errors();
    assert_eq!((errors.len(), &errors[0].path, &errors[1].path), (2, &paths[198], &paths[199]));
    assert_eq!((errors[0].reason.as_str(), errors[0].frame), ("no such file or folder", Some(0)));
    assert_eq!((errors[1].reason.as_str(), errors[1].frame), ("the file was cut while it was read", Some(0)));
    assert_eq!(captures.infos()[198].frames, 0);
}

#[test]
fn captures_can_move_to_another_thread() {
    fn takes(_: impl Send + std::fmt::Debug) {}
    takes(Captures::open(&[]));
}

/// Keeps the frames of a chunk, numbered from the first one of the capture.
struct Keep<'k> {
    before: u64,
    kept: &'k mut Vec<Kept>,
}

impl Each for Keep<'_> {
    fn frame(&mut self, frame: Frame<'_>, _place: usize) -> bool {
        self.kept.push(Kept {
            reference: FrameRef::new(0, frame.reference.frame + self.before),
            nanos: frame.at.as_nanos(),
            link: frame.link.0,
            interface: frame.interface,
            octets: frame.bytes.to_vec(),
            wire: frame.wire_len,
        });
        true
    }
}

#[test]
fn a_file_in_chunks_holds_the_same_frames_and_is_told_alike() {
    // Frames of many lengths, clocks that jump, and one record that is recorded longer than it was on the wire.
    let mut octets = at_seconds(&[]);
    for number in 0..600_u32 {
        let length = number * 37 % 700 + 20;
        let wire = if number == 311 { 10 } else { length + number % 3 };
        for word in [1_700_000_000 + number - number % 7 * 2, number, length, wire] {
            octets.extend(word.to_le_bytes());
        }
        octets.extend((0..length).map(|octet| (octet * number) as u8));
    }
    let path = write(folder("chunks").join("capture.pcap"), &octets);
    let mut plain = Captures::open(std::slice::from_ref(&path));
    let frames = drain(&mut plain);
    assert_eq!(frames.len(), 600);
    for len in [1_000, 5_000, 50_000] {
        let mut captures = Captures::open(std::slice::from_ref(&path));
        let chunks = captures.chunks(len).expect("a plain file");
        let (mut chunk, mut kept, mut taken) = (Chunk::default(), Vec::new(), 0);
        for index in 0..chunks.count() {
            let mut found = Vec::new();
            chunks.read(index, &mut chunk, &mut Keep { before: 0, kept: &mut found });
            while !found.is_empty() && captures.offset() < chunk.starts() {
                let frame = captures.next_frame().expect("frames in front of a chunk");
                let (before, mut keep) = (frame.reference.frame - 1, Vec::new());
                let reference = FrameRef::new(0, 1);
                Keep { before, kept: &mut keep }.frame(Frame { reference, ..frame }, 0);
                kept.append(&mut keep);
            }
            if captures.is_before(&chunk) {
                let before = captures.frames();
                found.iter_mut().for_each(|frame| frame.reference.frame += before);
                kept.append(&mut found);
                captures.pass_chunk(&chunk, &chunk.stretch().clone());
                taken += 1;
            }
        }
        kept.extend(drain(&mut captures));
        assert!(taken * 4 >= chunks.count() * 3, "{taken} of {} chunks of {len} octets", chunks.count());
        assert_eq!(kept, frames);
        assert_eq!(captures.infos(), plain.infos());
        assert_eq!(captures.errors(), plain.errors());
    }
    assert!(Captures::from_reader("stream", io::Cursor::new(octets)).chunks(1_000).is_none());
}
