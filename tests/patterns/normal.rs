//! Trials: Normal states worth naming.

use crate::support::secs;
use crate::support::story::main_mode_psk;
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "OK-P1-UP",
        positive: Lab("v1-p2-enc-mismatch"),
        near_miss: Lab("v2-eap-wrong-password"),
        how: "the last answer of EAP may be a refusal",
    },
    Trial {
        id: "OK-UP",
        positive: Lab("v1-main-psk-healthy"),
        near_miss: Lab("v1-esp-oneway-no-return-route"),
        how: "traffic goes one way only",
    },
    Trial {
        id: "OK-IDLE",
        positive: Crafted("Main Mode, Quick Mode and then nothing for five minutes", || {
            main_mode_psk().quick_mode().quiet(secs(300)).capture()
        }),
        near_miss: Crafted("the same with a few packets of ESP", || {
            main_mode_psk().quick_mode().traffic(2).quiet(secs(300)).capture()
        }),
        how: "the tunnel was used",
    },
    Trial {
        id: "OK-DPD",
        positive: Lab("v1-main-dpd-healthy"),
        near_miss: Lab("v1-peer-rebooted-dpd"),
        how: "the checks are not answered",
    },
    Trial {
        id: "OK-DELETE",
        positive: Lab("v1-delete-by-responder"),
        near_miss: Lab("lsw-ss-v1-dpd-peer-dead"),
        how: "what looks like deletes are liveness checks that nobody answers",
    },
    Trial {
        id: "OK-RETRANS",
        positive: Lab("lsw-lsw-v1-healthy"),
        near_miss: Lab("v1-qm3-lost"),
        how: "the exchange did not go on after the repeats",
    },
];
