//! Trials: Malformed messages.

use ikescope::diagnose::Severity;

use crate::path::find;
use crate::support::story::main_mode_psk;
use crate::support::{Capture, Payload, Scenario, Side, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "M-ENC-BIT",
        positive: Crafted("after message 6 the responder refuses something in clear", || {
            said_in_clear(v1::NO_PROPOSAL_CHOSEN)
        }),
        near_miss: Crafted("after message 6 it says INVALID-COOKIE in clear", || said_in_clear(v1::INVALID_COOKIE)),
        how: "who does not know the SA has no keys to encrypt with",
    },
    Trial {
        id: "M-LENGTH",
        positive: Crafted("message 3 says that it is longer than it is", || {
            let story = Scenario::new().mm1(&[transform()]).mm2(&transform());
            story.tampered(|message| longer(message), Scenario::mm3).quiet(secs(30)).capture()
        }),
        near_miss: Crafted("Main Mode and Quick Mode, of which 96 octets a frame were captured", || {
            main_mode_psk().quick_mode().traffic(4).capture().snap(96)
        }),
        how: "the capture cut the messages, not their sender",
    },
    Trial {
        id: "M-MARKER",
        positive: Crafted("behind a NAT the messages on UDP 4500 have no non-ESP marker", || {
            let transform = transform();
            let story = Scenario::new().nat().mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
            story.without_marker(|told| told.mm5().repeat(3, &[4.0, 7.2, 13.0])).quiet(secs(30)).capture()
        }),
        near_miss: Lab("v1-main-nat-healthy"),
        how: "they have it",
    },
    Trial {
        id: "M-UNKNOWN",
        positive: Crafted("message 3 holds a payload of type 200", || with_payload(200)),
        near_miss: Crafted("message 3 holds a payload of type 131", || with_payload(131)),
        how: "131 is private, too, and known: NAT-OA of the drafts",
    },
];

fn transform() -> v1::Transform {
    crate::support::story::usual_transform()
}

/// Main Mode, then this notify of the responder in clear.
fn said_in_clear(message_type: u16) -> Capture {
    main_mode_psk().informational_clear(Side::Responder, v1::notify(message_type)).quiet(secs(30)).capture()
}

/// What both ends take to the end is odd, and keeps nothing from working.
#[test]
fn lengths_that_the_other_side_takes_are_no_alarm() {
    let trail = |message: &mut Vec<u8>| message.extend([0x5a; 6]);
    let up = Scenario::new().tampered(trail, |told| told.main_mode().quick_mode()).traffic(20);
    let analysis = judge(&up.capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(find(&analysis, "M-LENGTH").map(|found| found.severity), Some(Severity::Notice));
}

/// Adds a hundred octets to what the header says (RFC 2408 §3.1).
fn longer(message: &mut [u8]) {
    let length = message.len() as u32 + 100;
    message[24..28].copy_from_slice(&length.to_be_bytes());
}

/// Main Mode with one more payload in message 3.
fn with_payload(payload_type: u8) -> Capture {
    Scenario::new()
        .mm1(&[transform()])
        .mm2(&transform())
        .mm3_with(&[Payload::new(payload_type, vec![0x5a; 20])])
        .mm4()
        .mm5()
        .mm6()
        .quick_mode()
        .traffic(4)
        .capture()
}

/// A message that nobody can take is not answered, whatever else may be wrong.
#[test]
fn a_first_message_that_is_broken_explains_the_silence() {
    let first = Scenario::new().tampered(|message| longer(message), |told| told.mm1(&[transform()]));
    let analysis = judge(&first.clone().repeat(2, &[10.0]).quiet(secs(30)).capture());
    assert_eq!(alarms(&analysis), ["M-LENGTH"]);
    let found = find(&analysis, "M-LENGTH").expect("a finding");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.seen.contains("3 messages like this, copies and all"), "{}", found.seen);
    assert_eq!(find(&analysis, "P1-NO-REPLY").map(|found| found.consequence_of), Some(Some("M-LENGTH")));
    let request = |told: Scenario| told.sa_init_request(&[v2::ike_cbc(14)]);
    let first = Scenario::new().tampered(|message| longer(message), request);
    let analysis = judge(&first.repeat(2, &[10.0]).quiet(secs(30)).capture());
    assert_eq!(alarms(&analysis), ["M-LENGTH"]);
}

/// A forwarded port changes where a packet goes to, and not where it comes from.
#[test]
fn a_marker_that_is_missing_between_equal_ports_is_its_senders() {
    let transform = transform();
    let story = Scenario::new().floats().mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
    let told = story.without_marker(|told| told.mm5().repeat(3, &[4.0, 7.2, 13.0])).quiet(secs(30));
    let found = find(&judge(&told.capture()), "M-MARKER").expect("a finding");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("forwards")), "{found:?}");
    assert!(found.checks().all(|check| !check.text.starts_with("forward")), "{found:?}");
}
