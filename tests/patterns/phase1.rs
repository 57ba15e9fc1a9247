//! Trials: IKEv1 phase 1.

use crate::support::story::{main_mode_psk, usual_transform};
use crate::support::wire::{Attribute, Payload, v1};
use crate::support::{Capture, Scenario, Side, ms, secs};
use crate::trial::Evidence::{Crafted, Lab};
use crate::trial::Trial;

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
    let xauth = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::XAUTH_INIT_PSK, 14);
    let secret = |kind, text: &str| Attribute::Tlv(kind, text.as_bytes().to_vec());
    let question = [Attribute::Tv(16_520, 0), secret(16_521, ""), secret(16_522, "")];
    let answer = [Attribute::Tv(16_520, 0), secret(16_521, "somebody"), secret(16_522, "not that")];
    let (gateway, client) = (Side::Responder, Side::Initiator);
    Scenario::new()
        .am1(std::slice::from_ref(&xauth))
        .am2(&xauth)
        .am3()
        .transaction(gateway, v1::attributes(1, 1, &question))
        .after(secs(4))
        .transaction_reply(client, v1::attributes(2, 1, &answer))
        .transaction(gateway, v1::attributes(3, 2, &[Attribute::Tv(16_527, 0)]))
        .transaction_reply(client, v1::attributes(4, 2, &[Attribute::Tv(16_527, 0)]))
        .quiet(secs(60))
        .capture()
}

/// Message 3 with a public value of group 2.
fn wrong_public_value() -> Capture {
    until_message_2()
        .clear(Side::Initiator, v1::exchange::MAIN, 0, &[v1::key_exchange(2, 7), v1::nonce(32, 8)])
        .informational_clear(Side::Responder, no_key())
        .quiet(secs(30))
        .capture()
}
