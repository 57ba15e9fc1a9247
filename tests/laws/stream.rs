//! A report written row by row has the octets of the report written whole, in every form and on any number of threads.

use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;

use ikescope::capture::Captures;
use ikescope::pipeline::{self, Analysis, Options};
use ikescope::report::json::Hands;
use ikescope::report::text::{self, Style};
use ikescope::report::{Report, Selection, Walk, json};

use crate::bench::nothing_wrong;
use crate::samples;
use crate::support::Capture;

/// Hands that draw blocks of any size, on one thread and on more.
fn many_hands() -> impl Iterator<Item = Hands> {
    let rows = [None, Some(1), Some(2), Some(7)];
    rows.into_iter().flat_map(|rows| [1, 2, 3].map(|threads| Hands { threads, rows }))
}

/// Fails unless a report is written alike by all hands.
fn same_by_all_hands(name: &str, analysis: &Analysis) {
    let Analysis { captures, facts, diagnosis } = analysis;
    let walk = Walk::new(captures.clone(), facts, diagnosis, &Selection::ALL);
    let report = Report::new(captures.clone(), facts, diagnosis);
    let (mut whole, mut rows) = (Vec::new(), Vec::new());
    json::write_json(&report, &mut whole).expect("memory takes everything");
    json::write_ndjson(&report, &mut rows).expect("memory takes everything");
    for hands in many_hands() {
        let (mut json, mut ndjson) = (Vec::new(), Vec::new());
        json::stream_json(&walk, hands, &mut json).expect("memory takes everything");
        json::stream_ndjson(&walk, hands, &mut ndjson).expect("memory takes everything");
        assert!(json == whole, "{name} as JSON by {hands:?}");
        assert!(ndjson == rows, "{name} as NDJSON by {hands:?}");
    }
}

/// The form in which the two differ, if they do in any.
pub fn differs(analysis: &Analysis, selection: &Selection) -> Option<&'static str> {
    let walk = Walk::new(analysis.captures.clone(), &analysis.facts, &analysis.diagnosis, selection);
    let report = Report::selected(analysis.captures.clone(), &analysis.facts, &analysis.diagnosis, selection);
    let style = Style::default();
    let written = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).expect("memory takes everything");
        out
    };
    let forms = [
        (
            "JSON",
            written(&|out| json::write_json(&report, out)),
            written(&|out| json::stream_json(&walk, Hands::ONE, out)),
        ),
        (
            "NDJSON",
            written(&|out| json::write_ndjson(&report, out)),
            written(&|out| json::stream_ndjson(&walk, Hands::ONE, out)),
        ),
        (
            "text",
            written(&|out| text::render(&report, out, &style)),
            written(&|out| text::render_walk(&walk, out, &style)),
        ),
    ];
    forms.iter().find(|(_, whole, streamed)| whole != streamed).map(|(form, ..)| *form)
}

fn analysis(files: &[Capture]) -> Analysis {
    let streams = files.iter().zip(0..).map(|(file, id)| {
        let stream: Box<dyn Read + Send> = Box::new(Cursor::new(file.pcap()));
        (PathBuf::from(format!("capture {id}")), stream)
    });
    pipeline::analyze(&mut Captures::from_readers(streams), &Options::default(), &mut ())
}

#[test]
fn row_by_row_is_the_same_as_whole() {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let files = sample.capture.split(3);
        for analysis in [analysis(std::slice::from_ref(&sample.capture)), analysis(&files)] {
            let form = differs(&analysis, &Selection::ALL);
            wrong.extend(form.map(|form| format!("{} as {form}, {} files", sample.name, analysis.captures.len())));
        }
    }
    nothing_wrong(&wrong);
}

#[test]
fn the_same_for_any_selection_from_many_captures() {
    let files: Vec<Capture> = samples::all().into_iter().map(|sample| sample.capture).collect();
    let analysis = analysis(&files);
    assert_eq!(differs(&analysis, &Selection::ALL), None);
    let pairs = Report::new(analysis.captures.clone(), &analysis.facts, &analysis.diagnosis).pairs;
    assert!(pairs.len() > 2, "{} pairs are too few to choose from", pairs.len());
    for selected in pairs {
        let selection = Selection { pairs: vec![(selected.a, None), (selected.b, None)] };
        assert_eq!(differs(&analysis, &selection), None, "{} and {}", selected.a, selected.b);
    }
}

#[test]
fn any_hands_write_the_same() {
    for sample in samples::all() {
        same_by_all_hands(&sample.name, &analysis(&[sample.capture]));
    }
}

#[test]
fn any_hands_write_the_same_of_many_captures() {
    let files: Vec<Capture> = samples::all().into_iter().map(|sample| sample.capture).collect();
    same_by_all_hands("all captures", &analysis(&files));
    let one = files.into_iter().reduce(|all, file| all.merge(&file)).expect("captures");
    same_by_all_hands("all captures in one", &analysis(&[one]));
}

/// Takes so many octets, then nothing more.
struct Narrow(usize);

impl Write for Narrow {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = octets.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whoever_cannot_be_written_to_is_heard_of() {
    let files: Vec<Capture> = samples::crafted().into_iter().map(|sample| sample.capture).collect();
    let Analysis { captures, facts, diagnosis } = analysis(&files);
    let walk = Walk::new(captures, &facts, &diagnosis, &Selection::ALL);
    let mut whole = Vec::new();
    json::stream_json(&walk, Hands::ONE, &mut whole).expect("memory takes everything");
    for hands in many_hands() {
        for octets in [0, 1, whole.len() / 3, whole.len() - 1] {
            let error = json::stream_json(&walk, hands, &mut Narrow(octets)).expect_err("it is longer");
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "after {octets} octets by {hands:?}");
        }
    }
}
