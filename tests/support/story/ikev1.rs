//! Steps of IKEv1: Main Mode, Aggressive Mode, Quick Mode, Informational and Transaction (RFC 2409 §5).

use super::{Scenario, Side};
use crate::support::wire::{Payload, v1};
use v1::exchange::{AGGRESSIVE, INFORMATIONAL, MAIN, QUICK, TRANSACTION};

/// Any message.
impl Scenario {
    /// A message in clear.
    pub fn clear(self, side: Side, exchange_type: u8, message_id: u32, payloads: &[Payload]) -> Self {
        let message = self.header(0x10, exchange_type, 0, message_id).message(payloads);
        self.send(side, vec![message])
    }

    /// An encrypted message, in payloads 132 if the story fragments and it is too long.
    pub fn encrypted(mut self, side: Side, exchange_type: u8, message_id: u32, payloads: &[Payload]) -> Self {
        let header = self.header(0x10, exchange_type, 0, message_id);
        let padding = self.hosts[side.index()].padding;
        let message = v1::encrypted(&header, self.sa.v1_suite, padding, payloads, self.filler.number());
        let messages = match self.ike_fragments {
            Some(size) if message.len() > size => {
                let host = &mut self.hosts[side.index()];
                host.fragmented += 1;
                v1::fragments(&message, host.fragmented, &header, size)
            }
            _ => vec![message],
        };
        self.send(side, messages)
    }

    /// An encrypted message behind a HASH payload, as all after phase 1.
    fn hashed(mut self, side: Side, exchange_type: u8, message_id: u32, payloads: &[Payload]) -> Self {
        let hash = v1::hash(self.sa.v1_suite.hash, self.filler.number());
        self.encrypted(side, exchange_type, message_id, &[&[hash], payloads].concat())
    }
}

/// Main Mode (RFC 2409 §5.4).
impl Scenario {
    /// Message 1: SA with these transforms, vendor ids.
    pub fn mm1(self, offered: &[v1::Transform]) -> Self {
        let payloads = [vec![v1::phase1_sa(offered)], self.usual_vendor_ids(Side::Initiator)].concat();
        self.clear(Side::Initiator, MAIN, 0, &payloads)
    }

    /// Message 2: SA with the transform that was chosen, vendor ids.
    pub fn mm2(mut self, chosen: &v1::Transform) -> Self {
        self.answer_v1(chosen);
        let payloads = [vec![v1::phase1_sa(std::slice::from_ref(chosen))], self.usual_vendor_ids(Side::Responder)];
        self.clear(Side::Responder, MAIN, 0, &payloads.concat())
    }

    /// Message 3: KE, nonce, NAT-D.
    pub fn mm3(self) -> Self {
        self.mm3_with(&[])
    }

    /// Message 3 with more behind the nonce.
    pub fn mm3_with(self, more: &[Payload]) -> Self {
        let payloads = [self.keys_v1(Side::Initiator), more.to_vec(), self.nat_d(Side::Initiator)].concat();
        self.clear(Side::Initiator, MAIN, 0, &payloads)
    }

    /// Message 4: KE, nonce, NAT-D.
    pub fn mm4(self) -> Self {
        self.mm4_with(&[])
    }

    /// Message 4 with more behind the nonce: a certificate request.
    pub fn mm4_with(self, more: &[Payload]) -> Self {
        let payloads = [self.keys_v1(Side::Responder), more.to_vec(), self.nat_d(Side::Responder)].concat();
        self.clear(Side::Responder, MAIN, 0, &payloads)
    }

    /// Message 5 with pre-shared key: address, hash, INITIAL-CONTACT; on port 4500 if NAT was found.
    pub fn mm5(self) -> Self {
        let initial_contact = self.isakmp_notify(v1::INITIAL_CONTACT, &[]);
        let payloads = [self.identity_v1(Side::Initiator), self.hash_v1(), initial_contact];
        self.mm5_with(&payloads)
    }

    /// Message 5 with any payloads.
    pub fn mm5_with(mut self, payloads: &[Payload]) -> Self {
        self.float_if_due();
        self.encrypted(Side::Initiator, MAIN, 0, payloads)
    }

    /// Message 6 with pre-shared key: address and hash.
    pub fn mm6(self) -> Self {
        let payloads = [self.identity_v1(Side::Responder), self.hash_v1()];
        self.mm6_with(&payloads)
    }

    /// Message 5 with a certificate of `length` octets and an RSA-2048 signature.
    pub fn mm5_certificate(self, length: usize) -> Self {
        let payloads = self.certificate_v1(Side::Initiator, length);
        self.mm5_with(&payloads)
    }

    /// Message 6 with the same.
    pub fn mm6_certificate(self, length: usize) -> Self {
        let payloads = self.certificate_v1(Side::Responder, length);
        self.mm6_with(&payloads)
    }

    /// Message 6 with any payloads.
    pub fn mm6_with(self, payloads: &[Payload]) -> Self {
        self.encrypted(Side::Responder, MAIN, 0, payloads)
    }
}

/// Aggressive Mode (RFC 2409 §5.4).
impl Scenario {
    /// Message 1: SA, KE of the first transform's group, nonce, identity, vendor ids.
    pub fn am1(mut self, offered: &[v1::Transform]) -> Self {
        self.sa.group = offered.first().and_then(|transform| transform.value(4)).unwrap_or(self.sa.group);
        let side = Side::Initiator;
        let payloads = [
            vec![v1::phase1_sa(offered)],
            self.keys_v1(side),
            vec![self.identity_v1(side)],
            self.usual_vendor_ids(side),
        ];
        self.clear(side, AGGRESSIVE, 0, &payloads.concat())
    }

    /// Message 2: SA, KE, nonce, identity, vendor ids, NAT-D, hash.
    pub fn am2(mut self, chosen: &v1::Transform) -> Self {
        self.answer_v1(chosen);
        let side = Side::Responder;
        let payloads = [
            vec![v1::phase1_sa(std::slice::from_ref(chosen))],
            self.keys_v1(side),
            vec![self.identity_v1(side)],
            self.usual_vendor_ids(side),
            self.nat_d(side),
            vec![self.hash_v1()],
        ];
        self.clear(side, AGGRESSIVE, 0, &payloads.concat())
    }

    /// Message 3, encrypted: NAT-D, hash; on port 4500 if NAT was found.
    pub fn am3(mut self) -> Self {
        let payloads = [self.nat_d(Side::Initiator), vec![self.hash_v1()]].concat();
        self.float_if_due();
        self.encrypted(Side::Initiator, AGGRESSIVE, 0, &payloads)
    }
}

/// Quick Mode, Informational, Transaction.
impl Scenario {
    /// Message 1 of a new Quick Mode from `side`: these payloads behind the hash.
    pub fn qm1_with(mut self, side: Side, payloads: &[Payload]) -> Self {
        self.sa.exchange_id = self.filler.short();
        self.quick(side, payloads)
    }

    /// Message 1 of a new Quick Mode of the initiator: SA of AES-128 and HMAC-SHA2-256, nonce, KE if `group` is not 0 (PFS), selectors.
    pub fn qm1(self, group: u16) -> Self {
        let payloads = self.quick_payloads(Side::Initiator, group);
        self.qm1_with(Side::Initiator, &payloads)
    }

    /// Message 2, with the same.
    pub fn qm2(self, group: u16) -> Self {
        let payloads = self.quick_payloads(Side::Responder, group);
        self.quick(Side::Responder, &payloads)
    }

    /// Message 3: the hash alone.
    pub fn qm3(self) -> Self {
        self.quick(Side::Initiator, &[])
    }

    /// Another message of the Quick Mode under way.
    pub fn quick(self, side: Side, payloads: &[Payload]) -> Self {
        let id = self.sa.exchange_id;
        self.hashed(side, QUICK, id, payloads)
    }

    /// An Informational in clear.
    pub fn informational_clear(mut self, side: Side, payload: Payload) -> Self {
        let id = self.filler.short();
        self.clear(side, INFORMATIONAL, id, &[payload])
    }

    /// An Informational in clear outside of any SA: under an initiator cookie of its own, which `number` makes, and none of a
    /// responder.
    pub fn outside(self, side: Side, number: u64, payload: Payload) -> Self {
        let mut header = self.header(0x10, INFORMATIONAL, 0, 0);
        (header.initiator_spi, header.responder_spi) = (0x5151_0000_0000_0000 + number, 0);
        self.raw(side, &header.message(&[payload]))
    }

    /// An encrypted Informational: these payloads behind the hash.
    pub fn informational(mut self, side: Side, payloads: &[Payload]) -> Self {
        let id = self.filler.short();
        self.hashed(side, INFORMATIONAL, id, payloads)
    }

    /// R-U-THERE of `side` (RFC 3706 §5.3).
    pub fn dpd(self, side: Side, sequence: u32) -> Self {
        let notify = self.isakmp_notify(v1::R_U_THERE, &sequence.to_be_bytes());
        self.informational(side, &[notify])
    }

    /// R-U-THERE-ACK of `side`.
    pub fn dpd_ack(self, side: Side, sequence: u32) -> Self {
        let notify = self.isakmp_notify(v1::R_U_THERE_ACK, &sequence.to_be_bytes());
        self.informational(side, &[notify])
    }

    /// Delete of this ISAKMP SA.
    pub fn delete_isakmp(self, side: Side) -> Self {
        let (initiator_spi, responder_spi) = self.ike_spis();
        self.informational(side, &[v1::delete_isakmp(initiator_spi, responder_spi)])
    }

    /// Delete of one ESP SA.
    pub fn delete_ipsec(self, side: Side, spi: u32) -> Self {
        self.informational(side, &[v1::delete_ipsec(v1::PROTO_ESP, &[spi])])
    }

    /// The first message of a new Transaction (XAUTH, Mode Config).
    pub fn transaction(mut self, side: Side, payload: Payload) -> Self {
        self.sa.exchange_id = self.filler.short();
        self.transaction_reply(side, payload)
    }

    /// The next message of that Transaction.
    pub fn transaction_reply(self, side: Side, payload: Payload) -> Self {
        let id = self.sa.exchange_id;
        self.hashed(side, TRANSACTION, id, &[payload])
    }
}

/// What the messages are made of.
impl Scenario {
    fn answer_v1(&mut self, chosen: &v1::Transform) {
        if self.sa.responder_spi == 0 {
            self.sa.responder_spi = self.filler.number();
        }
        self.sa.v1_suite = v1::Suite::of(chosen);
        self.sa.v1_hash = chosen.value(2).unwrap_or(self.sa.v1_hash);
        self.sa.group = chosen.value(4).unwrap_or(self.sa.group);
    }

    fn usual_vendor_ids(&self, side: Side) -> Vec<Payload> {
        if let Some(vendor_ids) = &self.hosts[side.index()].vendor_ids {
            return vendor_ids.clone();
        }
        let nat_t = self.nat_t.then(v1::vid_nat_t);
        let fragmentation = self.ike_fragments.map(|_| v1::vid_fragmentation());
        nat_t.into_iter().chain([v1::vid_dpd()]).chain(fragmentation).collect()
    }

    fn keys_v1(&self, side: Side) -> Vec<Payload> {
        let seed = self.sa.seeds[side.index()];
        vec![v1::key_exchange(self.sa.group, seed), v1::nonce(32, !seed)]
    }

    /// NAT-D of the other side, then of its own (RFC 3947 §3.2).
    fn nat_d(&self, side: Side) -> Vec<Payload> {
        if !self.nat_t {
            return Vec::new();
        }
        let hash = |at| v1::nat_d(self.sa.v1_hash, self.sa.initiator_spi, self.sa.responder_spi, at);
        vec![hash(self.seen_endpoint(side.other())), hash(self.own_endpoint(side))]
    }

    /// The address that `side` has, as its identity.
    pub fn identity_v1(&self, side: Side) -> Payload {
        v1::id_address(self.hosts[side.index()].own)
    }

    fn certificate_v1(&self, side: Side, length: usize) -> Vec<Payload> {
        let seed = self.sa.seeds[side.index()];
        vec![self.identity_v1(side), v1::certificate(length, seed), v1::signature(256, !seed)]
    }

    /// A HASH payload of the negotiated length.
    pub fn hash_v1(&self) -> Payload {
        v1::hash(self.sa.v1_suite.hash, self.sa.initiator_spi ^ self.clock)
    }

    /// A notify about this ISAKMP SA, both cookies for SPI.
    pub fn isakmp_notify(&self, message_type: u16, data: &[u8]) -> Payload {
        let cookies = v1::cookies(self.sa.initiator_spi, self.sa.responder_spi);
        v1::notify_about(v1::PROTO_ISAKMP, &cookies, message_type, data)
    }

    fn quick_payloads(&self, side: Side, group: u16) -> Vec<Payload> {
        let seed = self.sa.seeds[side.index()].rotate_left(7);
        let proposal = v1::Proposal {
            protocol: v1::PROTO_ESP,
            spi: self.esp_spi(side).to_be_bytes().to_vec(),
            transforms: vec![v1::ipsec_transform(12, 128, 5, group)],
        };
        let keys = (group > 0).then(|| v1::key_exchange(group, seed));
        let mask = [255, 255, 255, 0];
        [v1::sa(&[proposal]), v1::nonce(32, !seed)]
            .into_iter()
            .chain(keys)
            .chain([v1::id_subnet([10, 1, 0, 0], mask), v1::id_subnet([10, 2, 0, 0], mask)])
            .collect()
    }
}
