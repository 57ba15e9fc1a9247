//! A report written row by row has the octets of the report written whole, in every form.

use std::io::{Cursor, Read};
use std::path::PathBuf;

use ikescope::capture::Captures;
use ikescope::pipeline::{self, Analysis, Options};
use ikescope::report::text::{self, Style};
use ikescope::report::json::Hands;
use ikescope::report::{Report, Selection, Walk, json};

use crate::bench::nothing_wrong;
use crate::samples;
use crate::support::Capture;

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
        ("JSON", written(&|out| json::write_json(&report, out)), written(&|out| json::stream_json(&walk, Hands::ONE, out))),
        ("NDJSON", written(&|out| json::write_ndjson(&report, out)), written(&|out| json::stream_ndjson(&walk, Hands::ONE, out))),
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
