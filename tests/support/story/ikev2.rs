//! Steps of IKEv2: IKE_SA_INIT in clear, every later request and response in SK or SKF (RFC 7296 §1, §2).

use super::{Scenario, Side};
use crate::support::wire::{Payload, v2};
use v2::exchange::{AUTH, CREATE_CHILD_SA, INFORMATIONAL, SA_INIT};

/// IKE_SA_INIT (RFC 7296 §1.2).
impl Scenario {
    /// The request: SA, KE of the first proposal's first group, nonce, NAT detection, FRAGMENTATION_SUPPORTED.
    pub fn sa_init_request(self, offered: &[v2::Proposal]) -> Self {
        let group = offered.first().and_then(|proposal| proposal.first(4)).unwrap_or(14);
        self.sa_init_request_with(offered, group, &[])
    }

    /// The request with a KE of `group` and `first` in front of everything: a COOKIE. Nonce and public value stay the
    /// same when it is said again in one attempt (RFC 7296 §2.6).
    pub fn sa_init_request_with(mut self, offered: &[v2::Proposal], group: u16, first: &[Payload]) -> Self {
        self.sa.group = group;
        let payloads = [first, &[v2::sa(offered)], &self.keys_v2(Side::Initiator)].concat();
        let message = self.header(0x20, SA_INIT, v2::INITIATOR, 0).message(&payloads);
        self.send(Side::Initiator, vec![message])
    }

    /// The response that accepts `chosen`.
    pub fn sa_init_response(self, chosen: &v2::Proposal) -> Self {
        self.sa_init_response_with(chosen, &[])
    }

    /// The same with more at its end: a certificate request, CHILDLESS_IKEV2_SUPPORTED.
    pub fn sa_init_response_with(mut self, chosen: &v2::Proposal, more: &[Payload]) -> Self {
        self.sa.responder_spi = self.filler.number();
        self.sa.v2_suite = v2::Suite::of(chosen);
        self.sa.group = chosen.first(4).unwrap_or(self.sa.group);
        self.sa.next_request = [1, 0];
        let accepted = v2::sa(std::slice::from_ref(chosen));
        let payloads = [&[accepted], &self.keys_v2(Side::Responder)[..], more].concat();
        let message = self.header(0x20, SA_INIT, v2::RESPONSE, 0).message(&payloads);
        self.send(Side::Responder, vec![message])
    }

    /// A response that holds one notify, responder SPI zero: COOKIE, INVALID_KE_PAYLOAD, NO_PROPOSAL_CHOSEN.
    pub fn sa_init_notify(self, notify: Payload) -> Self {
        let message = self.header(0x20, SA_INIT, v2::RESPONSE, 0).message(&[notify]);
        self.send(Side::Responder, vec![message])
    }

    fn keys_v2(&self, side: Side) -> Vec<Payload> {
        let seed = self.sa.seeds[side.index()];
        let mut payloads = vec![v2::key_exchange(self.sa.group, seed), v2::nonce(32, !seed)];
        if self.nat_t {
            let about = |kind, at| v2::nat_detection(kind, self.sa.initiator_spi, self.sa.responder_spi, at);
            payloads.push(about(v2::NAT_DETECTION_SOURCE_IP, self.own_endpoint(side)));
            payloads.push(about(v2::NAT_DETECTION_DESTINATION_IP, self.seen_endpoint(side.other())));
        }
        payloads.push(v2::notify(v2::FRAGMENTATION_SUPPORTED, &[]));
        payloads
    }
}

/// Every later exchange.
impl Scenario {
    /// A request of `side` with the next message id.
    pub fn request(mut self, side: Side, exchange_type: u8, payloads: &[Payload]) -> Self {
        let id = self.sa.next_request[side.index()];
        self.sa.next_request[side.index()] = id + 1;
        self.sa.asked[side.index()] = id;
        self.sealed(side, exchange_type, 0, id, payloads)
    }

    /// The response of `side` to the other's last request.
    pub fn response(self, side: Side, exchange_type: u8, payloads: &[Payload]) -> Self {
        let id = self.sa.asked[side.other().index()];
        self.sealed(side, exchange_type, v2::RESPONSE, id, payloads)
    }

    /// The message id of `side`'s next request, against the rules of RFC 7296 §2.2.
    pub fn next_message_id(mut self, side: Side, id: u32) -> Self {
        self.sa.next_request[side.index()] = id;
        self
    }

    fn sealed(mut self, side: Side, exchange_type: u8, flags: u8, id: u32, payloads: &[Payload]) -> Self {
        let role = if side == Side::Initiator { v2::INITIATOR } else { 0 };
        let header = self.header(0x20, exchange_type, flags | role, id);
        let seed = self.filler.number();
        let message = header.message(&[v2::encrypted(self.sa.v2_suite, payloads, seed)]);
        let messages = match self.ike_fragments {
            Some(size) if message.len() > size => {
                v2::encrypted_fragments(&header, self.sa.v2_suite, payloads, size, seed)
            }
            _ => vec![message],
        };
        self.send(side, messages)
    }

    /// IKE_AUTH's request with these payloads; on port 4500 if NAT was found.
    pub fn auth_request(mut self, payloads: &[Payload]) -> Self {
        self.float_if_due();
        self.request(Side::Initiator, AUTH, payloads)
    }

    /// IKE_AUTH's response with these payloads.
    pub fn auth_response(self, payloads: &[Payload]) -> Self {
        self.response(Side::Responder, AUTH, payloads)
    }

    /// A CREATE_CHILD_SA request.
    pub fn create_child_request(self, side: Side, payloads: &[Payload]) -> Self {
        self.request(side, CREATE_CHILD_SA, payloads)
    }

    /// A CREATE_CHILD_SA response.
    pub fn create_child_response(self, side: Side, payloads: &[Payload]) -> Self {
        self.response(side, CREATE_CHILD_SA, payloads)
    }

    /// An INFORMATIONAL request; without payloads, a liveness check (RFC 7296 §2.4).
    pub fn informational_request(self, side: Side, payloads: &[Payload]) -> Self {
        self.request(side, INFORMATIONAL, payloads)
    }

    /// An INFORMATIONAL response.
    pub fn informational_response(self, side: Side, payloads: &[Payload]) -> Self {
        self.response(side, INFORMATIONAL, payloads)
    }
}

/// What IKE_AUTH is made of.
impl Scenario {
    /// Identity and shared-key AUTH of `side`.
    pub fn psk_proof(&self, side: Side) -> Vec<Payload> {
        vec![self.identity_v2(side), v2::auth(2, 32, self.sa.seeds[side.index()])]
    }

    /// Identity, a certificate of `length` octets and an RSA-2048 signature of `side`.
    pub fn certificate_proof(&self, side: Side, length: usize) -> Vec<Payload> {
        let seed = self.sa.seeds[side.index()];
        vec![self.identity_v2(side), v2::certificate(length, seed), v2::auth(14, 272, !seed)]
    }

    /// The address that `side` has, as its identity.
    pub fn identity_v2(&self, side: Side) -> Payload {
        let ip = self.hosts[side.index()].own;
        let kind = if ip.is_ipv4() { 1 } else { 5 };
        let data = crate::support::wire::address(ip);
        if side == Side::Initiator { v2::id_initiator(kind, &data) } else { v2::id_responder(kind, &data) }
    }

    /// SA (AES-CBC-128, HMAC-SHA2-256, no ESN), TSi and TSr of a CHILD SA that `side` receives on.
    pub fn child(&self, side: Side) -> Vec<Payload> {
        let transforms = [v2::encr(v2::AES_CBC, 128), v2::integ(v2::SHA2_256_128), v2::esn(0)];
        let ip = |text: &str| text.parse().expect("an address");
        vec![
            v2::sa(&[v2::esp(self.esp_spi(side), &transforms)]),
            v2::ts_initiator(&[v2::selector(ip("10.1.0.0"), ip("10.1.0.255"))]),
            v2::ts_responder(&[v2::selector(ip("10.2.0.0"), ip("10.2.0.255"))]),
        ]
    }
}
