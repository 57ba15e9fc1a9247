//! What nobody honest sends: for every way in which a decoder of ISAKMP has been fooled, a capture and the answer that is
//! required, in terms of what a user sees.
//!
//! One file a group of rows; `captures/malformed` holds what the groups make. Not here: random octets, which are the
//! fuzzers' part, and what the library's own types answer (`tests/isakmp`, `tests/packet`).

#[path = "../support/mod.rs"]
mod support;

mod captures;
mod datagrams;
mod files;
mod floods;
mod fragments;
mod headers;
mod made;
mod payloads;
mod shown;
mod tape;
mod text;

/// Octets of the largest capture that is kept.
const MOST: usize = 80_000;

#[test]
fn the_captures_are_what_the_tests_make() {
    let groups = [headers::MADE, payloads::MADE, fragments::MADE, datagrams::MADE, text::MADE, captures::MADE];
    let all: Vec<&made::Made> = groups.iter().flat_map(|group| group.iter()).collect();
    made::compare_all(&all, MOST);
}
