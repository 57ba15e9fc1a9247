//! Stories in which all goes well: no pattern may raise an alarm on any of them, and the tunnel is up in the end.

use std::net::{IpAddr, Ipv4Addr};

use crate::ikev2;
use crate::support::story::{aggressive, ikev2_gcm, ikev2_psk, main_mode_psk, usual_transform};
use crate::support::wire::v2::exchange::FOLLOWUP_KE;
use crate::support::wire::{Attribute, v1, v2};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::Story;

use Side::{Initiator, Responder};

/// A name and a story.
pub const STORIES: &[(&str, Story)] = &[
    // IKEv1, set-up.
    ("Main Mode", || with_traffic(main_mode_psk())),
    ("Main Mode, IPv6", || with_traffic(Scenario::ipv6().main_mode())),
    ("Main Mode, NAT", || with_traffic(Scenario::new().nat().main_mode())),
    ("Main Mode, NAT, captured inside", || with_traffic(Scenario::new().nat().captured_inside().main_mode())),
    ("Main Mode, responder behind NAT", || with_traffic(Scenario::new().responder_nat().main_mode())),
    ("Main Mode, no NAT traversal", || with_traffic(Scenario::new().without_nat_t().main_mode())),
    ("Main Mode, port 4500 without NAT", || with_traffic(Scenario::new().floats().main_mode())),
    ("Main Mode, certificates, IKE fragments", || {
        with_traffic(Scenario::new().ike_fragments(1_280).main_mode_certificates(2_400))
    }),
    ("Main Mode, certificates, IP fragments", || with_traffic(Scenario::new().main_mode_certificates(2_400))),
    ("Main Mode, certificates, small certificates", || with_traffic(Scenario::new().main_mode_certificates(700))),
    ("Main Mode, minimal padding", || {
        let padded = Scenario::new().pads(Initiator, v1::Padding::Min).pads(Responder, v1::Padding::Min);
        with_traffic(padded.main_mode())
    }),
    ("Main Mode, PFS", || main_mode_psk().qm1(14).qm2(14).qm3().traffic(4).capture()),
    ("Main Mode, RESPONDER-LIFETIME", || {
        let lifetime = v1::notify_about(v1::PROTO_ESP, &[0; 4], v1::RESPONDER_LIFETIME, &[0x80, 1, 0, 1]);
        main_mode_psk().qm1(0).qm2(0).qm3().informational(Responder, &[lifetime]).traffic(40).capture()
    }),
    ("Aggressive Mode", || with_traffic(aggressive())),
    ("Aggressive Mode, NAT", || with_traffic(Scenario::new().nat().aggressive_mode())),
    ("Aggressive Mode, XAUTH and Mode Config", user_let_in),
    ("both ends start Main Mode", || {
        main_mode_psk().quick_mode().swap_roles().main_mode().quick_mode().traffic(8).capture()
    }),
    // IKEv1, later.
    ("28 s between the phases", || with_traffic(main_mode_psk().after(secs(28)))),
    ("Quick Mode of the responder", || {
        let story = main_mode_psk();
        let payloads = [v1::nonce(32, 5), v1::id_subnet([10, 2, 0, 0], [255, 255, 255, 0])];
        let started = story.qm1_with(Responder, &payloads).quick(Initiator, &payloads).quick(Responder, &[]);
        started.traffic(4).capture()
    }),
    ("idle tunnel with liveness checks", || {
        let idle = main_mode_psk().quick_mode();
        (1..=20)
            .fold(idle, |told, number| told.after(secs(30)).dpd(Initiator, number).dpd_ack(Responder, number))
            .capture()
    }),
    ("idle tunnel behind NAT with keepalives", || {
        let idle = Scenario::new().nat().main_mode().quick_mode();
        (0..20).fold(idle, |told, _| told.after(secs(20)).keepalive(Initiator)).capture()
    }),
    ("Quick Mode again after an hour, the old SA deleted", || {
        let story = main_mode_psk().quick_mode().traffic(20);
        let old = story.esp_spi(Initiator);
        let replaced = story.after(secs(3_400)).quick_mode();
        ikev2::traffic_of_another(replaced.delete_ipsec(Initiator, old)).capture()
    }),
    ("Main Mode again after eight hours, the old SA deleted", || {
        let story = main_mode_psk().quick_mode().traffic(20).after(secs(28_000)).new_attempt().main_mode();
        story.quick_mode().traffic(20).capture()
    }),
    ("taken down", || {
        let story = main_mode_psk().quick_mode().traffic(20).after(secs(60));
        let spi = story.esp_spi(Initiator);
        story.delete_ipsec(Initiator, spi).delete_isakmp(Initiator).quiet(secs(60)).capture()
    }),
    // IKEv2, set-up.
    ("IKEv2", || ikev2_psk().traffic(4).capture()),
    ("IKEv2, AES-GCM", || ikev2_gcm().traffic(4).capture()),
    ("IKEv2, IPv6", || Scenario::ipv6().ikev2(&v2::ike_cbc(14)).traffic(4).capture()),
    ("IKEv2, NAT", || Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(4).capture()),
    ("IKEv2, responder behind NAT", || Scenario::new().responder_nat().ikev2(&v2::ike_gcm(19)).traffic(4).capture()),
    ("IKEv2, port 4500 without NAT", || Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(4).capture()),
    ("IKEv2, no NAT detection", || Scenario::new().without_nat_t().ikev2(&v2::ike_cbc(14)).traffic(4).capture()),
    ("IKEv2, TCP", || Scenario::new().over_tcp().ikev2(&v2::ike_gcm(19)).traffic(4).capture()),
    ("IKEv2, TCP, a new connection", || {
        let connected = Scenario::new().nat().over_tcp().ikev2(&v2::ike_gcm(19)).traffic(4);
        connected.mapping_changes().over_tcp().informational_request(Initiator, &[]).capture()
    }),
    ("IKEv2, certificates, IKE fragments", || {
        let story = Scenario::new().ike_fragments(1_280).ikev2_init(&v2::ike_cbc(14));
        story.ikev2_auth_certificates(2_400).traffic(4).capture()
    }),
    ("IKEv2, certificates, IP fragments", || {
        Scenario::new().ikev2_init(&v2::ike_cbc(14)).ikev2_auth_certificates(2_400).traffic(4).capture()
    }),
    ("IKEv2, EAP", ikev2::eap_succeeds),
    ("IKEv2, childless", ikev2::childless),
    ("IKEv2, another group", ikev2::group_changed),
    ("IKEv2, cookie", cookie_brought),
    ("IKEv2, resumed", ikev2::ticket_taken),
    ("IKEv2, additional key exchange", || ikev2::hybrid().capture()),
    ("IKEv2, two child SAs", || ikev2::two_child_sas(true, |_| 120)),
    ("IKEv2, redirected", || {
        let to = v2::notify(v2::REDIRECT, &[1, 4, 192, 0, 2, 9]);
        let asked = Scenario::new().sa_init_request(&[v2::ike_cbc(14)]).sa_init_notify(to).capture();
        let gateway = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
        let other = Scenario::between(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10)), gateway);
        asked.merge(&other.ikev2(&v2::ike_cbc(14)).traffic(4).capture().shift_time(1))
    }),
    // IKEv2, later.
    ("IKEv2, idle with liveness checks", || {
        let idle = (0..20).fold(ikev2_psk(), |told, _| told.after(secs(30)).liveness(Initiator));
        idle.quiet(secs(25)).capture()
    }),
    ("IKEv2, child SA replaced", || {
        let story = ikev2_psk().traffic(20).after(secs(3_000));
        let (asked, granted) = (ikev2::child_rekey(&story, Initiator), ikev2::child_keys(&story, Responder));
        let old = v2::delete_esp(&[story.esp_spi(Initiator)]);
        let replaced = story.create_child_request(Initiator, &asked).create_child_response(Responder, &granted);
        let deleted = replaced.informational_request(Initiator, std::slice::from_ref(&old));
        ikev2::traffic_of_another(deleted.informational_response(Responder, &[old])).capture()
    }),
    ("IKEv2, child SA replaced with an additional key exchange", || {
        let replaced = ikev2::hybrid_rekey().response(Responder, FOLLOWUP_KE, &[ikev2::kem(1_088)]);
        ikev2::traffic_of_another(replaced).capture()
    }),
    ("IKEv2, the initiator moves", || {
        let elsewhere = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77));
        let story = Scenario::new().floats().ikev2(&v2::ike_cbc(14)).traffic(4).after(secs(60));
        let update = [v2::notify(v2::UPDATE_SA_ADDRESSES, &[])];
        let moved = story.initiator_moves(elsewhere).informational_request(Initiator, &update);
        let (there, back) = (moved.esp_spi(Responder), moved.esp_spi(Initiator));
        let answered = moved.informational_response(Responder, &[]);
        answered.esp(Initiator, there, 5..=8, 120, ms(100)).esp(Responder, back, 5..=8, 120, ms(100)).capture()
    }),
    ("IKEv2, taken down", || taken_down(ikev2_gcm())),
    // The same length as a liveness check: what tells the two apart is what comes first inside.
    ("IKEv2, taken down in as many octets as a liveness check has", || taken_down(ikev2_psk())),
    // A packet lost here and there.
    ("message 1 repeated once", || {
        let asked = Scenario::new().mm1(&[usual_transform()]).repeat(1, &[4.0]).mm2(&usual_transform());
        with_traffic(asked.mm3().mm4().mm5().mm6())
    }),
    ("message 4 lost once", || {
        let asked = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3();
        with_traffic(asked.unseen(Scenario::mm4).repeat_from(Initiator, 1, &[4.0]).mm4().mm5().mm6())
    }),
    ("message 5 repeated once", || {
        let asked = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
        with_traffic(asked.mm5().repeat(1, &[4.0]).mm6())
    }),
    ("messages 1 and 2 of Quick Mode repeated once", || {
        main_mode_psk().qm1(0).repeat(1, &[4.0]).qm2(0).repeat(1, &[0.5]).qm3().traffic(4).capture()
    }),
    ("IKE_SA_INIT and IKE_AUTH repeated once", || {
        let init = Scenario::new().sa_init_request(&[v2::ike_cbc(14)]).repeat(1, &[2.0]);
        let story = init.sa_init_response(&v2::ike_cbc(14));
        let request = [story.psk_proof(Initiator), story.child(Initiator)].concat();
        let response = [story.psk_proof(Responder), story.child(Responder)].concat();
        story.auth_request(&request).repeat(1, &[2.0]).auth_response(&response).traffic(4).capture()
    }),
    ("the answers to IKE_SA_INIT and IKE_AUTH lost once", || {
        let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
        let told = story.repeat_from(Initiator, 1, &[2.0]).repeat_from(Responder, 1, &[0.02]).ikev2_auth();
        told.repeat_from(Initiator, 1, &[2.0]).repeat_from(Responder, 1, &[0.02]).traffic(4).capture()
    }),
    ("a liveness check repeated once", || {
        let story = ikev2_psk().traffic(4).after(secs(30)).informational_request(Responder, &[]);
        let answered = story.repeat(1, &[2.0]).informational_response(Initiator, &[]);
        ikev2::traffic_of_another(answered).capture()
    }),
    // Seen in part.
    ("captured from Quick Mode on", || with_traffic(main_mode_psk()).skip(6)),
    ("captured from IKE_AUTH on", || ikev2_psk().traffic(4).capture().skip(2)),
    ("ESP alone", || Scenario::new().traffic(20).capture()),
    ("captured up to message 5", || main_mode_psk().capture().first(5)),
    ("captured up to IKE_AUTH", || ikev2_psk().capture().first(3)),
    ("every frame recorded twice", || with_traffic(main_mode_psk()).double_every_frame()),
    ("IKEv2, every frame recorded twice, a hop apart", || ikev2_psk().traffic(4).capture().double_across_a_hop(ms(1))),
];

/// Those of them that do not end with a tunnel that is up.
pub const NOT_UP: &[&str] = &[
    "taken down",
    "IKEv2, taken down",
    "IKEv2, taken down in as many octets as a liveness check has",
    "IKEv2, childless",
    "captured up to message 5",
    "captured up to IKE_AUTH",
];

/// Traffic, a minute of nothing, a delete, and a minute more.
fn taken_down(story: Scenario) -> Capture {
    let asked = story.traffic(20).after(secs(60)).informational_request(Initiator, &[v2::delete_ike()]);
    asked.informational_response(Responder, &[]).quiet(secs(60)).capture()
}

/// Quick Mode and a few packets each way.
fn with_traffic(story: Scenario) -> Capture {
    story.quick_mode().traffic(4).capture()
}

/// XAUTH asks for name and password, says that they are right, and Mode Config hands out an address.
fn user_let_in() -> Capture {
    let xauth = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let text = |kind, text: &str| Attribute::Tlv(kind, text.as_bytes().to_vec());
    let address = |octets: &[u8]| v1::attributes(1, 3, &[Attribute::Tlv(1, octets.to_vec())]);
    let phase1 = Scenario::new().am1(std::slice::from_ref(&xauth)).am2(&xauth).am3();
    let user = phase1
        .transaction(Responder, v1::attributes(1, 1, &[text(16_521, ""), text(16_522, "")]))
        .after(secs(7))
        .transaction_reply(Initiator, v1::attributes(2, 1, &[text(16_521, "somebody"), text(16_522, "right")]))
        .transaction(Responder, v1::attributes(3, 2, &[Attribute::Tv(16_527, 1)]))
        .transaction_reply(Initiator, v1::attributes(4, 2, &[Attribute::Tv(16_527, 1)]));
    with_traffic(user.transaction(Initiator, address(&[])).transaction_reply(Responder, address(&[10, 9, 0, 1])))
}

fn cookie_brought() -> Capture {
    let cookie = v2::notify(v2::COOKIE, &[7; 16]);
    let offered = [v2::ike_cbc(14)];
    let asked = Scenario::new().sa_init_request(&offered).sa_init_notify(cookie.clone());
    let granted = asked.sa_init_request_with(&offered, 14, &[cookie]).sa_init_response(&v2::ike_cbc(14));
    granted.ikev2_auth().traffic(4).capture()
}
