//! What was said beside the exchanges: packets in clear, answers to pings, failed DNS look-ups. The first few of each.

use crate::packet::{Aside, Datagram};

use super::Tracker;
use super::facts::{ClearFact, DnsFact, EchoFact};

/// Entries of each kind that are kept.
const MOST: usize = 256;

impl Tracker {
    pub(super) fn observe_aside(&mut self, datagram: &Datagram<'_>, aside: &Aside<'_>) {
        match *aside {
            Aside::ClearPrivate { count } => self.note_clear(datagram, false, count),
            Aside::ClearL2tp => self.note_clear(datagram, true, 1),
            Aside::EchoReply => self.note_echo(datagram),
            Aside::DnsFailure { code, name } => self.note_dns_failure(datagram, code, name),
        }
    }

    /// `count`: of all so far for private networks, of this one for L2TP.
    fn note_clear(&mut self, datagram: &Datagram<'_>, l2tp: bool, count: u64) {
        let (source, destination) = (datagram.source, datagram.destination);
        let known = self
            .facts
            .clear
            .iter_mut()
            .find(|fact| (fact.source, fact.destination, fact.l2tp) == (source, destination, l2tp));
        if let Some(fact) = known {
            fact.count = if l2tp { fact.count + count } else { count };
            fact.last = fact.last.max(datagram.at);
        } else if self.facts.clear.len() < MOST {
            self.facts.clear.push(ClearFact {
                source,
                destination,
                interface: datagram.interface,
                l2tp,
                count,
                frame: datagram.frame,
                first: datagram.at,
                last: datagram.at,
            });
        }
    }

    fn note_echo(&mut self, datagram: &Datagram<'_>) {
        let (source, destination) = (datagram.source, datagram.destination);
        let mut known = self.facts.echo_replies.iter_mut();
        if let Some(fact) = known.find(|fact| (fact.source, fact.destination) == (source, destination)) {
            fact.last = fact.last.max(datagram.at);
        } else if self.facts.echo_replies.len() < MOST {
            let (first, last) = (datagram.at, datagram.at);
            self.facts.echo_replies.push(EchoFact { source, destination, first, last });
        }
    }

    fn note_dns_failure(&mut self, datagram: &Datagram<'_>, code: u8, name: &[u8]) {
        let (client, server) = (datagram.destination, datagram.source);
        let known = self.facts.dns_failures.iter_mut().find(|fact| {
            (fact.client, fact.server, fact.code) == (client, server, code) && fact.name.eq_ignore_ascii_case(name)
        });
        if let Some(fact) = known {
            fact.count += 1;
        } else if self.facts.dns_failures.len() < MOST {
            self.facts.dns_failures.push(DnsFact {
                client,
                server,
                code,
                name: name.into(),
                count: 1,
                frame: datagram.frame,
                first: datagram.at,
            });
        }
    }
}
