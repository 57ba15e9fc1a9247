//! Trials: IKEv1 phase 1.

use std::net::Ipv4Addr;
use std::time::Duration;

use ikescope::diagnose::{Confidence, Finding, Outcome, PairStatus, Severity, Where};
use md5::{Digest, Md5};

use crate::path::find;
use crate::support::story::{aggressive, ikev2_psk, main_mode_psk, usual_transform};
use crate::support::wire::{Attribute, Header, Payload, v1, v2};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::{Trial, alarms, judge};

pub const TRIALS: &[Trial] = &[
    Trial {
        id: "P1-NO-REPLY",
        positive: Lab("v1-udp500-drop"),
        near_miss: Lab("v1-no-responder-icmp-port-unreach"),
        how: "ICMP says why there is no answer",
    },
    Trial {
        id: "P1-PROPOSAL",
        positive: Lab("v1-unknown-peer"),
        near_miss: Lab("ss-lsw-v1-policy-reject"),
        how: "it is the version that is refused",
    },
    Trial {
        id: "P1-MODE",
        positive: Crafted("message 1 of Main Mode is not answered, and the peer starts Aggressive Mode", modes_differ),
        near_miss: Lab("ss-lsw-v1-main-vs-aggr"),
        how: "the peer shows no mode of its own: silence is all there is",
    },
    Trial {
        id: "P1-VERSION",
        positive: Lab("ss-lsw-v1-policy-reject"),
        near_miss: Lab("ss-lsw-v1-to-v2-only"),
        how: "the peer drops IKEv1 without a word",
    },
    Trial {
        id: "P1-NOTIFY",
        positive: Crafted("message 3 is answered with INVALID-COOKIE in clear", cookie_unknown),
        near_miss: Lab("v1-unknown-peer"),
        how: "NO-PROPOSAL-CHOSEN has a page of its own",
    },
    Trial {
        id: "P1-MM2-NO-MM3",
        positive: Crafted("message 2 is sent five times, and no message 3 in the minute after", stops_at_message_2),
        near_miss: Lab("v1-mm4-lost"),
        how: "message 3 came",
    },
    Trial {
        id: "P1-MM3-NO-REPLY",
        positive: Lab("v1-mm4-lost"),
        near_miss: Lab("v1-mm4-lost.rside"),
        how: "seen from the responder, message 4 leaves",
    },
    Trial {
        id: "P1-MM4-NO-MM5",
        positive: Lab("v1-mm4-lost.rside"),
        near_miss: Lab("v1-mm5-lost"),
        how: "message 5 was sent, and lost later",
    },
    Trial {
        id: "P1-PSK",
        positive: Lab("v1-psk-mismatch-main"),
        near_miss: Lab("ss-lsw-v1-id-mismatch"),
        how: "the responder repeats message 4: it may have refused the identity and dropped its state",
    },
    Trial {
        id: "P1-AUTH-SILENT",
        positive: Lab("v1-mm5-lost"),
        near_miss: Lab("v1-psk-mismatch-main"),
        how: "each copy of message 5 draws an encrypted answer",
    },
    Trial {
        id: "P1-AUTH-REJECT",
        positive: Lab("v1-p1-auth-mismatch"),
        near_miss: Lab("v1-psk-mismatch-main"),
        how: "the initiator cannot read the error and goes on",
    },
    Trial {
        id: "P1-INIT-REJECT",
        positive: Crafted("the initiator answers message 6 with an Informational, and nothing follows", turned_away),
        near_miss: Crafted(
            "the initiator answers message 6 with an Informational, and goes on with Quick Mode",
            || farewell_or_greeting().after(ms(80)).quick_mode().traffic(4).capture(),
        ),
        how: "Quick Mode follows: the Informational was INITIAL-CONTACT",
    },
    Trial {
        id: "P1-AGGR-AUTH",
        positive: Lab("v1-aggr-vs-main"),
        near_miss: Lab("v1-aggr-p1-dh-mismatch"),
        how: "the proposal is refused, not the proof",
    },
    Trial {
        id: "P1-CERT",
        positive: Lab("v1-rsa-untrusted-ca"),
        near_miss: Lab("v1-rsa-ipfrag-dropped-all"),
        how: "the certificate does not arrive: its fragments are lost",
    },
    Trial {
        id: "P1-XAUTH",
        positive: Crafted(
            "two Transactions after Aggressive Mode: question, answer, verdict; then nothing",
            user_refused,
        ),
        near_miss: Lab("v1-aggr-xauth-modecfg-healthy"),
        how: "Quick Mode follows",
    },
    Trial {
        id: "P1-KE",
        positive: Crafted("group 14 is chosen, and message 3 holds a public value of 128 octets", wrong_public_value),
        near_miss: Lab("v1-mm4-lost"),
        how: "message 3 gets no answer either, and its public value fits the group",
    },
    Trial {
        id: "P1-UP-NO-P2",
        positive: Crafted("Main Mode, then a minute without Quick Mode", || main_mode_psk().quiet(secs(60)).capture()),
        near_miss: Crafted("Main Mode, then a quarter of a minute without Quick Mode", || {
            main_mode_psk().quiet(secs(15)).capture()
        }),
        how: "up to half a minute between the phases is normal",
    },
    Trial {
        id: "P1-NO-KEY",
        positive: Crafted("message 3 is answered with INVALID-KEY-INFORMATION in clear", || {
            until_message_2().mm3().informational_clear(Side::Responder, no_key()).quiet(secs(30)).capture()
        }),
        near_miss: Crafted("the same answer to a public value that does not fit the group", wrong_public_value),
        how: "the key exchange of message 3 is what is wrong",
    },
];

/// The backoff of a daemon in common use, in seconds.
const BACKOFF: [f64; 4] = [4.0, 7.2, 13.0, 23.3];

/// What a responder says that has no key for this peer.
fn no_key() -> Payload {
    v1::notify(v1::INVALID_KEY_INFORMATION)
}

fn until_message_2() -> Scenario {
    Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform())
}

/// Each end drops the other's message 1.
fn modes_differ() -> Capture {
    Scenario::new()
        .mm1(&[usual_transform()])
        .repeat(4, &BACKOFF)
        .swap_roles()
        .after(secs(5))
        .am1(&[usual_transform()])
        .repeat(4, &BACKOFF)
        .quiet(secs(30))
        .capture()
}

fn cookie_unknown() -> Capture {
    let forgotten = v1::notify(v1::INVALID_COOKIE);
    until_message_2().after(secs(20)).mm3().informational_clear(Side::Responder, forgotten).quiet(secs(30)).capture()
}

fn stops_at_message_2() -> Capture {
    until_message_2().repeat(4, &BACKOFF).quiet(secs(60)).capture()
}

/// An Informational of the initiator as soon as it has message 6.
fn farewell_or_greeting() -> Scenario {
    let story = main_mode_psk();
    let notify = story.isakmp_notify(v1::INITIAL_CONTACT, &[]);
    story.after(ms(30)).informational(Side::Initiator, &[notify])
}

fn turned_away() -> Capture {
    farewell_or_greeting().quiet(secs(60)).capture()
}

/// XAUTH asks for name and password (16520 to 16522) and says in the end that they are wrong: status 16527 is 0.
fn user_refused() -> Capture {
    let (gateway, client) = (Side::Responder, Side::Initiator);
    user_asked()
        .transaction(gateway, v1::attributes(3, 2, &[Attribute::Tv(16_527, 0)]))
        .transaction_reply(client, v1::attributes(4, 2, &[Attribute::Tv(16_527, 0)]))
        .quiet(secs(60))
        .capture()
}

/// Aggressive Mode with XAUTH: the gateway asks for the user, who answers.
fn user_asked() -> Scenario {
    user_is_asked(Scenario::new())
}

fn user_is_asked(story: Scenario) -> Scenario {
    let xauth = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let secret = |kind, text: &str| Attribute::Tlv(kind, text.as_bytes().to_vec());
    let question = [Attribute::Tv(16_520, 0), secret(16_521, ""), secret(16_522, "")];
    let answer = [Attribute::Tv(16_520, 0), secret(16_521, "somebody"), secret(16_522, "not that")];
    let (gateway, client) = (Side::Responder, Side::Initiator);
    story
        .am1(std::slice::from_ref(&xauth))
        .am2(&xauth)
        .am3()
        .transaction(gateway, v1::attributes(1, 1, &question))
        .after(secs(4))
        .transaction_reply(client, v1::attributes(2, 1, &answer))
}

/// XAUTH comes to its end: the verdict and its acknowledgement.
fn granted(told: Scenario) -> Scenario {
    let (verdict, seen) = (v1::attributes(3, 2, &[Attribute::Tv(16_527, 1)]), v1::attributes(4, 2, &[]));
    told.transaction(Side::Responder, verdict).transaction_reply(Side::Initiator, seen)
}

/// Whoever was asked, answered and then told something, and leaves, was told that he is refused.
#[test]
fn a_client_that_leaves_at_the_verdict_knows_xauth_and_has_typed() {
    let verdict = user_asked().transaction(Side::Responder, v1::attributes(3, 2, &[Attribute::Tv(16_527, 0)]));
    let left = verdict.delete_isakmp(Side::Initiator).quiet(secs(60)).capture();
    let found = finding(&left, "P1-XAUTH");
    assert!(first_cause(&found).starts_with("user name or password"), "{found:?}");
    assert!(found.means.ends_with("most likely the user was refused"), "{}", found.means);
    assert!(!found.causes.iter().any(|cause| cause.text.starts_with("the user is still typing")), "{found:?}");
}

/// Who renews phase 1 and XAUTH while the old SAs are in use starts no phase 2 yet; who does it after a tunnel and is refused leaves.
#[test]
fn xauth_that_is_renewed_beside_traffic_refuses_nobody() {
    let up = granted(user_asked()).quick_mode();
    let spis = up.esp_spis();
    let up = up.traffic_on(spis, 1..=20, secs(1)).new_attempt();
    let renewed = granted(user_is_asked(up));
    let goes_on = judge(&renewed.clone().traffic_on(spis, 21..=40, secs(1)).capture());
    assert_eq!(alarms(&goes_on), [""; 0]);
    assert_eq!(alarms(&judge(&renewed.delete_isakmp(Side::Responder).quiet(secs(40)).capture())), ["P1-XAUTH"]);
}

/// Who is refused when phase 1 is renewed has no tunnel any more: its traffic stops with that, and the old SA is deleted soon after.
#[test]
fn a_user_who_is_refused_at_a_renewal_has_no_tunnel() {
    let up = granted(user_asked()).quick_mode();
    let (spis, old) = (up.esp_spis(), up.ike_spis());
    let renewed = granted(user_is_asked(up.traffic_on(spis, 1..=20, ms(300)).new_attempt()));
    let delete = |told: Scenario| {
        let farewell = v1::delete_isakmp(old.0, old.1);
        told.after(secs(7)).under(old, |told| told.informational(Side::Initiator, &[farewell]))
    };
    let stops = judge(&delete(renewed.clone()).capture());
    assert_eq!(alarms(&stops), ["P1-XAUTH"]);
    let pair = stops.diagnosis.pairs().last().expect("a pair");
    assert_eq!((pair.status, pair.attempts[1].outcome), (PairStatus::DownNegotiating, Outcome::Failed));
    let goes_on =
        judge(&delete(renewed.clone().traffic_on(spis, 21..=30, ms(300))).traffic_on(spis, 31..=50, ms(300)).capture());
    assert_eq!(alarms(&goes_on), [""; 0]);
    let idle = granted(user_is_asked(granted(user_asked()).quick_mode().after(secs(60)).new_attempt()));
    assert_eq!(alarms(&judge(&delete(idle).capture())), [""; 0]);
}

/// The tunnel of another client behind the same NAT says nothing of a user who is refused; one of the same client does.
#[test]
fn a_client_that_is_refused_is_not_up_because_another_one_is() {
    let first = granted(user_is_asked(Scenario::new().nat())).quick_mode();
    let spis = first.esp_spis();
    let first = first.traffic_on(spis, 1..=120, ms(300)).capture();
    let second = |story: Scenario| granted(user_is_asked(story.seed(2).after(secs(12)))).capture();
    let of_another = second(Scenario::new().nat().mapping_changes());
    assert_eq!(alarms(&judge(&first.clone().merge(&of_another))), ["P1-XAUTH"]);
    assert_eq!(alarms(&judge(&first.merge(&second(Scenario::new().nat())))), [""; 0]);
}

/// XAUTH is over when the client asks for its address: what it says to the answer is about that.
#[test]
fn a_client_that_objects_to_the_answer_has_it() {
    let asks =
        granted(user_asked()).transaction(Side::Initiator, v1::attributes(1, 3, &[Attribute::Tlv(1, Vec::new())]));
    let address = || Attribute::Tlv(1, vec![10, 3, 0, 1]);
    let answered =
        |attributes: &[Attribute]| asks.clone().transaction_reply(Side::Responder, v1::attributes(2, 3, attributes));
    let objects = |told: Scenario| told.informational(Side::Initiator, &[v1::notify(v1::NO_PROPOSAL_CHOSEN)]);
    let found = |told: Scenario| finding(&told.quiet(secs(60)).capture(), "P1-XAUTH");
    let networks = Attribute::Tlv(28_676, vec![0; 28]);
    let of_much = found(objects(answered(&[address(), networks])));
    assert!(first_cause(&of_much).starts_with("the client does not accept what it is handed out"), "{of_much:?}");
    assert!(of_much.checks().all(|check| !check.text.contains("password")), "{of_much:?}");
    // one as short may hold no address, of a gateway that has none left
    let of_little = found(objects(answered(&[address()])));
    assert!(first_cause(&of_little).starts_with("the gateway does not hand out an address"), "{of_little:?}");
    assert_eq!(of_little.causes.len(), 2);
    let silent = found(answered(&[address()]));
    assert!(!silent.causes.iter().any(|cause| cause.text == of_much.causes[0].text), "{silent:?}");
}

/// Some gateways ask again under another message id till they have an answer. What decides is the verdict, which is no such question.
#[test]
fn a_question_that_is_asked_again_behind_the_verdict_does_not_decide() {
    let (gateway, client) = (Side::Responder, Side::Initiator);
    let question = || v1::attributes(1, 1, &[Attribute::Tv(16_520, 0), Attribute::Tlv(16_521, vec![0; 40])]);
    // So the verdict is shorter by a block.
    let story = || user_is_asked(Scenario::new().pads(gateway, v1::Padding::Min));
    let again = (0..4).fold(granted(story()), |told, _| told.after(secs(1)).transaction(gateway, question()));
    let anew = again.after(secs(2)).new_attempt().am1(&[usual_transform()]).capture();
    let found = finding(&anew, "P1-XAUTH");
    assert!(first_cause(&found).starts_with("user name or password"), "{found:?}");
    assert!(found.means.ends_with("most likely the user was refused"), "{}", found.means);
    let waits = story().transaction(gateway, question()).transaction_reply(client, question());
    let again = (0..4).fold(waits, |told, _| told.after(secs(1)).transaction(gateway, question()));
    let anew = again.after(secs(2)).transaction_reply(client, question()).quiet(secs(60)).capture();
    assert!(!finding(&anew, "P1-XAUTH").means.contains("the client says nothing more"));
}

/// A client that was refused has no mapping to keep.
#[test]
fn a_client_that_keeps_the_sa_alive_waits_for_mode_config() {
    let waits = |told: Scenario| granted(user_is_asked(told));
    let kept = waits(Scenario::new().nat()).after(secs(20)).keepalive(Side::Initiator).after(secs(20));
    let found = finding(&kept.keepalive(Side::Initiator).capture(), "P1-XAUTH");
    assert!(first_cause(&found).starts_with("the gateway does not hand out an address"), "{found:?}");
    let silent = finding(&waits(Scenario::new().nat()).quiet(secs(40)).capture(), "P1-XAUTH");
    assert!(first_cause(&silent).starts_with("user name or password"), "{silent:?}");
}

/// Main Mode whose responder has a certificate and whose initiator has a user, up to the question for that one.
fn hybrid_asked() -> Scenario {
    const HYBRID_INIT_RSA: u16 = 64_221;
    let hybrid = v1::transform(v1::AES_CBC, 128, v1::SHA2_256, HYBRID_INIT_RSA, 14);
    let question = [Attribute::Tv(16_520, 0), Attribute::Tlv(16_521, Vec::new())];
    let phase1 = Scenario::new().mm1(std::slice::from_ref(&hybrid)).mm2(&hybrid).mm3().mm4();
    phase1.mm5().mm6_certificate(900).transaction(Side::Responder, v1::attributes(1, 1, &question))
}

/// A client that leaves as soon as it has message 6 and the question behind it was not asked too much: it does not trust the gateway.
#[test]
fn a_client_that_leaves_instead_of_answering_refuses_the_gateway() {
    let leaves = hybrid_asked().delete_isakmp(Side::Initiator);
    let analysis = judge(&leaves.clone().quiet(secs(30)).capture());
    assert_eq!(alarms(&analysis), ["P1-INIT-REJECT"]);
    let found = find(&analysis, "P1-INIT-REJECT").expect("a finding");
    assert!(first_cause(&found).starts_with("the responder's certificate"), "{found:?}");
    assert!(find(&analysis, "P1-XAUTH").is_none());
    // It may announce itself, and the capture ends.
    assert_eq!(alarms(&judge(&leaves.capture())), [""; 0]);
    let gives_up = hybrid_asked().after(secs(20)).delete_isakmp(Side::Initiator).quiet(secs(30)).capture();
    assert_eq!(alarms(&judge(&gives_up)), ["P1-XAUTH"]);
}

/// Aggressive Mode with certificates, up to message 3.
fn aggressive_signed(story: Scenario) -> Scenario {
    let transform = v1::transform(v1::AES_CBC, 128, v1::SHA2_256, v1::RSA_SIG, 14);
    story.am1(std::slice::from_ref(&transform)).am2(&transform).am3()
}

/// Who refuses a Quick Mode keeps phase 1: a delete that comes when message 3 and a Quick Mode right behind it were sent may be about
/// either, and one that comes before the Quick Mode is not about that.
#[test]
fn a_delete_behind_message_3_may_refuse_that() {
    let behind = |story| aggressive_signed(story).qm1(0).after(ms(30)).delete_isakmp(Side::Responder);
    let before = |story| aggressive_signed(story).delete_isakmp(Side::Responder).after(ms(5)).qm1(0);
    let anew = |told: Scenario| told.after(secs(1)).new_attempt();
    let open = judge(&behind(anew(behind(Scenario::new()))).quiet(secs(30)).capture());
    assert_eq!(alarms(&open), ["P1-AGGR-AUTH"]);
    let found = find(&open, "P1-AGGR-AUTH").expect("a finding");
    assert_eq!(found.confidence, Confidence::Suspected);
    assert!(first_cause(&found).starts_with("the certificate or signature"), "{found:?}");
    assert!(found.causes.iter().any(|cause| cause.text.contains("because of the Quick Mode")), "{found:?}");
    let sure = judge(&before(anew(behind(Scenario::new()))).quiet(secs(30)).capture());
    assert_eq!(alarms(&sure), ["P1-AGGR-AUTH"]);
    let found = find(&sure, "P1-AGGR-AUTH").expect("a finding");
    assert_eq!(found.confidence, Confidence::Inferred);
    assert!(!found.causes.iter().any(|cause| cause.text.contains("because of the Quick Mode")), "{found:?}");
    // A notify refuses the Quick Mode, and so does what each copy of it draws.
    let notify = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let refused = aggressive_signed(Scenario::new()).qm1(0).informational(Side::Responder, &[notify]);
    assert_eq!(alarms(&judge(&refused.quiet(secs(30)).capture())), ["P2-REJECT"]);
}

/// Authority, name and method are what they were: what has changed since is that the certificate was revoked, or its time.
#[test]
fn a_certificate_that_was_accepted_before_is_revoked_or_has_expired() {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let refused = |told: Scenario| {
        let told = told.mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
        told.mm5_certificate(900).delete_isakmp(Side::Responder).quiet(secs(30)).capture()
    };
    let up = Scenario::new().main_mode_certificates(900).quick_mode().traffic(4).after(secs(30)).new_attempt();
    let found = finding(&refused(up), "P1-CERT");
    assert!(first_cause(&found).starts_with("the certificate is revoked"), "{found:?}");
    let found = finding(&refused(Scenario::new()), "P1-CERT");
    assert!(first_cause(&found).starts_with("the issuing authority"), "{found:?}");
}

/// Keys and identities agreed before: what the responder refuses now was changed since.
#[test]
fn what_was_authenticated_before_was_changed_since() {
    let up = || main_mode_psk().quick_mode().traffic(8).after(secs(60)).new_attempt();
    let to_mm5 = |told: Scenario| told.mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let aggressive = |told: Scenario| told.am1(&[usual_transform()]).am2(&usual_transform());
    let tunnel = || aggressive(Scenario::new()).am3().quick_mode().traffic(8).after(secs(60)).new_attempt();
    let said = |told: Scenario, notify| told.informational_clear(Side::Responder, v1::notify(notify));
    let wrong = v1::notify(v1::AUTHENTICATION_FAILED);
    let cases: [(&str, Scenario, Scenario); 4] = [
        ("P1-PSK", said(to_mm5(up()), v1::PAYLOAD_MALFORMED), said(to_mm5(Scenario::new()), v1::PAYLOAD_MALFORMED)),
        (
            "P1-AUTH-REJECT",
            to_mm5(up()).delete_isakmp(Side::Responder),
            to_mm5(Scenario::new()).delete_isakmp(Side::Responder),
        ),
        ("P1-AUTH-SILENT", to_mm5(up()).repeat(4, &BACKOFF), to_mm5(Scenario::new()).repeat(4, &BACKOFF)),
        (
            "P1-AGGR-AUTH",
            aggressive(tunnel()).informational_clear(Side::Initiator, wrong.clone()),
            aggressive(Scenario::new()).informational_clear(Side::Initiator, wrong),
        ),
    ];
    for (id, changed, first) in cases {
        let is = |cause: &str| cause.contains("changed on one side");
        let found = finding(&changed.quiet(secs(60)).capture(), id);
        let place = found.causes.iter().position(|cause| is(cause.text));
        // what gets no answer may as well be lost
        assert!(place.is_some_and(|place| place <= usize::from(id == "P1-AUTH-SILENT")), "{found:?}");
        assert!(found.seen.contains("before was authenticated"), "{}", found.seen);
        let found = finding(&first.quiet(secs(60)).capture(), id);
        assert!(!found.causes.iter().any(|cause| is(cause.text)), "{found:?}");
    }
}

/// The gateway begins XAUTH; where it does not, no want of traffic explains that nothing follows.
#[test]
fn a_gateway_that_does_not_ask_for_the_user_waits_for_no_traffic() {
    let xauth = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let idle = Scenario::new().am1(std::slice::from_ref(&xauth)).am2(&xauth).am3().after(secs(10));
    let idle = idle.dpd(Side::Responder, 1).dpd_ack(Side::Initiator, 1).quiet(secs(60)).capture();
    assert_eq!(alarms(&judge(&idle)), ["P1-XAUTH"]);
    assert!(first_cause(&finding(&idle, "P1-XAUTH")).starts_with("the gateway's question is lost"));
}

/// There is no phase 2 before XAUTH has come to its end: that a Quick Mode before that is not answered says nothing of networks.
#[test]
fn a_quick_mode_before_the_end_of_xauth_waits_for_that() {
    let early = user_asked().qm1(0).repeat(2, &BACKOFF).quiet(secs(40)).capture();
    assert_eq!(alarms(&judge(&early)), ["P1-XAUTH"]);
    let done = granted(user_asked());
    assert_eq!(alarms(&judge(&done.qm1(0).repeat(2, &BACKOFF).quiet(secs(40)).capture())), ["P2-NO-REPLY"]);
}

/// A capture that ends with the last message of XAUTH does not tell whether the user was refused, and that it came to this.
#[test]
fn a_user_who_is_being_asked_is_not_yet_one_that_both_sides_agree_on() {
    let ends = user_refused().cut_after(secs(5));
    let analysis = judge(&ends);
    let verdict = analysis.diagnosis.pairs().last().and_then(|pair| pair.verdict).map(|verdict| verdict.id());
    assert_eq!(verdict, Some("P1-XAUTH"));
    assert_eq!(alarms(&analysis), [""; 0]);
}

/// Message 3 with a public value of group 2.
fn wrong_public_value() -> Capture {
    until_message_2()
        .clear(Side::Initiator, v1::exchange::MAIN, 0, &[v1::key_exchange(2, 7), v1::nonce(32, 8)])
        .informational_clear(Side::Responder, no_key())
        .quiet(secs(30))
        .capture()
}

/// A responder that accepts the very message that it refused several times was put right meanwhile.
#[test]
fn a_message_1_that_is_accepted_after_refusals_was_mended() {
    let no = |told: Scenario| told.informational_clear(Side::Responder, v1::notify(v1::NO_PROPOSAL_CHOSEN));
    let again = |told: Scenario| told.repeat_from(Side::Initiator, 1, &[2.0]);
    let refused = again(no(again(no(Scenario::new().mm1(&[usual_transform()])))));
    let up = refused.mm2(&usual_transform()).mm3().mm4().mm5().mm6().quick_mode().traffic(10);
    let analysis = judge(&up.capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let found = find(&analysis, "P1-PROPOSAL").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Notice, Confidence::Inferred));
    assert!(found.seen.contains("answered MM1 with NO-PROPOSAL-CHOSEN (14) in clear, twice"), "{}", found.seen);
    let verdict = analysis.diagnosis.pairs().last().and_then(|pair| pair.verdict);
    assert_eq!(verdict.map(|verdict| verdict.id()), Some("OK-UP"));
}

/// An offer that is refused and accepted in a later attempt was no reason for anything since, whatever stops that one.
#[test]
fn an_offer_that_was_refused_and_is_accepted_later_is_history() {
    let no = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let refused = |group| {
        let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::PSK, group);
        let told = Scenario::new().mm1(&[transform]).informational_clear(Side::Responder, no.clone());
        let later = told.after(secs(12)).new_attempt().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
        judge(&later.mm5().repeat(4, &BACKOFF).quiet(secs(60)).capture())
    };
    let analysis = refused(14);
    assert_eq!(alarms(&analysis), ["P1-AUTH-SILENT"]);
    let found = find(&analysis, "P1-PROPOSAL").expect("a finding");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.seen.ends_with("it accepted the same offer 12.0 s later"), "{}", found.seen);
    assert!(found.means.contains("was put right there"), "{}", found.means);
    // another offer may be of another tunnel
    assert!(alarms(&refused(2)).contains(&"P1-PROPOSAL"));
    // and another client behind the same NAT has a configuration of its own
    let story = || Scenario::new().nat();
    let first = story().mm1(&[usual_transform()]).informational_clear(Side::Responder, no.clone()).capture();
    let other = story().mapping_changes().seed(2).after(secs(12)).mm1(&[usual_transform()]).mm2(&usual_transform());
    let other = other.mm3().mm4().mm5().repeat(4, &BACKOFF).quiet(secs(60)).capture();
    assert!(alarms(&judge(&first.merge(&other))).contains(&"P1-PROPOSAL"));
}

/// All that is found in a crafted capture.
pub fn findings(capture: &Capture) -> Vec<Finding> {
    let analysis = judge(capture);
    analysis.diagnosis.findings(&analysis.facts).collect()
}

/// The finding of this pattern in a crafted capture.
pub fn finding(capture: &Capture, id: &str) -> Finding {
    let all = findings(capture);
    let ids: Vec<&str> = all.iter().map(Finding::id).collect();
    all.iter().find(|finding| finding.id() == id).cloned().unwrap_or_else(|| panic!("no {id} in {ids:?}"))
}

/// Its likeliest cause.
pub fn first_cause(finding: &Finding) -> &'static str {
    finding.causes.first().map_or("", |cause| cause.text)
}

/// Whether a pattern is found in a crafted capture.
pub fn raises(capture: &Capture, id: &str) -> bool {
    findings(capture).iter().any(|finding| finding.id() == id)
}

/// Aggressive Mode up to message 2 with this authentication method, and what the initiator says to that in clear.
fn message_2_refused(method: u16, said: u16) -> Capture {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, method, 14);
    Scenario::new()
        .am1(std::slice::from_ref(&transform))
        .am2(&transform)
        .informational_clear(Side::Initiator, v1::notify(said))
        .quiet(secs(30))
        .capture()
}

/// INVALID-HASH-INFORMATION (RFC 2408 §3.14.1).
const INVALID_HASH: u16 = 23;

#[test]
fn only_what_is_said_about_the_proof_is_about_keys() {
    let refused = message_2_refused(v1::PSK, v1::NO_PROPOSAL_CHOSEN);
    assert!(!raises(&refused, "P1-AGGR-AUTH"));
    let hash = finding(&message_2_refused(v1::PSK, INVALID_HASH), "P1-AGGR-AUTH");
    assert!(first_cause(&hash).contains("pre-shared key"), "{hash:?}");
    assert!(hash.causes.iter().all(|cause| !cause.text.contains("certificate")), "{hash:?}");
}

#[test]
fn a_signature_that_does_not_verify_is_no_matter_of_keys() {
    let found = finding(&message_2_refused(v1::RSA_SIG, INVALID_HASH), "P1-AGGR-AUTH");
    assert!(found.means.contains("signature"), "{found:?}");
    assert!(first_cause(&found).contains("certificate"), "{found:?}");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("pre-shared key")), "{found:?}");
    assert!(found.checks().all(|check| !check.text.contains("password")), "{found:?}");
}

#[test]
fn message_3_of_aggressive_mode_that_does_not_arrive_is_no_refusal_of_phase_2() {
    let transform = usual_transform();
    let mut story = Scenario::new().am1(std::slice::from_ref(&transform)).am2(&transform).am3().qm1(0);
    for gap in [4.0, 7.2, 13.0] {
        story = story.repeat_from(Side::Responder, 1, &[gap]).repeat_from(Side::Initiator, 1, &[0.1]);
    }
    let lost = story.quiet(secs(30)).capture();
    let found = finding(&lost, "P1-AGGR-AUTH");
    assert_eq!(found.severity, Severity::Error);
    assert!(found.seen.contains("AM3 was sent once") && found.seen.contains("3 times more"), "{}", found.seen);
    assert!(found.means.starts_with("message 3 does not reach the responder"), "{}", found.means);
    assert!(first_cause(&found).contains("is lost"), "{found:?}");
    assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Path));
    assert!(!raises(&lost, "P2-NO-REPLY"));
    let crossing = Scenario::new().am1(std::slice::from_ref(&transform)).am2(&transform).am3();
    let crossing = crossing.repeat_from(Side::Responder, 1, &[0.1]).quick_mode().traffic(4).capture();
    assert!(!raises(&crossing, "P1-AGGR-AUTH"));
}

#[test]
fn message_2_of_aggressive_mode_that_does_not_arrive_is_looked_for_on_the_path() {
    let transform = usual_transform();
    let mut story = Scenario::new().am1(std::slice::from_ref(&transform)).am2(&transform);
    for gap in BACKOFF {
        story = story.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.1]);
    }
    let found = finding(&story.quiet(secs(30)).capture(), "P1-AGGR-AUTH");
    assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Path));
}

#[test]
fn a_refusal_after_the_offer_was_accepted_is_told_and_is_not_about_the_offer() {
    let refused = |said| {
        let mut story = until_message_2().mm3().informational_clear(Side::Responder, v1::notify(said));
        for _ in 0..3 {
            story = story.repeat_from(Side::Initiator, 1, &[10.0]).repeat_from(Side::Responder, 1, &[0.03]);
        }
        story.quiet(secs(40)).capture()
    };
    // NO-PROPOSAL-CHOSEN and BAD-PROPOSAL-SYNTAX.
    for said in [v1::NO_PROPOSAL_CHOSEN, 15] {
        let found = finding(&refused(said), "P1-NOTIFY");
        assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Stated));
        assert!(found.seen.starts_with("the responder answered MM3") && found.seen.contains("4 times"), "{found:?}");
        assert!(found.means.starts_with("the offer was accepted in message 2"), "{}", found.means);
        assert!(!raises(&refused(said), "P1-PROPOSAL"));
    }
    // A responder that says no first and goes on then is not taken at its word.
    let forged = Scenario::new()
        .mm1(&[usual_transform()])
        .informational_clear(Side::Responder, v1::notify(v1::NO_PROPOSAL_CHOSEN))
        .mm2(&usual_transform())
        .mm3()
        .mm4();
    assert!(!raises(&forged.quiet(secs(5)).capture(), "P1-NOTIFY"));
}

#[test]
fn the_initiator_that_refuses_message_2_of_aggressive_mode_is_heard() {
    let found = finding(&message_2_refused(v1::PSK, v1::NO_PROPOSAL_CHOSEN), "P1-NOTIFY");
    assert_eq!(found.severity, Severity::Error);
    assert_eq!(found.means, "the initiator does not accept what the responder chose or sent");
}

#[test]
fn a_responder_that_takes_message_2_of_aggressive_mode_back_is_heard() {
    let transform = usual_transform();
    let refused = v1::notify(v1::AUTHENTICATION_FAILED);
    let told = Scenario::new().am1(std::slice::from_ref(&transform)).am2(&transform);
    let capture = told.informational_clear(Side::Responder, refused).quiet(secs(30)).capture();
    assert!(raises(&capture, "P1-NOTIFY") && !raises(&capture, "P1-AGGR-AUTH"));
}

#[test]
fn with_certificates_no_pre_shared_key_is_missing() {
    let refused = |method| {
        let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, method, 14);
        Scenario::new()
            .mm1(std::slice::from_ref(&transform))
            .mm2(&transform)
            .mm3()
            .informational_clear(Side::Responder, no_key())
            .quiet(secs(30))
            .capture()
    };
    let certificate = refused(v1::RSA_SIG);
    assert!(!raises(&certificate, "P1-NO-KEY"));
    assert!(finding(&certificate, "P1-NOTIFY").means.contains("public value"));
    let shared = refused(v1::PSK);
    assert_eq!(finding(&shared, "P1-NO-KEY").confidence, Confidence::Inferred);
    assert!(!raises(&shared, "P1-NOTIFY"));
}

#[test]
fn without_nat_udp_4500_is_not_in_the_way_of_message_5() {
    let stops = |story: Scenario| {
        let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
        let told = story.mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
        finding(&told.repeat(4, &BACKOFF).quiet(secs(60)).capture(), "P1-MM4-NO-MM5")
    };
    let plain = stops(Scenario::new());
    assert!(first_cause(&plain).contains("no key or certificate"), "{plain:?}");
    assert!(plain.causes.iter().all(|cause| !cause.text.contains("4500")), "{plain:?}");
    assert!(plain.checks().all(|check| !check.text.contains("4500")), "{plain:?}");
    assert!(first_cause(&stops(Scenario::new().nat())).contains("4500"));
}

#[test]
fn a_responder_that_goes_on_with_message_2_does_not_get_message_3() {
    let mut story = until_message_2().mm3();
    for gap in BACKOFF {
        story = story.repeat_from(Side::Responder, 1, &[gap]).repeat_from(Side::Initiator, 1, &[0.1]);
    }
    let lost = finding(&story.quiet(secs(30)).capture(), "P1-MM3-NO-REPLY");
    assert!(lost.seen.contains("goes on with MM2, 4 times more"), "{}", lost.seen);
    assert!(first_cause(&lost).starts_with("message 3 does not reach the responder"), "{lost:?}");
    assert_eq!(lost.checks().next().map(|check| check.side), Some(Where::Path));
    let silent = until_message_2().mm3().repeat(4, &BACKOFF).quiet(secs(30)).capture();
    let silent = finding(&silent, "P1-MM3-NO-REPLY");
    assert!(first_cause(&silent).contains("no pre-shared key"), "{silent:?}");
}

#[test]
fn message_6_that_does_not_arrive_is_no_want_of_traffic() {
    let certificates = || Scenario::new().main_mode_certificates(900);
    let small = "the initiator does not take message 6";
    let large = "message 6 does not reach the initiator";
    for (complete, likely) in [(main_mode_psk as fn() -> Scenario, small), (certificates, large)] {
        let mut story = complete();
        for gap in BACKOFF {
            story = story.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.05]);
        }
        let found = finding(&story.quiet(secs(40)).capture(), "P1-UP-NO-P2");
        assert_eq!(found.severity, Severity::Error);
        assert!(found.seen.contains("the initiator goes on with MM5, 4 times more after it"), "{}", found.seen);
        assert!(found.means.starts_with(likely), "message 4 passed, and is no smaller: {}", found.means);
        assert!(found.causes.iter().all(|cause| cause.text.contains("message 6")), "{found:?}");
        assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Initiator));
    }
    // One copy of message 5 crosses message 6.
    let crossing = main_mode_psk().repeat_from(Side::Initiator, 1, &[0.01]).repeat_from(Side::Responder, 1, &[0.02]);
    let found = finding(&crossing.quiet(secs(60)).capture(), "P1-UP-NO-P2");
    assert_eq!((found.severity, first_cause(&found)), (Severity::Warning, "no traffic asks for the tunnel"));
}

/// An initiator may go on with message 5 after it was refused. Who cannot decrypt message 5 answers each copy of it; who refuses
/// the identity is done with the first.
#[test]
fn one_answer_for_many_copies_of_message_5_is_no_matter_of_keys() {
    let until_message_5 = || until_message_2().mm3().mm4().mm5();
    let error = [v1::notify(v1::AUTHENTICATION_FAILED)];
    let once = until_message_5().informational(Side::Responder, &error);
    let once = once.repeat_from(Side::Initiator, 4, &BACKOFF).quiet(secs(30)).capture();
    let found = finding(&once, "P1-AUTH-REJECT");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    assert!(first_cause(&found).contains("identity"), "{found:?}");
    assert!(!raises(&once, "P1-PSK"));
    let each = BACKOFF.into_iter().fold(until_message_5().informational(Side::Responder, &error), |told, gap| {
        told.repeat_from(Side::Initiator, 1, &[gap]).informational(Side::Responder, &error)
    });
    let each = each.quiet(secs(30)).capture();
    assert!(raises(&each, "P1-PSK") && !raises(&each, "P1-AUTH-REJECT"));
}

#[test]
fn a_second_try_that_the_capture_cuts_off_fails_like_the_first() {
    let error = [v1::notify(v1::AUTHENTICATION_FAILED)];
    let fails = |told: Scenario, copies: usize| {
        let transform = usual_transform();
        let told = told.mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4().mm5();
        BACKOFF.into_iter().take(copies).fold(told.informational(Side::Responder, &error), |told, gap| {
            told.repeat_from(Side::Initiator, 1, &[gap]).informational(Side::Responder, &error)
        })
    };
    let capture = fails(fails(Scenario::new(), 4).after(secs(30)).new_attempt(), 0).capture();
    assert!(raises(&capture, "P1-PSK") && !raises(&capture, "P1-AUTH-REJECT"));
    let alone = fails(Scenario::new(), 0).capture();
    assert!(!raises(&alone, "P1-PSK"));
}

#[test]
fn a_refused_phase_1_is_not_called_complete() {
    let refused = v1::notify(v1::AUTHENTICATION_FAILED);
    let aggressive = aggressive().informational_clear(Side::Responder, refused).quiet(secs(60)).capture();
    assert!(raises(&aggressive, "P1-AGGR-AUTH") && !raises(&aggressive, "P1-UP-NO-P2"));
    let unreadable = v1::notify(v1::PAYLOAD_MALFORMED);
    let main = main_mode_psk().informational_clear(Side::Initiator, unreadable).quiet(secs(60)).capture();
    assert!(!raises(&main, "P1-UP-NO-P2"));
    let clear = finding(&main, "M-ENC-BIT");
    assert!(clear.seen.contains("PAYLOAD-MALFORMED (16)"), "{}", clear.seen);
    assert!(clear.causes.iter().all(|cause| !cause.text.contains("pre-shared")), "{clear:?}");
}

#[test]
fn a_client_that_is_given_no_address_does_not_type_slowly() {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let nothing = |kind| [Attribute::Tlv(kind, Vec::new())];
    let (gateway, client) = (Side::Responder, Side::Initiator);
    // XAUTH (16521, 16522, 16527), then the client asks for its address (1).
    let found = finding(
        &Scenario::new()
            .main_mode_of(&transform)
            .transaction(gateway, v1::attributes(1, 1, &nothing(16_521)))
            .transaction_reply(client, v1::attributes(2, 1, &nothing(16_522)))
            .transaction(gateway, v1::attributes(3, 2, &[Attribute::Tv(16_527, 1)]))
            .transaction_reply(client, v1::attributes(4, 2, &[Attribute::Tv(16_527, 1)]))
            .transaction(client, v1::attributes(1, 3, &nothing(1)))
            .repeat(4, &[10.0])
            .quiet(secs(35))
            .capture(),
        "P1-XAUTH",
    );
    assert!(found.seen.contains("(started by the initiator) sent 5 times and not answered"), "{}", found.seen);
    assert!(found.means.starts_with("the client's request is not answered"), "{}", found.means);
    assert!(first_cause(&found).starts_with("the gateway does not hand out an address"), "{found:?}");
    assert!(found.causes.iter().all(|cause| !cause.text.contains("typing")), "{found:?}");
    assert_eq!(found.checks().next().map(|check| check.side), Some(Where::Responder));
}

#[test]
fn a_responder_that_repeats_itself_to_the_end_does_not_hide_that_windows_stopped() {
    let windows = v1::vendor_id(&[&Md5::digest(b"MS NT5 ISAKMPOAKLEY")[..], &[0, 0, 0, 9]].concat());
    let found = finding(
        &Scenario::new()
            .responder_nat()
            .vendor_ids(Side::Initiator, &[windows, v1::vid_nat_t()])
            .mm1(&[usual_transform()])
            .mm2(&usual_transform())
            .mm3()
            .mm4()
            .repeat(4, &BACKOFF)
            .capture(),
        "N-WIN-NAT-SERVER",
    );
    assert_eq!(found.severity, Severity::Error);
    assert!(found.seen.contains("the client sent nothing, and no ESP, in 47.5 s"), "{}", found.seen);
}

/// Message 1 with a list of transforms and these vendor ids, to so many addresses that all stay silent.
fn list_offered_to(targets: u8, vendor_ids: &[Payload]) -> Capture {
    let groups = [1, 2, 5, 14, 15, 16, 17, 18];
    let list: Vec<_> = groups.map(|group| v1::transform(v1::AES_CBC, 128, v1::SHA1, v1::PSK, group)).into();
    let ask = |target| {
        let (from, to) = (Ipv4Addr::new(203, 0, 113, 10), Ipv4Addr::new(198, 51, 100, target));
        let story = Scenario::between(from.into(), to.into()).vendor_ids(Side::Initiator, vendor_ids);
        story.mm1(&list).repeat(2, &[0.7]).quiet(secs(40)).capture()
    };
    (2..=targets).map(ask).fold(ask(1), |all, one| all.merge(&one))
}

#[test]
fn a_list_that_many_addresses_get_and_none_answers_is_a_scan() {
    let found = finding(&list_offered_to(12, &[]), "S-SCAN");
    assert_eq!(found.severity, Severity::Notice);
    assert!(found.seen.contains("8 transforms, not answered, like those to 11 other addresses"), "{}", found.seen);
    assert!(!raises(&list_offered_to(3, &[]), "S-SCAN"), "a gateway may have some peers that are down");
    assert!(!raises(&list_offered_to(12, &[v1::vid_dpd()]), "S-SCAN"), "a scanner need not name its abilities");
}

fn recorded(name: &'static str) -> Capture {
    Lab(name).captures().remove(0)
}

#[test]
fn the_words_about_a_refused_message_5_fit_what_was_seen() {
    let several = finding(&recorded("ss-lsw-v1-id-mismatch"), "P1-AUTH-REJECT");
    assert!(
        several.seen.contains("with 5 encrypted Informationals, the first less than 1 ms later"),
        "{}",
        several.seen
    );
    let one = finding(&recorded("v1-p1-auth-mismatch"), "P1-AUTH-REJECT");
    assert!(!one.seen.contains("the first"), "{}", one.seen);
    assert!(one.means.starts_with("most likely") && !one.means.contains("keys"), "{}", one.means);
    let certificate = finding(&recorded("v1-rsa-untrusted-ca"), "P1-CERT");
    assert!(certificate.seen.contains("arrived and was answered"), "{}", certificate.seen);
}

/// Identity and signature without a certificate: the responder may have no copy of it.
#[test]
fn a_certificate_that_message_5_has_no_room_for_was_not_sent() {
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let told = Scenario::new().mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
    let refused = |told: Scenario| {
        let error = [v1::notify(v1::AUTHENTICATION_FAILED)];
        finding(&told.informational(Side::Responder, &error).quiet(secs(30)).capture(), "P1-CERT")
    };
    let proof = [told.identity_v1(Side::Initiator), v1::signature(256, 1)];
    let found = refused(told.clone().mm5_with(&proof));
    assert!(first_cause(&found).starts_with("no certificate was sent"), "{found:?}");
    let found = refused(told.mm5_certificate(900));
    assert!(found.causes.iter().all(|cause| !cause.text.starts_with("no certificate was sent")), "{found:?}");
}

/// Phase 1 with liveness checks every ten seconds, but for `missed` frames.
fn checked(told: Scenario, missed: &[usize]) -> Capture {
    let checked = (1..8).fold(told, |told, sequence| {
        told.after(secs(10)).dpd(Side::Initiator, sequence).dpd_ack(Side::Responder, sequence)
    });
    checked.quiet(secs(20)).capture().without(missed)
}

/// One packet that the capture missed makes no failure: both ends go on under the keys.
#[test]
fn liveness_checks_are_no_answer_to_message_5() {
    for missed in [vec![6], vec![5, 6], vec![3, 4, 5, 6]] {
        let analysis = judge(&checked(main_mode_psk(), &missed));
        let alarms = crate::trial::alarms(&analysis);
        assert!(!alarms.iter().any(|id| id.starts_with("P1-A") || id.starts_with("P1-M")), "{missed:?}: {alarms:?}");
    }
    let analysis = judge(&checked(aggressive(), &[3]));
    assert!(!crate::trial::alarms(&analysis).contains(&"P1-AGGR-AUTH"));
}

/// What comes half a minute after message 5 has another reason than message 5.
#[test]
fn an_informational_long_after_message_5_is_no_refusal_of_it() {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let late = told.clone().repeat(2, &BACKOFF).after(secs(40)).delete_isakmp(Side::Responder).quiet(secs(30));
    let analysis = judge(&late.capture());
    assert!(find(&analysis, "P1-AUTH-REJECT").is_none());
    assert!(find(&analysis, "P1-AUTH-SILENT").is_some());
    let soon = told.after(ms(30)).delete_isakmp(Side::Responder).quiet(secs(30));
    assert!(find(&judge(&soon.capture()), "P1-AUTH-REJECT").is_some());
}

/// Message 6, and at once the initiator's delete; the capture may end there.
#[test]
fn an_initiator_that_leaves_after_message_6_has_not_agreed_to_the_identities() {
    let left = |told: Scenario| told.after(ms(2)).delete_isakmp(Side::Initiator);
    let early = judge(&left(main_mode_psk()).capture());
    let found = find(&early, "P1-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Warning, Confidence::Suspected));
    assert!(find(&early, "OK-P1-UP").is_none());
    let thrice = left(
        left(left(main_mode_psk()).after(secs(12)).new_attempt().main_mode()).after(secs(12)).new_attempt().main_mode(),
    );
    let analysis = judge(&thrice.capture());
    let found = find(&analysis, "P1-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.count), (Severity::Error, 3));
    assert!(find(&analysis, "OK-P1-UP").is_none());
    let follows = find(&analysis, "L-DELETE-AFTER-P1").map(|found| found.consequence_of);
    assert!(follows.is_none_or(|cause| cause == Some("P1-INIT-REJECT")), "{follows:?}");
    let signed = left(Scenario::new().main_mode_certificates(900)).quiet(secs(30)).capture();
    assert!(finding(&signed, "P1-INIT-REJECT").means.contains("the responder's certificate"));
}

/// Messages 5 and 6 come again and again, the next after so many seconds; `refused`: the initiator says something after each
/// message 6.
fn message_6_again(refused: bool) -> Capture {
    let gaps = [0.5, 1.0, 2.0, 4.0];
    let again = gaps.iter().fold(main_mode_psk(), |told, &gap| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.02])
    });
    let says = |told: Scenario| told.informational(Side::Initiator, &[v1::notify(v1::INVALID_ID_INFORMATION)]);
    let said = gaps
        .iter()
        .fold(says(main_mode_psk().after(ms(5))), |told, &gap| says(told.after(Duration::from_secs_f64(gap) + ms(20))));
    let said = said.capture().skip(if refused { 6 } else { usize::MAX });
    again.quiet(secs(40)).capture().merge(&said)
}

#[test]
fn an_initiator_that_answers_each_message_6_has_it_and_does_not_take_it() {
    let analysis = judge(&message_6_again(true));
    let found = find(&analysis, "P1-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    assert_eq!(alarms(&analysis), ["P1-INIT-REJECT"]);
    // who says nothing may never have got it
    assert_eq!(alarms(&judge(&message_6_again(false))), ["P1-UP-NO-P2"]);
}

/// Phase 1 is not complete for who goes on with message 5: what it says about message 6 is no INITIAL-CONTACT, but as long.
#[test]
fn an_initiator_that_speaks_and_goes_on_with_message_5_does_not_take_message_6() {
    let judged = |copies| {
        let again =
            until_bare_message_5().mm6().repeat_from(Side::Initiator, copies, &BACKOFF).quiet(secs(40)).capture();
        let said = announces(until_bare_message_5().mm6(), Side::Initiator).capture().skip(6);
        judge(&again.merge(&said))
    };
    let analysis = judged(4);
    let found = find(&analysis, "P1-INIT-REJECT").expect("a finding");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Inferred));
    assert!(found.seen.ends_with("and goes on with MM5, 4 times more after that; no Quick Mode"), "{}", found.seen);
    assert!(found.causes.iter().all(|cause| !cause.text.contains("certificate")), "{found:?}");
    assert_eq!(alarms(&analysis), ["P1-INIT-REJECT"]);
    // One copy of message 5 tells nothing.
    assert!(find(&judged(1), "P1-INIT-REJECT").is_none());
}

/// Whoever has message 3 and takes it does not send message 2 again; whoever leaves right after message 3 waits for nothing.
#[test]
fn errors_after_message_3_of_aggressive_mode_are_no_loss() {
    let says = |told: Scenario, side| told.after(ms(5)).informational(side, &[v1::notify(v1::PAYLOAD_MALFORMED)]);
    let judged = |told: Scenario| {
        let again = Scenario::new().am1(&[usual_transform()]).am2(&usual_transform());
        let again = again.repeat_from(Side::Responder, 3, &BACKOFF).quiet(secs(60)).capture();
        judge(&again.merge(&told.capture().skip(2)))
    };
    for told in [says(aggressive(), Side::Initiator), says(says(aggressive(), Side::Initiator), Side::Responder)] {
        let analysis = judged(told);
        let found = find(&analysis, "P1-AGGR-AUTH").expect("a finding");
        assert_eq!(first_cause(&found), "the pre-shared key or group password differs");
        assert_eq!(alarms(&analysis), ["P1-AGGR-AUTH"]);
    }
    // who goes on with message 3 has not left: that may have been INITIAL-CONTACT
    let goes_on = says(aggressive(), Side::Initiator).qm1(0).repeat(2, &BACKOFF);
    let found = find(&judged(goes_on), "P1-AGGR-AUTH").expect("a finding");
    assert!(first_cause(&found).starts_with("message 2 or 3 is lost"), "{found:?}");
}

/// Main Mode up to message 5, with a pre-shared key, of peers that announce first contact in an Informational of their own.
fn until_bare_message_5() -> Scenario {
    let told = until_message_2().mm3().mm4();
    let proof = [told.identity_v1(Side::Initiator), told.hash_v1()];
    told.mm5_with(&proof)
}

/// They do so (RFC 2407 §4.6.3.3).
fn announces(told: Scenario, side: Side) -> Scenario {
    let notify = told.isakmp_notify(v1::INITIAL_CONTACT, &[]);
    told.after(ms(15)).informational(side, &[notify])
}

fn both_announce(told: Scenario) -> Scenario {
    announces(announces(told, Side::Responder), Side::Initiator)
}

/// Phase 1 is complete, both sides announce themselves, and nothing asks for phase 2 yet.
#[test]
fn initial_contact_after_phase_1_refuses_and_deletes_nothing() {
    let idle = || both_announce(until_bare_message_5().mm6());
    for pause in [0, 1, 12, 25] {
        let analysis = judge(&idle().quiet(secs(pause)).capture());
        assert_eq!(alarms(&analysis), [""; 0], "after {pause} s");
        for id in ["P1-INIT-REJECT", "L-DELETE-AFTER-P1", "OK-DPD"] {
            assert!(find(&analysis, id).is_none(), "{id} after {pause} s");
        }
        assert!(find(&analysis, "OK-P1-UP").is_some());
    }
    let long = judge(&idle().quiet(secs(60)).capture());
    assert_eq!(alarms(&long), ["P1-UP-NO-P2"]);
    let alone = judge(&announces(until_bare_message_5().mm6(), Side::Initiator).quiet(secs(20)).capture());
    assert_eq!(alarms(&alone), [""; 0]);
    assert!(find(&alone, "P1-INIT-REJECT").is_none());
}

/// It refuses if it begins anew each time and never goes on; so does one that announced itself in message 5 before.
#[test]
fn an_initiator_that_begins_anew_after_its_informational_refused() {
    let left = |told: Scenario| announces(told, Side::Initiator).after(secs(12));
    let again = |told: Scenario| {
        let told = told.new_attempt().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
        let proof = [told.identity_v1(Side::Initiator), told.hash_v1()];
        left(told.mm5_with(&proof).mm6())
    };
    let found = finding(&again(left(until_bare_message_5().mm6())).capture(), "P1-INIT-REJECT");
    assert_eq!((found.severity, found.confidence, found.count), (Severity::Error, Confidence::Suspected, 2));
    // With certificates no length tells what is in message 5.
    let signed = |pause| {
        let told = announces(Scenario::new().main_mode_certificates(900), Side::Initiator);
        finding(&told.quiet(secs(pause)).capture(), "P1-INIT-REJECT")
    };
    assert_eq!(signed(1).severity, Severity::Notice);
    assert!(signed(1).seen.ends_with("an INITIAL-CONTACT would be as long"));
    assert_eq!(signed(60).severity, Severity::Warning);
}

/// Who does not take message 5 goes on with message 4, whatever it does not like.
#[test]
fn a_responder_that_goes_on_with_message_4_refuses_the_key_or_the_identity() {
    let told = (0..4).fold(until_bare_message_5(), |told, _| {
        told.repeat_from(Side::Responder, 1, &[10.0]).repeat_from(Side::Initiator, 1, &[0.01])
    });
    let found = finding(&told.quiet(secs(20)).capture(), "P1-AUTH-SILENT");
    assert!(found.means.ends_with("the keys differ, or it refuses the identity without a word"), "{}", found.means);
    let likelihoods: Vec<_> = found.causes.iter().take(2).map(|cause| cause.likelihood).collect();
    assert_eq!(likelihoods, ["likely", "possible"], "{found:?}");
    assert!(found.causes[1].text.contains("identity"));
}

/// Message 6 is lost, each copy of it, and the INITIAL-CONTACT behind the first one is not.
#[test]
fn initial_contact_without_message_6_tells_nothing_about_keys_and_certificates() {
    let repeated =
        |told: Scenario| [10.0; 4].iter().fold(told, |told, &gap| told.repeat_from(Side::Initiator, 1, &[gap]));
    let shared = judge(&repeated(announces(until_bare_message_5(), Side::Responder)).quiet(secs(20)).capture());
    assert!(find(&shared, "P1-PSK").is_none());
    let found = find(&shared, "P1-AUTH-REJECT").expect("a finding");
    assert_eq!(found.confidence, Confidence::Suspected);
    assert!(found.means.ends_with("or it accepts message 5 and message 6 is lost"), "{}", found.means);
    assert!(found.causes.iter().any(|cause| cause.text.contains("message 6 is lost")), "{found:?}");
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let signed = Scenario::new().mtu(1400).mm1(std::slice::from_ref(&transform)).mm2(&transform).mm3().mm4();
    let signed = judge(&repeated(announces(signed.mm5_certificate(1800), Side::Responder)).quiet(secs(20)).capture());
    assert!(find(&signed, "P1-CERT").is_none());
    let found = find(&signed, "P1-AUTH-SILENT").expect("a finding");
    assert!(first_cause(&found).starts_with("fragments of message 5, or of its answer"), "{found:?}");
}

/// Where messages were lost before, message 6 may be the next, and comes with the next copy of message 5.
#[test]
fn initial_contact_without_message_6_is_no_refusal_on_a_path_that_loses() {
    let told = Scenario::new().mm1(&[usual_transform()]).repeat(1, &[10.0]).mm2(&usual_transform()).mm3().mm4();
    let proof = [told.identity_v1(Side::Initiator), told.hash_v1()];
    let told = announces(told.mm5_with(&proof), Side::Responder);
    assert_eq!(alarms(&judge(&told.clone().quiet(secs(9)).capture())), [""; 0]);
    assert!(raises(&told.quiet(secs(30)).capture(), "P1-AUTH-REJECT"), "it does not ask again");
}

/// Who has asked for the password since phase 1 does not announce itself now.
#[test]
fn what_follows_extended_authentication_is_no_initial_contact() {
    let farewell = judge(&user_refused());
    assert!(find(&farewell, "P1-XAUTH").is_some());
    let told = aggressive().transaction(Side::Responder, v1::attributes(1, 7, &[]));
    let told = told.transaction_reply(Side::Initiator, v1::attributes(2, 7, &[])).after(ms(30));
    let left = told.delete_isakmp(Side::Responder).after(ms(5)).delete_isakmp(Side::Initiator).quiet(secs(30));
    assert!(find(&judge(&left.capture()), "OK-DPD").is_none());
}

/// The initiator begins Quick Mode before the responder's INITIAL-CONTACT has come.
#[test]
fn initial_contact_that_crosses_message_1_of_quick_mode_does_not_refuse_it() {
    let told = announces(until_bare_message_5().mm6().after(ms(5)).qm1(0), Side::Responder);
    let analysis = judge(&told.clone().quiet(secs(3)).capture());
    assert_eq!(alarms(&analysis), [""; 0]);
    let refused = judge(&told.quiet(secs(30)).capture());
    assert!(find(&refused, "P2-REJECT").is_some(), "it does not ask again");
}

/// It would have come right behind message 6, and comes when message 1 of Quick Mode has come, long after that: the size alone,
/// which address families change, makes no INITIAL-CONTACT of it, and nothing certain either.
#[test]
fn what_comes_only_when_quick_mode_is_asked_for_is_no_initial_contact() {
    let told = announces(until_bare_message_5().mm6().after(ms(100)).qm1(0), Side::Responder);
    let found = finding(&told.clone().capture(), "P2-REJECT");
    assert_eq!((found.severity, found.confidence), (Severity::Error, Confidence::Suspected));
    let found = finding(&told.quiet(secs(5)).capture(), "P2-REJECT");
    assert_eq!(found.confidence, Confidence::Inferred);
}

#[test]
fn a_responder_that_repeats_message_2_while_quick_mode_comes_never_got_message_3() {
    let told = aggressive().qm1(0);
    let repeated = [4.0, 7.2, 13.0].iter().fold(told, |told, &gap| {
        let asked = told.repeat_from(Side::Responder, 1, &[gap]);
        asked.repeat_from(Side::Initiator, 1, &[0.01])
    });
    let capture = repeated.quiet(secs(30)).capture().without(&[3]);
    let analysis = judge(&capture);
    let found = find(&analysis, "P1-AGGR-AUTH").expect("a finding");
    assert!(found.seen.starts_with("no AM3 is seen; QM1 was sent 4 times"), "{}", found.seen);
    assert!(find(&analysis, "P2-NO-REPLY").is_none());
}

/// A client that does not like message 2 ends, and its host refuses the copies.
#[test]
fn a_client_that_closes_its_port_after_message_2_refused_it() {
    let client = v1::vendor_id(&[0x11; 16]);
    let told = Scenario::new().vendor_ids(Side::Initiator, &[client]).am1(&[usual_transform()]).am2(&usual_transform());
    let address = told.address(Side::Initiator);
    let refused = [4.0, 7.2]
        .iter()
        .fold(told, |told, &gap| told.repeat_from(Side::Responder, 1, &[gap]).icmp_unreachable(address, 3));
    let analysis = judge(&refused.capture());
    let found = find(&analysis, "P1-AGGR-AUTH").expect("a finding");
    assert_eq!(found.severity, Severity::Error);
    assert!(first_cause(&found).starts_with("the pre-shared key or group password differs"), "{found:?}");
    assert_eq!(find(&analysis, "N-ICMP-PORT").and_then(|found| found.consequence_of), Some("P1-AGGR-AUTH"));
    // who knows no NAT traversal does not send message 3 elsewhere
    assert!(found.causes.iter().all(|cause| !cause.text.contains("4500")), "{found:?}");
}

/// A client that moves to UDP 4500 for message 3 may close the port that it came from (RFC 3947 §4).
#[test]
fn a_client_that_closes_its_port_after_message_2_may_have_moved() {
    let judged = |told: Scenario, address| {
        let refused =
            |told: Scenario, gap: &f64| told.repeat_from(Side::Responder, 1, &[*gap]).icmp_unreachable(address, 3);
        finding(&[4.0, 7.2].iter().fold(told, refused).capture(), "P1-AGGR-AUTH")
    };
    let until_message_2 = |told: Scenario| told.am1(&[usual_transform()]).am2(&usual_transform());
    let told = Scenario::new();
    let client = told.address(Side::Initiator);
    let found = judged(until_message_2(told), client);
    assert!(found.causes.iter().any(|cause| cause.text.starts_with("message 3 goes to UDP 4500")), "{found:?}");
    assert!(found.checks().any(|check| check.text.starts_with("permit UDP 4500 both ways")), "{found:?}");
    assert!(found.means.contains("it does not accept the responder's proof, or"), "{}", found.means);
    // on its own side of its NAT the message would be seen
    let within = Ipv4Addr::new(192, 168, 1, 10).into();
    let inside = judged(until_message_2(Scenario::new().nat().captured_inside()), within);
    assert!(inside.causes.iter().all(|cause| !cause.text.contains("4500")), "{inside:?}");
}

/// The initiator asks for XAUTH, and what it asks for is refused: the responder may have none for this group.
#[test]
fn a_group_without_xauth_is_a_reason_to_refuse_message_1() {
    let refused = |method| {
        let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, method, 14);
        let asked = Scenario::new().am1(std::slice::from_ref(&transform));
        let said = asked.informational_clear(Side::Responder, v1::notify(v1::AUTHENTICATION_FAILED));
        let found = finding(&said.quiet(secs(30)).capture(), "P1-AGGR-AUTH");
        let names = found.causes.iter().any(|cause| cause.text.starts_with("the responder has no XAUTH"));
        (names, found.checks().any(|check| check.text.starts_with("turn on XAUTH")))
    };
    assert_eq!(refused(v1::XAUTH_INIT_PSK), (true, true));
    assert_eq!(refused(v1::PSK), (false, false));
}

#[test]
fn a_question_that_comes_again_after_its_answer_was_not_answered_there() {
    let asked = || main_mode_psk().transaction(Side::Responder, v1::attributes(1, 7, &[]));
    let told = asked().transaction_reply(Side::Initiator, v1::attributes(2, 7, &[]));
    let again = [4.0, 7.2, 13.0]
        .iter()
        .fold(told, |told, &gap| told.repeat_from(Side::Responder, 1, &[gap]).repeat_from(Side::Initiator, 1, &[0.01]));
    let found = finding(&again.quiet(secs(40)).capture(), "P1-XAUTH");
    assert!(first_cause(&found).starts_with("questions or answers do not reach the other side"), "{found:?}");
    assert!(found.seen.contains("3 times more after its answer"), "{}", found.seen);
}

#[test]
fn lost_answers_are_among_the_causes_where_nothing_tells_them_from_a_wrong_key() {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let silent = finding(&told.clone().repeat(4, &BACKOFF).quiet(secs(60)).capture(), "P1-AUTH-SILENT");
    let likely = |found: &Finding, start: &str| {
        found.causes.iter().any(|cause| cause.likelihood == "likely" && cause.text.starts_with(start))
    };
    assert!(likely(&silent, "message 5, or its answer, is lost"), "{silent:?}");
    assert!(!silent.means.contains("most likely"), "{}", silent.means);
    assert!(silent.checks().any(|check| check.side == Where::Path), "{silent:?}");
    let waiting = told.repeat_from(Side::Responder, 3, &BACKOFF).quiet(secs(60)).capture();
    assert!(!likely(&finding(&waiting, "P1-AUTH-SILENT"), "message 5, or its answer, is lost"));
}

#[test]
fn an_initiator_that_begins_phase_1_anew_lacks_no_traffic() {
    let anew = main_mode_psk().after(secs(100)).new_attempt().main_mode().quiet(secs(60)).capture();
    let found = finding(&anew, "P1-UP-NO-P2");
    assert!(first_cause(&found).starts_with("its first messages (Quick Mode) do not reach this point"), "{found:?}");
    let once = finding(&main_mode_psk().quiet(secs(60)).capture(), "P1-UP-NO-P2");
    assert!(first_cause(&once).starts_with("no traffic asks"), "{once:?}");
}

/// A copy of message 5 was missed; the answer in clear to it was not.
#[test]
fn an_answer_in_clear_counts_though_the_first_copy_of_message_5_was_missed() {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let refusal = v1::notify(v1::PAYLOAD_MALFORMED);
    let refused = told.informational_clear(Side::Responder, refusal);
    let again = [4.0, 7.2].iter().fold(refused, |told, &gap| {
        told.repeat_from(Side::Initiator, 1, &[gap]).repeat_from(Side::Responder, 1, &[0.03])
    });
    let analysis = judge(&again.quiet(secs(60)).capture().without(&[5]));
    assert!(find(&analysis, "P1-PSK").is_some());
    assert!(find(&analysis, "P1-AUTH-SILENT").is_none());
}

#[test]
fn an_initiator_without_a_key_says_so() {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4();
    let refusal = v1::notify(17);
    let found = finding(&told.informational_clear(Side::Initiator, refusal).quiet(secs(30)).capture(), "P1-NOTIFY");
    assert!(first_cause(&found).starts_with("the initiator has no pre-shared key"), "{found:?}");
}

/// One answer, and then none to any copy: the responder read message 5, refused it and forgot it.
#[test]
fn a_responder_that_answers_message_5_once_refused_what_it_could_read() {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let refusal = [told.isakmp_notify(24, &[])];
    let refused = told.informational(Side::Responder, &refusal);
    let deaf = judge(&refused.repeat_from(Side::Initiator, 6, &BACKOFF).quiet(secs(60)).capture());
    assert!(find(&deaf, "P1-PSK").is_none());
    let found = find(&deaf, "P1-AUTH-REJECT").expect("a finding");
    assert!(found.seen.contains("no copy draws another answer"), "{}", found.seen);
    assert_eq!(found.confidence, Confidence::Suspected);
}

/// Some initiators stop at an error that they cannot read: that one stops does not show that the keys agree.
#[test]
fn an_initiator_that_stops_has_read_the_error_only_if_its_length_says_so() {
    let told = Scenario::new()
        .pads(Side::Responder, v1::Padding::Min)
        .mm1(&[usual_transform()])
        .mm2(&usual_transform())
        .mm3()
        .mm4()
        .mm5();
    let stopped = |error: Payload| {
        let refused = told.clone().informational(Side::Responder, &[error]).quiet(secs(60));
        find(&judge(&refused.capture()), "P1-AUTH-REJECT").expect("a finding")
    };
    let short = stopped(v1::notify(v1::PAYLOAD_MALFORMED));
    assert_eq!(short.confidence, Confidence::Suspected);
    assert_eq!(first_cause(&short), "the pre-shared keys differ");
    let told = told.pads(Side::Responder, v1::Padding::Always);
    let refused = told.clone().informational(Side::Responder, &[told.isakmp_notify(v1::AUTHENTICATION_FAILED, &[])]);
    let long = find(&judge(&refused.quiet(secs(60)).capture()), "P1-AUTH-REJECT").expect("a finding");
    assert_eq!(long.confidence, Confidence::Inferred);
    assert!(first_cause(&long).contains("identity"), "{long:?}");
}

/// A keepalive opens the way out and says nothing of the way in.
#[test]
fn a_keepalive_from_4500_is_no_answer_there() {
    let told = Scenario::new().responder_nat().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let kept = told.repeat(2, &BACKOFF).keepalive(Side::Responder).quiet(secs(60));
    let found = finding(&kept.capture(), "P1-AUTH-SILENT");
    assert!(found.seen.contains("nothing at all came from it on UDP 4500"), "{}", found.seen);
}

/// A re-key of which the capture holds a part, beside traffic: who gets no answer sends its message again.
#[test]
fn a_message_5_that_nobody_repeats_beside_traffic_is_no_failure() {
    let told = main_mode_psk().quick_mode();
    let spis = told.esp_spis();
    let again = told.traffic_on(spis, 1..20, ms(500)).new_attempt();
    let again = again.mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let beside = again.clone().traffic_on(spis, 20..60, ms(500));
    assert!(crate::trial::alarms(&judge(&beside.capture())).is_empty());
    let repeated = again.repeat(3, &BACKOFF).traffic_on(spis, 20..60, ms(500));
    assert!(crate::trial::alarms(&judge(&repeated.capture())).contains(&"P1-AUTH-SILENT"));
}

/// Each copy of message 5 is refused in clear at once, under another cookie each time, as isakmpd does.
fn refused_outside(said: u16) -> Scenario {
    let told = Scenario::new().mm1(&[usual_transform()]).mm2(&usual_transform()).mm3().mm4().mm5();
    let refused = |told: Scenario, number| told.outside(Side::Responder, number, v1::notify(said));
    let again =
        |told: Scenario, (number, gap): (u64, f64)| refused(told.repeat_from(Side::Initiator, 1, &[gap]), number);
    [(1, 4.0), (2, 7.2)].into_iter().fold(refused(told, 0), again)
}

#[test]
fn an_error_under_a_cookie_of_its_own_answers_what_came_just_before() {
    let capture = refused_outside(v1::PAYLOAD_MALFORMED).quiet(secs(20)).capture();
    let found = finding(&capture, "P1-PSK");
    assert_eq!(found.confidence, Confidence::Inferred);
    assert!(found.seen.contains("PAYLOAD-MALFORMED (16)), 3 times"), "{}", found.seen);
    assert!(found.seen.contains("a cookie of its own"), "{}", found.seen);
    assert!(!raises(&capture, "P1-AUTH-SILENT") && !raises(&capture, "C-MIDSTREAM"));
    assert_eq!(judge(&capture).facts.pairs.attempts(0), 1);
}

/// The same offer from the same address: before, it was accepted.
#[test]
fn an_offer_that_was_accepted_before_is_refused_for_a_change() {
    let refused = |told: Scenario| {
        let no = v1::notify(v1::NO_PROPOSAL_CHOSEN);
        let told = told.mm1(&[usual_transform()]).informational_clear(Side::Responder, no);
        finding(&told.quiet(secs(30)).capture(), "P1-PROPOSAL")
    };
    let changed = "the responder's configuration for this peer was changed or taken out";
    let up = main_mode_psk().quick_mode().traffic(8).after(secs(60)).new_attempt();
    assert!(first_cause(&refused(up)).starts_with(changed));
    let first = refused(Scenario::new());
    assert!(first.causes.iter().all(|cause| !cause.text.starts_with(changed)), "{first:?}");
}

#[test]
fn a_refusal_under_a_cookie_of_its_own_is_believed_if_it_is_heeded() {
    let refusal = || v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let refused = || Scenario::new().mm1(&[usual_transform()]).outside(Side::Responder, 0, refusal());
    let confidence = |story: Scenario| finding(&story.quiet(secs(30)).capture(), "P1-PROPOSAL").confidence;
    assert_eq!(confidence(refused()), Confidence::Inferred);
    assert_eq!(confidence(refused().repeat_from(Side::Initiator, 2, &[4.0, 7.2])), Confidence::Suspected);
    let late = Scenario::new().mm1(&[usual_transform()]).after(secs(3)).outside(Side::Responder, 0, refusal());
    assert!(!raises(&late.quiet(secs(30)).capture(), "P1-PROPOSAL"), "what came before does not wait for so long");
}

/// For message 1 of Main Mode nobody needs a key yet; for that of Aggressive Mode one does.
#[test]
fn no_key_is_missed_before_it_is_needed() {
    let refused = |asked: Scenario| {
        let refusal = v1::notify(v1::INVALID_KEY_INFORMATION);
        asked.informational_clear(Side::Responder, refusal).quiet(secs(30)).capture()
    };
    assert!(raises(&refused(Scenario::new().mm1(&[usual_transform()])), "P1-NOTIFY"));
    assert!(finding(&refused(Scenario::new().am1(&[usual_transform()])), "P1-NO-KEY").seen.contains("answered AM1"));
}

/// Message 1 of Aggressive Mode brings a public value: its group cannot be negotiated (RFC 2409 §5).
#[test]
fn what_aggressive_mode_cannot_negotiate_is_said_where_it_is_refused() {
    let means = |asked: Scenario| {
        let refused = asked.informational_clear(Side::Responder, v1::notify(v1::NO_PROPOSAL_CHOSEN));
        finding(&refused.quiet(secs(30)).capture(), "P1-PROPOSAL").means.contains("the group is not negotiated")
    };
    assert!(means(Scenario::new().am1(&[usual_transform()])));
    assert!(!means(Scenario::new().mm1(&[usual_transform()])));
}

/// The daemon was not there at first; it is now, and does not answer message 5.
#[test]
fn an_icmp_error_that_answers_overtook_explains_no_silence() {
    let started = |story: Scenario| {
        let peer = story.address(Side::Responder);
        let refused = story.mm1(&[usual_transform()]).icmp_unreachable(peer, 3).repeat_from(Side::Initiator, 1, &[4.0]);
        refused.mm2(&usual_transform()).mm3().mm4().mm5().repeat(4, &BACKOFF).quiet(secs(30)).capture()
    };
    let capture = started(Scenario::new());
    assert_eq!(finding(&capture, "P1-AUTH-SILENT").severity, Severity::Error);
    let past = finding(&capture, "N-ICMP-PORT");
    assert_eq!(
        (past.severity, &*past.means),
        (Severity::Info, "that is over: IKE of that host answers from there later")
    );
    let peer = Scenario::new().address(Side::Responder);
    let ended = until_message_2().mm3().mm4().mm5().icmp_unreachable(peer, 3).repeat_from(Side::Initiator, 4, &BACKOFF);
    let ended = ended.quiet(secs(30)).capture();
    assert!(!raises(&ended, "P1-AUTH-SILENT") && finding(&ended, "N-ICMP-PORT").severity == Severity::Error);
}

/// Who asks once, names nothing and closes its port is no gateway whose service ended.
#[test]
fn a_scanner_that_closed_its_port_is_no_error() {
    let story = Scenario::new().vendor_ids(Side::Initiator, &[]).mm1(&[usual_transform()]).mm2(&usual_transform());
    let scanner = story.address(Side::Initiator);
    let closed = |told: Scenario, gap: &f64| told.repeat_from(Side::Responder, 1, &[*gap]).icmp_unreachable(scanner, 3);
    let capture = BACKOFF.iter().fold(story, closed).quiet(secs(30)).capture();
    let found = finding(&capture, "N-ICMP-PORT");
    assert_eq!(found.severity, Severity::Info);
    assert!(first_cause(&found).contains("a scanner or a monitor"), "{found:?}");
    assert!(raises(&capture, "S-SCAN"));
}

/// Three seconds each way: message 2 took six, and its repeat draws message 3 once more.
#[test]
fn a_slow_path_is_waited_for() {
    let slow = |after| {
        let asked = Scenario::new().mm1(&[usual_transform()]).repeat(1, &[4.0]).after(secs(2)).mm2(&usual_transform());
        let drawn = asked.mm3().repeat_from(Side::Responder, 1, &[4.0]).repeat_from(Side::Initiator, 1, &[0.001]);
        drawn.quiet(secs(after)).capture()
    };
    assert!(!raises(&slow(1), "P1-MM3-NO-REPLY"));
    assert!(raises(&slow(30), "P1-MM3-NO-REPLY"));
}

/// Between two ends with a tunnel in IKEv2, silence in IKEv1 has other reasons than the version, too.
#[test]
fn a_version_that_works_beside_does_not_explain_silence_alone() {
    let told = ikev2_psk();
    let spis = told.esp_spis();
    let tried = told.traffic_on(spis, 1..10, ms(500)).new_attempt().mm1(&[usual_transform()]);
    let analysis = judge(&tried.repeat(3, &BACKOFF).traffic_on(spis, 10..60, ms(500)).capture());
    let version = find(&analysis, "P1-VERSION").expect("a finding");
    assert_eq!((version.severity, version.confidence), (Severity::Notice, Confidence::Suspected));
    assert_eq!(alarms(&analysis), ["P1-NO-REPLY"]);
}

/// What the responder says in clear in answer to message 1, 3 or 5 of Main Mode with a pre-shared key.
fn said_after(message: u8, said: u16) -> Capture {
    let told = match message {
        1 => Scenario::new().mm1(&[usual_transform()]),
        3 => until_message_2().mm3(),
        _ => until_message_2().mm3().mm4().mm5(),
    };
    told.informational_clear(Side::Responder, v1::notify(said)).quiet(secs(30)).capture()
}

#[test]
fn a_version_or_mode_that_was_accepted_is_not_what_a_later_notify_is_about() {
    // INVALID-MINOR-VERSION and UNSUPPORTED-EXCHANGE-TYPE (RFC 2408 §3.14.1).
    for (said, page) in [
        (v1::INVALID_MAJOR_VERSION, "P1-VERSION"),
        (6, "P1-VERSION"),
        (v1::INVALID_EXCHANGE_TYPE, "P1-MODE"),
        (29, "P1-MODE"),
    ] {
        assert_eq!(alarms(&judge(&said_after(1, said))), [page], "{said}");
        for message in [3, 5] {
            let capture = said_after(message, said);
            assert_eq!(alarms(&judge(&capture)), ["P1-NOTIFY"], "{said} after {message}");
            let found = finding(&capture, "P1-NOTIFY");
            assert!(found.seen.starts_with(&format!("the responder answered MM{message} with")), "{}", found.seen);
            assert!(found.means.contains("had gone along with this in message 2"), "{}", found.means);
            assert!(first_cause(&found).starts_with("the peer restarted, another member"), "{found:?}");
        }
    }
}

/// The Base exchange (RFC 2408 §4.4) begins as Main Mode does: without a cookie of the responder.
#[test]
fn a_refused_base_exchange_is_no_capture_that_begins_late() {
    let offer = v1::Proposal { protocol: 1, spi: vec![], transforms: vec![usual_transform()] };
    let told = Scenario::new().clear(Side::Initiator, 1, 0, &[v1::sa(&[offer]), v1::nonce(32, 1)]);
    let told = told.informational_clear(Side::Responder, v1::notify(v1::INVALID_EXCHANGE_TYPE)).quiet(secs(30));
    let analysis = judge(&told.capture());
    assert_eq!(alarms(&analysis), ["P1-MODE"]);
    assert!(find(&analysis, "C-MIDSTREAM").is_none());
}

#[test]
fn only_what_message_5_holds_can_tell_of_its_keys() {
    for said in
        [v1::INVALID_PAYLOAD_TYPE, v1::PAYLOAD_MALFORMED, v1::INVALID_ID_INFORMATION, 23, v1::AUTHENTICATION_FAILED]
    {
        let capture = said_after(5, said);
        assert_eq!(alarms(&judge(&capture)), ["P1-PSK"], "{said}");
        assert_eq!(finding(&capture, "P1-PSK").confidence, Confidence::Inferred, "{said}");
    }
    for said in [v1::NO_PROPOSAL_CHOSEN, 15, v1::INVALID_KEY_INFORMATION, 19, 20, 25] {
        let capture = said_after(5, said);
        assert_eq!(alarms(&judge(&capture)), ["P1-PSK"], "{said}");
        assert_eq!(finding(&capture, "P1-PSK").confidence, Confidence::Suspected, "{said}");
    }
    for said in [2, 3, v1::INVALID_COOKIE, v1::INVALID_SPI, 26, 27, 28] {
        let capture = said_after(5, said);
        assert_eq!(alarms(&judge(&capture)), ["P1-NOTIFY"], "{said}");
        assert_eq!(finding(&capture, "P1-NOTIFY").severity >= Severity::Error, ![26, 27].contains(&said), "{said}");
    }
    let lost = finding(&said_after(5, v1::INVALID_COOKIE), "P1-NOTIFY");
    assert!(lost.means.contains("does not know this negotiation"), "{}", lost.means);
    assert!(first_cause(&lost).starts_with("the peer restarted"), "{lost:?}");
}

/// In Aggressive Mode, too, a peer that lost its state says nothing of keys.
#[test]
fn a_cookie_that_is_unknown_after_message_3_of_aggressive_mode_is_no_matter_of_keys() {
    let said = |said| aggressive().informational_clear(Side::Responder, v1::notify(said)).quiet(secs(30)).capture();
    assert!(raises(&said(v1::AUTHENTICATION_FAILED), "P1-AGGR-AUTH"));
    let lost = said(v1::INVALID_COOKIE);
    assert!(raises(&lost, "P1-NOTIFY") && !raises(&lost, "P1-AGGR-AUTH"));
    assert!(finding(&lost, "P1-NOTIFY").seen.starts_with("the responder answered AM3 with INVALID-COOKIE"));
}

#[test]
fn without_certificates_none_is_refused() {
    for said in [19, 20, 21, 22, 25, 28] {
        for message in [1, 3] {
            let capture = said_after(message, said);
            assert_eq!(alarms(&judge(&capture)), ["P1-NOTIFY"], "{said} after {message}");
            assert!(finding(&capture, "P1-NOTIFY").means.contains("pre-shared keys are to prove"), "{said}");
        }
    }
    let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
    let offered = Scenario::new().mm1(std::slice::from_ref(&transform));
    let refused =
        |told: Scenario, said| told.informational_clear(Side::Responder, v1::notify(said)).quiet(secs(30)).capture();
    // nothing that it could be about was sent
    assert_eq!(alarms(&judge(&refused(offered.clone(), 20))), ["P1-NOTIFY"]);
    let proven = offered.mm2(&transform).mm3().mm4().mm5_certificate(900);
    let invalid = finding(&refused(proven.clone(), 20), "P1-CERT");
    assert_eq!(invalid.means, "the responder finds the certificate of the initiator invalid or badly formed");
    assert!(invalid.causes.iter().all(|cause| !cause.text.contains("has no certificate")), "{invalid:?}");
    let none = finding(&refused(proven.clone(), 28), "P1-CERT");
    assert_eq!(none.means, "the responder has no certificate of the type and authority that the initiator asks for");
    assert!(first_cause(&none).starts_with("the side that says so has no certificate"), "{none:?}");
    assert!(none.checks().all(|check| !check.text.contains("dates")), "{none:?}");
    // a peer that lost its state says nothing of certificates
    let lost = refused(proven, v1::INVALID_COOKIE);
    assert!(raises(&lost, "P1-NOTIFY") && !raises(&lost, "P1-CERT"));
}

#[test]
fn each_type_of_error_has_words_of_its_own() {
    let mut told: Vec<String> = Vec::new();
    for said in (1..=30).filter(|said| ![5, 6, 7, 29].contains(said)) {
        let capture = said_after(1, said);
        let found = findings(&capture);
        let found = found.iter().find(|found| found.severity >= Severity::Warning).expect("a finding");
        assert!(!found.means.contains("refuses this message"), "{said}: {}", found.means);
        assert!(!told.contains(&found.means), "{said}: {}", found.means);
        told.push(found.means.clone());
    }
    // BAD-PROPOSAL-SYNTAX is about the form of the offer.
    let form = finding(&said_after(1, 15), "P1-PROPOSAL");
    assert!(form.means.contains("the form and not the policy"), "{}", form.means);
    assert!(first_cause(&form).starts_with("the initiator builds the offer wrongly"), "{form:?}");
    let policy = finding(&said_after(1, v1::NO_PROPOSAL_CHOSEN), "P1-PROPOSAL");
    assert!(policy.causes.iter().all(|cause| !cause.text.contains("builds the offer")), "{policy:?}");
}

/// RFC 7296 §2.5 and §1.5: a peer that knows IKEv2 only may answer under the initiator cookie in its own version.
#[test]
fn an_answer_in_ikev2_to_message_1_is_an_answer() {
    let asked = Scenario::new().mm1(&[usual_transform()]).repeat(2, &BACKOFF);
    let (initiator_spi, _) = asked.ike_spis();
    let answer = |initiator_spi| {
        let header = Header {
            initiator_spi,
            responder_spi: 0,
            version: 0x20,
            exchange_type: v2::exchange::INFORMATIONAL,
            flags: v2::RESPONSE,
            message_id: 0,
        };
        let refusal = header.message(&[v2::notify(v2::INVALID_MAJOR_VERSION, &[])]);
        asked.clone().raw(Side::Responder, &refusal).quiet(secs(30)).capture()
    };
    let refused = answer(initiator_spi);
    assert_eq!(alarms(&judge(&refused)), ["P1-VERSION"]);
    let found = finding(&refused, "P1-VERSION");
    assert_eq!(found.confidence, Confidence::Stated);
    assert!(found.seen.contains("INVALID_MAJOR_VERSION (5) in clear, in an IKEv2 message"), "{}", found.seen);
    assert!(!raises(&refused, "C-MIDSTREAM"));
    // under another cookie it answers something else
    let other = answer(initiator_spi ^ 1);
    assert!(raises(&other, "P1-NO-REPLY") && !raises(&other, "P1-VERSION"));
}

/// Each copy of message 1 is refused in an Informational with a message id of its own.
#[test]
fn a_refusal_counts_each_time_it_is_said() {
    let refused = |told: Scenario, said| {
        let again = |told: Scenario| told.informational_clear(Side::Responder, v1::notify(said)).after(secs(4));
        let copies = (0..4).fold(again(told), |told, _| again(told.repeat_from(Side::Initiator, 1, &[4.0])));
        judge(&copies.quiet(secs(30)).capture())
    };
    let aggressive = refused(Scenario::new().am1(&[usual_transform()]), v1::AUTHENTICATION_FAILED);
    let main = refused(Scenario::new().mm1(&[usual_transform()]), v1::NO_PROPOSAL_CHOSEN);
    for (analysis, id) in [(aggressive, "P1-AGGR-AUTH"), (main, "P1-PROPOSAL")] {
        let found = find(&analysis, id).expect("a finding");
        assert!(found.seen.contains("in clear, 5 times"), "{}", found.seen);
    }
}

/// Whoever was asked has answered, at the latest: nobody types any more.
#[test]
fn a_user_who_has_answered_is_not_typing() {
    let types =
        |told: Scenario| finding(&told.capture(), "P1-XAUTH").causes.iter().any(|cause| cause.text.contains("typing"));
    assert!(!types(granted(user_asked())));
    assert!(!types(user_asked().quiet(secs(60))));
    assert!(types(
        user_asked().transaction(Side::Responder, v1::attributes(1, 3, &[Attribute::Tlv(16_522, vec![0; 8])]))
    ));
}
