//! Where a session's frames come from: interfaces, or captures that are played again.

use std::time::Duration;

use crate::base::{LinkType, Timestamp};
#[cfg(feature = "live")]
use crate::capture::live::Sniffer;
use crate::capture::{CaptureError, CaptureInfo, Drops, Heard, Replay, Source, Writer};

/// Where frames come from.
pub(super) enum Origin {
    /// Captures, with their timing.
    Replay(Box<Replay>),
    /// Interfaces.
    #[cfg(feature = "live")]
    Sniffer(Box<Sniffer>),
}

impl Origin {
    fn source(&self) -> &dyn Source {
        match self {
            Self::Replay(replay) => &**replay,
            #[cfg(feature = "live")]
            Self::Sniffer(sniffer) => &**sniffer,
        }
    }

    fn source_mut(&mut self) -> &mut dyn Source {
        match self {
            Self::Replay(replay) => &mut **replay,
            #[cfg(feature = "live")]
            Self::Sniffer(sniffer) => &mut **sniffer,
        }
    }

    /// Whether nothing is waited for.
    pub fn is_rushed(&self) -> bool {
        matches!(self, Self::Replay(replay) if replay.is_rushed())
    }

    /// What could not be read of captures that are played.
    pub fn errors(&self) -> &[CaptureError] {
        match self {
            Self::Replay(replay) => replay.errors(),
            #[cfg(feature = "live")]
            Self::Sniffer(_) => &[],
        }
    }

    /// Tells a writer what was lost so far.
    pub fn note_drops(&mut self, writer: &mut Writer) {
        match self {
            Self::Replay(replay) => writer.note_drops(0, replay.drops()),
            #[cfg(feature = "live")]
            Self::Sniffer(sniffer) => {
                for (drops, number) in sniffer.drops_by_interface().into_iter().zip(0..) {
                    writer.note_drops(number, drops);
                }
            }
        }
    }

    /// Names and link types of the interfaces, by number; none for captures, whose frames name their own.
    pub fn interfaces(&self) -> Vec<(String, LinkType)> {
        match self {
            Self::Replay(_) => Vec::new(),
            #[cfg(feature = "live")]
            Self::Sniffer(sniffer) => sniffer.interfaces().map(|(name, link)| (name.to_owned(), link)).collect(),
        }
    }
}

impl Source for Origin {
    fn next(&mut self, wait: Duration) -> Result<Heard<'_>, CaptureError> {
        self.source_mut().next(wait)
    }

    fn now(&self) -> Timestamp {
        self.source().now()
    }

    fn drops(&mut self) -> Drops {
        self.source_mut().drops()
    }

    fn infos(&self) -> Vec<CaptureInfo> {
        self.source().infos()
    }
}
