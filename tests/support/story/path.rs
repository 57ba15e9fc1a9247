//! Everything between the peers that is not IKE in UDP: ESP, AH, keepalives, ICMP, TCP, DNS and clear traffic.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Scenario, Side, Stream};
use crate::support::filler;
use crate::support::packet::{self, Ip};

/// ESP and AH.
impl Scenario {
    /// The SPI that `side` receives ESP on; what it sends carries the other's.
    pub fn esp_spi(&self, side: Side) -> u32 {
        (filler::mix(self.sa.seeds[side.index()]) >> 32) as u32 | 0xc000_0000
    }

    /// ESP packets of `length` octets (SPI to ICV) from `side`, each `gap` after the packet before: in UDP if the peers
    /// have moved to port 4500, in TCP if they use that, else native.
    pub fn esp(
        self,
        side: Side,
        spi: u32,
        sequences: impl IntoIterator<Item = u32>,
        length: usize,
        gap: Duration,
    ) -> Self {
        self.esp_with(side, spi, sequences, gap, |body| body.octets(length - 8))
    }

    /// The same, native ESP whatever the peers agreed on.
    pub fn esp_native(
        mut self,
        side: Side,
        spi: u32,
        sequences: impl IntoIterator<Item = u32>,
        length: usize,
        gap: Duration,
    ) -> Self {
        let (floated, stream) = (std::mem::take(&mut self.floated), self.stream.take());
        let mut told = self.esp(side, spi, sequences, length, gap);
        (told.floated, told.stream) = (floated, stream);
        told
    }

    /// The same, in UDP whatever the peers agreed on.
    pub fn esp_in_udp(
        mut self,
        side: Side,
        spi: u32,
        sequences: impl IntoIterator<Item = u32>,
        length: usize,
        gap: Duration,
    ) -> Self {
        let floated = std::mem::replace(&mut self.floated, true);
        let mut told = self.esp(side, spi, sequences, length, gap);
        told.floated = floated;
        told
    }

    /// One ESP packet with this behind its sequence number: an inner packet in clear for ESP without encryption.
    pub fn esp_around(self, side: Side, spi: u32, sequence: u32, body: &[u8]) -> Self {
        let gap = self.latency;
        self.esp_with(side, spi, [sequence], gap, |_| body.to_vec())
    }

    fn esp_with(
        mut self,
        side: Side,
        spi: u32,
        sequences: impl IntoIterator<Item = u32>,
        gap: Duration,
        body: impl Fn(&mut filler::Filler) -> Vec<u8>,
    ) -> Self {
        for sequence in sequences {
            self.pause.get_or_insert(gap);
            self.tick();
            let esp = packet::esp(spi, sequence, &body(&mut self.filler));
            let packets = if self.stream.is_some() {
                let framed = [&(2 + esp.len() as u16).to_be_bytes()[..], &esp].concat();
                self.carry_stream(side, &framed)
            } else if self.floated {
                self.carry_udp(side, &esp)
            } else {
                let mtu = self.mtu;
                self.ip(side).fragments(packet::ESP, &esp, mtu)
            };
            self.put(&packets);
        }
        self
    }

    /// AH packets around `length` octets of an inner IPv4 packet (tunnel mode).
    pub fn ah(
        mut self,
        side: Side,
        spi: u32,
        sequences: impl IntoIterator<Item = u32>,
        length: usize,
        gap: Duration,
    ) -> Self {
        for sequence in sequences {
            self.pause.get_or_insert(gap);
            self.tick();
            let inner = inner_packet(length);
            let packets = [self.ip(side).packet(packet::AH, &packet::ah(4, spi, sequence, &inner))];
            self.put(&packets);
        }
        self
    }

    /// A NAT keepalive (RFC 3948 §2.3).
    pub fn keepalive(mut self, side: Side) -> Self {
        self.tick();
        let packets = self.carry_udp(side, &[0xff]);
        self.put(&packets);
        self
    }
}

/// ICMP.
impl Scenario {
    /// Destination unreachable with `code`, from `from` to whoever sent the last packet, which it quotes. Codes are
    /// those of the address family: 3 and 4 say "port" (RFC 792, RFC 4443 §3.1).
    pub fn icmp_unreachable(self, from: IpAddr, code: u8) -> Self {
        let icmp_type = if from.is_ipv4() { 3 } else { 1 };
        self.icmp_error(from, (icmp_type, code), 0, 548)
    }

    /// Fragmentation needed, or Packet too big, with the MTU of the next hop (RFC 1191 §4, RFC 4443 §3.2).
    pub fn icmp_too_big(self, from: IpAddr, mtu: u16) -> Self {
        let kind = if from.is_ipv4() { (3, 4) } else { (2, 0) };
        self.icmp_error(from, kind, mtu, 548)
    }

    /// Any ICMP error about the last packet, of which at most `quote` octets are quoted.
    pub fn icmp_error(mut self, from: IpAddr, kind: (u8, u8), mtu: u16, quote: usize) -> Self {
        let about = self.last_packet.clone();
        let to = crate::support::link::source(&about);
        let error = packet::icmp_error(from, to, kind, mtu, &about, quote);
        self.tick();
        self.put_between(from, to, packet::icmp_protocol(from), &error);
        self.last_packet = about;
        self
    }

    /// The capture goes on for `span` in which nothing of IKE or IPsec passes: it ends with an echo request of the initiator.
    pub fn quiet(self, span: Duration) -> Self {
        self.after(span).echo(Side::Initiator, false)
    }

    /// Echo request of `side` and the reply.
    pub fn ping(self, side: Side) -> Self {
        self.echo(side, false).echo(side.other(), true)
    }

    /// An echo request of `side`, or its reply to one.
    pub fn echo(mut self, side: Side, reply: bool) -> Self {
        self.tick();
        let (from, to) = (self.endpoint(side).ip(), self.endpoint(side.other()).ip());
        self.put_between(from, to, packet::icmp_protocol(from), &packet::icmp_echo(from, to, reply, 1));
        self
    }
}

/// Clear traffic and DNS.
impl Scenario {
    /// Any IP packet.
    pub fn packet(mut self, source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Self {
        self.tick();
        self.put_between(source, destination, protocol, payload);
        self
    }

    /// A UDP datagram between any two.
    pub fn udp(self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Self {
        let datagram = packet::udp(source, destination, payload);
        self.packet(source.ip(), destination.ip(), packet::UDP, &datagram)
    }

    /// A TCP segment that asks for a connection between any two.
    pub fn tcp_syn(self, source: SocketAddr, destination: SocketAddr) -> Self {
        let segment = packet::tcp(source, destination, 1, 0, packet::SYN, &[]);
        self.packet(source.ip(), destination.ip(), packet::TCP, &segment)
    }

    /// The initiator asks `server` for the address of `name`.
    pub fn dns_query(self, server: IpAddr, name: &str) -> Self {
        let asks = SocketAddr::new(self.endpoint(Side::Initiator).ip(), 40_053);
        self.udp(asks, SocketAddr::new(server, 53), &packet::dns_query(0x1d05, name))
    }

    /// `server` answers: an address, or an error (`Err(3)`: no such name).
    pub fn dns_answer(self, server: IpAddr, name: &str, answer: Result<[u8; 4], u8>) -> Self {
        let asked = SocketAddr::new(self.endpoint(Side::Initiator).ip(), 40_053);
        self.udp(SocketAddr::new(server, 53), asked, &packet::dns_answer(0x1d05, name, answer))
    }

    fn put_between(&mut self, source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) {
        let packets = [Ip { source, destination, id: self.filler.short() as u16, ttl: 63 }.packet(protocol, payload)];
        self.put(&packets);
    }
}

/// IKE and ESP in TCP (RFC 9329).
impl Scenario {
    /// The initiator opens a TCP connection to port 4500 and sends the prefix; everything goes through it from here on.
    pub fn over_tcp(mut self) -> Self {
        self.stream = Some(Stream { next: [0x1000_0000, 0x2000_0000] });
        self = self.segment(Side::Initiator, packet::SYN, &[]);
        self = self.segment(Side::Responder, packet::SYN | packet::ACK, &[]);
        self = self.segment(Side::Initiator, packet::ACK, &[]);
        self.segment(Side::Initiator, packet::PSH | packet::ACK, b"IKETCP")
    }

    fn segment(mut self, side: Side, flags: u8, payload: &[u8]) -> Self {
        self.tick();
        let packets = [self.tcp_packet(side, flags, payload)];
        self.put(&packets);
        self
    }

    /// `octets` of the stream, in as many segments as the MTU asks for.
    pub(super) fn carry_stream(&mut self, side: Side, octets: &[u8]) -> Vec<Vec<u8>> {
        let room = self.mtu - 60;
        octets.chunks(room).map(|piece| self.tcp_packet(side, packet::PSH | packet::ACK, piece)).collect()
    }

    fn tcp_packet(&mut self, side: Side, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut stream = self.stream.expect("a connection");
        let (source, destination) = (self.endpoint(side), self.endpoint(side.other()));
        let sequence = stream.next[side.index()];
        let acknowledges = if flags & packet::ACK == 0 { 0 } else { stream.next[side.other().index()] };
        stream.next[side.index()] = sequence + payload.len() as u32 + u32::from(flags & packet::SYN != 0);
        self.stream = Some(stream);
        let segment = packet::tcp(source, destination, sequence, acknowledges, flags, payload);
        self.ip(side).packet(packet::TCP, &segment)
    }
}

/// An IPv4 packet between the protected networks, `length` octets of UDP data in it.
pub fn inner_packet(length: usize) -> Vec<u8> {
    let end = |text: &str| text.parse::<SocketAddr>().expect("an address and a port");
    let (source, destination) = (end("10.1.0.5:40000"), end("10.2.0.9:40001"));
    let ip = Ip { source: source.ip(), destination: destination.ip(), id: 1, ttl: 64 };
    ip.packet(packet::UDP, &packet::udp(source, destination, &vec![0x61; length]))
}
