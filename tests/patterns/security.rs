//! Trials: Security advice.

use crate::path::find;
use crate::support::story::{main_mode_psk, usual_transform};
use crate::support::{Capture, Payload, Scenario, Side, secs, v1, v2};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "S-DES",
        positive: Crafted("Main Mode with DES", || agreed(v1::transform(v1::DES_CBC, 0, v1::SHA2_256, v1::PSK, 14))),
        near_miss: Crafted("Main Mode with 3DES", triple_des),
        how: "the cipher",
    },
    Trial {
        id: "S-3DES",
        positive: Crafted("Main Mode with 3DES", triple_des),
        near_miss: Crafted("Main Mode with AES", aes),
        how: "the cipher",
    },
    Trial {
        id: "S-MD5",
        positive: Crafted("Main Mode with MD5", || agreed(v1::transform(v1::AES_CBC, 256, v1::MD5, v1::PSK, 14))),
        near_miss: Crafted("Main Mode with SHA-1", sha1),
        how: "the hash",
    },
    Trial {
        id: "S-SHA1",
        positive: Crafted("Main Mode with SHA-1", sha1),
        near_miss: Crafted("Main Mode with SHA2-256", aes),
        how: "the hash",
    },
    Trial {
        id: "S-DH-WEAK",
        positive: Crafted("IKEv2 with MODP-1536", || ikev2_of(v2::ike_cbc(5))),
        near_miss: Crafted("IKEv2 with MODP-2048", || ikev2_of(v2::ike_cbc(14))),
        how: "the group",
    },
    Trial {
        id: "S-AGGR-PSK",
        positive: Lab("v1-aggr-xauth-modecfg-healthy"),
        near_miss: Crafted("Aggressive Mode with RSA signatures", || {
            let signatures = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
            Scenario::new().am1(std::slice::from_ref(&signatures)).am2(&signatures).am3().quick_mode().capture()
        }),
        how: "no shared key goes into the hash",
    },
    Trial {
        id: "S-AGGR-ID",
        positive: Lab("v1-aggr-xauth-modecfg-healthy"),
        near_miss: Lab("v1-main-psk-healthy"),
        how: "Main Mode encrypts the identities",
    },
    Trial { id: "S-IKEV1", positive: Lab("v1-main-psk-healthy"), near_miss: Lab("v2-psk-healthy"), how: "the version" },
    Trial {
        id: "S-AH",
        positive: Lab("v1-main-psk-ah-healthy"),
        near_miss: Lab("v1-main-psk-healthy"),
        how: "the tunnel uses ESP",
    },
    Trial {
        id: "S-NULL-INTEG",
        positive: Crafted("IKEv2 with AES-CBC and no integrity algorithm", || {
            ikev2_of(v2::ike(&[v2::encr(v2::AES_CBC, 256), v2::prf(v2::PRF_SHA2_256), v2::group(14)]))
        }),
        near_miss: Crafted("IKEv2 with AES-GCM and no integrity algorithm", || ikev2_of(v2::ike_gcm(14))),
        how: "AES-GCM is integrity enough",
    },
    Trial {
        id: "S-KEYLEN",
        positive: Crafted("Main Mode with AES without a key length", || {
            agreed(v1::transform(v1::AES_CBC, 0, v1::SHA2_256, v1::PSK, 14))
        }),
        near_miss: Crafted("Main Mode with 3DES without a key length", triple_des),
        how: "3DES has one length only",
    },
    Trial {
        id: "S-HALFOPEN",
        positive: Crafted("thirty negotiations a second apart, all answered and none continued", || half_open(1)),
        near_miss: Crafted("thirty negotiations ten seconds apart, none continued", || half_open(10)),
        how: "no more than a peer that tries again and again",
    },
    Trial {
        id: "S-SCAN",
        positive: Lab("ikescan-main-lsw"),
        near_miss: Crafted("a first message with vendor ids is answered, and the initiator gives up", || {
            let transform = usual_transform();
            Scenario::new()
                .mm1(std::slice::from_ref(&transform))
                .mm2(&transform)
                .repeat(2, &[4.0, 8.0])
                .quiet(secs(30))
                .capture()
        }),
        how: "it says what it can, as a peer does and a probe does not",
    },
    Trial {
        id: "S-VID-LEAK",
        positive: Lab("vpnc-ss-wrong-xauth"),
        near_miss: Crafted("vendor ids of features alone: NAT traversal, DPD, XAUTH, fragmentation", || {
            let features = [v1::vid_nat_t(), v1::vid_dpd(), v1::vid_xauth(), v1::vid_fragmentation()];
            Scenario::new()
                .vendor_ids(Side::Initiator, &features)
                .vendor_ids(Side::Responder, &features)
                .main_mode()
                .quick_mode()
                .traffic(4)
                .capture()
        }),
        how: "no product among them",
    },
    Trial {
        id: "S-NO-PQ",
        positive: Lab("v2-psk-healthy"),
        near_miss: Crafted("IKEv2 with ML-KEM-768 as an additional key exchange", || crate::ikev2::hybrid().capture()),
        how: "a second key exchange is agreed (RFC 9370)",
    },
];

fn agreed(transform: v1::Transform) -> Capture {
    Scenario::new().main_mode_of(&transform).quick_mode().traffic(4).capture()
}

fn aes() -> Capture {
    main_mode_psk().quick_mode().traffic(4).capture()
}

fn triple_des() -> Capture {
    agreed(v1::transform(v1::TRIPLE_DES, 0, v1::SHA2_256, v1::PSK, 14))
}

fn sha1() -> Capture {
    agreed(v1::transform(v1::AES_CBC, 256, v1::SHA1, v1::PSK, 14))
}

fn ikev2_of(proposal: v2::Proposal) -> Capture {
    Scenario::new().ikev2(&proposal).traffic(4).capture()
}

/// IKE_SA_INIT thirty times, this many seconds apart.
/// Negotiations of many addresses with one responder, all begun at once and none continued.
pub fn flood_of_many() -> Capture {
    let story = |number: u8, seed: u64| {
        let address = |text: String| text.parse().expect("an address");
        let told = Scenario::between(address(format!("192.0.2.{number}")), address("198.51.100.7".to_owned()));
        told.seed(seed).ikev2_init(&v2::ike_cbc(14)).quiet(secs(60)).capture()
    };
    (2..40).fold(story(1, 1), |all, number| all.merge(&story(number, u64::from(number))))
}

fn half_open(apart: u64) -> Capture {
    let begin = |told: Scenario| told.ikev2_init(&v2::ike_cbc(14));
    (0..29)
        .fold(begin(Scenario::new()), |told, _| begin(told.after(secs(apart)).new_attempt()))
        .quiet(secs(60))
        .capture()
}

/// What the capture cut of an offer may have held what is missing.
/// A list of sets from another port, without a vendor id, is no attempt of the gateway whose tunnel carries traffic.
#[test]
fn a_monitor_beside_a_tunnel_is_no_failure_of_it() {
    let up = main_mode_psk().quick_mode();
    let spis = up.esp_spis();
    let list: Vec<_> = [v1::TRIPLE_DES, v1::DES_CBC]
        .into_iter()
        .flat_map(|cipher| [v1::MD5, v1::SHA1].map(|hash| (cipher, hash)))
        .flat_map(|(cipher, hash)| [1, 2].map(|group| v1::transform(cipher, 0, hash, v1::PSK, group)))
        .collect();
    let asked = |told: Scenario, vendor_ids: &[Payload]| {
        let asked = told.vendor_ids(Side::Initiator, vendor_ids).new_attempt().mapping_changes().mm1(&list);
        asked.repeat(2, &[0.5]).traffic_on(spis, 21..=40, secs(1)).capture()
    };
    let up = up.traffic_on(spis, 1..=20, secs(1));
    let analysis = judge(&asked(up.clone(), &[]));
    assert_eq!(alarms(&analysis), [""; 0]);
    assert!(find(&analysis, "S-SCAN").expect("a finding").seen.contains("beside a tunnel"));
    let named = judge(&asked(up, &[v1::vendor_id(b"a gateway")]));
    assert!(alarms(&named).contains(&"P1-NO-REPLY"), "{:?}", alarms(&named));
}

#[test]
fn nothing_is_missed_in_an_offer_that_was_cut() {
    let whole = || ikev2_of(v2::ike_cbc(14));
    assert!(find(&judge(&whole()), "S-NO-PQ").is_some());
    for length in 90..200 {
        let analysis = judge(&whole().snap(length));
        for id in ["S-NULL-INTEG", "S-NO-PQ", "S-KEYLEN"] {
            assert!(find(&analysis, id).is_none(), "{id} with {length} octets of each frame");
        }
    }
}

/// As many as there were, in the time that they took.
#[test]
fn a_flood_is_counted_whole() {
    let found = find(&judge(&half_open(1)), "S-HALFOPEN").expect("a finding");
    assert!(found.seen.contains("30 of them within 29."), "{}", found.seen);
}

/// The responder's vendor ids are in its own message.
#[test]
fn a_vendor_id_is_shown_where_it_stands() {
    let analysis = judge(&Lab("vpnc-ss-wrong-xauth").captures()[0]);
    let found = find(&analysis, "S-VID-LEAK").expect("a remark");
    let attempt = &analysis.facts.pairs.get(0).expect("a pair").attempts[0];
    let responder = attempt.responder.ip().to_string();
    assert!(found.seen.contains(&responder), "{}", found.seen);
    let message = attempt.exchanges[0].messages.iter().find(|message| message.source.ip() == attempt.responder.ip());
    assert!(found.frames.contains(&message.expect("an answer").frame), "{:?}", found.frames);
}
