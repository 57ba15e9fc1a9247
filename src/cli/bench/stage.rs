//! What is measured: the journey of a frame, each time some stops further.

use std::hint::black_box;
use std::io;
use std::ops::ControlFlow;

use crate::base::Timestamp;
use crate::capture::Captures;
use crate::isakmp::Message;
use crate::packet::{Body, Datagram};
use crate::pipeline::{self, Analysis, Extent, Options, Watch};
use crate::report::json::Hands;
use crate::report::{self, Selection, Walk};
use crate::track::{Facts, Observed};

/// The last stop of a run; all stops before it are passed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Read,
    Refuse,
    Decode,
    Follow,
    Diagnose,
    Report,
}

/// What a run leaves behind. It costs time to throw away, which no stage is to blame for.
#[derive(Default)]
pub(super) struct Outcome {
    /// IKE messages that were decoded, in the run that only decodes.
    pub messages: u64,
    _facts: Option<Facts>,
    _analysis: Option<Box<Analysis>>,
}

impl Stage {
    /// In the order of the journey.
    pub(super) const ALL: [Self; 6] =
        [Self::Read, Self::Refuse, Self::Decode, Self::Follow, Self::Diagnose, Self::Report];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Refuse => "refuse",
            Self::Decode => "decode",
            Self::Follow => "follow",
            Self::Diagnose => "diagnose",
            Self::Report => "report",
        }
    }

    /// Reads `captures` to their end and does everything up to this stage.
    ///
    /// Errors: none that can happen, since what is written goes nowhere.
    pub(super) fn run(self, captures: &mut Captures, options: &Options) -> io::Result<Outcome> {
        let up_to = |extent| Options { extent, ..options.clone() };
        Ok(match self {
            Self::Read => {
                pipeline::follow(captures, &up_to(Extent::Walked), &mut ());
                Outcome::default()
            }
            Self::Refuse => {
                pipeline::follow(captures, &up_to(Extent::Classified), &mut ());
                Outcome::default()
            }
            Self::Decode => {
                let mut decoder = Decoder::default();
                pipeline::follow(captures, &up_to(Extent::Classified), &mut decoder);
                Outcome { messages: decoder.messages, ..Outcome::default() }
            }
            Self::Follow => {
                let (_, facts) = pipeline::follow(captures, options, &mut ());
                Outcome { _facts: Some(facts), ..Outcome::default() }
            }
            Self::Diagnose => {
                let analysis = pipeline::analyze(captures, options, &mut ());
                Outcome { _analysis: Some(Box::new(analysis)), ..Outcome::default() }
            }
            Self::Report => {
                let mut analysis = pipeline::analyze(captures, options, &mut ());
                analysis.allow_for_losses();
                let Analysis { captures, facts, diagnosis } = &analysis;
                let walk = Walk::new(captures.clone(), facts, diagnosis, &Selection::ALL);
                report::json::stream_json(&walk, Hands::on(options.sharing.threads()), &mut io::sink())?;
                drop(walk);
                Outcome { _analysis: Some(Box::new(analysis)), ..Outcome::default() }
            }
        })
    }
}

/// Decodes all IKE messages that pass, and counts them.
#[derive(Default)]
struct Decoder {
    messages: u64,
}

impl Watch for Decoder {
    fn admits_all(&mut self, _first: Timestamp, _earliest: Timestamp, _latest: Timestamp) -> Option<bool> {
        Some(true)
    }

    fn message(&mut self, datagram: &Datagram<'_>, _observed: Option<&Observed>) -> ControlFlow<()> {
        if let Body::Isakmp(isakmp) = datagram.body {
            self.messages += 1;
            if let Ok(message) = Message::decode(isakmp.octets, 0) {
                // looking for the first lie reads every field
                black_box(message.fault());
            }
        }
        ControlFlow::Continue(())
    }
}
