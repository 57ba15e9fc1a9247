//! The ceilings: how much of anything is kept, so that no input grows memory without bound.

use std::time::Duration;

/// How much state a run may hold. What is forgotten because of a limit is counted and reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Peer pairs.
    pub pairs: usize,
    /// Attempts, over all pairs.
    pub attempts: usize,
    /// Octets that pairs, attempts and flows may take in all, about.
    pub octets: usize,
    /// Attempts of one pair.
    pub attempts_a_pair: usize,
    /// Pairs kept ready for more messages; the others are packed until one comes.
    pub working: usize,
    /// ESP and AH flows, by addresses and SPI.
    pub flows: usize,
    /// Messages remembered of one attempt.
    pub messages_an_attempt: usize,
    /// Retransmission frames remembered of one message; the count goes on.
    pub repeats_a_message: usize,
    /// IP datagrams, and IKE messages in fragments, that may be under reassembly at once.
    pub reassemblies: usize,
    /// Octets held for reassembly in all.
    pub reassembly_octets: usize,
    /// How long a datagram waits for its missing fragments (RFC 791 suggests 15 s, RFC 8200 §4.5 says 60 s).
    pub reassembly_time: Duration,
    /// TCP streams followed at once.
    pub streams: usize,
    /// ICMP errors remembered, over all pairs; the count goes on.
    pub icmp_errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pairs: 1 << 22,
            attempts: 1 << 23,
            octets: 1 << 30,
            attempts_a_pair: 1 << 16,
            working: 1 << 11,
            flows: 1 << 22,
            messages_an_attempt: 4096,
            repeats_a_message: 64,
            reassemblies: 1 << 14,
            reassembly_octets: 32 << 20,
            reassembly_time: Duration::from_secs(60),
            streams: 1 << 14,
            icmp_errors: 1 << 16,
        }
    }
}
