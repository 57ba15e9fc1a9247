//! Whole negotiations in which all goes well, so that a test only tells where its own story departs.

use std::time::Duration;

use super::{Scenario, Side, ms};
use crate::support::wire::{v1, v2};

/// AES-CBC-256, SHA2-256, pre-shared key, MODP-2048.
pub fn usual_transform() -> v1::Transform {
    v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::PSK, 14)
}

/// Main Mode with pre-shared key, complete.
pub fn main_mode_psk() -> Scenario {
    Scenario::new().main_mode()
}

/// Aggressive Mode with pre-shared key, complete.
pub fn aggressive() -> Scenario {
    Scenario::new().aggressive_mode()
}

/// IKE_SA_INIT and IKE_AUTH with AES-CBC-256, HMAC-SHA2-256 and pre-shared key, complete with a CHILD SA.
pub fn ikev2_psk() -> Scenario {
    Scenario::new().ikev2(&v2::ike_cbc(14))
}

/// The same with AES-GCM-256.
pub fn ikev2_gcm() -> Scenario {
    Scenario::new().ikev2(&v2::ike_gcm(19))
}

/// IKEv1.
impl Scenario {
    /// Main Mode with pre-shared key.
    pub fn main_mode(self) -> Self {
        self.main_mode_of(&usual_transform())
    }

    /// Main Mode with pre-shared key, in which this transform is offered and chosen.
    pub fn main_mode_of(self, transform: &v1::Transform) -> Self {
        self.mm1(std::slice::from_ref(transform)).mm2(transform).mm3().mm4().mm5().mm6()
    }

    /// Main Mode with certificates of `length` octets and RSA-2048 signatures.
    pub fn main_mode_certificates(self, length: usize) -> Self {
        let transform = v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::RSA_SIG, 14);
        self.mm1(std::slice::from_ref(&transform))
            .mm2(&transform)
            .mm3()
            .mm4_with(&[v1::certificate_request(83, 5)])
            .mm5_certificate(length)
            .mm6_certificate(length)
    }

    /// Aggressive Mode with pre-shared key.
    pub fn aggressive_mode(self) -> Self {
        let transform = usual_transform();
        self.am1(std::slice::from_ref(&transform)).am2(&transform).am3()
    }

    /// Quick Mode without PFS.
    pub fn quick_mode(self) -> Self {
        self.qm1(0).qm2(0).qm3()
    }
}

/// IKEv2.
impl Scenario {
    /// IKE_SA_INIT and IKE_AUTH with pre-shared key.
    pub fn ikev2(self, proposal: &v2::Proposal) -> Self {
        self.ikev2_init(proposal).ikev2_auth()
    }

    /// IKE_SA_INIT.
    pub fn ikev2_init(self, proposal: &v2::Proposal) -> Self {
        self.sa_init_request(std::slice::from_ref(proposal)).sa_init_response(proposal)
    }

    /// IKE_AUTH with pre-shared key: both prove themselves and set a CHILD SA up.
    pub fn ikev2_auth(self) -> Self {
        let initiator = Side::Initiator;
        let request =
            [self.psk_proof(initiator), vec![v2::notify(v2::INITIAL_CONTACT, &[])], self.child(initiator)].concat();
        let response = [self.psk_proof(Side::Responder), self.child(Side::Responder)].concat();
        self.auth_request(&request).auth_response(&response)
    }

    /// IKE_AUTH with certificates of `length` octets.
    pub fn ikev2_auth_certificates(self, length: usize) -> Self {
        let prove = |side| [self.certificate_proof(side, length), self.child(side)].concat();
        let (request, response) = (prove(Side::Initiator), prove(Side::Responder));
        self.auth_request(&request).auth_response(&response)
    }

    /// A liveness check of `side`, answered.
    pub fn liveness(self, side: Side) -> Self {
        self.informational_request(side, &[]).informational_response(side.other(), &[])
    }
}

/// After either.
impl Scenario {
    /// `packets` ESP packets each way in turn, sequence numbers from 1.
    pub fn traffic(self, packets: u32) -> Self {
        let spis = self.esp_spis();
        self.traffic_on(spis, 1..=packets, ms(100))
    }

    /// One ESP packet each way for each of these sequence numbers, the first way `gap` after the packet before. `spis`
    /// are those that the initiator sends on and that the responder sends on.
    pub fn traffic_on(self, spis: [u32; 2], sequences: impl IntoIterator<Item = u32>, gap: Duration) -> Self {
        sequences.into_iter().fold(self, |told, sequence| {
            told.esp(Side::Initiator, spis[0], [sequence], 120, gap).esp(
                Side::Responder,
                spis[1],
                [sequence],
                120,
                ms(15),
            )
        })
    }

    /// The SPIs of the first SAs of this attempt: the one that the initiator sends on, the one that the responder does.
    pub fn esp_spis(&self) -> [u32; 2] {
        [self.esp_spi(Side::Responder), self.esp_spi(Side::Initiator)]
    }
}
