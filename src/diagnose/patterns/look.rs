//! The look over a pair that finds its signs: one walk over its messages, before any check runs.
//!
//! What depends on how an attempt went, an offer, a choice or vendor ids only is remembered from one pair to the next.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;

use crate::base::Timestamp;
use crate::diagnose::Verdict;
use crate::diagnose::case::{AT_ONCE, Case, PATIENCE, View};
use crate::diagnose::signs::Signs;
use crate::isakmp::registry;
use crate::packet::Encapsulation;
use crate::track::{
    Attempt, Exchange, ExchangeKind, FlowProtocol, IkeVersion, Label, MadeFrom, MessageRecord, Mode, PayloadDetail,
    ProposalFact, Side,
};

use super::ikev2::notify;
use super::{
    l_delete_storm, l_lifetime, life_cycle, n_private_outer, nat, p1_ke, s_3des, s_des, s_dh_weak, s_keylen, s_md5,
    s_no_pq, s_null_integ, s_sha1, s_vid_leak, t_seq_wrap,
};

/// What was seen before and need not be looked at again: stories, the last few offers, choices and vendor ids, and sets of
/// signs.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    called: HashMap<Signs, Vec<Verdict>>,
    /// By where that stands which such attempts are made from.
    stories: HashMap<usize, (Arc<Attempt>, OfStory)>,
    offers: Recent<Offer>,
    vendor_ids: Recent<Option<VendorIds>>,
}

/// What is offered and what is chosen of it, in one version.
type Offer = (Option<Arc<[ProposalFact]>>, Option<Arc<ProposalFact>>, Option<IkeVersion>);
/// The vendor ids of a side.
type VendorIds = Arc<[Box<[u8]>]>;

/// Sets of signs of which it is remembered what they call for, and stories of which it is what they show.
const MOST: usize = 1024;

impl Memory {
    /// The checks that `signs` call for, in the order of the catalogue.
    pub(crate) fn called_for(&mut self, signs: Signs) -> &[Verdict] {
        if self.called.len() >= MOST && !self.called.contains_key(&signs) {
            self.called.clear();
        }
        self.called.entry(signs).or_insert_with(|| {
            Verdict::all().filter(|verdict| verdict.pattern().when.iter().any(|&when| signs.has(when))).collect()
        })
    }

    /// What an attempt shows that was made from this.
    fn of_story(&mut self, template: &Arc<Attempt>) -> OfStory {
        let place = Arc::as_ptr(template).addr();
        if let Some((_, known)) = self.stories.get(&place) {
            return *known;
        }
        let shown = OfStory::of(template, self);
        if self.stories.len() >= MOST {
            self.stories.clear();
        }
        self.stories.insert(place, (Arc::clone(template), shown));
        shown
    }
}

/// The last few of a kind, with their signs.
#[derive(Debug)]
struct Recent<T> {
    known: [(T, Signs); 8],
    next: usize,
}

impl<T: Default> Default for Recent<T> {
    fn default() -> Self {
        Self { known: std::array::from_fn(|_| (T::default(), Signs::NONE)), next: 0 }
    }
}

impl<T> Recent<T> {
    fn find(&self, same: impl Fn(&T) -> bool) -> Option<Signs> {
        self.known.iter().find(|(known, _)| same(known)).map(|(_, signs)| *signs)
    }

    fn remember(&mut self, what: T, signs: Signs) {
        if let Some(slot) = self.known.get_mut(self.next) {
            *slot = (what, signs);
        }
        self.next = (self.next + 1) % self.known.len();
    }
}

/// The signs of a pair. `stories`: what its attempts were made from, if that tells how they went.
pub(crate) fn signs_of(case: &Case<'_>, stories: Option<&[MadeFrom]>, memory: &mut Memory) -> Signs {
    let pair = case.pair;
    let mut look = Look::default();
    for (index, view) in case.attempts() {
        let shown = match stories.and_then(|stories| stories.get(index)) {
            Some(Some(template)) => memory.of_story(template),
            _ => OfStory::of(view.attempt, memory),
        };
        look.attempt(&view, &shown);
        case.note_offer(index, shown.offer);
    }
    flows(case, look.latest_up, &mut look.signs);
    let mut signs = look.signs;
    signs.set_if(pair.attempts.is_empty(), Signs::NO_IKE);
    signs.set_if(case.survey.captures_overlap(), Signs::CAPTURES);
    signs.set_if(pair.attempts.len() > 1, Signs::SEVERAL);
    signs.set_if(pair.attempts.len() > 2, Signs::MANY_ATTEMPTS);
    let began = |attempt: &Attempt| life_cycle::address(attempt, Side::Initiator);
    let first = pair.attempts.first().map(began);
    signs.set_if(pair.attempts.iter().any(|attempt| Some(began(attempt)) != first), Signs::BEGUN_BY_SEVERAL);
    signs.set_if(!signs.has(Signs::QUICK_MODE), Signs::NO_QUICK_MODE);
    signs.set_if(look.quick_modes >= 3, Signs::MANY_QUICK_MODES);
    signs.set_if(look.informationals >= l_delete_storm::DELETES, Signs::MANY_INFORMATIONALS);
    signs.set_if(!pair.icmp_errors.is_empty(), Signs::ICMP);
    signs.set_if(!pair.incomplete.is_empty(), Signs::INCOMPLETE);
    signs.set_if(!pair.malformed.is_empty(), Signs::FAULTS);
    signs.set_if(n_private_outer::is_private(pair.a) != n_private_outer::is_private(pair.b), Signs::PRIVATE);
    signs.set_if(!case.facts.clear.is_empty(), Signs::CLEAR_PACKETS);
    signs.set_if(!case.facts.dns_failures.is_empty(), Signs::DNS_FAILURES);
    signs
}

#[derive(Debug)]
struct Look {
    signs: Signs,
    quick_modes: usize,
    informationals: usize,
    capture: Option<u32>,
    /// No tunnel came up later than this.
    latest_up: Option<Timestamp>,
}

impl Default for Look {
    fn default() -> Self {
        Self { signs: Signs::NONE, quick_modes: 0, informationals: 0, capture: None, latest_up: None }
    }
}

/// What an attempt shows by how it went, whatever its times, frames and addresses are.
#[derive(Debug, Clone, Copy)]
struct OfStory {
    signs: Signs,
    /// Those of its offer and choice.
    offer: Signs,
    quick_modes: usize,
    informationals: usize,
    went_on: bool,
    /// When one of its messages came may be a sign: an Informational, or an answer that ends the set-up or creates a child SA.
    times_tell: bool,
}

impl OfStory {
    fn of(attempt: &Attempt, memory: &mut Memory) -> Self {
        let offer = of_offer(attempt, memory);
        let mut shown =
            Self { signs: offer, offer, quick_modes: 0, informationals: 0, went_on: false, times_tell: false };
        for ids in &attempt.vendor_ids {
            shown.signs.set(of_vendor_ids(ids, memory));
        }
        let (mut used, mut exchanges) = (false, Exchanges::default());
        for exchange in &attempt.exchanges {
            shown.exchange(attempt, exchange, &mut exchanges);
            for message in &exchange.messages {
                used |= matches!(message.label, Label::Qm(_) | Label::Tr(_));
                shown.message(exchange, message);
                shown.carried(attempt.version, message);
            }
        }
        let v2 = attempt.version == IkeVersion::V2;
        let signs = &mut shown.signs;
        signs.set(if v2 { Signs::V2 } else { Signs::V1 });
        signs.set_if(!v2 && !used, Signs::V1_UNUSED);
        signs.set_if(!v2 && p1_ke::misfit(attempt).is_some(), Signs::ODD_KEY);
        signs.set_if(attempt.mode == Mode::Aggressive, Signs::AGGRESSIVE);
        signs.set_if(attempt.midstream, Signs::MIDSTREAM);
        signs.set_if(attempt.phase1_up.is_none(), Signs::DOWN);
        signs.set_if(exchanges.starts == [true; 2], Signs::BOTH_START);
        shown
    }

    fn exchange(&mut self, attempt: &Attempt, exchange: &Exchange, all: &mut Exchanges) {
        let signs = &mut self.signs;
        let side = exchange.started_by.index();
        let has = |label| exchange.message(label).is_some();
        match exchange.kind {
            ExchangeKind::QuickMode => {
                signs.set(Signs::QUICK_MODE);
                let (second, third) = (has(Label::Qm(2)), has(Label::Qm(3)));
                signs.set_if(!second && !third, Signs::QUICK_MODE_OPEN);
                signs.set_if(second && !third, Signs::QUICK_MODE_UNCONFIRMED);
                all.starts[side] = true;
            }
            ExchangeKind::CreateChildSa => {
                signs.set(Signs::CREATE_CHILD);
                all.starts[side] = true;
            }
            ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2 => signs.set(Signs::INFORMATIONAL),
            ExchangeKind::MainMode | ExchangeKind::AggressiveMode | ExchangeKind::IkeSaInit | ExchangeKind::IkeAuth => {
            }
            ExchangeKind::Other(_) => signs.set(Signs::RARE_EXCHANGE.and(Signs::UNKNOWN)),
            ExchangeKind::NewGroupMode
            | ExchangeKind::Transaction
            | ExchangeKind::IkeIntermediate
            | ExchangeKind::IkeFollowupKe
            | ExchangeKind::IkeSessionResume => signs.set(Signs::RARE_EXCHANGE),
        }
        if attempt.version == IkeVersion::V2 {
            let answered = exchange.messages.iter().any(|message| matches!(message.label, Label::Response(_)));
            signs.set_if(!answered, Signs::V2_OPEN);
            if !matches!(
                exchange.kind,
                ExchangeKind::IkeSaInit | ExchangeKind::IkeSessionResume | ExchangeKind::Other(_)
            ) {
                let last = all.ids[side].replace(exchange.message_id.0);
                signs.set_if(last.is_some_and(|last| exchange.message_id.0 <= last), Signs::V2_IDS);
            }
        }
    }

    fn message(&mut self, exchange: &Exchange, message: &MessageRecord) {
        let signs = &mut self.signs;
        signs.set_if(message.repeat_count > 0 || !message.repeats.is_empty(), Signs::REPEATS);
        match message.label {
            Label::Qm(1) => self.quick_modes += 1,
            Label::Inf | Label::INFORMATIONAL_REQ => {
                signs.set(Signs::INFORMATIONAL);
                self.informationals += usize::from(message.encrypted);
                self.times_tell = true;
            }
            Label::AUTH_RSP | Label::CREATE_CHILD_SA_RSP => self.times_tell = true,
            _ => {}
        }
        self.went_on |= message.from == Side::Initiator
            && !matches!(message.label, Label::Mm(1) | Label::Am(1) | Label::SA_INIT_REQ);
        let late = matches!(
            exchange.kind,
            ExchangeKind::QuickMode
                | ExchangeKind::NewGroupMode
                | ExchangeKind::Transaction
                | ExchangeKind::InformationalV1
                | ExchangeKind::InformationalV2
                | ExchangeKind::IkeAuth
                | ExchangeKind::CreateChildSa
                | ExchangeKind::IkeIntermediate
                | ExchangeKind::IkeFollowupKe
        );
        signs.set_if(!message.encrypted && (late || message.label == Label::Stray), Signs::CLEAR_TOO_LATE);
        signs.set_if(message.fault.is_some(), Signs::FAULTS);
        signs.set_if(message.ip_fragments > 1, Signs::FRAGMENTS);
        let in_part = message.ike_fragments_missing.is_some()
            || message.ike_fragments_elsewhere.is_some_and(|elsewhere| elsewhere.missing.is_some())
            || message.repeats.iter().any(|copy| copy.missing.is_some());
        signs.set_if(in_part, Signs::FRAGMENTS_MISSING);
        signs.set_if(message.ike_fragments > 1, Signs::IKE_FRAGMENTS);
        signs.set_if(message.encapsulation == Encapsulation::Tcp, Signs::TCP);
    }

    fn carried(&mut self, version: IkeVersion, message: &MessageRecord) {
        let signs = &mut self.signs;
        let named = &NAMED_PAYLOADS[usize::from(version == IkeVersion::V2)];
        for payload in message.carried.iter() {
            signs.set_if(!named[usize::from(payload.payload_type)], Signs::UNKNOWN);
            let PayloadDetail::Notify { notify_message_type, data, .. } = &payload.detail else { continue };
            match *notify_message_type {
                notify::COOKIE => signs.set(Signs::COOKIE),
                notify::REDIRECT => signs.set(Signs::REDIRECT),
                notify::TICKET_NACK => signs.set(Signs::TICKET_NACK),
                notify::CHILDLESS_IKEV2_SUPPORTED => signs.set(Signs::CHILDLESS),
                s_sha1::SIGNATURE_HASH_ALGORITHMS => {
                    signs.set_if(data.chunks_exact(2).any(|hash| hash == s_sha1::SHA1), Signs::WEAK_SHA1);
                }
                error => signs.set_if(registry::notify_is_error(2, error), Signs::ERROR_NOTIFY),
            }
        }
    }
}

/// What is gathered of the exchanges of an attempt.
#[derive(Debug, Default)]
struct Exchanges {
    /// By side: the last message id of an exchange it started.
    ids: [Option<u32>; 2],
    /// By side: it started Quick Modes or CREATE_CHILD_SA.
    starts: [bool; 2],
}

/// What is gathered of the messages of an attempt.
#[derive(Debug, Default)]
struct OfMessages<'a> {
    /// By side, and by which of the two ports it sent to: the first place it sent from.
    places: [[Option<&'a SocketAddr>; 2]; 2],
    /// By side: its latest message or repeat.
    heard: [Option<Timestamp>; 2],
    /// By side: its latest Informational message.
    told: [Option<Timestamp>; 2],
    first_told_by_initiator: Option<Timestamp>,
    last_auth: Option<Timestamp>,
}

impl Look {
    fn attempt(&mut self, view: &View<'_>, shown: &OfStory) {
        let attempt = view.attempt;
        let mut of = OfMessages::default();
        for exchange in view.exchanges() {
            for message in &exchange.messages {
                self.message(message, &mut of);
                if shown.times_tell {
                    self.time(message, &mut of);
                }
            }
        }
        self.quick_modes += shown.quick_modes;
        self.informationals += shown.informationals;
        self.latest_up = self.latest_up.max(attempt.phase1_up).max(attempt.phase2_up);
        let up = view.tunnel_up();
        let signs = &mut self.signs;
        signs.set(shown.signs);
        signs.set(if up.is_some() { Signs::TUNNEL } else { Signs::NO_TUNNEL });
        signs.set_if(up.is_none_or(|up| up <= attempt.first), Signs::NO_TUNNEL);
        if attempt.version == IkeVersion::V2 {
            let proven = attempt.phase1_up.is_some_and(|up| up > attempt.first)
                && (up.is_some() || view.authenticated() == Some(true));
            signs.set_if(!proven, Signs::V2_UNPROVEN);
        }
        let [initiator, responder] = of.heard;
        signs.set_if(responder.is_none(), Signs::UNHEARD);
        let both = initiator.is_some() && responder.is_some();
        signs.set_if(view.one_sided(), Signs::ONE_SIDED);
        signs.set_if(both && !shown.went_on && !attempt.midstream, Signs::LEFT_OPEN);
        let at_once =
            of.first_told_by_initiator.zip(of.last_auth).is_some_and(|(told, auth)| told <= auth.after(AT_ONCE));
        signs.set_if(at_once, Signs::TOLD_AT_ONCE);
        // of an SA from before the capture the other side may have been heard in ESP only
        let last_word =
            |told: Option<Timestamp>, heard: Option<Timestamp>| told > heard && (heard.is_some() || attempt.midstream);
        signs.set_if(last_word(of.told[0], responder) || last_word(of.told[1], initiator), Signs::LAST_WORD);
        signs.set_if(nat::detected(view), Signs::NAT);
        signs.set_if(!nat::IKE.contains(&attempt.initiator.port()), Signs::PORT);
        let home = |side| life_cycle::address(attempt, side);
        signs.set_if(attempt.moves.iter().any(|moved| moved.to.ip() != home(moved.side)), Signs::MOVED);
    }

    /// Where a message came from, and when it was last sent.
    fn message<'a>(&mut self, message: &'a MessageRecord, of: &mut OfMessages<'a>) {
        let side = message.from.index();
        let capture = *self.capture.get_or_insert(message.frame.capture);
        let repeated_elsewhere = || message.repeats.iter().any(|repeat| repeat.frame.capture != capture);
        self.signs.set_if(message.frame.capture != capture || repeated_elsewhere(), Signs::CAPTURES);
        of.heard[side] = of.heard[side].max(Some(message.last_sent()));
        let (from, to) = (message.source.port(), message.destination.port());
        if message.encapsulation == Encapsulation::Udp {
            let missing = !message.non_esp_marker && (from == nat::NAT_T || to == nat::NAT_T);
            let misplaced = message.non_esp_marker && from == 500 && to == 500;
            self.signs.set_if(missing || misplaced, Signs::MARKER);
        }
        let place = *of.places[side][usize::from(to == nat::NAT_T)].get_or_insert(&message.source);
        if *place != message.source {
            let floats = |port| nat::IKE.contains(&port);
            let floated = place.ip() == message.source.ip() && floats(place.port()) && floats(from);
            self.signs.set_if(!floated, Signs::MOVED);
        }
    }

    /// When a message came, if that may be a sign.
    fn time(&mut self, message: &MessageRecord, of: &mut OfMessages<'_>) {
        match message.label {
            Label::Inf | Label::INFORMATIONAL_REQ => {
                let told = &mut of.told[message.from.index()];
                *told = (*told).max(Some(message.at));
                if message.from == Side::Initiator {
                    let first = of.first_told_by_initiator.get_or_insert(message.at);
                    *first = (*first).min(message.at);
                }
            }
            Label::AUTH_RSP => of.last_auth = of.last_auth.max(Some(message.at)),
            Label::CREATE_CHILD_SA_RSP => self.latest_up = self.latest_up.max(Some(message.at)),
            _ => {}
        }
    }
}

/// Whether a payload type has a name, in IKEv1 and in IKEv2.
static NAMED_PAYLOADS: LazyLock<[[bool; 256]; 2]> = LazyLock::new(|| {
    let of = |major| std::array::from_fn(|number| registry::payload_name(major, number as u8).is_some());
    [of(1), of(2)]
});

fn flows(case: &Case<'_>, latest_up: Option<Timestamp>, signs: &mut Signs) {
    let pair = case.pair;
    let Some(first) = pair.flows.first() else {
        signs.set(Signs::NO_FLOWS);
        return;
    };
    signs.set(Signs::FLOWS);
    let native = |encapsulation| encapsulation == Encapsulation::None;
    let mut last: [Option<Timestamp>; 2] = [None; 2];
    let mut count = [0_usize; 2];
    for flow in &pair.flows {
        let there = flow.source == pair.a || flow.destination == pair.b;
        count[usize::from(!there)] += 1;
        let last = &mut last[usize::from(!there)];
        *last = (*last).max(Some(flow.last));
        signs.set_if(flow.protocol == FlowProtocol::Ah, Signs::AH);
        signs.set_if(flow.encapsulation == Encapsulation::Tcp, Signs::TCP);
        signs.set_if(native(flow.encapsulation) != native(first.encapsulation), Signs::FLOWS_MIXED);
        signs.set_if(flow.fragmented > 0, Signs::FLOWS_IN_FRAGMENTS);
        let once = |(last, _): (Timestamp, u64)| flow.last.since(last) >= PATIENCE;
        signs.set_if(flow.doubled.is_some_and(once), Signs::FLOWS_NO_LONGER_TWICE);
        signs.set_if(flow.lost > 0, Signs::LOST);
        signs.set_if(flow.port_change.is_some(), Signs::MOVED);
        signs.set_if(flow.reordered > 0, Signs::REORDERED);
        signs.set_if(flow.duplicates > 0, Signs::DUPLICATES);
        signs.set_if(flow.resets > 0, Signs::RESETS);
        signs.set_if(flow.readable > 0, Signs::READABLE);
        signs.set_if(t_seq_wrap::judge(flow).is_some(), Signs::NUMBERS_AT_AN_END);
    }
    signs.set_if(count[0] != count[1] && !count.contains(&0), Signs::FLOWS_UNEVEN);
    let apart = |one: Timestamp, other: Timestamp| one.since(other).max(other.since(one)) >= PATIENCE;
    let faded = matches!(last, [Some(there), Some(back)] if apart(there, back));
    signs.set_if(last.iter().any(|last| *last < latest_up || last.is_none()) || faded, Signs::FLOWS_ONE_WAY);
}

/// What the offer and the choice of an attempt tell.
fn of_offer(attempt: &Attempt, memory: &mut Memory) -> Signs {
    let same_choice = |known: &Option<Arc<ProposalFact>>| match (known, &attempt.chosen) {
        (Some(known), Some(chosen)) => Arc::ptr_eq(known, chosen),
        (known, chosen) => known.is_none() && chosen.is_none(),
    };
    let known = memory.offers.find(|(offered, chosen, version)| {
        *version == Some(attempt.version)
            && offered.as_ref().is_some_and(|offered| Arc::ptr_eq(offered, &attempt.offered))
            && same_choice(chosen)
    });
    known.unwrap_or_else(|| {
        let signs = read_offer(attempt);
        let what = (Some(Arc::clone(&attempt.offered)), attempt.chosen.clone(), Some(attempt.version));
        memory.offers.remember(what, signs);
        signs
    })
}

fn read_offer(attempt: &Attempt) -> Signs {
    let mut signs = Signs::NONE;
    let proposals = || attempt.offered.iter().chain(attempt.choice());
    let offered = attempt.offered.iter().flat_map(|proposal| &proposal.transforms).map(|transform| (transform, false));
    let chosen = attempt.choice().iter().flat_map(|proposal| &proposal.transforms).map(|transform| (transform, true));
    for (transform, chosen) in offered.chain(chosen) {
        let weak = [
            (s_des::names(attempt, transform), Signs::WEAK_DES, Signs::WEAK_DES_CHOSEN),
            (s_3des::names(attempt, transform), Signs::WEAK_3DES, Signs::WEAK_3DES_CHOSEN),
            (s_md5::names(attempt, transform), Signs::WEAK_MD5, Signs::WEAK_MD5_CHOSEN),
            (s_sha1::names(attempt, transform), Signs::WEAK_SHA1, Signs::WEAK_SHA1_CHOSEN),
            (s_dh_weak::names(attempt, transform), Signs::WEAK_GROUP, Signs::WEAK_GROUP_CHOSEN),
            (s_keylen::names(attempt, transform), Signs::KEY_LENGTH, Signs::KEY_LENGTH_CHOSEN),
        ];
        for (names, any, if_chosen) in weak {
            signs.set_if(!names.is_empty(), any);
            signs.set_if(!names.is_empty() && chosen, if_chosen);
        }
    }
    let v2 = attempt.version == IkeVersion::V2;
    signs.set_if(v2 && proposals().any(s_null_integ::is_bare), Signs::BARE_CIPHER);
    signs.set_if(v2 && attempt.chosen.as_ref().is_some_and(|choice| !s_no_pq::hybrid(choice)), Signs::NO_POST_QUANTUM);
    let differ = l_lifetime::offered(attempt)
        .zip(l_lifetime::agreed(attempt))
        .is_some_and(|(offered, agreed)| offered != agreed);
    signs.set_if(differ, Signs::LIFETIMES);
    signs
}

fn of_vendor_ids(ids: &VendorIds, memory: &mut Memory) -> Signs {
    if ids.is_empty() {
        return Signs::NONE;
    }
    let known = memory.vendor_ids.find(|known| known.as_ref().is_some_and(|known| Arc::ptr_eq(known, ids)));
    known.unwrap_or_else(|| {
        let mut signs = Signs::NONE;
        signs.set_if(ids.iter().any(|data| s_vid_leak::names_a_product(data)), Signs::PRODUCT);
        memory.vendor_ids.remember(Some(Arc::clone(ids)), signs);
        signs
    })
}
