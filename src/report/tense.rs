//! What a finding says of the end of the capture, told while the capture goes on: its end is now.
//!
//! Not here: what was seen. Contract: changes only the phrases that findings use of the end of a capture.

use std::borrow::Cow;

/// A phrase of a report that is over, and the same while it runs.
const PHRASES: &[(&str, &str)] = &[
    ("nothing came back before the capture ends", "nothing has come back so far"),
    ("the capture ends too early to tell", "it is too early to tell"),
    ("the capture ends right after it", "nothing has followed it so far"),
    ("the capture ends with the responder's answer", "the responder's answer is the last message so far"),
    ("is due as the capture ends", "is due now"),
    ("before the capture ends and did not come", "ago and did not come"),
    ("before the capture ends", "so far"),
];

/// `seen` as it is said of a capture that goes on.
pub fn while_it_runs(seen: &str) -> String {
    let mut text = Cow::Borrowed(seen);
    for (over, running) in PHRASES {
        if text.contains(over) {
            text = Cow::Owned(text.replace(over, running));
        }
    }
    // "is due 9 s after the capture ends" is "is due in 9 s"
    while let Some((head, tail)) = text.split_once(" after the capture ends") {
        let Some((before, span)) = head.rsplit_once("is due ") else { break };
        text = Cow::Owned(format!("{before}is due in {span}{tail}"));
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_capture_that_goes_on_is_now() {
        let over = "MM1 was sent 3 times; if this rhythm holds, the next MM1 is due 9.0 s after the capture ends";
        assert_eq!(while_it_runs(over), "MM1 was sent 3 times; if this rhythm holds, the next MM1 is due in 9.0 s");
        let over = "by this rhythm another MM5 was due 12.0 s before the capture ends and did not come: it gave up";
        assert_eq!(while_it_runs(over), "by this rhythm another MM5 was due 12.0 s ago and did not come: it gave up");
        assert_eq!(while_it_runs("in the 12.0 s after the last copy"), "in the 12.0 s after the last copy");
    }
}
