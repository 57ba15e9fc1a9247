//! No octets at all make it panic, hang or write broken JSON.
//!
//! A hang would show as a test that never ends; a loop without progress is as bad as one.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::samples::{self, Sample};
use crate::support::capture::Frame;
use crate::support::{Capture, Link};

/// Everything that can be done with a capture file; answers how many frames were read.
fn do_everything(file: Vec<u8>) -> u64 {
    crate::fuzz::report::everything(&file).0
}

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(samples::all);

/// A change of octets at one place.
#[derive(Debug, Clone)]
struct Change {
    at: Index,
    edit: Edit,
}

#[derive(Debug, Clone)]
enum Edit {
    Flip(u8),
    Set(u8),
    Insert(Vec<u8>),
    Delete(usize),
}

impl Change {
    fn apply(&self, octets: &mut Vec<u8>) {
        if octets.is_empty() {
            return;
        }
        let at = self.at.index(octets.len());
        match &self.edit {
            Edit::Flip(bits) => octets[at] ^= bits,
            Edit::Set(value) => octets[at] = *value,
            Edit::Insert(more) => drop(octets.splice(at..at, more.iter().copied())),
            Edit::Delete(count) => drop(octets.drain(at..octets.len().min(at + count))),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop_oneof![Just(0), Just(1), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    let edit = prop_oneof![
        4 => (0_u8..8).prop_map(|bit| Edit::Flip(1 << bit)),
        4 => telling.prop_map(Edit::Set),
        1 => prop::collection::vec(any::<u8>(), 1..24).prop_map(Edit::Insert),
        1 => (1_usize..24).prop_map(Edit::Delete),
    ];
    (any::<Index>(), edit).prop_map(|(at, edit)| Change { at, edit })
}

fn octets(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

fn link() -> impl Strategy<Value = Link> {
    prop::sample::select(Link::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_behind_a_magic(which in 0_usize..8, rest in octets(400)) {
        let magic: &[u8] = [
            &b"\xd4\xc3\xb2\xa1"[..], b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\x34\xcd\xb2\xa1",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"",
        ][which];
        do_everything([magic, &rest].concat());
    }

    #[test]
    fn any_octets_as_frames(link in link(), frames in prop::collection::vec((any::<u64>(), octets(120)), 0..12)) {
        let frames: Vec<Frame> = frames
            .into_iter()
            .map(|(at, octets)| Frame { at, wire_length: octets.len(), octets })
            .collect();
        let count = frames.len() as u64;
        prop_assert_eq!(do_everything(Capture { link, frames }.pcap()), count);
    }

    #[test]
    fn any_octets_as_ike(link in link(), messages in prop::collection::vec((0_u8..3, octets(200)), 1..12)) {
        let mut capture = Capture::new().relink(link);
        for (at, (version, octets)) in messages.iter().enumerate() {
            let mut message = [&[0x11; 8][..], &[0; 8], &[1, version << 4, 2, 0], &[0; 4], &[0, 0, 0, 0], octets].concat();
            let length = message.len() as u32;
            message[24..28].copy_from_slice(&length.to_be_bytes());
            let told = crate::support::Scenario::new().raw(crate::support::Side::Initiator, &message).capture();
            let packet = told.packets().next().expect("one packet").1.to_vec();
            capture.record(at as u64 * 1_000_000_000, &packet);
        }
        prop_assert_eq!(do_everything(capture.pcap()), messages.len() as u64);
    }

    #[test]
    fn a_damaged_file(sample in any::<Index>(), pcapng in any::<bool>(), changes in prop::collection::vec(change(), 1..40)) {
        let capture = &sample.get(&SAMPLES).capture;
        let mut file = if pcapng { capture.pcapng() } else { capture.pcap() };
        changes.iter().for_each(|change| change.apply(&mut file));
        do_everything(file);
    }

    #[test]
    fn damaged_frames(sample in any::<Index>(), changes in prop::collection::vec((any::<Index>(), change()), 1..60)) {
        let mut capture = sample.get(&SAMPLES).capture.clone();
        for (frame, change) in changes {
            let place = frame.index(capture.frames.len());
            change.apply(&mut capture.frames[place].octets);
        }
        let count = capture.frames.len() as u64;
        prop_assert_eq!(do_everything(capture.pcap()), count);
    }

    #[test]
    fn frames_in_any_order(sample in any::<Index>(), swaps in prop::collection::vec((any::<Index>(), any::<Index>()), 1..200)) {
        let mut capture = sample.get(&SAMPLES).capture.clone();
        let count = capture.frames.len();
        for (one, other) in swaps {
            capture.frames.swap(one.index(count), other.index(count));
        }
        prop_assert_eq!(do_everything(capture.pcap()), count as u64);
    }
}
