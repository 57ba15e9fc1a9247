//! Signs: what a look over a pair's facts shows at once, so that only the checks run that can find something.
//!
//! Not here: the look itself (`patterns::look`), and judgement. Contract: a sign that a pattern names in `when` is set wherever
//! its check could find anything; it may be set where the check then finds nothing.

/// A set of signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signs(u128);

macro_rules! signs {
    ($($(#[doc = $line:literal])+ $name:ident;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Place { $($name),* }

        impl Signs {
            $($(#[doc = $line])+ pub const $name: Self = Self(1 << Place::$name as u8);)*
        }
    };
}

signs! {
    /// No attempt.
    NO_IKE;
    /// More than one attempt.
    SEVERAL;
    /// Three attempts or more.
    MANY_ATTEMPTS;
    /// Attempts that different addresses began.
    BEGUN_BY_SEVERAL;
    /// An attempt in IKEv1.
    V1;
    /// An attempt in IKEv2.
    V2;
    /// An attempt in Aggressive Mode.
    AGGRESSIVE;
    /// An attempt whose beginning is not in the capture.
    MIDSTREAM;
    /// An attempt that was answered, and one side of it was not captured.
    ONE_SIDED;
    /// An attempt of which nothing came from the responder.
    UNHEARD;
    /// An attempt whose phase 1 or IKE SA did not come up.
    DOWN;
    /// An attempt with a tunnel.
    TUNNEL;
    /// An attempt without a tunnel, or with one from its first message on.
    NO_TUNNEL;
    /// An IKEv2 attempt that does not show an authentication that worked.
    V2_UNPROVEN;
    /// An IKEv1 attempt without phase 2 and Transaction exchanges.
    V1_UNUSED;
    /// An attempt whose initiator sent first messages only, and was answered.
    LEFT_OPEN;
    /// An error notification in clear.
    ERROR_NOTIFY;
    /// COOKIE.
    COOKIE;
    /// REDIRECT.
    REDIRECT;
    /// TICKET_NACK.
    TICKET_NACK;
    /// CHILDLESS_IKEV2_SUPPORTED.
    CHILDLESS;
    /// An Informational exchange, or a message of one.
    INFORMATIONAL;
    /// As many Informational messages as a storm of deletes takes.
    MANY_INFORMATIONALS;
    /// An initiator's INFORMATIONAL not later than at once after an answer to IKE_AUTH.
    TOLD_AT_ONCE;
    /// An Informational message of a side that heard nothing since.
    LAST_WORD;
    /// No Quick Mode.
    NO_QUICK_MODE;
    /// A public value in IKEv1 that is not as long as its group has them.
    ODD_KEY;
    /// A Quick Mode.
    QUICK_MODE;
    /// Three Quick Modes or more.
    MANY_QUICK_MODES;
    /// A Quick Mode without an answer.
    QUICK_MODE_OPEN;
    /// A Quick Mode with message 2 and without message 3.
    QUICK_MODE_UNCONFIRMED;
    /// CREATE_CHILD_SA.
    CREATE_CHILD;
    /// Both sides of an attempt start Quick Modes or CREATE_CHILD_SA.
    BOTH_START;
    /// An exchange that few tunnels have.
    RARE_EXCHANGE;
    /// A request without a response.
    V2_OPEN;
    /// Message ids of a side that do not always grow.
    V2_IDS;
    /// A message that was repeated.
    REPEATS;
    /// Messages in more than one capture, or captures that were recorded at the same time.
    CAPTURES;
    /// A message that could not be read whole, or a datagram that could not be read.
    FAULTS;
    /// An exchange or payload type without a name.
    UNKNOWN;
    /// A message in clear where keys are there.
    CLEAR_TOO_LATE;
    /// A non-ESP marker that is missing or out of place.
    MARKER;
    /// A message in IP fragments.
    FRAGMENTS;
    /// A message, or a copy of one, of which IKE fragments are missing.
    FRAGMENTS_MISSING;
    /// A message in IKE fragments.
    IKE_FRAGMENTS;
    /// A fragmented datagram that never became whole.
    INCOMPLETE;
    /// An ICMP error.
    ICMP;
    /// A side behind a NAT.
    NAT;
    /// An initiator's port other than 500 and 4500.
    PORT;
    /// A side that moved, other than from UDP 500 to 4500, or a flow whose ports changed.
    MOVED;
    /// Something in TCP.
    TCP;
    /// ESP or AH.
    FLOWS;
    /// Neither ESP nor AH.
    NO_FLOWS;
    /// ESP or AH of which one direction was silent since the last tunnel came up, or for longer than the other in the end.
    FLOWS_ONE_WAY;
    /// More flows of ESP or AH in one direction than in the other, which has some.
    FLOWS_UNEVEN;
    /// ESP over IP and in UDP or TCP.
    FLOWS_MIXED;
    /// ESP or AH in IP fragments.
    FLOWS_IN_FRAGMENTS;
    /// A flow whose packets were recorded twice and no longer are.
    FLOWS_NO_LONGER_TWICE;
    /// Packets of a flow that were not seen.
    LOST;
    /// Packets of a flow out of order.
    REORDERED;
    /// Sequence numbers of a flow that came twice.
    DUPLICATES;
    /// Sequence numbers of a flow that began anew.
    RESETS;
    /// Sequence numbers of a flow near either end of their range.
    NUMBERS_AT_AN_END;
    /// ESP that can be read.
    READABLE;
    /// AH.
    AH;
    /// Packets in clear that may belong into a tunnel, in the capture as a whole.
    CLEAR_PACKETS;
    /// DNS answers without an address, in the capture as a whole.
    DNS_FAILURES;
    /// A private address on one side only.
    PRIVATE;
    /// Phase 1 lifetimes of offer and choice that differ.
    LIFETIMES;
    /// DES.
    WEAK_DES;
    /// The same, chosen by a responder.
    WEAK_DES_CHOSEN;
    /// A cipher with 64-bit blocks.
    WEAK_3DES;
    /// The same, chosen by a responder.
    WEAK_3DES_CHOSEN;
    /// MD5.
    WEAK_MD5;
    /// The same, chosen by a responder.
    WEAK_MD5_CHOSEN;
    /// SHA-1.
    WEAK_SHA1;
    /// The same, chosen by a responder.
    WEAK_SHA1_CHOSEN;
    /// A weak group.
    WEAK_GROUP;
    /// The same, chosen by a responder.
    WEAK_GROUP_CHOSEN;
    /// A cipher without integrity.
    BARE_CIPHER;
    /// A key length that is missing, or that should not be there.
    KEY_LENGTH;
    /// The same, chosen by a responder.
    KEY_LENGTH_CHOSEN;
    /// A vendor id that names a product.
    PRODUCT;
    /// A choice without a post-quantum key exchange.
    NO_POST_QUANTUM;
}

impl Signs {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// All of both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `wanted` are set.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Sets these.
    pub fn set(&mut self, signs: Self) {
        self.0 |= signs.0;
    }

    /// Sets these if `condition` holds.
    pub fn set_if(&mut self, condition: bool, signs: Self) {
        self.0 |= if condition { signs.0 } else { 0 };
    }
}
