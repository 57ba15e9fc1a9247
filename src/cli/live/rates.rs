//! How fast ESP and AH pass now, each way, from one report to the next.
//!
//! Contract: a rate is that of the last few seconds, not of the whole capture.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::report::Report;
use crate::tui::Rate;

/// What "now" spans.
const SPAN: Duration = Duration::from_secs(5);

/// Packets and octets so far, from `a` and from `b`.
type Sent = [(u64, u64); 2];

/// By pair.
type Totals = HashMap<(IpAddr, IpAddr), Sent>;

/// Counts of the last few seconds.
#[derive(Debug, Default)]
pub(super) struct Rates {
    seen: VecDeque<(Timestamp, Totals)>,
}

impl Rates {
    /// Rates by pair of `report`, of which `now` is the time.
    pub fn update(&mut self, report: &Report, now: Timestamp) -> Vec<[Rate; 2]> {
        let mut sent: Vec<Sent> = vec![Sent::default(); report.pairs.len()];
        for flow in &report.esp_flows {
            let Some(pair) = report.pair(flow.pair) else { continue };
            let Some(sent) = sent.get_mut(flow.pair) else { continue };
            let [from_a, from_b] = sent;
            let side = if flow.source == pair.a || flow.destination == pair.b { from_a } else { from_b };
            side.0 = side.0.saturating_add(flow.packets);
            side.1 = side.1.saturating_add(flow.octets);
        }
        while self.seen.len() > 1 && self.seen.get(1).is_some_and(|(at, _)| now.since(*at) >= SPAN) {
            self.seen.pop_front();
        }
        let rates = report.pairs.iter().zip(&sent).map(|(pair, sent)| {
            let Some((at, before)) = self.seen.front() else { return [Rate::default(); 2] };
            let before = before.get(&(pair.a, pair.b)).copied().unwrap_or_default();
            let seconds = now.since(*at).as_secs_f64();
            let rate = |(packets, octets): (u64, u64), (old_packets, old_octets): (u64, u64)| {
                if seconds < 0.2 {
                    return Rate::default();
                }
                Rate {
                    packets: packets.saturating_sub(old_packets) as f64 / seconds,
                    octets: octets.saturating_sub(old_octets) as f64 / seconds,
                }
            };
            [rate(sent[0], before[0]), rate(sent[1], before[1])]
        });
        let rates = rates.collect();
        if self.seen.back().is_none_or(|(at, _)| now.since(*at) >= SPAN / 10) {
            let named = report.pairs.iter().zip(sent).filter(|(_, sent)| *sent != Sent::default());
            self.seen.push_back((now, named.map(|(pair, sent)| ((pair.a, pair.b), sent)).collect()));
        }
        rates
    }
}
