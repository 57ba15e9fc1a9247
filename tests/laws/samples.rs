//! What the laws are tried on: every recorded capture, and stories that none of those tells.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use crate::support::story::{aggressive, ikev2_gcm, ikev2_psk, main_mode_psk, usual_transform};
use crate::support::{Capture, Scenario, Side, ms, secs, v1, v2};

/// A capture, its name, and whether it shows nothing but healthy tunnels.
#[derive(Debug, Clone)]
pub struct Sample {
    pub name: String,
    pub capture: Capture,
    pub healthy: bool,
}

/// All of them.
pub fn all() -> Vec<Sample> {
    [recorded(), crafted()].concat()
}

/// Every recorded capture, those once that both sides recorded alike, those left out that hold nothing of ours.
pub fn recorded() -> Vec<Sample> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab");
    let table = std::fs::read_to_string(lab.join("expectations.tsv")).expect("the table of the recorded captures");
    let mut samples = Vec::new();
    let mut known = BTreeSet::new();
    for row in table.lines().skip(1) {
        let mut cells = row.split('\t');
        let (scenario, kind) = (cells.next().expect("a name"), cells.next().expect("a kind"));
        for name in [scenario.to_owned(), format!("{scenario}.rside")] {
            let file = std::fs::read(lab.join(format!("{name}.pcap"))).expect("a capture of each side");
            let capture = Capture::read_pcap(&file);
            if !capture.frames.is_empty() && known.insert(file) {
                samples.push(Sample { name, capture, healthy: kind == "healthy" });
            }
        }
    }
    samples
}

/// Stories told from the RFCs.
pub fn crafted() -> Vec<Sample> {
    let transform = usual_transform();
    let transforms = std::slice::from_ref(&transform);
    let router = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let backoff = [4.0, 7.2, 13.0, 23.3];
    let healthy = [
        ("main-mode", main_mode_psk().quick_mode().traffic(4)),
        ("aggressive", aggressive().quick_mode().traffic(4)),
        ("main-mode-nat", Scenario::new().nat().main_mode().quick_mode().traffic(4).keepalive(Side::Initiator)),
        ("main-mode-ipv6", Scenario::ipv6().main_mode().quick_mode().traffic(4)),
        ("main-mode-certificates", Scenario::new().main_mode_certificates(2_400).quick_mode().traffic(4)),
        ("ikev2", ikev2_psk().traffic(4).liveness(Side::Responder)),
        ("ikev2-gcm", ikev2_gcm().traffic(4)),
        (
            "ikev2-nat",
            Scenario::new()
                .responder_nat()
                .ikev2(&v2::ike_cbc(14))
                .traffic(4)
                .after(secs(20))
                .keepalive(Side::Responder),
        ),
        ("ikev2-tcp", Scenario::new().over_tcp().ikev2(&v2::ike_gcm(19)).traffic(4)),
        (
            "ikev2-fragments",
            Scenario::new().ike_fragments(500).ikev2_init(&v2::ike_cbc(14)).ikev2_auth_certificates(1_600).traffic(4),
        ),
        (
            "ikev2-ip-fragments",
            Scenario::new().mtu(1_000).ikev2_init(&v2::ike_cbc(14)).ikev2_auth_certificates(1_600).traffic(4),
        ),
    ];
    let failing = [
        ("no-answer", Scenario::new().mm1(transforms).repeat(4, &backoff).after(secs(40)).ping(Side::Initiator)),
        ("unreachable", Scenario::new().mm1(transforms).icmp_unreachable(router, 1).repeat(2, &backoff)),
        (
            "stuck-after-mm4",
            Scenario::new()
                .mm1(transforms)
                .mm2(&transform)
                .mm3()
                .mm4()
                .mm5()
                .repeat(4, &backoff)
                .after(secs(40))
                .ping(Side::Initiator),
        ),
        (
            "cookie-unknown",
            Scenario::new()
                .mm1(transforms)
                .mm2(&transform)
                .mm3()
                .informational_clear(Side::Responder, v1::notify(v1::INVALID_COOKIE))
                .after(secs(40))
                .ping(Side::Initiator),
        ),
        (
            "ikev2-no-answer",
            Scenario::new()
                .sa_init_request(&[v2::ike_cbc(14)])
                .repeat(4, &backoff)
                .after(secs(40))
                .ping(Side::Initiator),
        ),
        (
            "second-try",
            Scenario::new()
                .mm1(transforms)
                .repeat(3, &backoff)
                .after(secs(25))
                .new_attempt()
                .main_mode()
                .quick_mode()
                .traffic(4),
        ),
        (
            "fragment-lost",
            Scenario::new()
                .mtu(600)
                .ikev2_init(&v2::ike_cbc(14))
                .losing(&[2])
                .ikev2_auth_certificates(1_600)
                .after(secs(70))
                .ping(Side::Initiator),
        ),
        ("one-way", main_mode_psk().quick_mode().esp(Side::Initiator, 0xc0ff_ee01, 1..=12, 120, ms(900))),
    ];
    let sample =
        |(name, story): (&str, Scenario), healthy| Sample { name: name.to_owned(), capture: story.capture(), healthy };
    let healthy = healthy.into_iter().map(|told| sample(told, true));
    healthy.chain(failing.into_iter().map(|told| sample(told, false))).collect()
}
