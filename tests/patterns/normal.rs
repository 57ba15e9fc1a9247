//! Trials: Normal states worth naming.

use ikescope::diagnose::Verdict;

use crate::support::story::{main_mode_psk, usual_transform};
use crate::support::{Scenario, secs};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, judge};

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

fn verdict(story: Scenario) -> Option<&'static str> {
    let analysis = judge(&story.capture());
    analysis.diagnosis.pairs().next().and_then(|pair| pair.verdict.map(Verdict::id))
}

/// That something was repeated and went on says nothing of how a pair stands in the end.
#[test]
fn a_repeat_that_was_made_good_explains_no_pair() {
    let repeated = Scenario::new().mm1(&[usual_transform()]).repeat(1, &[4.0]).mm2(&usual_transform());
    assert_ne!(verdict(repeated.mm3().mm4().mm5().mm6().qm1(0)), Some("OK-RETRANS"));
}

/// The tunnel carried traffic until another one took over, a moment before the capture ends.
#[test]
fn a_tunnel_that_was_just_replaced_was_up() {
    let anew =
        |pause| main_mode_psk().quick_mode().traffic(10).after(secs(pause)).new_attempt().main_mode().quick_mode();
    assert_eq!(verdict(anew(1)), Some("OK-UP"));
    assert_ne!(verdict(anew(60)), Some("OK-UP"), "a minute after the last packet nothing shows that either works");
}
