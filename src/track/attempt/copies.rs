//! What a message is to those of its exchange: new, a repeat, one more fragment, or the same packet recorded again.

use crate::base::{FrameRef, Timestamp};
use crate::isakmp::Message;
use crate::track::exchange::Clues;
use crate::track::facts::{Exchange, FragmentsElsewhere, Label, MessageRecord, Repeat, Side};
use crate::track::flow::{RECORDED_TWICE, UNDERWAY};
use crate::track::ike_fragment::{SkfSet, SkfStep};
use crate::track::{Passage, carried};

use super::state::ExchangeState;

/// Copies of one packet that a capture records lie closer together than this, whatever their IP identification.
pub(super) const RECORDED_TWICE_NANOS: u128 = RECORDED_TWICE.as_nanos();
/// Copies with the same non-zero IP identification lie closer together than this.
const SAME_IP_ID_NANOS: u128 = 1_000_000_000;

/// Working state beside a [`MessageRecord`].
#[derive(Debug, Clone)]
pub(in crate::track) struct MessageState {
    /// Of its octets.
    pub(in crate::track) digest: u32,
    /// The last one that was recorded.
    pub(super) copy: PacketCopy,
    pub(super) fragments: Option<Box<SkfSet>>,
    /// Of those at another point.
    pub(super) elsewhere: Option<Box<SkfSet>>,
}

/// What one more copy of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::track) enum Again {
    /// The same packet, as a mirror port or `-i any` records it.
    Recorded,
    /// A repeat, with other octets or not.
    Sent { changed: bool },
}

/// A copy of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::track) struct PacketCopy {
    pub(in crate::track) frame: FrameRef,
    pub(in crate::track) at: Timestamp,
    pub(in crate::track) ip_id: Option<u32>,
    /// Of its octets.
    pub(in crate::track) digest: u32,
}

/// What a message does to its exchange.
pub(super) enum Place {
    /// It is the first of its kind.
    New,
    /// It repeats message `index`, with the same octets or not.
    Repeats { index: usize, changed: bool },
    /// The capture holds it twice.
    RecordedAgain { index: usize },
    /// It is one more fragment of message `index`, not seen before.
    Fragment { index: usize },
    /// It is one more fragment of a repeat that was counted already.
    FragmentOfRepeat { index: usize },
    /// It is a fragment of message `index`, at another point; with it, a copy begins there.
    FragmentElsewhere { index: usize, begins: bool },
}

impl Passage {
    pub(super) fn copy(&self) -> PacketCopy {
        PacketCopy { frame: self.frame, at: self.at, ip_id: self.ip_id, digest: self.digest }
    }
}

impl MessageState {
    /// Of a message that came whole, for the first time.
    pub(in crate::track) fn new(first: PacketCopy) -> Self {
        Self { digest: first.digest, copy: first, fragments: None, elsewhere: None }
    }

    /// Whether a message that came between other addresses is this one, in another capture.
    pub(super) fn is_beyond_nat(&self, passage: &Passage) -> bool {
        let elsewhere = passage.frame.capture != self.copy.frame.capture;
        elsewhere && self.digest == passage.digest && passage.at.since(self.copy.at) < UNDERWAY
    }

    /// The frame of the copy that was recorded last.
    pub(in crate::track) fn last_frame(&self) -> FrameRef {
        self.copy.frame
    }

    /// What one more copy of a message is that came whole.
    pub(in crate::track) fn again(&self, copy: &PacketCopy) -> Again {
        if self.copy.is(copy) { Again::Recorded } else { Again::Sent { changed: copy.digest != self.digest } }
    }

    /// It came again.
    pub(in crate::track) fn take(&mut self, copy: PacketCopy, again: Again) {
        match again {
            Again::Recorded => self.copy.at = copy.at,
            Again::Sent { .. } => self.copy = copy,
        }
    }
}

impl Again {
    /// Notes in a message's record that it came again; no more than `limit` repeats are remembered.
    pub(in crate::track) fn note(self, record: &mut MessageRecord, copy: PacketCopy, limit: usize) {
        match self {
            Self::Recorded => record.recorded_again = record.recorded_again.saturating_add(1),
            Self::Sent { changed } => {
                record.repeat_count = record.repeat_count.saturating_add(1);
                if record.repeats.len() < limit {
                    record.repeats.push(Repeat { frame: copy.frame, at: copy.at, changed, missing: None });
                }
            }
        }
    }
}

impl PacketCopy {
    /// Whether `other` is this very packet once more, as a mirror port or `-i any` records it, or a capture at another point.
    fn is(&self, other: &Self) -> bool {
        let gap = other.at.since(self.at).as_nanos();
        let same_id = self.ip_id.is_some_and(|id| id != 0 && other.ip_id == Some(id));
        let elsewhere = other.frame.capture != self.frame.capture;
        self.digest == other.digest
            && self.ip_id == other.ip_id
            && (gap < RECORDED_TWICE_NANOS || (same_id && (elsewhere || gap < SAME_IP_ID_NANOS)))
    }
}

pub(super) fn place(
    exchange: &Exchange,
    state: &mut ExchangeState,
    label: Label,
    from: Side,
    clues: &Clues<'_>,
    passage: &Passage,
    message: &Message<'_>,
) -> Place {
    let informal = matches!(label, Label::Inf | Label::Stray | Label::Other(_));
    let answers_in_clear = matches!(label, Label::Response(_)) && !clues.encrypted;
    let Some(index) = exchange.messages.iter().enumerate().position(|(index, record)| {
        record.label == label
            && record.from == from
            // What came in clear and what came under protection are not copies of one another.
            && (record.encrypted == clues.encrypted || clues.header.version.major == 1)
            // A response that says something else answers something else: IKE_AUTH, under the header of IKE_SA_INIT.
            && (!answers_in_clear || carried::is_of(&record.carried, message))
            && (!informal
                || state.messages.get(index).is_some_and(|state| state.digest == clues.digest)
                || !clues.encrypted && label == Label::Inf)
    }) else {
        return Place::New;
    };
    let Some(state) = state.messages.get_mut(index) else { return Place::New };
    if let Some(fragment) = clues.fragment.as_ref().filter(|_| state.fragments.is_some())
        && let Some(record) = exchange.messages.get(index).filter(|record| is_elsewhere(record, passage))
    {
        let begins = match (&mut state.elsewhere, record.ike_fragments_elsewhere) {
            (none @ None, None) => {
                *none = Some(Box::new(SkfSet::new(fragment)));
                true
            }
            (Some(set), Some(known)) if known.capture == passage.frame.capture => {
                matches!(set.add(fragment), SkfStep::Again { .. })
            }
            // at a third point
            _ => return Place::RecordedAgain { index },
        };
        return Place::FragmentElsewhere { index, begins };
    }
    if state.copy.is(&passage.copy()) {
        return Place::RecordedAgain { index };
    }
    let changed = state.digest != clues.digest;
    match (&clues.fragment, &mut state.fragments) {
        (Some(fragment), Some(set)) => match set.add(fragment) {
            SkfStep::New => Place::Fragment { index },
            SkfStep::Again { changed } => Place::Repeats { index, changed },
            SkfStep::Repeat => Place::FragmentOfRepeat { index },
        },
        (Some(fragment), none @ None) => {
            // Sent whole before, now in fragments.
            *none = Some(Box::new(SkfSet::new(fragment)));
            Place::Repeats { index, changed: true }
        }
        _ => Place::Repeats { index, changed },
    }
}

/// Whether what came passed another point than that of the record of its message.
fn is_elsewhere(record: &MessageRecord, passage: &Passage) -> bool {
    passage.at_a_point && passage.frame.capture != record.frame.capture
}

/// Notes that a message in IKE fragments of IKEv1 came whole at another point.
pub(super) fn note_elsewhere(record: &mut MessageRecord, passage: &Passage) {
    if passage.ike_fragments > 0 && is_elsewhere(record, passage) {
        let capture = passage.frame.capture;
        record.ike_fragments_elsewhere = Some(FragmentsElsewhere { capture, missing: None });
    }
}
