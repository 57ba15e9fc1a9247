//! Trials: what the capture itself can and cannot show.

use std::net::{IpAddr, SocketAddr};

use crate::path::find;
use crate::support::story::{ikev2_psk, main_mode_psk, usual_transform};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::Evidence::{Crafted, Lab, Labs};
use crate::trial::{Trial, alarms, judge};

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
    Trial {
        id: "C-CLEAR-INNER",
        positive: Crafted("L2TP in clear between peers that negotiate protection for it", || {
            let story = main_mode_psk().quick_mode();
            let at_1701 = |side| SocketAddr::new(story.address(side), 1701);
            let (from, to) = (at_1701(Side::Initiator), at_1701(Side::Responder));
            story.udp(from, to, &[0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]).capture()
        }),
        near_miss: Crafted("packets between private networks, beside IKE between private addresses", || {
            main_site_leaks(Scenario::between(address("10.9.0.1"), address("10.9.0.2")).mm1(&[usual_transform()]))
        }),
        how: "where the gateways are private themselves, private addresses say nothing",
    },
    Trial {
        id: "C-DNS-FAIL",
        positive: Crafted("a name does not resolve, and no IKE follows", || {
            let server = address("192.0.2.53");
            Scenario::new()
                .dns_query(server, "vpn.example.com")
                .dns_answer(server, "vpn.example.com", Err(3))
                .after(secs(60))
                .ping(Side::Responder)
                .capture()
        }),
        near_miss: Crafted("a name does not resolve, and IKE starts all the same", || {
            let server = address("192.0.2.53");
            main_mode_psk().dns_query(server, "ntp.example.com").dns_answer(server, "ntp.example.com", Err(3)).capture()
        }),
        how: "whoever starts IKE knows its peer",
    },
];

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn main_site_leaks(story: Scenario) -> Capture {
    let end = |text: &str| text.parse::<SocketAddr>().expect("an address and a port");
    (0..5)
        .fold(story, |told, _| told.after(secs(2)).udp(end("10.1.0.5:40000"), end("10.2.0.9:40001"), b"inner"))
        .capture()
}

fn something_else() -> Capture {
    let story = Scenario::new();
    let at_500 = |side| SocketAddr::new(story.address(side), 500);
    let (from, to) = (at_500(Side::Initiator), at_500(Side::Responder));
    story.udp(from, to, b"not a message of IKE").after(secs(3)).udp(from, to, b"nor is this one").capture()
}

fn traffic_alone() -> Capture {
    Scenario::new().traffic(20).capture()
}

/// The IKE of a tunnel that moved here began between other addresses, and is in the capture.
#[test]
fn traffic_of_a_tunnel_that_moved_has_its_negotiation() {
    assert!(find(&judge(&crate::path::moves_to_ipv6()), "C-ESP-NO-IKE").is_none());
}

/// A tap that loses one direction while the tunnel goes on: what only follows an answer shows that there was one.
#[test]
fn a_direction_that_is_lost_in_mid_course_is_no_silence() {
    let told = ikev2_psk();
    let (address, spis) = (told.address(Side::Initiator), told.esp_spis());
    let used = (0..6).fold(told, |told, round| {
        let asked = told.after(secs(10)).liveness(Side::Initiator);
        asked.traffic_on(spis, round * 5 + 1..round * 5 + 6, ms(500))
    });
    let whole = used.quiet(secs(10)).capture();
    let lost = whole.clone().first(4).merge(&whole.clone().skip(4).only_from(address));
    let analysis = judge(&lost);
    assert_eq!(alarms(&analysis), ["C-ONE-DIR"]);
    assert!(alarms(&judge(&whole)).is_empty());
}
