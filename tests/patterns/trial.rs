//! What a pattern is tried on, and what the program finds there.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use ikescope::capture::Captures;
use ikescope::diagnose::{PairStatus, Severity};
use ikescope::pipeline::{self, Analysis, Options};

use crate::support::Capture;

/// One pattern, and the two captures that hold it to its word.
#[derive(Debug)]
pub struct Trial {
    /// Its id in the catalogue.
    pub id: &'static str,
    /// Where it must be found.
    pub positive: Evidence,
    /// What looks like it and is something else: here it must be silent.
    pub near_miss: Evidence,
    /// What tells the two apart, in one lower-case phrase.
    pub how: &'static str,
}

/// A capture to judge.
#[derive(Debug)]
pub enum Evidence {
    /// `captures/lab/NAME.pcap`, recorded from real daemons.
    Lab(&'static str),
    /// Several of those, read together.
    Labs(&'static [&'static str]),
    /// A story told from the RFCs, and what happens in it, in one lower-case phrase.
    Crafted(&'static str, Story),
}

/// Tells a story from its beginning.
pub type Story = fn() -> Capture;

impl Evidence {
    /// The files that are read for it, with a name for complaints.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        match self {
            Self::Lab(name) => vec![recorded(name)],
            Self::Labs(names) => names.iter().map(|name| recorded(name)).collect(),
            Self::Crafted(tells, story) => vec![(PathBuf::from(tells), story().pcap())],
        }
    }

    /// Its frames, of each capture.
    pub fn captures(&self) -> Vec<Capture> {
        self.files().iter().map(|(_, file)| Capture::read_pcap(file)).collect()
    }

    /// As the table of trials names it.
    pub fn name(&self) -> String {
        match self {
            Self::Lab(name) => format!("`{name}`"),
            Self::Labs(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and "),
            Self::Crafted(tells, _) => format!("crafted: {tells}"),
        }
    }

    /// Everything that is found in it: ids with their severity, the worst of each.
    pub fn raises(&self) -> Vec<(&'static str, Severity)> {
        found(&analyze(self.files()))
    }
}

fn recorded(name: &str) -> (PathBuf, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("captures/lab/{name}.pcap"));
    let file = std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    (path, file)
}

fn analyze(files: Vec<(PathBuf, Vec<u8>)>) -> Analysis {
    let open = |(name, file)| -> (PathBuf, Box<dyn Read + Send>) { (name, Box::new(Cursor::new(file))) };
    let mut captures = Captures::from_readers(files.into_iter().map(open));
    let analysis = pipeline::analyze(&mut captures, &Options::default(), &mut ());
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    analysis
}

fn found(analysis: &Analysis) -> Vec<(&'static str, Severity)> {
    let mut found: Vec<_> =
        analysis.diagnosis.findings(&analysis.facts).map(|finding| (finding.id(), finding.severity)).collect();
    found.sort_by_key(|&(id, severity)| (id, std::cmp::Reverse(severity)));
    found.dedup_by_key(|(id, _)| *id);
    found
}

/// What is found in a crafted capture as a whole.
pub fn judge(capture: &Capture) -> Analysis {
    analyze(vec![(PathBuf::from("crafted"), capture.pcap())])
}

/// What is found in several, recorded each for itself and read together.
pub fn judge_together(captures: &[Capture]) -> Analysis {
    let named = |(number, capture): (usize, &Capture)| (PathBuf::from(format!("point {number}")), capture.pcap());
    analyze(captures.iter().enumerate().map(named).collect())
}

/// Ids of severity warning and error.
pub fn alarms(analysis: &Analysis) -> Vec<&'static str> {
    let loud = |(id, severity): &(&'static str, Severity)| (*severity >= Severity::Warning).then_some(*id);
    found(analysis).iter().filter_map(loud).collect()
}

/// Whether the last pair has a tunnel at the end of the capture.
pub fn is_up(analysis: &Analysis) -> bool {
    let up = [PairStatus::UpActive, PairStatus::UpIdle, PairStatus::UpNoIke];
    analysis.diagnosis.pairs().last().is_some_and(|pair| up.contains(&pair.status))
}
