//! Trials: IKEv2.

use std::net::{IpAddr, Ipv4Addr};

use ikescope::diagnose::{Confidence, Finding, Outcome, PairStatus, Severity, Verdict, Where};

use crate::life_cycle::standing;
use crate::path::{both_move_to_ipv6, find, tries_ipv6};
use crate::phase1::{finding, first_cause};
use crate::support::filler;
use crate::support::story::{ikev2_gcm, ikev2_psk};
use crate::support::wire::v2::exchange::{AUTH, CREATE_CHILD_SA, FOLLOWUP_KE, INTERMEDIATE, SA_INIT, SESSION_RESUME};
use crate::support::wire::{Header, Payload, v1, v2};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, is_up, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "V2-NO-REPLY",
        positive: Lab("v2-ipv6-no-answer"),
        near_miss: Lab("v2-no-responder-icmp"),
        how: "ICMP says why there is no answer",
    },
    Trial {
        id: "V2-PROPOSAL",
        positive: Lab("v2-dh-mismatch"),
        near_miss: Crafted("the responder asks for another group, and is never satisfied", group_refused_again),
        how: "INVALID_KE_PAYLOAD refuses the guess at the group, not the offer",
    },
    Trial {
        id: "V2-KE-RETRY",
        positive: Crafted("the responder asks for another group and gets it", group_changed),
        near_miss: Crafted("the responder asks for another group, and is never satisfied", group_refused_again),
        how: "the retry is not accepted",
    },
    Trial {
        id: "V2-KE-LOOP",
        positive: Crafted("the responder asks for another group, and is never satisfied", group_refused_again),
        near_miss: Crafted("the responder asks for another group and gets it", group_changed),
        how: "asked for once, the group comes",
    },
    Trial {
        id: "V2-COOKIE",
        positive: Lab("v2-cookie-healthy"),
        near_miss: Crafted("each cookie is answered by the wish for another", cookies_without_end),
        how: "the request with the cookie is not accepted",
    },
    Trial {
        id: "V2-COOKIE-LOOP",
        positive: Crafted("each cookie is answered by the wish for another", cookies_without_end),
        near_miss: Lab("v2-cookie-healthy"),
        how: "asked for once, the cookie is accepted",
    },
    Trial {
        id: "V2-VERSION",
        positive: Crafted("IKE_SA_INIT is answered with INVALID_MAJOR_VERSION in clear", || {
            init_refused(v2::INVALID_MAJOR_VERSION)
        }),
        near_miss: Lab("v2-to-v1-only-responder"),
        how: "a responder without IKEv2 says NO_PROPOSAL_CHOSEN",
    },
    Trial {
        id: "V2-CLEAR-ERROR",
        positive: Crafted("IKE_SA_INIT is answered with INVALID_SYNTAX in clear", || init_refused(v2::INVALID_SYNTAX)),
        near_miss: Lab("v2-dh-mismatch"),
        how: "NO_PROPOSAL_CHOSEN has a page of its own",
    },
    Trial {
        id: "V2-AUTH-FAIL",
        positive: Lab("ss-lsw-v2-psk-mismatch"),
        near_miss: Lab("v2-ts-unacceptable"),
        how: "the answer has room for the responder's identity and proof",
    },
    Trial {
        id: "V2-AUTH-INIT-REJECT",
        positive: Crafted("a whole IKE_AUTH, then an INFORMATIONAL of the initiator and nothing more", || {
            let reason = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
            ikev2_psk().informational_request(Side::Initiator, &reason).quiet(secs(120)).capture()
        }),
        near_miss: Crafted("a whole IKE_AUTH, then a liveness check of the initiator and nothing more", || {
            ikev2_gcm().liveness(Side::Initiator).quiet(secs(120)).capture()
        }),
        how: "the INFORMATIONAL is empty: it asks whether the peer is alive",
    },
    Trial {
        id: "V2-AUTH-NO-REPLY",
        positive: Crafted("IKE_AUTH to UDP 500 is sent five times and never answered", || {
            let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
            let proof = [story.psk_proof(Side::Initiator), story.child(Side::Initiator)].concat();
            story.auth_request(&proof).repeat(4, &BACKOFF).quiet(secs(60)).capture()
        }),
        near_miss: Lab("v2-cookie-healthy"),
        how: "IKE_AUTH is repeated too, and then answered",
    },
    Trial {
        id: "V2-CHILD-REJECT",
        positive: Lab("ss-lsw-v2-ts"),
        near_miss: Lab("v2-ts-narrowed-healthy"),
        how: "the selectors are narrowed, not refused",
    },
    Trial {
        id: "V2-EAP",
        positive: Lab("v2-eap-wrong-password"),
        near_miss: Crafted("four rounds of EAP, the last with room for a child SA", eap_succeeds),
        how: "EAP comes to its end",
    },
    Trial {
        id: "V2-INTERMEDIATE",
        positive: Crafted("ML-KEM is agreed, and IKE_INTERMEDIATE is never answered", || {
            hybrid_init()
                .request(Side::Initiator, INTERMEDIATE, &[kem(1184)])
                .repeat(4, &BACKOFF)
                .quiet(secs(60))
                .capture()
        }),
        near_miss: Crafted("ML-KEM is agreed, and IKE_INTERMEDIATE is answered with its ciphertext", || {
            hybrid().quiet(secs(60)).capture()
        }),
        how: "the key exchange takes place",
    },
    Trial {
        id: "V2-FOLLOWUP",
        positive: Crafted("a re-key with ML-KEM whose IKE_FOLLOWUP_KE is answered with a lone notify", || {
            let refusal = [v2::notify(v2::TEMPORARY_FAILURE, &[])];
            hybrid_rekey().response(Side::Responder, FOLLOWUP_KE, &refusal).quiet(secs(60)).capture()
        }),
        near_miss: Crafted("a re-key with ML-KEM whose IKE_FOLLOWUP_KE is answered with its ciphertext", || {
            let replaced = hybrid_rekey().response(Side::Responder, FOLLOWUP_KE, &[kem(1088)]);
            traffic_of_another(replaced).quiet(secs(60)).capture()
        }),
        how: "the answer has room for the key exchange",
    },
    Trial {
        id: "V2-CHILD-NO-REPLY",
        positive: Crafted("CREATE_CHILD_SA is sent five times and never answered", || {
            let story = ikev2_psk().traffic(4).after(secs(600));
            let rekey = child_rekey(&story, Side::Initiator);
            story.create_child_request(Side::Initiator, &rekey).repeat(4, &BACKOFF).quiet(secs(60)).capture()
        }),
        near_miss: Crafted("CREATE_CHILD_SA is sent three times and then answered", || {
            let story = ikev2_psk().traffic(4).after(secs(600));
            let (rekey, granted) = (child_rekey(&story, Side::Initiator), child_keys(&story, Side::Responder));
            story
                .create_child_request(Side::Initiator, &rekey)
                .repeat(2, &BACKOFF)
                .create_child_response(Side::Responder, &granted)
                .quiet(secs(60))
                .capture()
        }),
        how: "late, and answered",
    },
    Trial {
        id: "V2-REKEY-REFUSED",
        positive: Lab("v2-rekey-pfs-group-mismatch"),
        near_miss: Lab("v2-rekey-ike-healthy"),
        how: "CREATE_CHILD_SA is granted",
    },
    Trial {
        id: "V2-REDIRECT",
        positive: Crafted("IKE_SA_INIT is answered with REDIRECT to another gateway", || {
            request().sa_init_notify(v2::notify(v2::REDIRECT, &[1, 4, 192, 0, 2, 9])).capture()
        }),
        near_miss: Lab("v2-psk-healthy"),
        how: "the gateway that was asked goes on itself",
    },
    Trial {
        id: "V2-MSGID",
        positive: Crafted("message id 9 after message id 2, sent five times and never answered", || {
            ikev2_psk()
                .liveness(Side::Initiator)
                .next_message_id(Side::Initiator, 9)
                .after(secs(30))
                .informational_request(Side::Initiator, &[])
                .repeat(4, &BACKOFF)
                .quiet(secs(60))
                .capture()
        }),
        near_miss: Crafted("message id 3 after message id 2, sent five times and never answered", || {
            ikev2_psk()
                .liveness(Side::Initiator)
                .after(secs(30))
                .informational_request(Side::Initiator, &[])
                .repeat(4, &BACKOFF)
                .quiet(secs(60))
                .capture()
        }),
        how: "the numbers follow each other",
    },
    Trial {
        id: "V2-MOBIKE",
        positive: Lab("v2-mobike-move-healthy"),
        near_miss: Crafted("the initiator's NAT gives it another port", || {
            let moved = Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(4).mapping_changes();
            moved.after(secs(60)).liveness(Side::Initiator).traffic(4).capture()
        }),
        how: "the address stays, only the port is another",
    },
    Trial {
        id: "V2-PPK",
        positive: Crafted("the initiator alone announces USE_PPK, and IKE_AUTH is refused", || {
            let refusal = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
            post_quantum().ikev2_auth_refused(&refusal).quiet(secs(30)).capture()
        }),
        near_miss: Crafted("the initiator alone announces USE_PPK, and does without it", || {
            post_quantum().ikev2_auth().traffic(4).capture()
        }),
        how: "the PPK was optional: IKE_AUTH succeeds",
    },
    Trial {
        id: "V2-INIT-NO-AUTH",
        positive: Crafted("IKE_SA_INIT is answered, and asked five more times", || {
            let answered = Scenario::new().ikev2_init(&v2::ike_cbc(14));
            answered.repeat_from(Side::Initiator, 5, &BACKOFF).quiet(secs(60)).capture()
        }),
        near_miss: Lab("v2-nat-udp4500-blocked"),
        how: "IKE_AUTH was sent",
    },
    Trial {
        id: "V2-CHILDLESS",
        positive: Crafted("the responder allows it, and IKE_AUTH is without a child SA", childless),
        near_miss: Lab("v2-ts-unacceptable"),
        how: "the initiator asked for a child SA",
    },
    Trial {
        id: "V2-TS-NARROW",
        positive: Crafted("two child SAs carry traffic one way, and one the other way", || {
            two_child_sas(false, |number| 120 + number as usize % 5 * 16)
        }),
        near_miss: Crafted("two child SAs carry traffic both ways", || two_child_sas(true, |_| 120)),
        how: "each has its counterpart",
    },
    Trial {
        id: "V2-RESUME",
        positive: Crafted("IKE_SESSION_RESUME is answered with TICKET_NACK, and IKE_SA_INIT follows", ticket_refused),
        near_miss: Crafted("IKE_SESSION_RESUME is answered with a nonce, and IKE_AUTH follows", ticket_taken),
        how: "the ticket is taken",
    },
];

/// The backoff of a daemon in common use, in seconds.
const BACKOFF: [f64; 4] = [4.0, 7.2, 13.0, 23.3];

/// IKE_SA_INIT: what is asked and refused in clear.
fn request() -> Scenario {
    Scenario::new().sa_init_request(&[v2::ike_cbc(14)])
}

fn init_refused(notify: u16) -> Capture {
    request().sa_init_notify(v2::notify(notify, &[])).quiet(secs(30)).capture()
}

/// Groups 14 and 19, a guess at 14, and the wish for 19.
fn another_group_wanted() -> (Scenario, v2::Proposal) {
    let both = v2::ike(&[
        v2::encr(v2::AES_CBC, 256),
        v2::integ(v2::SHA2_256_128),
        v2::prf(v2::PRF_SHA2_256),
        v2::group(14),
        v2::group(19),
    ]);
    let story = Scenario::new().sa_init_request(std::slice::from_ref(&both));
    (story.sa_init_notify(wish_for_group_19()), both)
}

fn wish_for_group_19() -> Payload {
    v2::notify(v2::INVALID_KE_PAYLOAD, &[0, 19])
}

pub fn group_changed() -> Capture {
    let (story, both) = another_group_wanted();
    let answered = story.sa_init_request_with(&[both], 19, &[]).sa_init_response(&v2::ike_cbc(19));
    answered.ikev2_auth().traffic(4).capture()
}

/// Of several wishes for another group the last one is told: that is the one that was granted.
#[test]
fn the_group_that_was_granted_is_told() {
    let offered = [v2::ike_cbc(14)];
    let wish = |group: u8| v2::notify(v2::INVALID_KE_PAYLOAD, &[0, group]);
    let asked = Scenario::new().sa_init_request_with(&offered, 31, &[]).sa_init_notify(wish(19));
    let asked = asked.sa_init_request_with(&offered, 19, &[]).sa_init_notify(wish(14));
    let granted = asked.sa_init_request_with(&offered, 14, &[]).sa_init_response(&v2::ike_cbc(14));
    let found = find(&judge(&granted.ikev2_auth().traffic(4).capture()), "V2-KE-RETRY").expect("a remark");
    assert!(found.seen.contains("group 14 (MODP-2048) in place of group 19"), "{}", found.seen);
}

fn group_refused_again() -> Capture {
    let (story, both) = another_group_wanted();
    let offered = [both];
    story
        .sa_init_request_with(&offered, 14, &[])
        .sa_init_notify(wish_for_group_19())
        .sa_init_request_with(&offered, 14, &[])
        .sa_init_notify(wish_for_group_19())
        .quiet(secs(30))
        .capture()
}

/// The initiator brings the group that it is asked for, and is asked again.
#[test]
fn a_responder_that_refuses_the_group_it_asked_for_is_at_fault() {
    for again in [14, 19] {
        let (story, both) = another_group_wanted();
        let wish = v2::notify(v2::INVALID_KE_PAYLOAD, &[0, again]);
        let brought = story.sa_init_request_with(&[both], 19, &[]).sa_init_notify(wish);
        let found = find(&judge(&brought.quiet(secs(30)).capture()), "V2-KE-LOOP").expect("a finding");
        assert!(found.means.contains("the initiator does what it can"), "{}", found.means);
        assert!(found.causes.iter().all(|cause| !cause.text.starts_with("the initiator")), "{:?}", found.causes);
        assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Responder));
    }
}

/// The group that it asks for is the one that it was sent.
#[test]
fn a_responder_that_asks_for_what_it_was_sent_is_at_fault() {
    let asked = Scenario::new().sa_init_request(&[v2::ike_cbc(14)]);
    let told = asked.sa_init_notify(v2::notify(v2::INVALID_KE_PAYLOAD, &[0, 14])).quiet(secs(30));
    let found = find(&judge(&told.capture()), "V2-KE-LOOP").expect("a finding");
    assert!(found.seen.ends_with("the very group that it had been sent"), "{}", found.seen);
    assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Responder));
}

/// A connection of TCP was there: neither a filter for UDP nor a peer that is down keeps the answer back.
#[test]
fn a_request_in_tcp_arrived_somewhere() {
    let asked = |story: Scenario| story.sa_init_request(&[v2::ike_cbc(14)]).repeat(3, &[4.0, 7.2, 13.0]);
    let found = |story| find(&judge(&asked(story).quiet(secs(60)).capture()), "V2-NO-REPLY").expect("a finding");
    let in_tcp = found(Scenario::new().over_tcp());
    assert!(in_tcp.causes[0].text.contains("TCP port is no IKE service"), "{:?}", in_tcp.causes);
    assert!(in_tcp.causes.iter().all(|cause| !cause.text.contains("UDP 500")), "{:?}", in_tcp.causes);
    let in_udp = found(Scenario::new());
    assert!(in_udp.causes.iter().all(|cause| !cause.text.contains("TCP")), "{:?}", in_udp.causes);
}

/// While ESP goes on both ways, the path is there: what is lost is the request or its answer, or nobody answers it.
#[test]
fn a_re_key_without_an_answer_beside_traffic_may_be_lost() {
    let story = ikev2_psk().traffic(4);
    let asked = story.clone().create_child_request(Side::Initiator, &child_rekey(&story, Side::Initiator));
    let told = BACKOFF.iter().zip(0..).fold(asked, |told, (gap, number)| {
        let told = told.traffic_on(story.esp_spis(), [5 + 2 * number, 6 + 2 * number], ms(500));
        told.repeat_from(Side::Initiator, 1, &[gap - 1.0])
    });
    let analysis = judge(&told.traffic_on(story.esp_spis(), 30..70, ms(500)).capture());
    assert_eq!(alarms(&analysis), ["V2-CHILD-NO-REPLY"]);
    let found = find(&analysis, "V2-CHILD-NO-REPLY").expect("a finding");
    assert!(found.means.starts_with("this request, or its answer, is lost, or"), "{}", found.means);
    let level = |start: &str| found.causes.iter().find(|cause| cause.text.starts_with(start)).map(|it| it.likelihood);
    for cause in ["the request does not reach", "the answer does not reach", "the peer's IKE service hangs"] {
        assert_eq!(level(cause), Some("possible"), "{:?}", found.causes);
    }
    assert!(found.seen.contains("the next CREATE_CHILD_SA-REQ is due"), "{}", found.seen);
}

/// What nobody answers any more is one outage.
#[test]
fn what_a_silent_peer_leaves_unanswered_follows_from_its_silence() {
    let story = ikev2_psk();
    let told = (1..=30).fold(story.clone(), |told, number| told.traffic_on(story.esp_spis(), [number], secs(1)));
    let asked = told.create_child_request(Side::Initiator, &child_rekey(&story, Side::Initiator));
    let asked = asked.repeat(4, &BACKOFF).after(secs(60)).new_attempt().sa_init_request(&[v2::ike_cbc(14)]);
    let analysis = judge(&asked.repeat(3, &BACKOFF).quiet(secs(40)).capture());
    assert_eq!(alarms(&analysis), ["V2-CHILD-NO-REPLY"]);
    assert_eq!(find(&analysis, "V2-NO-REPLY").and_then(|found| found.consequence_of), Some("V2-CHILD-NO-REPLY"));
}

fn cookies_without_end() -> Capture {
    let offered = [v2::ike_cbc(14)];
    let cookie = |round: u8| v2::notify(v2::COOKIE, &[round; 16]);
    let first = Scenario::new().sa_init_request(&offered).sa_init_notify(cookie(1));
    let story = (1..4).fold(first, |told, round| {
        told.sa_init_request_with(&offered, 14, &[cookie(round)]).sa_init_notify(cookie(round + 1))
    });
    story.quiet(secs(30)).capture()
}

/// IKE_AUTH and what may stand in its place.
impl Scenario {
    fn ikev2_auth_refused(self, refusal: &[Payload]) -> Self {
        let request = [self.psk_proof(Side::Initiator), self.child(Side::Initiator)].concat();
        self.auth_request(&request).auth_response(refusal)
    }
}

/// Identities and certificate, three rounds of EAP, then both AUTH payloads and the child SA (RFC 7296 §2.16).
pub fn eap_succeeds() -> Capture {
    let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let asked = [vec![story.identity_v2(Side::Initiator)], story.child(Side::Initiator)].concat();
    let proof = [story.certificate_proof(Side::Responder, 900), vec![v2::eap(5, 1)]].concat();
    let granted = [vec![v2::auth(2, 32, 8)], story.child(Side::Responder)].concat();
    story
        .auth_request(&asked)
        .auth_response(&proof)
        .auth_request(&[v2::eap(14, 2)])
        .auth_response(&[v2::eap(33, 3)])
        .after(secs(6))
        .auth_request(&[v2::eap(70, 4)])
        .auth_response(&[v2::eap(4, 5)])
        .auth_request(&[v2::auth(2, 32, 6)])
        .auth_response(&granted)
        .traffic(4)
        .capture()
}

/// USE_PPK of the initiator, which the responder passes over (RFC 8784 §3).
fn post_quantum() -> Scenario {
    let announced = [v2::notify(v2::USE_PPK, &[])];
    Scenario::new().sa_init_request_with(&[v2::ike_cbc(14)], 14, &announced).sa_init_response(&v2::ike_cbc(14))
}

pub fn childless() -> Capture {
    let allowed = [v2::notify(v2::CHILDLESS_IKEV2_SUPPORTED, &[])];
    let story = request().sa_init_response_with(&v2::ike_cbc(14), &allowed);
    let (asked, answered) = (story.psk_proof(Side::Initiator), story.psk_proof(Side::Responder));
    story
        .auth_request(&asked)
        .auth_response(&answered)
        .after(secs(30))
        .liveness(Side::Initiator)
        .quiet(secs(30))
        .capture()
}

/// AES-CBC-256 with group 14 and ML-KEM-768 as an additional key exchange (RFC 9370 §2.2.1).
fn hybrid_proposal() -> v2::Proposal {
    let mut proposal = v2::ike_cbc(14);
    proposal.transforms.push(v2::Transform { kind: 6, id: 36, key_length: None });
    proposal
}

/// A KE payload of ML-KEM-768: its public key has 1184 octets, its ciphertext 1088.
pub fn kem(length: usize) -> Payload {
    Payload::new(34, [vec![0, 36, 0, 0], filler::octets(length as u64, length)].concat())
}

/// IKE_SA_INIT that agrees on it; both announce IKE_INTERMEDIATE (RFC 9242 §3.1).
fn hybrid_init() -> Scenario {
    let announced = [v2::notify(v2::INTERMEDIATE_EXCHANGE_SUPPORTED, &[])];
    Scenario::new()
        .sa_init_request_with(&[hybrid_proposal()], 14, &announced)
        .sa_init_response_with(&hybrid_proposal(), &announced)
}

/// The whole set-up.
pub fn hybrid() -> Scenario {
    hybrid_init()
        .request(Side::Initiator, INTERMEDIATE, &[kem(1184)])
        .response(Side::Responder, INTERMEDIATE, &[kem(1088)])
        .ikev2_auth()
        .traffic(4)
}

/// A re-key of its child SA, up to the request that brings the second public value (RFC 9370 §2.2.4).
pub fn hybrid_rekey() -> Scenario {
    let story = hybrid().after(secs(600));
    let link = v2::notify(v2::ADDITIONAL_KEY_EXCHANGE, &[7; 8]);
    let with_link = |keys: Vec<Payload>| [keys, vec![link.clone()]].concat();
    let asked = with_link(child_rekey(&story, Side::Initiator));
    let granted = with_link(child_keys(&story, Side::Responder));
    story.create_child_request(Side::Initiator, &asked).create_child_response(Side::Responder, &granted).request(
        Side::Initiator,
        FOLLOWUP_KE,
        &[kem(1184), link],
    )
}

/// The further key exchanges are answered, and asked again and again: their answers do not arrive.
#[test]
fn further_key_exchanges_that_are_answered_in_vain_are_told() {
    let set_up = hybrid_init().request(Side::Initiator, INTERMEDIATE, &[kem(1184)]);
    let set_up = set_up.response(Side::Responder, INTERMEDIATE, &[kem(1088)]);
    let rekey = hybrid_rekey().response(Side::Responder, FOLLOWUP_KE, &[kem(1088)]);
    for (told, id) in [(set_up, "V2-INTERMEDIATE"), (rekey, "V2-FOLLOWUP")] {
        let analysis = judge(&answered_in_vain(told, 5).quiet(secs(60)).capture());
        assert_eq!(alarms(&analysis), [id]);
        let found = find(&analysis, id).expect("a finding");
        assert!(found.seen.contains("comes all the same, 5 times more"), "{}", found.seen);
        assert!(find(&analysis, "OK-RETRANS").is_none());
    }
}

/// What is used while a re-key is still being asked for is the old child SA, even where it is used for the first time after the
/// answer. What is used once it is asked no more may be the new one.
#[test]
fn a_child_sa_used_between_two_copies_of_a_request_is_not_the_one_asked_for() {
    let asked = |then: fn(Scenario) -> Scenario| {
        let story = ikev2_psk();
        let spis = story.esp_spis();
        let rekey = child_rekey(&story, Side::Initiator);
        let grant = child_keys(&story, Side::Responder);
        let told = story.after(secs(600)).create_child_request(Side::Initiator, &rekey);
        let told = told.create_child_response(Side::Responder, &grant);
        judge(&then(answered_in_vain(told, 4)).traffic_on(spis, 11..21, ms(100)).quiet(secs(60)).capture())
    };
    let in_vain = asked(|told| answered_in_vain(told.traffic(10), 2));
    assert_eq!(alarms(&in_vain), ["V2-CHILD-NO-REPLY"]);
    let found = find(&in_vain, "V2-CHILD-NO-REPLY").expect("a finding");
    assert!(found.seen.contains("comes all the same, 6 times more"), "{}", found.seen);
    assert_eq!(alarms(&asked(|told| told)), [""; 0]);
}

/// A refused offer whose key exchange value is too short for its group (RFC 7296 §3.4).
#[test]
fn a_refused_value_that_does_not_fit_its_group_is_told() {
    let short = Payload::new(34, [vec![0, 14, 0, 0], vec![0x5a; 128]].concat());
    let asked = Scenario::new().sa_init_request_with(&[v2::ike_cbc(14)], 14, &[short]);
    let refused = asked.sa_init_notify(v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])).quiet(secs(30)).capture();
    let found = find(&judge(&refused), "V2-PROPOSAL").expect("a finding");
    assert!(found.seen.contains("has 128 octets and should have 256"), "{}", found.seen);
    assert!(
        !find(&judge(&init_refused(v2::NO_PROPOSAL_CHOSEN)), "V2-PROPOSAL").expect("a finding").seen.contains("octets")
    );
}

/// Both ask in vain, and hear each other ask: the path is there.
#[test]
fn two_ends_that_ask_in_vain_disagree_on_the_message_id() {
    let story = ikev2_psk().traffic(4).after(secs(600));
    let rekey = child_rekey(&story, Side::Initiator);
    let theirs = child_rekey(&story, Side::Responder);
    let asked = story.create_child_request(Side::Initiator, &rekey);
    let both = asked.after(ms(500)).create_child_request(Side::Responder, &theirs);
    let told = BACKOFF
        .iter()
        .fold(both, |told, gap| told.repeat_from(Side::Initiator, 1, &[*gap]).repeat_from(Side::Responder, 1, &[0.5]));
    let found = find(&judge(&told.quiet(secs(60)).capture()), "V2-CHILD-NO-REPLY").expect("a finding");
    assert!(found.causes[0].text.starts_with("the two ends disagree on the message id"), "{:?}", found.causes);
}

/// What comes from port 500 is answered, and what another client behind the same NAT sends from another port is not.
#[test]
fn a_filter_that_wants_port_500_on_both_ends_is_named() {
    let behind_nat = |seed| Scenario::new().nat().seed(seed);
    let cause = |first: Scenario| {
        let first = first.ikev2(&v2::ike_cbc(14)).traffic(300).capture();
        let second = behind_nat(2).after(secs(10)).sa_init_request(&[v2::ike_cbc(14)]).repeat(3, &[2.0, 3.6, 6.5]);
        let analysis = judge(&first.merge(&second.quiet(secs(20)).capture()));
        find(&analysis, "V2-NO-REPLY").expect("a finding").causes[0].text
    };
    assert!(cause(Scenario::new()).contains("from another port than 500"));
    assert!(!cause(behind_nat(1).mapping_changes()).contains("from another port than 500"));
}

/// Who took the offer before, whose port was closed a moment ago, and who refuses it now, is starting.
#[test]
fn a_responder_that_has_just_started_may_refuse_what_it_took_before() {
    let refused = |restarts: bool| {
        let told = ikev2_psk().traffic(10).informational_request(Side::Responder, &[v2::delete_ike()]);
        let told = told.informational_response(Side::Initiator, &[]).after(secs(1)).new_attempt();
        let responder = told.address(Side::Responder);
        let asked = told.sa_init_request(&[v2::ike_cbc(14)]);
        let asked = if restarts { asked.icmp_unreachable(responder, 3) } else { asked };
        let analysis = judge(
            &asked.repeat(1, &[4.0]).sa_init_notify(v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])).quiet(secs(9)).capture(),
        );
        find(&analysis, "V2-PROPOSAL").expect("a finding").causes[0].text
    };
    assert!(refused(true).contains("has just started"));
    assert!(refused(false).contains("was changed or taken out since it accepted the same offer"));
}

/// A redirection in IKE_AUTH is encrypted, and the initiator says in clear to the next gateway which one sent it.
#[test]
fn a_redirection_in_ike_auth_shows_at_the_next_gateway() {
    let proposal = v2::ike_cbc(14);
    let begin = |told: Scenario, says: Payload| {
        let told = told.sa_init_request_with(std::slice::from_ref(&proposal), 14, &[says]);
        told.sa_init_response(&proposal)
    };
    let story = begin(Scenario::new(), v2::notify(v2::REDIRECT_SUPPORTED, &[]));
    let [client, gateway] = [story.address(Side::Initiator), story.address(Side::Responder)];
    let redirect = v2::notify(v2::REDIRECT, &[1, 4, 192, 0, 2, 9]);
    let answer = [vec![redirect], story.psk_proof(Side::Responder)].concat();
    let request = [story.psk_proof(Side::Initiator), story.child(Side::Initiator)].concat();
    let first = story.auth_request(&request).auth_response(&answer).quiet(secs(2)).capture();
    let then = |from: IpAddr| {
        let IpAddr::V4(from) = from else { unreachable!("stories are told in IPv4") };
        let said = v2::notify(v2::REDIRECTED_FROM, &[&[1, 4][..], &from.octets()].concat());
        let second = Scenario::between(client, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))).seed(2);
        let second = begin(second.after(secs(1)), said).ikev2_auth().traffic(4).capture();
        judge(&first.clone().merge(&second))
    };
    let analysis = then(gateway);
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "V2-REDIRECT").expect("a finding");
    assert!(found.means.contains("look at 192.0.2.9"), "{}", found.means);
    let verdicts: Vec<_> = analysis.diagnosis.pairs().map(|pair| pair.verdict.map(|verdict| verdict.id())).collect();
    assert_eq!(verdicts, [Some("V2-REDIRECT"), Some("OK-UP")]);
    assert!(find(&then(client), "V2-REDIRECT").is_none(), "another one sent it");
}

/// A redirection to where the initiator is already, or of one that did not say that it follows any, leads nowhere (RFC 5685 §3).
#[test]
fn redirections_that_lead_nowhere_are_told() {
    let redirect = |to: &[u8; 4]| v2::notify(v2::REDIRECT, &[&[1, 4][..], to].concat());
    let to_itself = |told: Scenario| match told.address(Side::Responder) {
        IpAddr::V4(here) => told.sa_init_notify(redirect(&here.octets())),
        IpAddr::V6(_) => unreachable!("stories are told in IPv4"),
    };
    assert_eq!(alarms(&judge(&to_itself(request()).quiet(secs(30)).capture())), ["V2-REDIRECT"]);
    let elsewhere = request().sa_init_notify(redirect(&[192, 0, 2, 9]));
    assert_eq!(alarms(&judge(&answered_in_vain(elsewhere.clone(), 4).quiet(secs(60)).capture())), ["V2-REDIRECT"]);
    assert!(alarms(&judge(&elsewhere.capture())).is_empty());
    // two gateways that point at each other
    let sent_by = |gateway: [u8; 4]| v2::notify(16408, &[&[1, 4][..], &gateway].concat());
    let sent_here = |gateway| Scenario::new().sa_init_request_with(&[v2::ike_cbc(14)], 14, &[sent_by(gateway)]);
    let back = |gateway| judge(&sent_here(gateway).sa_init_notify(redirect(&[192, 0, 2, 9])).capture());
    assert_eq!(alarms(&back([192, 0, 2, 9])), ["V2-REDIRECT"]);
    assert!(alarms(&back([192, 0, 2, 8])).is_empty());
}

/// CREATE_CHILD_SA with a key exchange: SA, nonce, KE, selectors (RFC 7296 §1.3.1).
pub fn child_keys(story: &Scenario, side: Side) -> Vec<Payload> {
    let mut payloads = story.child(side);
    payloads.splice(1..1, [v2::nonce(32, 11), v2::key_exchange(14, 12)]);
    payloads
}

/// The same, naming the SA that it is to replace.
pub fn child_rekey(story: &Scenario, side: Side) -> Vec<Payload> {
    let replaced = v2::notify_about(v2::PROTO_ESP, &story.esp_spi(side).to_be_bytes(), v2::REKEY_SA, &[]);
    [vec![replaced], child_keys(story, side)].concat()
}

/// Ten seconds of ESP each way on the child SA that has just been set up beside the first one.
pub fn traffic_of_another(story: Scenario) -> Scenario {
    let (there, back) = (story.esp_spi(Side::Responder) + 1, story.esp_spi(Side::Initiator) + 1);
    (1..=10).fold(story, |told, sequence| {
        let sent = told.esp(Side::Initiator, there, [sequence], 120, secs(1));
        sent.esp(Side::Responder, back, [sequence], 120, ms(15))
    })
}

/// Half a minute of ESP on two child SAs; as many both ways, or the second one one way only.
/// Two child SAs side by side, the second of them answered or not, its packets as long as `length` says.
pub fn two_child_sas(answered: bool, length: fn(u32) -> usize) -> Capture {
    let story = ikev2_psk();
    let (there, back) = (story.esp_spi(Side::Responder), story.esp_spi(Side::Initiator));
    let (asked, granted) = (child_keys(&story, Side::Initiator), child_keys(&story, Side::Responder));
    let mut told = story.create_child_request(Side::Initiator, &asked).create_child_response(Side::Responder, &granted);
    for sequence in 1..=30 {
        told = told.esp(Side::Initiator, there, [sequence], 120, secs(1));
        told = told.esp(Side::Responder, back, [sequence], 120, ms(15));
        told = told.esp(Side::Initiator, there + 1, [sequence], length(sequence), ms(15));
        if answered {
            told = told.esp(Side::Responder, back + 1, [sequence], length(sequence), ms(15));
        }
    }
    told.capture()
}

/// IKE_SESSION_RESUME: nonce and ticket in clear (RFC 5723 §4.3.2).
fn resumption(story: &Scenario, responder_spi: u64, flags: u8) -> Header {
    let initiator_spi = story.ike_spis().0;
    Header { initiator_spi, responder_spi, version: 0x20, exchange_type: SESSION_RESUME, flags, message_id: 0 }
}

fn ticket_shown() -> Scenario {
    let story = Scenario::new();
    let ticket = v2::notify(v2::TICKET_OPAQUE, &filler::octets(3, 120));
    let shown = resumption(&story, 0, v2::INITIATOR).message(&[v2::nonce(32, 4), ticket]);
    story.raw(Side::Initiator, &shown)
}

/// A ticket that is shown again behind a COOKIE answers that, and repeats nothing; the same octets do.
#[test]
fn a_ticket_behind_a_cookie_is_no_repeat() {
    let story = ticket_shown();
    let cookie = v2::notify(v2::COOKIE, &filler::octets(5, 20));
    let asked = resumption(&story, 0, v2::RESPONSE).message(std::slice::from_ref(&cookie));
    let ticket = v2::notify(v2::TICKET_OPAQUE, &filler::octets(3, 120));
    let again = resumption(&story, 0, v2::INITIATOR).message(&[cookie, v2::nonce(32, 4), ticket]);
    let copies = |told: Scenario| {
        let analysis = judge(&told.quiet(secs(5)).capture());
        let attempt = analysis.facts.pairs.iter().next().map(|pair| pair.attempts[0].clone()).expect("an attempt");
        let messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
        let shown = messages.filter(|message| message.from == ikescope::track::Side::Initiator);
        shown.map(|message| message.repeat_count).collect::<Vec<_>>()
    };
    assert_eq!(copies(story.clone().raw(Side::Responder, &asked).raw(Side::Initiator, &again)), [0, 0]);
    assert_eq!(copies(story.repeat(1, &[4.0])), [1]);
}

fn ticket_refused() -> Capture {
    let story = ticket_shown();
    let refusal = resumption(&story, 0, v2::RESPONSE).message(&[v2::notify(v2::TICKET_NACK, &[])]);
    story.raw(Side::Responder, &refusal).new_attempt().ikev2(&v2::ike_cbc(14)).traffic(4).capture()
}

pub fn ticket_taken() -> Capture {
    const RESPONDER_SPI: u64 = 0x5e55_1014;
    let story = ticket_shown();
    let taken = resumption(&story, RESPONDER_SPI, v2::RESPONSE).message(&[v2::nonce(32, 5)]);
    let auth = |flags, side| {
        let header = Header { exchange_type: AUTH, message_id: 1, ..resumption(&story, RESPONDER_SPI, flags) };
        let payloads = [story.psk_proof(side), story.child(side)].concat();
        header.message(&[v2::encrypted(v2::Suite::AES_CBC_SHA2_256, &payloads, 6)])
    };
    let (asked, answered) = (auth(v2::INITIATOR, Side::Initiator), auth(v2::RESPONSE, Side::Responder));
    let told = story.clone().raw(Side::Responder, &taken).raw(Side::Initiator, &asked).raw(Side::Responder, &answered);
    told.traffic(4).capture()
}

/// A request under a number that was answered long ago, and other octets than then.
#[test]
fn a_number_that_was_answered_long_ago_is_no_repeat() {
    let asked = (0..4).fold(ikev2_psk().traffic(10), |told, _| told.after(secs(10)).liveness(Side::Responder));
    let stale = asked.after(secs(10)).next_message_id(Side::Responder, 1);
    let told = stale.informational_request(Side::Responder, &[]).repeat(4, &BACKOFF).quiet(secs(60));
    let found = find(&judge(&told.capture()), "V2-MSGID").expect("a finding");
    assert_eq!(found.confidence, Confidence::Inferred);
    assert!(found.seen.contains("5 times"), "{}", found.seen);
    // a repeat has the octets of the first, however late it comes
    let late = ikev2_psk().informational_request(Side::Initiator, &[]).repeat(4, &BACKOFF);
    let late = late.informational_response(Side::Responder, &[]).liveness(Side::Initiator).quiet(secs(60));
    assert!(find(&judge(&late.capture()), "V2-MSGID").is_none());
}

/// With EAP the first answer is one of many.
#[test]
fn eap_is_up_with_its_last_answer() {
    let analysis = judge(&eap_succeeds());
    let up = find(&analysis, "OK-IDLE").or_else(|| find(&analysis, "OK-UP")).expect("it is up");
    let attempt = analysis.facts.pairs.iter().next().map(|pair| pair.attempts[0].clone()).expect("an attempt");
    let answers = attempt
        .exchanges
        .iter()
        .flat_map(|exchange| &exchange.messages)
        .filter(|message| message.from == ikescope::track::Side::Responder && message.encrypted);
    assert_eq!(attempt.phase1_up, answers.map(|message| message.at).max(), "{}", up.seen);
}

#[test]
fn tunnels_that_the_initiator_will_not_have_are_not_up() {
    let again = |told: Scenario| told.after(secs(20)).new_attempt().ikev2(&v2::ike_cbc(14));
    let told = again(again(again(ikev2_psk()))).quiet(secs(60));
    let analysis = judge(&told.capture());
    assert!(find(&analysis, "V2-AUTH-INIT-REJECT").is_some());
    let status = analysis.diagnosis.pairs().last().map(|pair| pair.status);
    assert!(matches!(status, Some(PairStatus::Down | PairStatus::DownNegotiating)), "{status:?}");
    for denied in ["OK-IDLE", "OK-P1-UP", "T-NONE"] {
        assert!(find(&analysis, denied).is_none(), "{denied}");
    }
}

#[test]
fn a_refusal_by_the_initiator_shows_where_the_capture_ends_with_it() {
    let no = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
    let refused = ikev2_psk().after(ms(4)).informational_request(Side::Initiator, &no);
    let capture = refused.informational_response(Side::Responder, &[]).capture();
    let analysis = judge(&capture);
    let found = find(&analysis, "V2-AUTH-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    assert!(!is_up(&analysis) && find(&analysis, "OK-IDLE").is_none());
    // a delete alone may be anybody's who stops the tunnel, hardly in the moment it is up; the second one in a row is none of these
    let ends = |told: Scenario| {
        let ended = told.after(ms(2)).informational_request(Side::Initiator, &[v2::delete_ike()]);
        ended.informational_response(Side::Responder, &[])
    };
    let once = judge(&ends(ikev2_psk()).capture());
    let found = find(&once, "V2-AUTH-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    let twice = ends(ends(ikev2_psk()).after(secs(5)).new_attempt().ikev2(&v2::ike_cbc(14)));
    let twice = judge(&twice.capture());
    assert_eq!(find(&twice, "V2-AUTH-INIT-REJECT").map(|found| found.count), Some(2));
    assert!(!is_up(&twice));
    // an answer that comes long after the request was repeated in vain finds nobody who waits for it
    let late = |wait| {
        let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
        let proof = |side| [story.psk_proof(side), story.child(side)].concat();
        let asked = story.clone().auth_request(&proof(Side::Initiator)).repeat(3, &[0.5, 1.0, 2.0]).after(secs(wait));
        let found = find(&judge(&ends(asked.auth_response(&proof(Side::Responder))).capture()), "V2-AUTH-INIT-REJECT");
        found.expect("a finding").causes.iter().position(|cause| cause.text.contains("had given up waiting"))
    };
    assert_eq!((late(12), late(1)), (Some(0), None));
    // notifies of MOBIKE come several at a time (RFC 4555 §3.5)
    let hash = [7; 20];
    let moved = [
        v2::notify(v2::UPDATE_SA_ADDRESSES, &[]),
        v2::notify(v2::NAT_DETECTION_SOURCE_IP, &hash),
        v2::notify(v2::NAT_DETECTION_DESTINATION_IP, &hash),
    ];
    let moves = ikev2_psk().after(ms(4)).informational_request(Side::Initiator, &moved);
    let analysis = judge(&moves.informational_response(Side::Responder, &[]).capture());
    assert!(is_up(&analysis) && find(&analysis, "V2-AUTH-INIT-REJECT").is_none());
}

/// What the responder grants and the initiator deletes at once, again and again, is refused by the initiator.
#[test]
fn child_sas_that_the_initiator_deletes_at_once_are_refused_by_it() {
    let gone = |told: Scenario, side| {
        let told = told.after(ms(40)).informational_request(side, &[v2::delete_esp(&[0x7777_0001])]);
        told.informational_response(side.other(), &[v2::delete_esp(&[0x7777_0002])])
    };
    let granted = |told: Scenario| {
        let child = |side| [told.child(side), vec![v2::nonce(32, 5)]].concat();
        let (ask, answer) = (child(Side::Initiator), child(Side::Responder));
        told.after(secs(1)).create_child_request(Side::Initiator, &ask).create_child_response(Side::Responder, &answer)
    };
    let refused = gone(granted(gone(ikev2_psk(), Side::Initiator)), Side::Initiator);
    let analysis = judge(&refused.capture());
    let found = find(&analysis, "V2-CHILD-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    assert!(found.means.contains("203.0.113.10 does not accept"), "{}", found.means);
    // The answer to the Delete of a child SA begins with one too, that to the Delete of an IKE SA is empty.
    let once = judge(&gone(ikev2_psk(), Side::Initiator).quiet(secs(20)).capture());
    let found = find(&once, "V2-CHILD-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    assert!(find(&once, "V2-AUTH-INIT-REJECT").is_none() && !is_up(&once));
    let outcome = once.diagnosis.pairs().last().map(|pair| pair.attempts[0].outcome);
    assert_eq!(outcome, Some(Outcome::Failed));
    // Who deletes the IKE SA next closes both.
    let closed = gone(ikev2_psk(), Side::Initiator).informational_request(Side::Initiator, &[v2::delete_ike()]);
    let closed = judge(&closed.informational_response(Side::Responder, &[]).quiet(secs(20)).capture());
    assert!(find(&closed, "V2-CHILD-REJECT").is_none());
    // A tunnel that is renewed and used is none that is refused.
    let renewed = gone(granted(ikev2_psk().traffic(10)), Side::Initiator);
    assert_eq!(alarms(&judge(&renewed.capture())), [""; 0]);
}

/// Who repeats no IKE_AUTH, and begins anew a moment after the answer, does not like the answer: here it wants a key of its own kind.
#[test]
fn an_initiator_that_begins_anew_at_once_does_not_go_on() {
    let announced = [v2::notify(v2::USE_PPK, &[])];
    let asked = |told: Scenario| {
        let told = told.sa_init_request_with(&[v2::ike_cbc(14)], 14, &announced);
        told.sa_init_response(&v2::ike_cbc(14)).after(secs(5))
    };
    let analysis = judge(&asked(asked(Scenario::new()).new_attempt()).capture());
    let found = find(&analysis, "V2-INIT-NO-AUTH").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    assert!(found.causes[0].text.starts_with("the initiator does not go on"), "{:?}", found.causes);
    assert_eq!(find(&analysis, "V2-PPK").map(|found| found.severity), Some(Severity::Warning));
}

/// RFC 7296 §3.3.6: the responder picks from what is offered.
#[test]
fn a_choice_that_was_not_offered_is_what_stops_the_initiator() {
    let asked = |group| {
        let asked = Scenario::new().nat().sa_init_request(&[v2::ike_cbc(14)]).sa_init_response(&v2::ike_cbc(group));
        judge(&asked.quiet(secs(60)).capture())
    };
    let stray = find(&asked(19), "V2-INIT-NO-AUTH").expect("a finding");
    assert!(stray.seen.contains("which was not offered"), "{}", stray.seen);
    assert!(stray.causes[0].text.starts_with("the responder chose what was not offered"), "{:?}", stray.causes);
    assert_eq!(alarms(&asked(19)), ["V2-INIT-NO-AUTH"]);
    assert_eq!(alarms(&asked(14)), ["N-PORT4500"]);
}

/// RFC 7296 §2.6: a cookie is made of the nonce; with a new nonce the old one is none.
#[test]
fn a_request_with_a_cookie_and_another_group_that_is_dropped_brings_an_old_cookie() {
    let cookie = v2::notify(v2::COOKIE, &[7; 20]);
    let asked = Scenario::new().sa_init_request(&[v2::ike_cbc(14)]).sa_init_notify(cookie.clone());
    let offered = [v2::ike_cbc(14), v2::ike_cbc(19)];
    let asked = asked.sa_init_request_with(&offered, 14, std::slice::from_ref(&cookie));
    let asked = asked.sa_init_notify(v2::notify(v2::INVALID_KE_PAYLOAD, &19_u16.to_be_bytes()));
    let asked = asked.sa_init_request_with(&offered, 19, &[cookie]).repeat(3, &[4.0, 7.2, 13.0]);
    let analysis = judge(&asked.quiet(secs(60)).capture());
    let found = find(&analysis, "V2-COOKIE-LOOP").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    let silent = find(&analysis, "V2-NO-REPLY").expect("a finding");
    assert_eq!(silent.consequence_of, Some("V2-COOKIE-LOOP"));
}

/// A group that was asked for and brought, and a refusal for another reason.
#[test]
fn a_group_that_was_brought_and_refused_for_another_reason_is_no_loop() {
    let offered = [v2::ike_cbc(14), v2::ike_cbc(19)];
    let asked = Scenario::new().sa_init_request_with(&offered, 14, &[]);
    let asked = asked.sa_init_notify(v2::notify(v2::INVALID_KE_PAYLOAD, &19_u16.to_be_bytes()));
    let asked = asked.sa_init_request_with(&offered, 19, &[]);
    let refused = asked.sa_init_notify(v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])).quiet(secs(60));
    assert_eq!(alarms(&judge(&refused.capture())), ["V2-PROPOSAL"]);
}

/// The pair of addresses that both ends moved to has no IKE of its own.
#[test]
fn both_ends_move_to_addresses_of_another_family() {
    let analysis =
        judge(&both_move_to_ipv6().after(ms(300)).traffic_on([0xaaaa_0001, 0xbbbb_0002], 5..=12, ms(100)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let verdicts: Vec<_> =
        analysis.diagnosis.pairs().map(|pair| (pair.status, pair.verdict.map(Verdict::id))).collect();
    let expected = [(PairStatus::UpActive, Some("OK-UP")), (PairStatus::UpActive, Some("V2-MOBIKE"))];
    assert_eq!(verdicts, expected);
    assert!(find(&analysis, "C-ESP-NO-IKE").is_none());
    assert!(find(&analysis, "V2-MOBIKE").is_some_and(|found| found.seen.contains("2001:db8:1::10")));
}

/// Who only tries a path has not moved, and what is asked there is no liveness check of the pair.
#[test]
fn a_path_that_is_tried_is_no_move_and_no_liveness_check() {
    let tried = judge(&tries_ipv6().traffic_on([0xaaaa_0001, 0xbbbb_0002], 5..=8, ms(100)).capture());
    assert_eq!(alarms(&tried), [""; 0]);
    assert!(find(&tried, "V2-MOBIKE").is_none());
    assert!(find(&tried, "OK-DPD").is_some_and(|found| found.seen.contains("once")), "one of the two");
}

/// A capture of UDP 4500 alone begins with IKE_AUTH: the suite is not known, and that an answer begins with a Notify is.
#[test]
fn a_short_answer_that_begins_with_a_notify_refuses_in_any_suite() {
    let late = |answer: &[Payload]| {
        let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
        let ask = [story.psk_proof(Side::Initiator), story.child(Side::Initiator)].concat();
        let asked = story.auth_request(&ask);
        judge(&asked.auth_response(answer).quiet(secs(30)).capture().skip(2))
    };
    let refused = late(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
    let found = find(&refused, "V2-AUTH-FAIL").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    let story = ikev2_psk();
    let granted = late(&[story.psk_proof(Side::Responder), story.child(Side::Responder)].concat());
    assert!(find(&granted, "V2-AUTH-FAIL").is_none());
    assert_eq!(granted.diagnosis.pairs().last().map(|pair| pair.status), Some(PairStatus::Unknown));
}

#[test]
fn an_initiator_that_begins_anew_gave_the_sa_up() {
    let announced = [v2::notify(v2::USE_PPK, &[])];
    let again = post_quantum().after(secs(3)).new_attempt().sa_init_request_with(&[v2::ike_cbc(14)], 14, &announced);
    let analysis = judge(&again.sa_init_response(&v2::ike_cbc(14)).capture());
    let found = find(&analysis, "V2-PPK").expect("a finding");
    assert!(found.seen.starts_with("the initiator alone wants"), "{}", found.seen);
}

/// A request that names no SA to be replaced asks for one more: what is to be checked is that one, and no lifetime.
#[test]
fn a_further_child_sa_that_is_refused_has_no_lifetime_to_compare() {
    let refusal = [v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])];
    let refused = |rekeys: bool| {
        let told = (0..3).fold(ikev2_gcm().traffic(10).after(secs(5)), |told, _| {
            let child = if rekeys { child_rekey(&told, Side::Initiator) } else { told.child(Side::Initiator) };
            let asked = told.create_child_request(Side::Initiator, &child);
            asked.create_child_response(Side::Responder, &refusal).after(secs(10))
        });
        let id = if rekeys { "V2-REKEY-REFUSED" } else { "V2-CHILD-REJECT" };
        let analysis = judge(&told.capture());
        assert_eq!(alarms(&analysis), [id]);
        assert!(is_up(&analysis));
        find(&analysis, id).expect("a finding")
    };
    let asks = |found: &Finding, about: &str| found.checks().any(|check| check.text.contains(about));
    let (further, rekey) = (refused(false), refused(true));
    assert_eq!((further.severity, further.confidence), (Severity::Warning, Confidence::Inferred));
    assert!(!asks(&further, "lifetimes"));
    assert!(further.causes[0].text.starts_with("the traffic selectors have nothing in common"), "{:?}", further.causes);
    assert!(asks(&rekey, "lifetimes"));
}

/// One with a key exchange of its own, in a group with short public values, has no room for one of the IKE SA's group.
#[test]
fn a_request_without_room_for_the_group_of_the_ike_sa_does_not_renew_it() {
    let refusal = [v2::notify(v2::TS_UNACCEPTABLE, &[])];
    let refused = |group| {
        let told = ikev2_psk().traffic(10).after(secs(5));
        let child = [told.child(Side::Initiator), vec![v2::key_exchange(group, 6)]].concat();
        let asked = told.create_child_request(Side::Initiator, &child);
        let spis = asked.esp_spis();
        judge(&asked.create_child_response(Side::Responder, &refusal).traffic_on(spis, 11..15, ms(100)).capture())
    };
    let short = refused(31);
    assert_eq!(alarms(&short), ["V2-CHILD-REJECT"]);
    let pair = short.diagnosis.pairs().last().expect("a pair");
    assert_eq!((pair.status, pair.verdict.map(Verdict::id)), (PairStatus::UpActive, Some("V2-CHILD-REJECT")));
    let long = refused(14);
    assert_eq!(alarms(&long), ["V2-REKEY-REFUSED"]);
    assert!(find(&long, "V2-REKEY-REFUSED").is_some_and(|found| found.means.contains("or a further child SA")));
}

/// What is asked of a child SA by who did not open the IKE SA is refused by who did.
#[test]
fn the_side_that_refuses_is_named_by_its_address() {
    let refusal = [v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])];
    let told = (0..3).fold(ikev2_gcm().traffic(10).after(secs(600)), |told, _| {
        let child =
            [vec![v2::notify_about(v2::PROTO_ESP, &[1, 2, 3, 4], v2::REKEY_SA, &[])], told.child(Side::Responder)];
        let asked = told.create_child_request(Side::Responder, &child.concat());
        asked.create_child_response(Side::Initiator, &refusal).after(secs(20))
    });
    let capture = told.quiet(secs(30)).capture();
    let analysis = judge(&capture);
    let attempt = analysis.facts.pairs.iter().next().map(|pair| pair.attempts[0].clone()).expect("an attempt");
    let found = find(&analysis, "V2-REKEY-REFUSED").expect("a finding");
    assert!(found.seen.contains(&attempt.responder.ip().to_string()), "{}", found.seen);
    assert!(found.settle.as_ref().is_some_and(|text| text.contains(&attempt.initiator.ip().to_string())));
    assert!(found.checks().all(|check| check.side == ikescope::diagnose::Where::Either));
}

#[test]
fn an_sa_that_the_responder_deletes_at_once_is_no_tunnel() {
    let again = |told: Scenario| {
        let gone = told.after(ms(500)).informational_request(Side::Responder, &[v2::delete_ike()]);
        gone.informational_response(Side::Initiator, &[]).after(secs(20))
    };
    let told = again(again(ikev2_psk()).new_attempt().ikev2(&v2::ike_cbc(14)));
    let analysis = judge(&told.quiet(secs(60)).capture());
    let found = find(&analysis, "L-DELETE-AFTER-P1").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    for denied in ["OK-IDLE", "OK-P1-UP", "T-NONE"] {
        assert!(find(&analysis, denied).is_none(), "{denied}");
    }
}

#[test]
fn one_of_two_sas_that_goes_takes_nothing_down() {
    let older = Scenario::new().ikev2(&v2::ike_cbc(14));
    let both = older.clone().new_attempt().ikev2(&v2::ike_cbc(14));
    let gone = both.informational_request(Side::Responder, &[v2::delete_ike()]);
    let told = gone.informational_response(Side::Initiator, &[]).quiet(secs(30));
    let status = judge(&told.capture()).diagnosis.pairs().last().map(|pair| pair.status);
    assert_eq!(status, Some(PairStatus::UpIdle));
}

#[test]
fn an_ike_auth_of_nobody_takes_nothing_down() {
    let used = ikev2_psk().traffic(4).liveness(Side::Initiator).after(secs(10)).next_message_id(Side::Initiator, 9);
    let stray = used.auth_request(&[v2::eap(14, 2)]).next_message_id(Side::Initiator, 3).liveness(Side::Initiator);
    let analysis = judge(&stray.quiet(secs(90)).capture());
    assert!(find(&analysis, "V2-EAP").is_none());
    assert_eq!(analysis.diagnosis.pairs().last().map(|pair| pair.status), Some(PairStatus::UpActive));
}

#[test]
fn a_request_that_is_never_answered_did_not_go_on() {
    let told = ikev2_psk().traffic(4).after(secs(30)).informational_request(Side::Initiator, &[]);
    let analysis = judge(&told.repeat(3, &[4.0, 7.2, 13.0]).quiet(secs(60)).capture());
    assert!(find(&analysis, "OK-RETRANS").is_none());
    let answered = ikev2_psk().traffic(4).after(secs(30)).informational_request(Side::Initiator, &[]);
    let answered = answered.repeat(1, &[4.0]).informational_response(Side::Responder, &[]).liveness(Side::Initiator);
    assert!(find(&judge(&answered.quiet(secs(30)).capture()), "OK-RETRANS").is_some());
}

/// What was asked and answered last is asked so often again, and answered each time.
fn answered_in_vain(told: Scenario, copies: usize) -> Scenario {
    (0..copies).fold(told, |told, copy| {
        let again = told.repeat_from(Side::Initiator, 1, &[BACKOFF[copy.min(3)]]);
        again.repeat_from(Side::Responder, 1, &[0.01])
    })
}

/// What was asked is refused in clear with this, as pluto 3.2x does: AUTHENTICATION_FAILED under the header of IKE_SA_INIT, all
/// else under that of IKE_AUTH, with message id 0.
fn refused_in_clear(asked: Scenario, exchange_type: u8, said: u16) -> Scenario {
    let (initiator_spi, responder_spi) = asked.ike_spis();
    let header =
        Header { initiator_spi, responder_spi, version: 0x20, exchange_type, flags: v2::RESPONSE, message_id: 0 };
    asked.after(ms(5)).raw(Side::Responder, &header.message(&[v2::notify(said, &[])]))
}

/// IKE_AUTH, refused in clear with this, and four copies of it that are answered with INVALID_IKE_SPI.
fn refused_by_pluto(told: Scenario, exchange_type: u8, said: u16) -> Scenario {
    let proof = [told.psk_proof(Side::Initiator), told.child(Side::Initiator)].concat();
    let first = refused_in_clear(told.ikev2_init(&v2::ike_cbc(14)).auth_request(&proof), exchange_type, said);
    BACKOFF.iter().fold(first, |told, gap| {
        refused_in_clear(told.repeat_from(Side::Initiator, 1, &[*gap]), AUTH, v2::INVALID_IKE_SPI)
    })
}

#[test]
fn a_refusal_in_clear_is_one_under_any_header() {
    for told in [Scenario::new(), Scenario::new().nat()] {
        for (exchange_type, said, verdict) in [
            (SA_INIT, v2::AUTHENTICATION_FAILED, "V2-AUTH-FAIL"),
            (AUTH, v2::AUTHENTICATION_FAILED, "V2-AUTH-FAIL"),
            (AUTH, v2::NO_PROPOSAL_CHOSEN, "V2-CHILD-REJECT"),
            (AUTH, v2::TS_UNACCEPTABLE, "V2-CHILD-REJECT"),
            (SA_INIT, v2::TS_UNACCEPTABLE, "V2-CHILD-REJECT"),
        ] {
            let told = refused_by_pluto(told.clone(), exchange_type, said);
            let analysis = judge(&told.quiet(secs(60)).capture());
            assert_eq!(alarms(&analysis), [verdict], "{exchange_type} {said}");
            let found = find(&analysis, verdict).expect("a finding");
            assert_eq!(found.confidence, Confidence::Stated);
            assert!(
                found.seen.contains("in clear, once") && found.seen.contains("INVALID_IKE_SPI (4), 4 times"),
                "{found:?}"
            );
            let pair = analysis.diagnosis.pairs().last().expect("a pair");
            assert_eq!((pair.status, pair.attempts[0].outcome), (PairStatus::Down, Outcome::Failed));
            assert_eq!(pair.verdict.map(Verdict::id), Some(verdict));
        }
    }
}

/// Of an IKE SA that is only set up, a peer without it lost nothing: that it answers so brings none up, nor does it go stale.
#[test]
fn an_ike_auth_of_an_unknown_sa_sets_nothing_up() {
    let told = refused_by_pluto(Scenario::new(), AUTH, v2::INVALID_IKE_SPI);
    let analysis = judge(&told.quiet(secs(60)).capture());
    assert_eq!(alarms(&analysis), ["V2-CLEAR-ERROR"]);
    let outcome = analysis.diagnosis.pairs().last().map(|pair| pair.attempts[0].outcome);
    assert_eq!(outcome, Some(Outcome::Failed));
}

/// A refusal in clear that is followed by an answer under protection was of nobody, or of another node.
#[test]
fn a_refusal_under_the_header_of_ike_sa_init_does_not_take_a_tunnel_down() {
    let init = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let proof = [init.psk_proof(Side::Initiator), init.child(Side::Initiator)].concat();
    let granted = [init.psk_proof(Side::Responder), init.child(Side::Responder)].concat();
    let forged = refused_in_clear(init.auth_request(&proof), SA_INIT, v2::AUTHENTICATION_FAILED);
    let analysis = judge(&forged.auth_response(&granted).traffic(20).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    assert_eq!(analysis.diagnosis.pairs().last().map(|pair| pair.status), Some(PairStatus::UpActive));
}

/// A refusal is known by its size; who does not take it, as pluto 3.2x, asks again and again.
#[test]
fn a_refusal_that_the_initiator_does_not_take_is_no_lost_answer() {
    for told in [Scenario::new(), Scenario::new().nat()] {
        let asked = told.ikev2_init(&v2::ike_cbc(14)).ikev2_auth_refused(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
        let told = asked.repeat_from(Side::Initiator, 6, &[0.5, 1.0, 2.0, 4.0, 8.0, 16.0]).quiet(secs(40));
        let analysis = judge(&told.capture());
        assert_eq!(alarms(&analysis), ["V2-AUTH-FAIL"]);
        let seen = &find(&analysis, "V2-AUTH-FAIL").expect("a finding").seen;
        assert!(seen.contains("all the same"), "{seen}");
    }
}

#[test]
fn a_re_key_that_is_refused_in_clear_is_answered() {
    let story = ikev2_psk().traffic(10).after(secs(600));
    let rekey = child_rekey(&story, Side::Initiator);
    let spis = story.esp_spis();
    let refused = refused_in_clear(story.create_child_request(Side::Initiator, &rekey), AUTH, v2::NO_PROPOSAL_CHOSEN);
    let told = refused.repeat_from(Side::Initiator, 4, &BACKOFF).traffic_on(spis, 11..60, ms(500));
    let analysis = judge(&told.capture());
    assert_eq!(alarms(&analysis), ["V2-REKEY-REFUSED"]);
    let found = find(&analysis, "V2-REKEY-REFUSED").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Stated));
    assert_eq!(analysis.diagnosis.pairs().last().map(|pair| pair.status), Some(PairStatus::UpActive));
}

/// The re-key of an IKE SA: SA, nonce, KE, and nothing that names it (RFC 7296 §1.3.2).
fn ike_rekey_refused(told: Scenario) -> Scenario {
    let renewed = [v2::sa(&[v2::ike_cbc(14)]), v2::nonce(32, 5), v2::key_exchange(14, 6)];
    let busy = [v2::notify(v2::TEMPORARY_FAILURE, &[])];
    told.create_child_request(Side::Initiator, &renewed).create_child_response(Side::Responder, &busy)
}

#[test]
fn a_tunnel_that_ends_of_a_refused_re_key_did_not_end_in_good_order() {
    for age in [40, 4000] {
        let spis = ikev2_psk().esp_spis();
        let refused = ike_rekey_refused(ikev2_psk().traffic(10).after(secs(age)));
        let refused = refused.traffic_on(spis, 11..15, ms(500)).after(secs(3));
        let told = refused.clone().informational_request(Side::Initiator, &[v2::delete_ike()]);
        let gone = told.informational_response(Side::Responder, &[]);
        let analysis = judge(&gone.clone().quiet(secs(90)).capture());
        let found = find(&analysis, "V2-REKEY-REFUSED").expect("a finding");
        assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
        assert!(found.means.contains("the IKE SA was most likely to be renewed"), "{}", found.means);
        let pair = analysis.diagnosis.pairs().last().expect("a pair");
        assert_eq!(pair.status, PairStatus::Down);
        assert_eq!(pair.verdict.map(Verdict::id), Some("V2-REKEY-REFUSED"));
        // Who begins anew has a tunnel again, and who goes on has one still: as long as its SA lives.
        let anew = gone.new_attempt().ikev2(&v2::ike_cbc(14)).traffic(40);
        let goes_on = refused.liveness(Side::Initiator).traffic_on(spis, 15..60, ms(500));
        let warned: [&[&str]; 2] = [&[], &["V2-REKEY-REFUSED"]];
        for (told, warned) in [anew, goes_on].into_iter().zip(warned) {
            let analysis = judge(&told.capture());
            assert_eq!(alarms(&analysis), warned);
            let found = find(&analysis, "V2-REKEY-REFUSED").expect("a finding");
            assert!(found.means.starts_with("the re-key of the IKE SA is refused, or"), "{}", found.means);
        }
    }
}

#[test]
fn an_initiator_that_goes_on_asking_has_no_tunnel_although_the_answer_leaves() {
    // Where the longer answer to IKE_SA_INIT arrived, this one may as well; of one that is longer still, nothing is known.
    let long = Scenario::new().ikev2_init(&v2::ike_cbc(14)).ikev2_auth_certificates(700);
    for (told, means, likelihoods) in [
        (
            ikev2_psk(),
            "the answer does not reach the initiator, or it does not take it (the longer answer to IKE_SA_INIT",
            ["likely", "likely"],
        ),
        (long, "the answer does not reach the initiator, or it does not take it:", ["likely", "possible"]),
    ] {
        let told = answered_in_vain(told, 5);
        assert_eq!(alarms(&judge(&told.clone().capture())), ["V2-AUTH-NO-REPLY"]);
        let analysis = judge(&told.quiet(secs(60)).capture());
        let found = find(&analysis, "V2-AUTH-NO-REPLY").expect("a finding");
        assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
        assert!(found.means.starts_with(means), "{}", found.means);
        let of =
            |text: &str| found.causes.iter().find(|cause| cause.text.starts_with(text)).map(|cause| cause.likelihood);
        let causes = ["the answer does not reach the initiator", "the initiator does not take the answer"];
        assert_eq!(causes.map(of), likelihoods.map(Some), "{:?}", found.causes);
        let status = analysis.diagnosis.pairs().last().map(|pair| pair.status);
        assert!(matches!(status, Some(PairStatus::Down | PairStatus::DownNegotiating)), "{status:?}");
        for denied in ["OK-IDLE", "OK-P1-UP", "OK-UP", "T-NONE"] {
            assert!(find(&analysis, denied).is_none(), "{denied}");
        }
    }
}

/// An old initiator does not take an answer without the child SA that it asked for.
#[test]
fn a_refused_child_sa_that_the_initiator_does_not_take_is_no_lost_answer() {
    let told = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let asked = [told.psk_proof(Side::Initiator), told.child(Side::Initiator)].concat();
    let refused = [told.psk_proof(Side::Responder), vec![v2::notify(v2::TS_UNACCEPTABLE, &[])]].concat();
    let told = answered_in_vain(told.auth_request(&asked).auth_response(&refused), 5);
    assert_eq!(alarms(&judge(&told.quiet(secs(60)).capture())), ["V2-CHILD-REJECT"]);
}

/// A child SA that IKE_AUTH asked for and did not bring was refused, whatever CREATE_CHILD_SA brings; one that nobody asked for was not.
#[test]
fn a_first_child_sa_that_is_refused_is_told_beside_the_second() {
    let allowed = [v2::notify(v2::CHILDLESS_IKEV2_SUPPORTED, &[])];
    let story = request().sa_init_response_with(&v2::ike_cbc(14), &allowed);
    let child = |side| [story.child(side), vec![v2::nonce(32, 5)]].concat();
    let (ask, grant) = (child(Side::Initiator), child(Side::Responder));
    let proof = [Side::Initiator, Side::Responder].map(|side| story.psk_proof(side));
    let then_up = |asked: &[Payload], answered: &[Payload]| {
        let told = story.clone().auth_request(asked).auth_response(answered).after(secs(4));
        let told = told.create_child_request(Side::Initiator, &ask).create_child_response(Side::Responder, &grant);
        judge(&told.traffic(10).capture())
    };
    let no = [proof[1].clone(), vec![v2::notify(v2::TS_UNACCEPTABLE, &[])]].concat();
    let refused = then_up(&[proof[0].clone(), story.child(Side::Initiator)].concat(), &no);
    assert!(is_up(&refused) && alarms(&refused).is_empty());
    let found = find(&refused, "V2-CHILD-REJECT").expect("a finding");
    assert_eq!(found.severity, Severity::Notice);
    let up = find(&refused, "OK-UP").expect("a finding");
    assert!(up.seen.contains(", the IKE SA in "), "{}", up.seen);
    assert!(find(&then_up(&proof[0], &proof[1]), "V2-CHILD-REJECT").is_none());
}

#[test]
fn an_answer_that_is_first_to_leave_on_4500_and_never_arrives_is_a_blocked_port() {
    let told = answered_in_vain(Scenario::new().nat().ikev2(&v2::ike_cbc(14)), 5).quiet(secs(60));
    let analysis = judge(&told.capture());
    let found = find(&analysis, "N-PORT4500").expect("a finding");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.means.contains("not back to the initiator"), "{}", found.means);
    let follows = find(&analysis, "V2-AUTH-NO-REPLY").and_then(|found| found.consequence_of);
    assert_eq!(follows, Some("N-PORT4500"));
}

/// What passed in the attempt before is not blocked for good, and checks that were answered in vain until then are not answered.
#[test]
fn a_port_that_passed_before_is_blocked_since() {
    let asked = Scenario::new().nat().ikev2(&v2::ike_cbc(14)).traffic(6).after(secs(5)).liveness(Side::Initiator);
    let again = |told: Scenario, gap: f64| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    };
    let given_up = [2.0, 3.6, 6.5].into_iter().fold(asked, again).after(secs(17)).new_attempt();
    let told = answered_in_vain(given_up.ikev2(&v2::ike_cbc(14)), 5).quiet(secs(60));
    let analysis = judge(&told.capture());
    let found = find(&analysis, "N-PORT4500").expect("a finding");
    assert!(found.seen.contains("UDP 4500 did") && !found.seen.contains("first message"), "{}", found.seen);
    assert!(found.means.contains("no longer back"), "{}", found.means);
    assert!(find(&analysis, "OK-DPD").is_none());
    let check = find(&analysis, "L-DPD-TIMEOUT").expect("a finding");
    assert!(check.seen.contains("comes all the same, 3 times more"), "{}", check.seen);
}

#[test]
fn fragments_of_an_answer_that_never_arrive_are_named_before_the_silence() {
    let story = Scenario::new().mtu(1400).ikev2_init(&v2::ike_cbc(14));
    let proof = [story.psk_proof(Side::Initiator), story.child(Side::Initiator)].concat();
    let answer = [story.certificate_proof(Side::Responder, 1800), story.child(Side::Responder)].concat();
    let told = story.auth_request(&proof).auth_response(&answer);
    let analysis = judge(&answered_in_vain(told, 5).quiet(secs(60)).capture());
    let found = find(&analysis, "F-IKE-FRAG-LOST").expect("a finding");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.seen.contains("AUTH-RSP"), "{}", found.seen);
}

/// Two answers of three are lost, and then the tunnel is used, or nothing more is asked.
#[test]
fn an_initiator_that_stops_asking_or_goes_on_got_its_answer() {
    let late = answered_in_vain(ikev2_psk(), 2);
    let stories =
        [late.clone().traffic(4), late.clone().after(secs(20)).liveness(Side::Initiator), late.quiet(secs(60))];
    for told in stories {
        let analysis = judge(&told.quiet(secs(60)).capture());
        assert!(crate::trial::alarms(&analysis).is_empty(), "{:?}", crate::trial::alarms(&analysis));
        assert!(crate::trial::is_up(&analysis));
    }
}

#[test]
fn a_re_key_that_is_answered_and_asked_again_and_again_is_an_error() {
    let rekeyed = |copies| {
        let story = ikev2_psk().traffic(4).after(secs(600));
        let (rekey, granted) = (child_rekey(&story, Side::Initiator), child_keys(&story, Side::Responder));
        let asked = story.create_child_request(Side::Initiator, &rekey);
        answered_in_vain(asked.create_child_response(Side::Responder, &granted), copies)
    };
    let found = find(&judge(&rekeyed(5).capture()), "V2-CHILD-NO-REPLY").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    assert!(found.means.contains("does not reach"), "{}", found.means);
    let got = rekeyed(2).after(secs(1)).liveness(Side::Initiator).quiet(secs(60));
    assert!(find(&judge(&got.capture()), "V2-CHILD-NO-REPLY").is_none());
}

/// Two tunnels of the same gateways, and the initiator refuses the second: the traffic of the first does not bring it up.
#[test]
fn a_tunnel_beside_the_one_that_is_refused_does_not_bring_it_up() {
    let first = ikev2_psk().traffic(20);
    let spis = first.esp_spis();
    let told = (0..2).fold(first, |told, round| {
        let tried = told.after(secs(3)).new_attempt().ikev2(&v2::ike_cbc(14));
        let refusal = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
        let refused = tried.after(ms(5)).informational_request(Side::Initiator, &refusal);
        let answered = refused.informational_response(Side::Responder, &[]);
        answered.traffic_on(spis, 21 + round * 10..31 + round * 10, secs(1))
    });
    let analysis = judge(&told.capture());
    assert_eq!(find(&analysis, "V2-AUTH-INIT-REJECT").map(|found| found.severity), Some(Severity::Warning));
    assert!(find(&analysis, "OK-UP").is_some());
    let outcomes: Vec<_> =
        analysis.diagnosis.pairs().next().expect("a pair").attempts.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Established, Outcome::Failed, Outcome::Failed]);
}

/// What was refused before it worked was refused all the same: its reason is kept as a notice.
#[test]
fn what_failed_before_it_worked_keeps_its_reason() {
    let refusal = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
    let by_responder = Scenario::new().ikev2_init(&v2::ike_cbc(14)).ikev2_auth_refused(&refusal);
    let by_initiator = ikev2_psk().after(ms(5)).informational_request(Side::Initiator, &refusal);
    let by_initiator = by_initiator.informational_response(Side::Responder, &[]);
    for (refused, id) in [(by_responder, "V2-AUTH-FAIL"), (by_initiator, "V2-AUTH-INIT-REJECT")] {
        let analysis = judge(&refused.after(secs(5)).new_attempt().ikev2(&v2::ike_cbc(14)).traffic(20).capture());
        let outcomes: Vec<_> =
            analysis.diagnosis.pairs().next().expect("a pair").attempts.iter().map(|it| it.outcome).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::Established], "{id}");
        assert_eq!((alarms(&analysis), standing(&analysis)), (vec![], (PairStatus::UpActive, Some("OK-UP"))), "{id}");
        assert_eq!(find(&analysis, id).map(|found| found.severity), Some(Severity::Notice), "{id}");
    }
}

/// Traffic ended, and who begins from nothing is refused again and again: it has no SA any more.
#[test]
fn who_begins_from_nothing_again_and_again_has_nothing() {
    let refusal = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
    let tried =
        |told: Scenario, _| told.after(secs(6)).new_attempt().ikev2_init(&v2::ike_cbc(14)).ikev2_auth_refused(&refusal);
    let told = (0..4).fold(ikev2_psk().traffic(20), tried);
    let analysis = judge(&told.quiet(secs(2)).capture());
    assert_eq!(standing(&analysis), (PairStatus::DownNegotiating, Some("V2-AUTH-FAIL")));
    assert!(find(&analysis, "OK-UP").is_none());
}

/// The same initiator with a request of the same length, long after its tunnel ended: something was changed, or has expired.
#[test]
fn what_was_accepted_before_has_changed_where_it_is_refused() {
    let changed = "what the responder accepted before has expired";
    let refused = |told: Scenario| {
        let told = told.ikev2_init(&v2::ike_cbc(14));
        let proof = [told.psk_proof(Side::Initiator), vec![v2::notify(v2::INITIAL_CONTACT, &[])]].concat();
        let ask = [proof, told.child(Side::Initiator)].concat();
        let asked = told.auth_request(&ask);
        asked.auth_response(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]).quiet(secs(30)).capture()
    };
    let names = |capture: &Capture| {
        let found = find(&judge(capture), "V2-AUTH-FAIL").expect("a finding");
        found.causes.iter().position(|cause| cause.text.starts_with(changed))
    };
    assert_eq!(names(&refused(Scenario::new())), None);
    assert_eq!(names(&refused(ikev2_psk().traffic(20).after(secs(60)).new_attempt())), Some(0));
    // another client behind the same NAT was accepted
    let behind = || Scenario::new().nat();
    let first = behind().ikev2(&v2::ike_cbc(14)).traffic(20).capture();
    let second = |story: Scenario| first.clone().merge(&refused(story.seed(2).after(secs(60))));
    assert_eq!(names(&second(behind().mapping_changes())), None);
    assert_eq!(names(&second(behind())), Some(0));
}

/// CERTREQ in the answer to IKE_SA_INIT, and a request that has no room for a certificate.
#[test]
fn a_responder_that_asks_for_a_certificate_and_gets_none_differs_by_method() {
    let first = |more: &[Payload]| {
        let suite = v2::ike_cbc(14);
        let init = Scenario::new().sa_init_request(std::slice::from_ref(&suite)).sa_init_response_with(&suite, more);
        let refused = init.ikev2_auth_refused(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
        let found = find(&judge(&refused.quiet(secs(30)).capture()), "V2-AUTH-FAIL").expect("a finding");
        let lines: Vec<_> = found.logs().map(|log| log.message).collect();
        assert_eq!(lines[0].contains("pre-shared key"), found.causes[0].text.contains("pre-shared key"), "{lines:?}");
        (found.causes[0].text, found.causes[1].text)
    };
    let (method, keys) = first(&[v2::certificate_request(1, 1)]);
    assert!(method.contains("another authentication method") && keys.contains("pre-shared keys differ"));
    assert!(first(&[]).0.contains("pre-shared keys differ"));
}

/// CERTREQ, and a request longer than a key makes it; or one that takes several IKE fragments, where nothing else is in the capture.
#[test]
fn a_request_too_long_for_a_key_is_about_certificates() {
    let no = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
    let first = |capture: &Capture| find(&judge(capture), "V2-AUTH-FAIL").expect("a finding").causes[0].text;
    let suite = v2::ike_cbc(14);
    let init = Scenario::new().ike_fragments(1200).sa_init_request(std::slice::from_ref(&suite));
    let init = init.sa_init_response_with(&suite, &[v2::certificate_request(1, 1)]);
    let mut proof = init.certificate_proof(Side::Initiator, 1000);
    let whole = init.clone().auth_request(&[proof.clone(), init.child(Side::Initiator)].concat());
    let late = whole.auth_response(&no).quiet(secs(30)).capture().skip(2);
    assert!(first(&late).contains("certificate is not trusted"));
    proof.remove(1);
    let bare = init.clone().auth_request(&[proof, init.child(Side::Initiator)].concat());
    let found = bare.auth_response(&no).quiet(secs(30)).capture();
    assert!(first(&found).contains("certificate is not trusted"));
}

/// A re-authentication is refused, and then the old SA is deleted: nothing is left.
#[test]
fn a_tunnel_that_ends_with_its_refused_successor_is_down() {
    let story = ikev2_psk().traffic(20).after(secs(2));
    let refusal = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
    let refused = story.clone().new_attempt().ikev2_init(&v2::ike_cbc(14)).ikev2_auth_refused(&refusal);
    let left = story.clone().after(secs(3)).informational_request(Side::Initiator, &[v2::delete_ike()]);
    let left = left.informational_response(Side::Responder, &[]).quiet(secs(40)).capture();
    let until = story.capture().frames.len();
    let analysis = judge(&left.merge(&refused.capture().skip(until)));
    assert_eq!(standing(&analysis), (PairStatus::Down, Some("V2-AUTH-FAIL")));
    assert!(find(&analysis, "OK-UP").is_none());
}

/// Nothing at all comes from the peer since it was asked: what one end sends is no tunnel any more.
#[test]
fn a_peer_that_answers_nothing_and_sends_nothing_is_not_up() {
    let story = ikev2_psk().traffic(20).after(secs(2));
    let (rekey, [there, _]) = (child_rekey(&story, Side::Initiator), story.esp_spis());
    let asked = story.create_child_request(Side::Initiator, &rekey).repeat(3, &[4.0, 7.2, 13.0]);
    let status = |told: Scenario| judge(&told.capture()).diagnosis.pairs().last().map(|pair| pair.status);
    let goes_on = asked.clone().esp(Side::Initiator, there, 21..30, 120, ms(500));
    assert_eq!(status(goes_on), Some(PairStatus::UpNoIke));
    assert_eq!(status(asked.quiet(secs(60))), Some(PairStatus::Down));
}

/// What is said in clear to a request under protection answers nothing, and arrives or not (RFC 7296 §2.21.4).
#[test]
fn a_re_key_on_an_sa_that_the_peer_lost_does_not_lack_its_answer() {
    let story = ikev2_psk().traffic(4).after(secs(600));
    let rekey = child_rekey(&story, Side::Initiator);
    let (initiator_spi, responder_spi) = story.ike_spis();
    let header = Header {
        initiator_spi,
        responder_spi,
        version: 0x20,
        exchange_type: CREATE_CHILD_SA,
        flags: v2::RESPONSE,
        message_id: 2,
    };
    let lost = header.message(&[v2::notify(v2::INVALID_IKE_SPI, &[])]);
    let asked = story.create_child_request(Side::Initiator, &rekey).raw(Side::Responder, &lost);
    let told = answered_in_vain(asked, 4);
    assert_eq!(alarms(&judge(&told.quiet(secs(60)).capture())), ["L-STALE-SA"]);
}

/// Who asks for the next thing has the answer to the first (RFC 7296 §2.3).
#[test]
fn an_answer_that_only_the_capture_missed_is_no_silence() {
    let told = (0..4).fold(ikev2_psk(), |told, _| told.after(secs(10)).liveness(Side::Initiator));
    let analysis = judge(&told.capture().without(&[4]));
    assert!(crate::trial::alarms(&analysis).is_empty(), "{:?}", crate::trial::alarms(&analysis));
    assert_eq!(analysis.diagnosis.pairs().last().map(|pair| pair.status), Some(PairStatus::UpIdle));
}

/// Nothing is recorded for half a minute, in which the tunnel comes up.
#[test]
fn traffic_after_a_hole_in_the_capture_shows_the_tunnel() {
    let told = ikev2_psk();
    let spis = told.esp_spis();
    let used = told.after(secs(1)).traffic_on(spis, 1..90, secs(1));
    for lost in 2..4 {
        let numbers: Vec<usize> = (lost + 1..75).collect();
        let analysis = judge(&used.clone().capture().without(&numbers));
        assert!(crate::trial::alarms(&analysis).is_empty(), "{lost}: {:?}", crate::trial::alarms(&analysis));
        assert_eq!(analysis.diagnosis.pairs().last().map(|pair| pair.status), Some(PairStatus::UpActive));
    }
}

/// The responder uses the child SA, so it has accepted IKE_AUTH.
#[test]
fn traffic_of_the_responder_shows_that_it_accepted_what_seems_unanswered() {
    let told = Scenario::new().nat().ikev2_init(&v2::ike_cbc(14));
    let proof = [told.psk_proof(Side::Initiator), told.child(Side::Initiator)].concat();
    let spi = told.esp_spi(Side::Initiator);
    let asked = told.auth_request(&proof).repeat(3, &BACKOFF);
    let used = (1..20).fold(asked, |told, sequence| told.esp(Side::Responder, spi, [sequence], 120, ms(500)));
    let analysis = judge(&used.repeat_from(Side::Initiator, 1, &[4.0]).quiet(secs(60)).capture());
    let found = find(&analysis, "V2-AUTH-NO-REPLY").expect("a finding");
    assert!(found.causes[0].text.starts_with("the answer does not reach the initiator"), "{:?}", found.causes);
    assert!(found.checks().all(|check| !check.text.contains("4500")));
}

/// What is repeated in spite of its answer did not go on, though the SA before it does.
#[test]
fn a_re_key_that_is_never_taken_up_is_not_called_settled() {
    let story = ikev2_psk().traffic(4).after(secs(600));
    let spis = story.esp_spis();
    let (rekey, granted) = (child_rekey(&story, Side::Initiator), child_keys(&story, Side::Responder));
    let asked = story.create_child_request(Side::Initiator, &rekey);
    let told = answered_in_vain(asked.create_child_response(Side::Responder, &granted), 3);
    let analysis = judge(&told.traffic_on(spis, 5..30, secs(1)).capture());
    assert!(find(&analysis, "OK-RETRANS").is_none());
    assert!(find(&analysis, "V2-CHILD-NO-REPLY").is_some());
}

/// A user may be typing: what comes next is up to the initiator.
#[test]
fn a_capture_that_ends_between_rounds_of_eap_shows_no_failure() {
    for frames in [6, 8] {
        let waits = eap_succeeds().first(frames);
        assert!(find(&judge(&waits), "V2-EAP").is_none());
        let analysis = judge(&eap_succeeds().first(frames));
        let status = analysis.diagnosis.pairs().last().map(|pair| pair.status);
        assert_eq!(status, Some(PairStatus::DownNegotiating), "{frames}");
        assert!(crate::trial::alarms(&analysis).is_empty());
    }
}

/// EAP-TLS: the client sends a certificate after the server did, and is refused then. A long request in front of all that is none.
#[test]
fn a_client_that_sent_its_certificate_is_no_matter_of_passwords() {
    let rounds = |lengths: [(usize, usize); 3]| {
        let init = Scenario::new().ikev2_init(&v2::ike_cbc(14));
        let identity = init.identity_v2(Side::Initiator);
        let begun = init.auth_request(&[identity]).auth_response(&[v2::eap(40, 1)]);
        let told = lengths.iter().zip(2..).fold(begun, |told, (&(request, response), seed)| {
            told.auth_request(&[v2::eap(request, seed)]).auth_response(&[v2::eap(response, seed + 9)])
        });
        let failed = told.informational_request(Side::Initiator, &[v2::notify(24, &[])]);
        find(&judge(&failed.quiet(secs(30)).capture()), "V2-EAP").expect("a finding")
    };
    let first = |found: &Finding| found.causes.first().map_or("", |cause| cause.text);
    let sent = rounds([(240, 1000), (1000, 10), (180, 10)]);
    assert!(first(&sent).starts_with("the client's certificate is refused"), "{sent:?}");
    for others in [[(1000, 1000), (10, 400), (180, 10)], [(20, 40), (60, 40), (60, 10)]] {
        let found = rounds(others);
        assert!(first(&found).starts_with("user name or password"), "{found:?}");
        assert!(!found.causes.iter().any(|cause| cause.text == first(&sent)), "{found:?}");
    }
}

/// The next round is the initiator's: a user may be typing, and more than where it stands cannot be said.
#[test]
fn an_initiator_that_takes_its_time_between_rounds_of_eap_is_told_of() {
    let init = Scenario::new().floats().ikev2_init(&v2::ike_cbc(14));
    let identity = init.identity_v2(Side::Initiator);
    let begun = init.auth_request(&[identity]).auth_response(&[v2::eap(40, 1)]);
    let asked = begun.auth_request(&[v2::eap(60, 2)]).auth_response(&[v2::eap(80, 3)]).quiet(secs(30)).capture();
    let analysis = judge(&asked);
    let found = find(&analysis, "V2-EAP").expect("a remark");
    assert_eq!((found.severity, found.confidence), (Severity::Notice, Confidence::Suspected));
    assert!(crate::trial::alarms(&analysis).is_empty());
}

/// isakmpd takes the request for one of IKEv1, whose payload types it does not know, and says so under a cookie of its own.
#[test]
fn a_request_that_is_answered_in_ikev1_is_not_unanswered() {
    let asked = |story: Scenario| story.sa_init_request(&[v2::ike_cbc(14)]);
    let refused = |told: Scenario, number| told.outside(Side::Responder, number, v1::notify(v1::INVALID_PAYLOAD_TYPE));
    let again =
        |told: Scenario, (number, gap): (u64, f64)| refused(told.repeat_from(Side::Initiator, 1, &[gap]), number);
    let told = [(1, 4.0), (2, 7.2), (3, 13.0)].into_iter().fold(refused(asked(Scenario::new()), 0), again);
    let analysis = judge(&told.quiet(secs(30)).capture());
    let found = find(&analysis, "V2-VERSION").expect("a finding");
    assert_eq!(found.confidence, Confidence::Inferred);
    assert!(
        found.seen.contains("INVALID-PAYLOAD-TYPE (1) in clear under cookies of its own, 4 times"),
        "{}",
        found.seen
    );
    assert!(find(&analysis, "V2-NO-REPLY").is_none() && find(&analysis, "C-MIDSTREAM").is_none());
    let verdicts: Vec<_> = analysis.diagnosis.pairs().map(|pair| pair.verdict.map(Verdict::id)).collect();
    assert_eq!(verdicts, [Some("V2-VERSION")]);
}

/// Traffic under SAs from before an attempt proves nothing of that attempt.
#[test]
fn a_refusal_beside_a_tunnel_that_works_is_told() {
    let no = [v2::notify(v2::AUTHENTICATION_FAILED, &[])];
    let told = ikev2_psk();
    let spis = told.esp_spis();
    let beside = (1..4).fold(told.traffic_on(spis, 1..10, ms(500)), |told, step| {
        let refused = told.after(ms(400)).new_attempt().ikev2(&v2::ike_cbc(14)).after(ms(2));
        let refused = refused.informational_request(Side::Initiator, &no);
        let refused = refused.informational_response(Side::Responder, &[]);
        refused.traffic_on(spis, step * 10..step * 10 + 9, ms(500))
    });
    let analysis = judge(&beside.capture());
    let found = find(&analysis, "V2-AUTH-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.attempt, found.count), (Severity::Warning, Some(1), 3));
    let up = find(&analysis, "OK-UP").expect("the other tunnel is up");
    assert!(up.attempt == Some(0) && up.seen.contains("set up in"), "{}", up.seen);
    let pair = analysis.diagnosis.pairs().last().expect("a pair");
    assert_eq!((pair.status, pair.verdict.map(Verdict::id)), (PairStatus::UpActive, Some("V2-AUTH-INIT-REJECT")));
}

/// Whatever was refused before, the tunnel is up in the end: why it was refused is told as history.
#[test]
fn refusals_before_a_success_are_told_and_raise_no_alarm() {
    let story = Scenario::new().ikev2_init(&v2::ike_cbc(14));
    let ask = [story.psk_proof(Side::Initiator), story.child(Side::Initiator)].concat();
    let refused = story.auth_request(&ask).auth_response(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
    let good = refused.after(secs(3)).new_attempt().ikev2(&v2::ike_cbc(14)).traffic(10);
    let analysis = judge(&good.capture());
    assert!(alarms(&analysis).is_empty());
    assert_eq!(find(&analysis, "V2-AUTH-FAIL").map(|found| found.severity), Some(Severity::Notice));
    assert_eq!(analysis.diagnosis.pairs().last().and_then(|pair| pair.verdict).map(Verdict::id), Some("OK-UP"));
}

/// A responder that accepts what it refused several times was put right meanwhile; who refuses the copy that it accepts is somebody else.
#[test]
fn a_request_that_is_accepted_after_refusals_was_mended() {
    let no = || v2::notify(v2::NO_PROPOSAL_CHOSEN, &[]);
    let asked = |told: Scenario| told.sa_init_request(&[v2::ike_cbc(14)]);
    let again = |told: Scenario| told.repeat_from(Side::Initiator, 1, &[2.0]);
    let up = |told: Scenario| told.sa_init_response(&v2::ike_cbc(14)).ikev2_auth().traffic(10);
    let mended = up(again(asked(Scenario::new()).sa_init_notify(no()).repeat(2, &[1.0])));
    let analysis = judge(&mended.capture());
    let found = find(&analysis, "V2-PROPOSAL").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Notice, Confidence::Inferred));
    assert!(found.seen.contains("in clear, 3 times"), "{}", found.seen);
    assert_eq!(analysis.diagnosis.pairs().last().and_then(|pair| pair.verdict).map(Verdict::id), Some("OK-UP"));
    let forged = up(asked(Scenario::new()).sa_init_notify(no()).repeat(2, &[0.01]));
    assert!(find(&judge(&forged.capture()), "V2-PROPOSAL").is_none());
}

/// What the responder refused and took in the next attempt is history, whatever came of that.
#[test]
fn an_offer_that_passed_at_the_next_try_is_history() {
    let no = v2::notify(v2::NO_PROPOSAL_CHOSEN, &[]);
    let refused = Scenario::new().sa_init_request(&[v2::ike_cbc(2)]).sa_init_notify(no).after(secs(3)).new_attempt();
    let told = refused.ikev2_init(&v2::ike_cbc(14));
    let ask = [told.psk_proof(Side::Initiator), told.child(Side::Initiator)].concat();
    let told = told.auth_request(&ask).auth_response(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
    let analysis = judge(&told.quiet(secs(30)).capture());
    assert_eq!(alarms(&analysis), ["V2-AUTH-FAIL"]);
    let found = find(&analysis, "V2-PROPOSAL").expect("a finding");
    assert_eq!(found.severity, Severity::Notice);
    assert!(!found.means.starts_with("the offer is the same"), "{}", found.means);
}

/// Who is refused anew and then deletes the SA that was up has none.
#[test]
fn a_tunnel_that_ends_after_a_refused_re_authentication_is_down() {
    let told = ikev2_psk().traffic(20);
    let (old, again) = (told.clone(), told.after(ms(300)).new_attempt().ikev2_init(&v2::ike_cbc(14)));
    let ask = [again.psk_proof(Side::Initiator), again.child(Side::Initiator)].concat();
    let refused = again.auth_request(&ask).auth_response(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
    let deleted = old.after(secs(2)).informational_request(Side::Initiator, &[v2::delete_ike()]);
    let deleted = deleted.informational_response(Side::Responder, &[]).quiet(secs(30));
    let analysis = judge(&refused.capture().merge(&deleted.capture()));
    let pair = analysis.diagnosis.pairs().last().expect("a pair");
    assert_eq!((pair.status, pair.verdict.map(Verdict::id)), (PairStatus::Down, Some("V2-AUTH-FAIL")));
    assert!(find(&analysis, "OK-UP").is_none());
}

#[test]
fn a_version_that_was_accepted_is_not_what_a_later_notify_is_about() {
    let told = |exchange| {
        refused_in_clear(
            Scenario::new().ikev2_init(&v2::ike_cbc(14)).auth_request(&[]),
            exchange,
            v2::INVALID_MAJOR_VERSION,
        )
    };
    let capture = told(AUTH).quiet(secs(30)).capture();
    assert_eq!(alarms(&judge(&capture)), ["V2-CLEAR-ERROR"]);
    let found = finding(&capture, "V2-CLEAR-ERROR");
    assert!(found.means.contains("had gone along with IKEv2 before"), "{}", found.means);
}

#[test]
fn what_refuses_ike_sa_init_is_no_matter_of_an_sa() {
    let refused = |notify| request().sa_init_notify(notify).quiet(secs(30)).capture();
    let named = v2::notify(v2::UNSUPPORTED_CRITICAL_PAYLOAD, &[200]);
    for (notify, means, cause) in [
        (named, "the initiator has to leave it out", "one side uses a payload"),
        (v2::notify(v2::INVALID_SYNTAX, &[]), "refuses it by its policy", "a message was built or read wrongly"),
        (v2::notify(v2::INVALID_IKE_SPI, &[]), "there is none yet", "a message was built or read wrongly"),
        (v2::notify(v2::INVALID_SPI, &[]), "none had gone to the responder", "a message was built or read wrongly"),
        (
            v2::notify(v2::AUTHENTICATION_FAILED, &[]),
            "before that has proven itself",
            "the responder has no configuration",
        ),
        (v2::notify(v2::TEMPORARY_FAILURE, &[]), "should try again later", "the sender is busy"),
    ] {
        let capture = refused(notify);
        assert_eq!(alarms(&judge(&capture)), ["V2-CLEAR-ERROR"], "{means}");
        let found = finding(&capture, "V2-CLEAR-ERROR");
        assert!(found.means.contains(means), "{}", found.means);
        assert!(first_cause(&found).starts_with(cause), "{found:?}");
        assert!(found.checks().all(|check| !check.text.contains("clear the SA")), "{found:?}");
    }
}

/// A public value that is too short for its group (RFC 7296 §3.4).
#[test]
fn a_request_that_is_broken_is_what_invalid_syntax_is_about() {
    let short = |message: &mut Vec<u8>| {
        let length = message.len() as u32 + 100;
        message[24..28].copy_from_slice(&length.to_be_bytes());
    };
    let told = Scenario::new().tampered(short, |told| told.sa_init_request(&[v2::ike_cbc(14)]));
    let capture = told.sa_init_notify(v2::notify(v2::INVALID_SYNTAX, &[])).quiet(secs(30)).capture();
    let found = finding(&capture, "V2-CLEAR-ERROR");
    assert!(found.seen.contains("SA_INIT-REQ is malformed"), "{}", found.seen);
    assert!(found.means.contains("the fault is with the initiator"), "{}", found.means);
}

/// IKE_SESSION_RESUME with a ticket, and what follows it (RFC 5723 §4.3).
#[test]
fn a_session_that_is_not_resumed_has_a_finding() {
    let header = |told: &Scenario, flags, responder_spi| Header {
        initiator_spi: told.ike_spis().0,
        responder_spi,
        version: 0x20,
        exchange_type: SESSION_RESUME,
        flags,
        message_id: 0,
    };
    let story = Scenario::new();
    let ticket = [v2::nonce(32, 7), v2::notify(16_413, &[0x5a; 160])];
    let asked = story.clone().raw(Side::Initiator, &header(&story, v2::INITIATOR, 0).message(&ticket));
    let silent = judge(&asked.clone().repeat(4, &BACKOFF).quiet(secs(40)).capture());
    assert_eq!(alarms(&silent), ["V2-NO-REPLY"]);
    let found = find(&silent, "V2-NO-REPLY").expect("a finding");
    assert!(found.seen.contains("was sent 5 times"), "{}", found.seen);
    assert!(found.causes.iter().any(|cause| cause.text.contains("session resumption")), "{found:?}");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("proposal")), "{found:?}");
    let (_, responder_spi) = story.ike_spis();
    let taken = asked.raw(Side::Responder, &header(&story, v2::RESPONSE, responder_spi).message(&[v2::nonce(32, 8)]));
    let not_used = judge(&taken.clone().quiet(secs(90)).capture());
    assert_eq!(alarms(&not_used), ["V2-INIT-NO-AUTH"]);
    let found = find(&not_used, "V2-INIT-NO-AUTH").expect("a finding");
    assert!(found.seen.starts_with("IKE_SESSION_RESUME was answered"), "{}", found.seen);
    let proof = taken.psk_proof(Side::Initiator);
    let auth = taken.next_message_id(Side::Initiator, 1).auth_request(&proof);
    let unanswered = judge(&auth.clone().repeat(4, &BACKOFF).quiet(secs(60)).capture());
    assert_eq!(alarms(&unanswered), ["V2-AUTH-NO-REPLY"]);
    let found = find(&unanswered, "V2-AUTH-NO-REPLY").expect("a finding");
    assert!(found.means.contains("answers IKE_SESSION_RESUME and not this"), "{}", found.means);
    // the keys of the ticket are the proof
    let refused = finding(
        &auth.auth_response(&[v2::notify(v2::AUTHENTICATION_FAILED, &[])]).quiet(secs(30)).capture(),
        "V2-AUTH-FAIL",
    );
    assert!(refused.causes.iter().all(|cause| !cause.text.contains("pre-shared")), "{refused:?}");
}

/// After an EAP Success the initiator proves itself at once (RFC 7296 §2.16).
#[test]
fn an_initiator_that_stops_at_the_outcome_of_eap_was_refused() {
    let begun = || {
        let init = Scenario::new().floats().ikev2_init(&v2::ike_cbc(14));
        let identity = init.identity_v2(Side::Initiator);
        let granted = init.certificate_proof(Side::Responder, 900);
        let asked = init.auth_request(&[identity]).auth_response(&granted);
        asked.auth_request(&[v2::eap(12, 2)]).auth_response(&[v2::eap(60, 3)]).auth_request(&[v2::eap(70, 4)])
    };
    let refused = judge(&begun().auth_response(&[v2::eap(4, 5)]).quiet(secs(30)).capture());
    assert_eq!(alarms(&refused), ["V2-EAP"]);
    let found = find(&refused, "V2-EAP").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    assert!(found.means.ends_with("most likely it was Failure"), "{}", found.means);
    assert!(first_cause(&found).starts_with("user name or password is wrong"), "{found:?}");
    let asked = judge(&begun().auth_response(&[v2::eap(40, 5)]).quiet(secs(30)).capture());
    assert_eq!(find(&asked, "V2-EAP").expect("a remark").severity, Severity::Notice);
}
