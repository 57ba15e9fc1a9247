//! A busy link's other traffic: TCP, UDP, DNS, ARP and ICMP, over IPv4 and IPv6.
//!
//! Contract: nothing here is IKE, ESP, or lost; checksums and TCP sequence numbers are right.

use std::io::{self, Write};

use super::frame::{self, Addresses, Frames, ICMP, Route};
use super::fresh::{fill, number};
use crate::support::packet::{dns_answer, dns_query};

/// Connections open at a time.
const CONNECTIONS: u64 = 4096;
/// Octets of a full segment.
const SEGMENT: usize = 1460;
/// Payload is taken out of this many octets, from any place.
const POOL: usize = 1 << 16;

/// What passes beside the tunnels.
pub struct Background {
    seed: u64,
    /// How many octets each side of a connection has sent.
    sent: Vec<[u32; 2]>,
    pool: Vec<u8>,
    payload: Vec<u8>,
    /// The DNS question still to be answered.
    asked: Option<(u16, u64)>,
}

impl Background {
    /// One for each seed.
    pub fn new(seed: u64) -> Self {
        let mut pool = vec![0; POOL + 2 * SEGMENT];
        fill(&mut pool, seed);
        Self { seed, sent: vec![[0; 2]; CONNECTIONS as usize], pool, payload: Vec::new(), asked: None }
    }

    /// Writes the packet with this number.
    pub fn packet<W: Write>(&mut self, at: u64, count: u64, vlan: Option<u16>, out: &mut Frames<W>) -> io::Result<()> {
        let draw = number(&[self.seed, 0xb6, count]);
        match draw % 100 {
            0..35 => self.tcp(at, draw, SEGMENT, vlan, out),
            35..72 => self.tcp(at, draw, 0, vlan, out),
            72..82 => self.tcp(at, draw, 40 + (draw >> 20) as usize % 1000, vlan, out),
            82..91 => self.udp(at, draw, vlan, out),
            91..97 => self.dns(at, draw, vlan, out),
            97 => self.ping(at, draw, vlan, out),
            _ => self.arp(at, draw, vlan, out),
        }
    }

    /// A client in a private network, or every sixth over IPv6, and a server outside.
    fn route(connection: u64, vlan: Option<u16>) -> Route {
        let [.., high, low] = connection.to_be_bytes();
        let addresses = if connection % 6 == 5 {
            let host = |net, last| [0x20, 1, 0x0d, 0xb8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, high, last];
            Addresses::V6([host(9, low), host(10, low / 3)])
        } else {
            Addresses::V4([[10, 20, high, low], [192, 0, 2, low / 3]])
        };
        Route { addresses, vlan }
    }

    fn tcp<W: Write>(
        &mut self,
        at: u64,
        draw: u64,
        length: usize,
        vlan: Option<u16>,
        out: &mut Frames<W>,
    ) -> io::Result<()> {
        let connection = (draw >> 32) % CONNECTIONS;
        let from = usize::from(draw >> 60 < 12);
        let route = Self::route(connection, vlan);
        let length = if matches!(route.addresses, Addresses::V6(_)) { length.min(SEGMENT - 20) } else { length };
        let client = 32_768 + connection as u16;
        let ports = if from == 0 { [client, 443] } else { [443, client] };
        self.payload.clear();
        if length > 0 {
            // application data of TLS 1.2, one record a segment (RFC 5246 §6.2.1)
            self.payload.extend([23, 3, 3]);
            self.payload.extend((length as u16 - 5).to_be_bytes());
            let start = (draw >> 8) as usize % POOL;
            self.payload.extend(&self.pool[start..start + length - 5]);
        }
        let sent = &mut self.sent[connection as usize];
        let first = |side: u64| number(&[self.seed, connection, side]) as u32;
        let sequence = first(from as u64).wrapping_add(sent[from]);
        let acknowledged = first(1 - from as u64).wrapping_add(sent[1 - from]);
        sent[from] = sent[from].wrapping_add(length as u32);
        out.tcp(at, &route, from, ports, (sequence, acknowledged), &self.payload)
    }

    fn udp<W: Write>(&mut self, at: u64, draw: u64, vlan: Option<u16>, out: &mut Frames<W>) -> io::Result<()> {
        let connection = (draw >> 32) % CONNECTIONS;
        let length = 200 + (draw >> 20) as usize % 1200;
        let start = (draw >> 8) as usize % POOL;
        let from = usize::from(draw >> 60 < 12);
        let client = 32_768 + connection as u16;
        let ports = if from == 0 { [client, 47_808 + 1] } else { [47_808 + 1, client] };
        self.payload.clear();
        // first octets that no protocol over UDP claims
        self.payload.extend(b"time=");
        self.payload.extend(&self.pool[start..start + length]);
        out.udp(at, &Self::route(connection, vlan), from, ports, &self.payload, true)
    }

    /// A question, and then its answer.
    fn dns<W: Write>(&mut self, at: u64, draw: u64, vlan: Option<u16>, out: &mut Frames<W>) -> io::Result<()> {
        let (message, from, connection) = match self.asked.take() {
            None => {
                let connection = (draw >> 32) % CONNECTIONS / 6 * 6;
                self.asked = Some((draw as u16, connection));
                (dns_query(draw as u16, "www.example.com"), 0, connection)
            }
            Some((id, connection)) => (dns_answer(id, "www.example.com", Ok([192, 0, 2, 80])), 1, connection),
        };
        let client = 32_768 + connection as u16;
        let ports = if from == 0 { [client, 53] } else { [53, client] };
        out.udp(at, &Self::route(connection, vlan), from, ports, &message, true)
    }

    fn ping<W: Write>(&mut self, at: u64, draw: u64, vlan: Option<u16>, out: &mut Frames<W>) -> io::Result<()> {
        let connection = (draw >> 32) % CONNECTIONS / 6 * 6;
        self.payload.clear();
        self.payload.extend([8, 0, 0, 0]);
        self.payload.extend((draw as u32).to_be_bytes());
        self.payload.extend(&self.pool[..48]);
        let sum = frame::fold(frame::sum(&self.payload));
        self.payload[2..4].copy_from_slice(&sum.to_be_bytes());
        out.ip(at, &Self::route(connection, vlan), 0, ICMP, &self.payload)
    }

    /// Who has the gateway's address (RFC 826).
    fn arp<W: Write>(&mut self, at: u64, draw: u64, vlan: Option<u16>, out: &mut Frames<W>) -> io::Result<()> {
        let connection = (draw >> 32) % CONNECTIONS / 6 * 6;
        let route = Self::route(connection, vlan);
        let mut body = vec![0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1];
        body.extend(route.addresses.of(0));
        body.extend([0, 0, 0, 0, 0, 0, 10, 20, 0, 1]);
        out.other(at, &route, 0, 0x0806, &body)
    }
}
