//! Trials: IKEv1 phase 2, and what depends on the side that starts.

use ikescope::diagnose::Severity;

use crate::phase1::{finding, raises};
use crate::support::story::{main_mode_psk, usual_transform};
use crate::support::wire::v1;
use crate::support::{Scenario, Side, ms, secs};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "P2-REJECT",
        positive: Lab("v1-p2-enc-mismatch"),
        near_miss: Lab("v1-qm2-lost"),
        how: "Quick Mode is not refused: nothing answers it",
    },
    Trial {
        id: "P2-NO-REPLY",
        positive: Lab("v1-qm2-lost"),
        near_miss: Lab("lsw-lsw-v1-healthy"),
        how: "message 1 is repeated too, and then answered",
    },
    Trial {
        id: "P2-NO-QM3",
        positive: Lab("v1-qm3-lost"),
        near_miss: Lab("v1-simultaneous-initiation"),
        how: "message 2 is repeated too, and message 3 satisfies it",
    },
    Trial {
        id: "P2-PFS",
        positive: Lab("lsw-ss-v1-pfs-mismatch"),
        near_miss: Lab("v1-p2-enc-mismatch"),
        how: "message 1 has no room for a key exchange",
    },
    Trial {
        id: "P2-SELECTOR",
        positive: Lab("v1-second-subnet-ts-mismatch"),
        near_miss: Lab("v1-p2-ts-mismatch"),
        how: "no other Quick Mode shows that the algorithms agree",
    },
    Trial {
        id: "P2-PROPOSAL",
        positive: Lab("v1-p2-enc-mismatch"),
        near_miss: Lab("v1-p2-pfs-group-mismatch"),
        how: "message 1 has room for a key exchange: PFS may be the reason",
    },
    Trial {
        id: "P-DIRECTION",
        positive: Crafted("one side's Main Mode is refused, the other side's succeeds", || {
            refused().swap_roles().after(secs(30)).main_mode().quick_mode().traffic(4).capture()
        }),
        near_miss: Crafted("one side's Main Mode is refused, and succeeds half a minute later", || {
            refused().new_attempt().after(secs(30)).main_mode().quick_mode().traffic(4).capture()
        }),
        how: "the same side started both: something was changed in between",
    },
];

/// An offer that is refused in clear.
fn refused() -> Scenario {
    Scenario::new().mm1(&[usual_transform()]).informational_clear(Side::Responder, v1::notify(v1::NO_PROPOSAL_CHOSEN))
}

/// Message 1 of Quick Mode and copies of it without an answer.
fn asked_in_vain() -> Scenario {
    main_mode_psk().qm1(0).repeat(7, &[0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
}

#[test]
fn a_liveness_check_that_crosses_message_1_refuses_nothing() {
    let alone = asked_in_vain().quiet(secs(38)).capture();
    let frames_before = main_mode_psk().qm1(0).capture().frames.len();
    let check = main_mode_psk().qm1(0).after(ms(200)).dpd(Side::Responder, 1).dpd_ack(Side::Initiator, 1).capture();
    let crossed = alone.merge(&check.skip(frames_before));
    let found = finding(&crossed, "P2-NO-REPLY");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.seen.contains("was sent 8 times"), "{}", found.seen);
    assert!(!raises(&crossed, "P2-REJECT"));
    // A refusal of the same length, after which the side that started deletes phase 1.
    let story = main_mode_psk().qm1(0);
    let refusal = story.isakmp_notify(v1::NO_PROPOSAL_CHOSEN, &[]);
    let refused = story.informational(Side::Responder, &[refusal]).delete_isakmp(Side::Initiator);
    assert!(raises(&refused.quiet(secs(30)).capture(), "P2-REJECT"));
}

#[test]
fn message_1_in_clear_is_refused_for_that() {
    let exchange = v1::exchange::QUICK;
    let clear = main_mode_psk().clear(Side::Initiator, exchange, 7, &[v1::hash(32, 1), v1::nonce(32, 2)]);
    let refused = clear.informational(Side::Responder, &[v1::notify(v1::PAYLOAD_MALFORMED)]);
    let capture = refused.quiet(secs(30)).capture();
    assert!(raises(&capture, "M-ENC-BIT"));
    assert!(!raises(&capture, "P2-REJECT") && !raises(&capture, "P2-PROPOSAL"));
}
