//! What follows from what, and what an alarm denies: tables over pattern ids, and what they do to the matches on a pair.

use super::engine::Found;
use super::{Severity, Verdict};

/// What follows from a pattern where that is found on a pair: its consequences stay in the report, and neither raise an alarm
/// of their own nor explain the pair.
pub(super) struct Consequences {
    cause: &'static str,
    /// How bad the cause has to be.
    least: Severity,
    patterns: &'static [&'static str],
    /// On the attempt of the cause; otherwise on any of the pair.
    same_attempt: bool,
}

impl Consequences {
    const fn of(cause: &'static str, patterns: &'static [&'static str]) -> Self {
        Self { cause, least: Severity::Warning, patterns, same_attempt: false }
    }

    /// What has another reason on another attempt.
    const fn on_attempt_of(cause: &'static str, patterns: &'static [&'static str]) -> Self {
        Self { same_attempt: true, ..Self::of(cause, patterns) }
    }
}

/// A later one has the last word.
const CONSEQUENCES: &[Consequences] = &[
    // Where all attempts are probes, those that get no answer are no more than that.
    Consequences { least: Severity::Notice, ..Consequences::of("S-SCAN", &["P1-NO-REPLY", "V2-NO-REPLY"]) },
    // Guesses at the reason.
    Consequences::of("P2-REJECT", &["P2-PROPOSAL", "P2-SELECTOR"]),
    Consequences::of("P2-NO-QM3", &["T-ONEWAY", "T-ESP-BLOCKED", "T-NONE"]),
    Consequences::of(
        "F-IKE-FRAG-LOST",
        &[
            "P1-AUTH-SILENT",
            "P1-CERT",
            "P1-MM4-NO-MM5",
            "P1-UP-NO-P2",
            "V2-AUTH-NO-REPLY",
            "V2-INIT-NO-AUTH",
            "F-SKF-INCOMPLETE",
            "F-V1FRAG-INCOMPLETE",
        ],
    ),
    Consequences { least: Severity::Error, ..Consequences::of("F-PMTU-BLACKHOLE", &["C-TWO-POINT"]) },
    Consequences::of("F-V1FRAG-INCOMPLETE", &["P1-AUTH-SILENT", "P1-MM4-NO-MM5", "P1-UP-NO-P2"]),
    Consequences::on_attempt_of("F-SKF-INCOMPLETE", &["V2-AUTH-NO-REPLY"]),
    Consequences::of("M-MARKER", &["N-PORT4500", "P1-AUTH-SILENT", "V2-AUTH-NO-REPLY", "P1-NO-REPLY", "V2-NO-REPLY"]),
    Consequences::of("M-LENGTH", &["P1-MM3-NO-REPLY"]),
    Consequences::on_attempt_of("M-LENGTH", &["P1-NO-REPLY", "V2-NO-REPLY"]),
    Consequences::on_attempt_of("P2-REJECT", &["M-ENC-BIT"]),
    // and may itself follow from N-PORT4500
    Consequences::on_attempt_of("P1-AGGR-AUTH", &["N-ICMP-PORT"]),
    Consequences::of("N-PORT4500", &["P1-AUTH-SILENT", "P1-AGGR-AUTH", "P1-UP-NO-P2", "V2-AUTH-NO-REPLY"]),
    // Beyond the NAT it is the same silence, told with less.
    Consequences::on_attempt_of("N-PORT4500", &["P1-MM4-NO-MM5", "V2-INIT-NO-AUTH", "P1-XAUTH"]),
    Consequences::of("P1-INIT-REJECT", &["L-DELETE-AFTER-P1"]),
    Consequences::on_attempt_of("P1-VERSION", &["P1-PROPOSAL", "V2-PROPOSAL"]),
    // Some accept Main Mode up to message 5 and then want the other one.
    Consequences::of("P1-MODE", &["P1-AUTH-REJECT"]),
    Consequences::on_attempt_of(
        "F-PMTU",
        &["P1-AUTH-SILENT", "V2-AUTH-NO-REPLY", "V2-NO-REPLY", "V2-EAP", "P2-NO-REPLY"],
    ),
    Consequences::on_attempt_of("V2-COOKIE-LOOP", &["V2-NO-REPLY"]),
    // Who follows a redirection deletes the SA.
    Consequences { least: Severity::Info, ..Consequences::on_attempt_of("V2-REDIRECT", &["V2-AUTH-INIT-REJECT"]) },
    // A peer that refuses ESP answers none.
    Consequences::of("N-ICMP-PORT", &["T-ONEWAY"]),
    Consequences::of("N-WIN-NAT-SERVER", &["N-PORT4500", "P1-MM4-NO-MM5", "T-ONEWAY"]),
    Consequences::of("N-WRONG-ADDR", &["P1-NO-REPLY", "V2-NO-REPLY"]),
    Consequences::on_attempt_of("N-WRONG-ADDR", &["P1-MM2-NO-MM3", "P1-AGGR-AUTH", "V2-INIT-NO-AUTH"]),
    Consequences::of("N-NATT-MISSING", &["T-ONEWAY"]),
    Consequences::of("N-NAT-AH", &["T-ONEWAY"]),
    Consequences::of("T-SEQ-RESET", &["T-ONEWAY"]),
    Consequences::on_attempt_of("V2-CHILD-NO-REPLY", &["T-ONEWAY"]),
    Consequences { least: Severity::Error, ..Consequences::of("V2-CHILD-NO-REPLY", &["V2-NO-REPLY"]) },
    Consequences::of("N-NAT-MULTI", &["T-ONEWAY"]),
    Consequences::of("L-STALE-SA", &["P1-NO-REPLY", "P2-NO-REPLY", "V2-NO-REPLY", "V2-CLEAR-ERROR", "T-ONEWAY"]),
    Consequences::on_attempt_of("L-STALE-SA", &["L-DPD-TIMEOUT"]),
    Consequences::of("T-SPI-UNKNOWN", &["T-ONEWAY", "V2-TS-NARROW"]),
    Consequences::of("L-DPD-TIMEOUT", &["P1-NO-REPLY", "V2-NO-REPLY", "T-ONEWAY"]),
    Consequences::on_attempt_of("L-DPD-TIMEOUT", &["N-ICMP-PORT"]),
    // A peer that fell silent on another SA had another reason.
    Consequences::on_attempt_of("N-ICMP-HOST", &["L-DPD-TIMEOUT"]),
    Consequences::of("N-ICMP-HOST", &["P2-NO-REPLY", "V2-CHILD-NO-REPLY"]),
    Consequences::on_attempt_of("N-ICMP-PROHIB", &["L-DPD-TIMEOUT"]),
    Consequences::of("N-ICMP-PROHIB", &["P2-NO-REPLY", "V2-CHILD-NO-REPLY"]),
    Consequences::of("M-ENC-BIT", &["P2-NO-REPLY", "V2-CLEAR-ERROR"]),
    Consequences::on_attempt_of("V2-AUTH-FAIL", &["M-ENC-BIT"]),
    Consequences::on_attempt_of("V2-CHILD-REJECT", &["M-ENC-BIT"]),
    Consequences::on_attempt_of("V2-REKEY-REFUSED", &["M-ENC-BIT", "V2-CLEAR-ERROR"]),
    Consequences::of("S-HALFOPEN", &["V2-INIT-NO-AUTH", "V2-COOKIE-LOOP", "P1-MM2-NO-MM3"]),
    // What somebody may open and close on purpose does not flap.
    Consequences { least: Severity::Notice, ..Consequences::of("T-SHORT-SESSION", &["L-FLAP"]) },
];

/// Normal states that an alarm denies.
struct Denial {
    alarm: &'static str,
    /// How bad it has to be.
    least: Severity,
    normal: &'static [&'static str],
    /// On any attempt; otherwise on its own and on those before it.
    everywhere: bool,
}

impl Denial {
    const fn of(alarm: &'static str, normal: &'static [&'static str]) -> Self {
        Self { alarm, least: Severity::Warning, normal, everywhere: false }
    }
}

const DENIED: &[Denial] = &[
    Denial::of("L-DPD-TIMEOUT", &["OK-UP", "OK-IDLE", "OK-P1-UP"]),
    Denial::of("L-STALE-SA", &["OK-UP", "OK-IDLE", "OK-P1-UP"]),
    Denial::of("P1-INIT-REJECT", &["OK-P1-UP"]),
    Denial::of("P1-CERT", &["OK-P1-UP"]),
    // That nobody starts phase 2 is a warning, and denies nothing.
    Denial { least: Severity::Error, ..Denial::of("P1-UP-NO-P2", &["OK-P1-UP"]) },
    // An initiator that has turned down every answer so far turns down the next one too, unless a tunnel works beside.
    Denial {
        least: Severity::Error,
        everywhere: true,
        ..Denial::of("V2-AUTH-INIT-REJECT", &["OK-UP", "OK-IDLE", "OK-P1-UP", "T-NONE"])
    },
    Denial::of("L-DELETE-AFTER-P1", &["OK-IDLE", "OK-P1-UP", "OK-DELETE", "T-NONE"]),
    Denial::of("P1-AGGR-AUTH", &["OK-P1-UP"]),
    Denial::of("M-ENC-BIT", &["OK-P1-UP"]),
    Denial::of("T-ENCAP-MISMATCH", &["OK-UP"]),
    // As an error it says that the traffic of one side is lost.
    Denial { least: Severity::Error, everywhere: true, ..Denial::of("C-TWO-POINT", &["OK-UP", "OK-IDLE"]) },
    // As an error it says that the peer refuses all that is sent, until the end.
    Denial {
        least: Severity::Error,
        everywhere: true,
        ..Denial::of("T-SPI-UNKNOWN", &["OK-UP", "OK-IDLE", "OK-P1-UP"])
    },
];

/// Takes back normal states that an alarm denies.
pub(super) fn deny(matches: &mut Vec<Found>) {
    if matches.iter().all(|found| found.severity() < Severity::Warning) {
        return;
    }
    for denial in DENIED {
        let loud = |found: &&Found| found.pattern.id == denial.alarm && found.severity() >= denial.least;
        let Some(latest) = matches.iter().filter(loud).map(|found| found.case.attempt).max() else { continue };
        let reaches = |found: &Found| denial.everywhere || found.case.attempt <= latest;
        matches.retain(|found| !denial.normal.contains(&found.pattern.id) || !reaches(found));
    }
}

/// What follows from a pattern where that is found.
pub(super) fn consequences_of(cause: &str) -> Vec<&'static str> {
    CONSEQUENCES.iter().filter(|row| row.cause == cause).flat_map(|row| row.patterns).copied().collect()
}

impl Consequences {
    /// The row by which a pattern follows from `cause` on the same attempt only.
    pub(super) fn on_attempt(pattern: Verdict, cause: Verdict) -> Option<&'static Self> {
        let mut rows = CONSEQUENCES.iter();
        rows.find(|row| row.same_attempt && row.cause == cause.id() && row.patterns.contains(&pattern.id()))
    }

    /// Attempts that the cause was found on, as bad as it has to be.
    pub(super) fn attempts(&self, matches: &[Found]) -> Vec<Option<usize>> {
        let loud = |found: &&Found| found.pattern.id == self.cause && found.severity() >= self.least;
        matches.iter().filter(loud).map(|found| found.case.attempt).collect()
    }
}

/// Marks what follows from something else that was found on the same pair.
pub(super) fn name_consequences(matches: &mut [Found]) {
    if matches.iter().all(|found| found.severity() < Severity::Warning) {
        return;
    }
    for row @ &Consequences { cause, patterns, same_attempt, .. } in CONSEQUENCES {
        let causes = row.attempts(matches);
        for found in matches.iter_mut().filter(|found| patterns.contains(&found.pattern.id)) {
            if !causes.is_empty() && (!same_attempt || causes.contains(&found.case.attempt)) {
                found.consequence_of = Some(cause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::pattern::Missed;

    #[test]
    fn what_is_found_once_for_many_pairs_follows_from_nothing_on_one_of_them() {
        let followed = |id| CONSEQUENCES.iter().any(|row| row.patterns.contains(&id));
        let by_story = || Verdict::all().map(Verdict::pattern).filter(|pattern| pattern.by_story);
        assert!(by_story().count() > 5);
        for pattern in by_story() {
            assert!(!followed(pattern.id) && pattern.misses == Missed::Nothing, "{}", pattern.id);
        }
    }
}
