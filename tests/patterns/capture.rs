//! Trials: what the capture itself can and cannot show.

use std::net::SocketAddr;

use crate::support::story::main_mode_psk;
use crate::support::{Capture, Scenario, Side, secs};
use crate::trial::Evidence::{Crafted, Lab, Labs};
use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "C-NO-IKE",
        positive: Crafted("datagrams on UDP 500 that are not IKE, and nothing else", something_else),
        near_miss: Crafted("ESP both ways without IKE", traffic_alone),
        how: "ESP shows that IKE has done its work elsewhere",
    },
    Trial {
        id: "C-ESP-NO-IKE",
        positive: Crafted("ESP both ways without IKE", traffic_alone),
        near_miss: Lab("v1-main-psk-healthy"),
        how: "IKE is there",
    },
    Trial {
        id: "C-ONE-DIR",
        positive: Crafted("Main Mode of which only the initiator's messages are there", || {
            let story = main_mode_psk();
            let initiator = story.address(Side::Initiator);
            story.quick_mode().capture().only_from(initiator)
        }),
        near_miss: Lab("v1-udp500-drop"),
        how: "only the initiator is heard because nobody answers: it never goes on",
    },
    Trial {
        id: "C-MIDSTREAM",
        positive: Crafted("Main Mode and Quick Mode, captured from message 5 on", || {
            main_mode_psk().quick_mode().traffic(4).capture().skip(4)
        }),
        near_miss: Lab("v1-main-psk-healthy"),
        how: "the capture holds message 1",
    },
    Trial {
        id: "C-TWO-POINT",
        positive: Labs(&["v1-mm4-lost", "v1-mm4-lost.rside"]),
        near_miss: Labs(&["v1-main-psk-healthy", "v1-main-psk-healthy.rside"]),
        how: "both captures hold the same",
    },
];

fn something_else() -> Capture {
    let story = Scenario::new();
    let at_500 = |side| SocketAddr::new(story.address(side), 500);
    let (from, to) = (at_500(Side::Initiator), at_500(Side::Responder));
    story.udp(from, to, b"not a message of IKE").after(secs(3)).udp(from, to, b"nor is this one").capture()
}

fn traffic_alone() -> Capture {
    Scenario::new().traffic(20).capture()
}
