//! Trials: IKEv1 phase 2, and what depends on the side that starts.

use crate::support::story::usual_transform;
use crate::support::wire::v1;
use crate::support::{Scenario, Side, secs};
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
