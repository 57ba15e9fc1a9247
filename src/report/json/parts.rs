//! What many rows have in common, as JSON: made once from the rows of the model, then copied.
//!
//! Not here: when a part stands where. Contract: a part is what the model's own serialiser writes of it; what is kept has a
//! ceiling, and what is not kept is made again.

use std::hash::Hash;
use std::net::SocketAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use serde::Serialize;

use crate::base::escape::escape;
use crate::diagnose::Finding;
use crate::packet::Encapsulation;
use crate::report::vendor_state::Stand;
use crate::report::{build, naming, pen, proposal, words};
use crate::track::{Attempt, Label, MessageRecord, PayloadFact, ProposalFact, Side};

use super::rows;

/// Parts of one kind that are kept, and octets of all of them.
const MOST: (usize, usize) = (4096, 1 << 20);

/// The vendor ids of one side.
type VendorIds = Arc<[Box<[u8]>]>;
/// Payloads, and the vendor ids that they refer to.
type Lists = (Arc<[PayloadFact]>, VendorIds);

fn json(part: &impl Serialize) -> String {
    // rows hold nothing that cannot be written; a hole would spoil the line
    serde_json::to_string(part).unwrap_or_else(|_| "null".into())
}

fn place<T: ?Sized>(fact: &Arc<T>) -> usize {
    Arc::as_ptr(fact).addr()
}

/// Parts by where their facts are held. Holding these too keeps their places from being given to others.
struct Parts<K, F> {
    known: HashMap<K, (F, String)>,
    octets: usize,
}

impl<K, F> Default for Parts<K, F> {
    fn default() -> Self {
        Self { known: HashMap::default(), octets: 0 }
    }
}

impl<K: Hash + Eq, F> Parts<K, F> {
    #[inline]
    fn write(&mut self, out: &mut Vec<u8>, key: K, make: impl FnOnce() -> (F, String)) {
        match self.known.get(&key) {
            Some((_, part)) => pen::raw(out, part),
            None => self.learn(out, key, make()),
        }
    }

    #[cold]
    fn learn(&mut self, out: &mut Vec<u8>, key: K, (facts, part): (F, String)) {
        pen::raw(out, &part);
        self.keep(key, facts, part);
    }

    fn keep(&mut self, key: K, facts: F, part: String) {
        let octets = self.octets.saturating_add(part.len());
        if self.known.len() < MOST.0 && octets <= MOST.1 {
            self.octets = octets;
        } else {
            self.known.clear();
            self.octets = part.len();
        }
        self.known.insert(key, (facts, part));
    }
}

/// Parts of rows of `attempts`.
#[derive(Default)]
pub(super) struct OfAttempts {
    offers: Parts<(usize, u8), Arc<[ProposalFact]>>,
    choices: Parts<(usize, u8), Arc<ProposalFact>>,
    vendor_ids: Parts<usize, VendorIds>,
    states: Parts<Stand, ()>,
}

impl OfAttempts {
    pub(super) fn offer(&mut self, out: &mut Vec<u8>, attempt: &Attempt) {
        let (major, offer) = (words::major(attempt.version), &attempt.offered);
        if offer.is_empty() {
            return pen::raw(out, "[]");
        }
        self.offers.write(out, (place(offer), major), || {
            let rows: Vec<_> = offer.iter().map(|offer| proposal::proposal(major, offer)).collect();
            (Arc::clone(offer), json(&rows))
        });
    }

    pub(super) fn choice(&mut self, out: &mut Vec<u8>, attempt: &Attempt) {
        let (major, Some(choice)) = (words::major(attempt.version), &attempt.chosen) else {
            return pen::raw(out, "null");
        };
        self.choices
            .write(out, (place(choice), major), || (Arc::clone(choice), json(&proposal::proposal(major, choice))));
    }

    pub(super) fn vendor_ids(&mut self, out: &mut Vec<u8>, vendor_ids: &VendorIds) {
        if vendor_ids.is_empty() {
            return pen::raw(out, "[]");
        }
        self.vendor_ids.write(out, place(vendor_ids), || {
            let rows: Vec<_> = vendor_ids.iter().map(|data| naming::vendor_id(data)).collect();
            (Arc::clone(vendor_ids), json(&rows))
        });
    }

    pub(super) fn states(&mut self, out: &mut Vec<u8>, attempt: &Attempt, failed: bool) {
        let stand = build::stand(attempt, failed);
        self.states.write(out, stand, || ((), json(&stand.states())));
    }
}

/// Parts of rows of `exchanges`.
#[derive(Default)]
pub(super) struct OfMessages {
    carried: Parts<(usize, usize, u8), Lists>,
    /// What plain messages of one kind share: what stands before their endpoints, and from the octet given on what stands
    /// behind them.
    plain: Parts<[u64; 4], (Lists, usize)>,
    endpoints: Endpoints,
}

/// What tells plain messages of different kinds apart. Equal keys mean equal parts: every field that a part is made of is
/// in here whole.
fn kind(record: &MessageRecord, of: &Attempt) -> [u64; 4] {
    let (label, number) = match record.label {
        Label::Mm(number) => (0, number),
        Label::Am(number) => (1, number),
        Label::Qm(number) => (2, number),
        Label::Tr(number) => (3, number),
        Label::Ngm(number) => (4, number),
        Label::Inf => (5, 0),
        Label::Stray => (6, 0),
        Label::Request(number) => (7, number),
        Label::Response(number) => (8, number),
        Label::Other(number) => (9, number),
        Label::MmEither(number) => (10, number),
    };
    let encapsulation = match record.encapsulation {
        Encapsulation::None => 0,
        Encapsulation::Udp => 1,
        Encapsulation::Tcp => 2,
    };
    let octets = [
        label,
        number,
        record.flags,
        encapsulation,
        u8::from(record.encrypted),
        u8::from(record.non_esp_marker),
        u8::from(record.from == Side::Responder),
        words::major(of.version),
    ];
    let sizes = u64::from(record.length) << 32 | u64::from(record.ip_fragments) << 16 | u64::from(record.ike_fragments);
    let vendor_ids = &of.vendor_ids[record.from.index()];
    [place(&record.carried) as u64, place(vendor_ids) as u64, sizes, u64::from_le_bytes(octets)]
}

impl OfMessages {
    /// What stands behind the time of a message without repeats, faults and missing fragments.
    #[inline]
    pub(super) fn plain(&mut self, out: &mut Vec<u8>, record: &MessageRecord, of: &Attempt) {
        let key = kind(record, of);
        if let Some(((_, behind), part)) = self.plain.known.get(&key) {
            let (before, behind) = part.split_at_checked(*behind).unwrap_or((part, ""));
            pen::raw(out, before);
            self.endpoints.write(out, record.source);
            pen::raw(out, rows::BETWEEN_ENDPOINTS);
            self.endpoints.write(out, record.destination);
            return pen::raw(out, behind);
        }
        self.learn_plain(key, record, of);
        self.plain_once(out, record, of);
    }

    fn plain_once(&mut self, out: &mut Vec<u8>, record: &MessageRecord, of: &Attempt) {
        rows::before_endpoints(out, record);
        self.endpoint(out, record.source);
        pen::raw(out, rows::BETWEEN_ENDPOINTS);
        self.endpoint(out, record.destination);
        rows::behind_endpoints(out, self, record, of);
        pen::raw(out, rows::PLAIN_END);
    }

    #[cold]
    fn learn_plain(&mut self, key: [u64; 4], record: &MessageRecord, of: &Attempt) {
        let mut part = Vec::new();
        rows::before_endpoints(&mut part, record);
        let behind = part.len();
        rows::behind_endpoints(&mut part, self, record, of);
        pen::raw(&mut part, rows::PLAIN_END);
        let lists = (Arc::clone(&record.carried), Arc::clone(&of.vendor_ids[record.from.index()]));
        if let Ok(part) = String::from_utf8(part) {
            self.plain.keep(key, (lists, behind), part);
        }
    }

    #[inline]
    pub(super) fn carried(&mut self, out: &mut Vec<u8>, record: &MessageRecord, of: &Attempt) {
        let carried = &record.carried;
        if carried.is_empty() {
            return pen::raw(out, "[]");
        }
        let (major, vendor_ids) = (words::major(of.version), &of.vendor_ids[record.from.index()]);
        self.carried.write(out, (place(carried), place(vendor_ids), major), || {
            let names: Vec<_> = vendor_ids.iter().map(|data| naming::vendor_id(data)).collect();
            let rows: Vec<_> = carried.iter().map(|payload| naming::carried(major, payload, &names)).collect();
            ((Arc::clone(carried), Arc::clone(vendor_ids)), json(&rows))
        });
    }

    pub(super) fn endpoint(&mut self, out: &mut Vec<u8>, at: SocketAddr) {
        self.endpoints.write(out, at);
    }
}

/// The last two endpoints: messages go to and fro between them.
struct Endpoints {
    known: [(SocketAddr, Vec<u8>); 2],
    /// The older one.
    older: usize,
}

impl Default for Endpoints {
    fn default() -> Self {
        let nowhere = SocketAddr::from(([0; 4], 0));
        Self { known: std::array::from_fn(|_| (nowhere, b"0.0.0.0:0".to_vec())), older: 0 }
    }
}

impl Endpoints {
    #[inline]
    fn write(&mut self, out: &mut Vec<u8>, at: SocketAddr) {
        let [one, other] = &self.known;
        if one.0 == at {
            out.extend_from_slice(&one.1);
        } else if other.0 == at {
            out.extend_from_slice(&other.1);
        } else {
            self.learn(out, at);
        }
    }

    fn learn(&mut self, out: &mut Vec<u8>, at: SocketAddr) {
        let (known, text) = &mut self.known[self.older];
        *known = at;
        text.clear();
        pen::endpoint(text, at);
        out.extend_from_slice(text);
        self.older ^= 1;
    }
}

/// Parts of rows of `findings`.
#[derive(Default)]
pub(super) struct OfFindings {
    /// By pattern, which of its causes are possible, how its checks stand, and which side it is about.
    patterns: HashMap<Advised, OfPattern>,
}

/// What the advice of a finding depends on: its pattern, which causes are possible, the order of its checks, the likeliest cause and the
/// side that it is about.
type Advised = (usize, u32, u128, Option<&'static str>, Option<Side>);

/// What findings of one pattern have in common that are about the same side, if the same causes are possible and the checks stand in
/// the same order.
struct OfPattern {
    /// With its quotes.
    title: String,
    /// From the key `checks` to the last of the sources.
    advice: String,
}

impl OfFindings {
    /// Everything that is words, from the key `title` to the value of `settle`.
    pub(super) fn words(&mut self, out: &mut Vec<u8>, finding: &Finding) {
        let pattern = std::ptr::from_ref(finding.pattern).addr();
        let likeliest = finding.causes.first().map(|cause| cause.text);
        let key = (pattern, finding.open_causes(), finding.order_of_checks(), likeliest, finding.party);
        let OfPattern { title, advice } = self.patterns.entry(key).or_insert_with(|| OfPattern::of(finding));
        out.reserve(advice.len().saturating_add(1024));
        pen::raw(out, ",\"title\":");
        pen::raw(out, title);
        pen::raw(out, ",\"seen\":");
        pen::string(out, &escape(&finding.seen));
        pen::raw(out, ",\"means\":");
        pen::string(out, &escape(&finding.means));
        pen::raw(out, ",\"causes\":[");
        for (number, cause) in finding.causes.iter().enumerate() {
            pen::raw(out, if number == 0 { "{\"text\":" } else { ",{\"text\":" });
            pen::string(out, &escape(cause.text));
            pen::raw(out, ",\"likelihood\":\"");
            pen::raw(out, cause.likelihood);
            pen::raw(out, "\"}");
        }
        pen::raw(out, "]");
        pen::raw(out, advice);
        pen::raw(out, ",\"settle\":");
        match &finding.settle {
            None => pen::raw(out, "null"),
            Some(settle) => pen::string(out, &escape(settle)),
        }
    }
}

impl OfPattern {
    fn of(finding: &Finding) -> Self {
        Self {
            title: json(&build::title(finding.pattern)),
            advice: format!(
                ",\"checks\":{},\"side\":{},\"logs\":{},\"sources\":{}",
                json(&build::checks(finding)),
                json(&finding.side()),
                json(&build::logs(finding)),
                json(&build::sources(finding.pattern)),
            ),
        }
    }
}
