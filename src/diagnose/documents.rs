//! The five documents that the catalogue answers: every message, state, symptom and check in them, and its patterns.
//!
//! Log lines stand as the document prints them; what is no log line is named in our own words. Contract: an id never
//! changes, and every id in [`Row::patterns`] is one of the catalogue.

/// A source document.
#[derive(Debug)]
pub struct Document {
    /// What the ids of its rows begin with.
    pub prefix: &'static str,
    /// Whose product it is about.
    pub vendor: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its rows, in its order.
    pub rows: &'static [Row],
}

/// One message, state, symptom or check of a document.
#[derive(Debug)]
pub struct Row {
    /// `"PIX-14"`.
    pub id: &'static str,
    /// Vendor or product, where it is not the document's.
    pub vendor: &'static str,
    /// Lines of a log, as the document prints them: " / " stands between two lines, "…" for a variable part. Empty if it
    /// prints none.
    pub log: &'static str,
    /// What the row says, or under which condition, in a few words. May be empty if there is a log line.
    pub note: &'static str,
    /// Ids of the patterns that answer it, the likeliest first.
    pub patterns: &'static [&'static str],
}

/// Rows that no pattern answers, and why.
pub const UNANSWERED: &[(&str, &str)] = &[
    ("PIX-09", "it tells how to see the messages on the device itself"),
    ("PIX-20", "the device cleans up its own tables; nothing happens on the wire"),
    ("PIX-50", "the message was processed, with or without an answer; both appear in good and in bad cases"),
    ("S2S-01", "a list of the kinds of failure, which are the stages of the catalogue"),
    ("CON-01", "what a device looks up before it sends its first message"),
    ("NIR-04", "what is inside the tunnel is encrypted"),
];

/// The row with this id, in any letter case, and its document.
pub fn row(id: &str) -> Option<(&'static Document, &'static Row)> {
    rows().find(|(_, row)| row.id.eq_ignore_ascii_case(id))
}

/// All rows, with their documents.
pub fn rows() -> impl Iterator<Item = (&'static Document, &'static Row)> {
    DOCUMENTS.iter().flat_map(|document| document.rows.iter().map(move |row| (document, row)))
}

/// Why no pattern answers this row, if none does.
pub fn why_unanswered(id: &str) -> Option<&'static str> {
    UNANSWERED.iter().find(|(row, _)| *row == id).map(|(_, why)| *why)
}

macro_rules! documents {
    ($($prefix:literal $vendor:literal $name:literal {
        $($id:literal $(from $maker:literal)? $(log $log:literal)? $(note $note:literal)?
            => [$($pattern:literal),*];)+
    })+) => {
        /// The documents.
        pub static DOCUMENTS: &[Document] = &[$(Document {
            prefix: $prefix,
            vendor: $vendor,
            name: $name,
            rows: &[$(Row {
                id: $id,
                vendor: concat!($($maker)?),
                log: concat!($($log)?),
                note: concat!($($note)?),
                patterns: &[$($pattern),*],
            }),+],
        }),+];
    };
}

documents! {
    "SMG" "SMG" "Service Managed Gateway (SMG) — Debugging VPN (Issue 1.1, 14 Aug 2007)" {
        "SMG-01" note "Main Mode six messages, Aggressive Mode three, Quick Mode three" => ["OK-P1-UP", "OK-UP"];
        "SMG-02" note "packet dropped in silence: no policy for it" => ["C-NO-IKE"];
        "SMG-03" note "a bypass policy lets the gateways be reached in clear" => ["C-CLEAR-INNER"];
        "SMG-04" note "gateway set to respond only" => ["C-NO-IKE"];
        "SMG-05" note "data passes some five seconds after the first packet" => ["OK-UP", "T-NONE"];
        "SMG-06" log "IKE DEBUGIKE: Could not find ISAKMP SA" => ["OK-P1-UP"];
        "SMG-07" note "the phase that failed tells which policy to look at" => ["P1-PROPOSAL", "P2-REJECT"];
        "SMG-08" note "the trace shows no IKE messages at all" => ["C-NO-IKE", "P1-NO-REPLY", "N-ICMP-PORT"];
        "SMG-09" log "Could not find ISAKMP SA / NOTICE IKE: Deleting SA for policy 0" => ["C-NO-IKE"];
        "SMG-10" log "NOTICE IKE: MM Msg1 sent for policy 1" note "no reply" => ["P1-NO-REPLY"];
        "SMG-11" note "the gateway does not answer ping" => ["P1-NO-REPLY", "N-ICMP-HOST"];
        "SMG-12" log "AM Msg1 sent for policy 1 / Messages have differing exchange types / Failed to process packet \
            received by IKE" => ["P1-MODE", "P1-NO-REPLY"];
        "SMG-13" log "ID: IPv4 address, 10.1.13.118" => ["S-AGGR-ID"];
        "SMG-14" note "something other than message 2 answers message 1" => ["P1-PROPOSAL"];
        "SMG-15" log "Informational Exchange message received / Deleting SA for policy 1 / IKE Attribute group did \
            not match / Could not select an ISAKMP proposal / Failed to process first message of main mode" =>
            ["P1-PROPOSAL"];
        "SMG-16" log "Deleting for policy 1 / IKE encryption algorithm did not match / Deleted ISAKMP SA" =>
            ["P1-PROPOSAL"];
        "SMG-17" note "after messages 1 and 2, 3 and 4 rarely fail" => ["P1-MM3-NO-REPLY"];
        "SMG-18" log "MM msg4 received for policy 1 / Diffie-Hellman negotiated, MM Msg 5 sent for policy 1" =>
            ["OK-P1-UP"];
        "SMG-19" log "Diffe-Hellman negotiated, MM Msg5 received / Invalid Payload / ERRORIKE: IkeMMProcessIDMsg : \
            IkeCheckPayloads failed" => ["P1-PSK"];
        "SMG-20" log "MM Msg6 received for policy 1 / Encryption bit not set / Failed to process packet received by KE"
            => ["P1-PSK", "M-ENC-BIT"];
        "SMG-21" note "Quick Mode failures look alike: compare the policies" => ["P2-REJECT"];
        "SMG-22" log "QM Msg1 sent / Informational Exchange message received / IkeSelectXform : Mismatch in PFS in \
            policies or group descriptors / SelectIpSec Proposal : No matching proposal found" =>
            ["P2-REJECT", "P2-PFS"];
        "SMG-23" log "Could not match Encryption Algorithm / No matching set of attributes found for the matching \
            proposal" => ["P2-REJECT", "P2-PROPOSAL"];
        "SMG-24" log "ID: IPv4 subnet, 118.118.118.0 255.255.255.0" note "addresses that the responder takes from QM1"
            => ["P2-REJECT", "P2-SELECTOR"];
        "SMG-25" log "SelectIpSecProposal : No matching proposal found" note "although the networks are right" =>
            ["P2-REJECT", "P2-PROPOSAL"];
        "SMG-26" log "IkeSelectXform : Auth defined in ESP of SPD but not in proposal" => ["P2-REJECT", "P2-PROPOSAL"];
        "SMG-27" note "the same with the fault on the responder" => ["P2-REJECT"];
        "SMG-28" note "how to switch the trace on" => ["C-ONE-DIR"];
        "SMG-29" note "each mode needs a policy of its own" => ["C-NO-IKE", "P1-NO-REPLY", "P2-REJECT"];
        "SMG-30" note "checks made before anything is negotiated" => ["C-NO-IKE"];
        "SMG-31" log "MM Msg1 received for policy 1 / QM Msg 1 received for policy 1" => ["C-TWO-POINT"];
        "SMG-32" log "Failed to process packet received by IKE / Unable to find a valid IPSEC proposal / Failed to \
            process first message of main mode" => ["P1-PROPOSAL", "P2-REJECT", "P1-MODE"];
    }
    "PIX" "Cisco PIX" "VPN debugging notes (Cisco PIX and router)" {
        "PIX-01" log "CRYPTO-4-IKMP_BAD_MESSAGE: IKE message from x.x.x.x failed its sanity check or is malformed" =>
            ["P1-AUTH-SILENT", "P1-PSK"];
        "PIX-02" log "CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main Mode failed with peer at x.x.x.x" =>
            ["P1-PROPOSAL", "P1-NO-REPLY"];
        "PIX-03" log "IPSEC(validate_transform_proposal): proxy identities not supported" =>
            ["P2-REJECT", "P2-SELECTOR"];
        "PIX-04" log "IPSEC(validate_transform_proposal): proxy identities not supported" note "a network on one \
            side, hosts on the other" => ["P2-SELECTOR"];
        "PIX-05" log "IPSEC(validate_transform_proposal): proxy identities not supported" note "access list with ports"
            => ["P2-SELECTOR"];
        "PIX-06" log "IPSec(validate_transform_proposal): proxy identities not supported / ISAKMP: IPSec policy \
            invalidated proposal / SA not acceptable!" => ["P2-REJECT", "P2-SELECTOR"];
        "PIX-07" log "ISAKMP (0:1); no offers accepted! / SA not acceptable!" => ["P1-PROPOSAL", "P1-NO-REPLY"];
        "PIX-08" log "IPSEC(validate_proposal): invalid local address x.x.x.x / atts not acceptable. Next payload is \
            0 / SA not acceptable!" => ["P2-REJECT", "N-WRONG-ADDR"];
        "PIX-09" note "debug must be on to see these lines" => [];
        "PIX-10" log "IPSec (validate_proposal): transform proposal(port 3, trans 2, hmac_alg 2) not supported" =>
            ["P2-REJECT", "P2-PROPOSAL"];
        "PIX-11" log "ISAKMP: No cert, and no keys (public or pre-shared) with remote peer x.x.x.x" =>
            ["P1-MM4-NO-MM5", "P1-MM3-NO-REPLY", "N-WRONG-ADDR"];
        "PIX-12" log "IPSEC(validate_transform_proposal): peer address x.x.x.x not found" =>
            ["P2-REJECT", "P2-SELECTOR"];
        "PIX-13" log "IPSEC(initialize_sas): invalid proxy IDs" => ["T-ONEWAY", "P2-SELECTOR"];
        "PIX-14" log "Reserved Not Zero on Payload 5" => ["P1-PSK", "P1-AUTH-SILENT"];
        "PIX-15" log "Reserved Not Zero on Payload 8" => ["P2-REJECT", "P2-NO-REPLY", "P1-XAUTH"];
        "PIX-16" log "VPN Peer:ISAKMP: Peer Info for x.x.x.x/500 not found - peers:0" => ["L-STALE-SA", "C-MIDSTREAM"];
        "PIX-17" log "ISAKMP (0): retransmitting phase 1." note "you initiate" => ["P1-NO-REPLY"];
        "PIX-18" log "ISAKMP (0): retransmitting phase 1." note "the peer initiates" => ["P1-MM2-NO-MM3"];
        "PIX-19" log "return status is IKMP_NO_ERROR / Peer Info for x.x.x.x/500 not found / retransmitting phase 1..."
            => ["N-WRONG-ADDR", "P1-MM2-NO-MM3", "N-NAT-DETECTED"];
        "PIX-20" log "ISADB: reaper checking SA …, conn_id = 0" => [];
        "PIX-21" log "processing NOTIFY payload 26 protocol 1 / IKMP_NO_ERR_NO_TRANS / retransmitting phase 2..." =>
            ["P2-REJECT", "P2-NO-REPLY", "P2-SELECTOR"];
        "PIX-22" log "ERROR: unable to fragment packet pktsize=foo, eff_mtu = bar" => ["F-PMTU", "F-ESP-FRAG"];
        "PIX-23" log "transform proposal (prot 3, trans 2, hmac_alg 1) not supported / atts not acceptable. Next \
            payload is 0 / encaps is 1" => ["P2-REJECT", "P2-PROPOSAL", "S-DES"];
        "PIX-24" log "IPSEC(initialize_sas) / IPSEC(sa_initiate): ACL = deny; no sa created" note "a normal start, \
            then this again and again" => ["P1-UP-NO-P2", "P2-REJECT"];
        "PIX-25" log "ACL = deny; no sa created" => ["P1-UP-NO-P2", "C-NO-IKE"];
        "PIX-26" log "IPSEC(sa_initiate): ACL = deny; no sa created" note "an ISAKMP SA may be up already" =>
            ["C-NO-IKE", "P1-UP-NO-P2"];
        "PIX-27" note "one host written in two ways, PIX 6.3(1)" => ["P2-SELECTOR", "C-NO-IKE"];
        "PIX-28" log "IPSEC(sa_initiate): ACL = deny; no sa created" note "no phase 1 message at all" => ["C-NO-IKE"];
        "PIX-29" note "overlapping networks in one object group" => ["P2-SELECTOR", "C-NO-IKE"];
        "PIX-30" note "the peer protects its own outside address too" => ["P2-SELECTOR", "C-NO-IKE"];
        "PIX-31" note "a router splits a supernet into class networks" => ["P2-SELECTOR"];
        "PIX-32" log "processing NOTIFY payload 36136 protocol 1 / received DPD_R_U_THERE / sending NOTIFY message \
            36137 protocol 1" => ["OK-DPD"];
        "PIX-33" log "sending phase 1 RESPONDER_LIFETIME notify / NOTIFY message 24576 / VPN Peer: ISAKMP: Added new \
            peer / processing DELETE payload … spi size = 16 / deleting SA / Deleted peer" =>
            ["P1-INIT-REJECT", "L-DELETE-AFTER-P1"];
        "PIX-34" log "speaking to a VPN3000 concentrator / return status is IKMP_NO_ERROR" note "no connection all \
            the same" => ["P1-UP-NO-P2", "P2-REJECT"];
        "PIX-35" note "phase 1 up, no phase 2: routed elsewhere" => ["P1-UP-NO-P2"];
        "PIX-36" note "phase 1 up, no phase 2: two default gateways" => ["P1-UP-NO-P2"];
        "PIX-37" note "phase 1 up, no phase 2: host meant as network" => ["P1-UP-NO-P2", "P2-SELECTOR"];
        "PIX-38" log "processing DELETE payload. message ID = 1166168095, spi size = 4 / IPSEC(key_engine): got a \
            queue event... / IPSEC(key_engine_delete_sas): rec'd delete notify from ISAKMP" => ["OK-DELETE"];
        "PIX-39" log "processing DELETE payload … spi size = 16 / ISADB: reaper … DELETE IT!" => ["OK-DELETE"];
        "PIX-40" log "NO TRANS" note "although all VPN messages look good" => ["T-ONEWAY", "C-CLEAR-INNER"];
        "PIX-41" note "all looks good, connections die of a SYN timeout" => ["T-ONEWAY"];
        "PIX-42" from "Check Point" log "IKE: Main Mode Completion reason: Client Encryption: User Unknown / OM: \
            Failed to obtain user object or unknown user" => ["P1-XAUTH", "L-DELETE-AFTER-P1"];
        "PIX-43" from "Nokia" log "terminated by state machine" => ["P1-INIT-REJECT", "P1-AUTH-REJECT"];
        "PIX-44" note "the partner sees a tunnel come up" => ["OK-P1-UP", "P1-UP-NO-P2"];
        "PIX-45" note "small packets pass, large ones do not" => ["F-PMTU", "F-PMTU-BLACKHOLE", "F-ESP-FRAG"];
        "PIX-46" log "dest_proxy= 4.4.4.0/255.255.255.192/0/0 (type=4) / src_proxy= 5.5.5.0/255.255.255.224/0/0 \
            (type=4) / protocol= ESP, transform= esp-3des esp-md5-hmac / spi= 0x0(0)" => ["P2-SELECTOR"];
        "PIX-47" note "traffic passes although nothing is logged" => ["C-NO-IKE", "C-ESP-NO-IKE", "P2-REJECT"];
        "PIX-48" note "a network and a host of it in one group" => ["P2-SELECTOR"];
        "PIX-49" log "crypto_isakmp_process_block:src:x.x.x.x, dest:y.y.y.y spt:500 dpt:500 / OAK_MM exchange / \
            beginning Main Mode exchange / processing SA payload. message ID = 0" => ["OK-P1-UP"];
        "PIX-50" log "return status is IKMP_NO_ERR_NO_TRANS / return status is IKMP_NO_ERROR" => [];
        "PIX-51" log "VPN Peer: ISAKMP: Added new peer: ip:x.x.x.x/500 Total VPN Peers:8 / Ref cnt incremented to:1 / \
            Ref cnt decremented to:0 / Deleted peer" => ["OK-P1-UP", "OK-DELETE"];
        "PIX-52" note "identity sent: host name or interface address" =>
            ["P1-AUTH-REJECT", "P1-AGGR-AUTH", "S-AGGR-ID"];
    }
    "S2S" "Cisco ASA" "Site to site IPsec VPN phase-1 and phase-2 troubleshooting steps (MM_WAIT_MSG)" {
        "S2S-01" note "the four kinds of failure" => [];
        "S2S-02" note "phase 1 parameters equal on both sides" => ["P1-PROPOSAL", "V2-PROPOSAL"];
        "S2S-03" note "phase 1 lifetime equal on both sides" => ["L-LIFETIME", "P1-PROPOSAL"];
        "S2S-04" note "pre-shared keys equal" => ["P1-PSK", "P1-AUTH-SILENT", "V2-AUTH-FAIL"];
        "S2S-05" note "a route to the peer, which answers ping" => ["P1-NO-REPLY", "N-ICMP-HOST"];
        "S2S-06" note "ISAKMP enabled on the outside interface" => ["P1-NO-REPLY", "N-ICMP-PORT"];
        "S2S-07" note "ESP allowed through the outside interface" => ["T-ONEWAY", "T-ESP-BLOCKED", "N-ICMP-PROHIB"];
        "S2S-08" note "UDP port 500 open on the outside" => ["P1-NO-REPLY", "N-ICMP-PROHIB"];
        "S2S-09" note "UDP port 4500 open where needed" => ["N-PORT4500"];
        "S2S-10" log "MM_WAIT_MSG2" note "routing at the remote end" => ["P1-NO-REPLY"];
        "S2S-11" log "MM_WAIT_MSG2" note "ISAKMP not enabled at the remote end" => ["P1-NO-REPLY", "N-ICMP-PORT"];
        "S2S-12" log "MM_WAIT_MSG2" note "wrong address of the remote gateway" => ["P1-NO-REPLY", "N-WRONG-ADDR"];
        "S2S-13" log "MM_WAIT_MSG2" note "a firewall between the two" => ["P1-NO-REPLY", "N-ICMP-PROHIB"];
        "S2S-14" log "MM_WAIT_MSG2" note "a firewall filters ISAKMP" => ["P1-NO-REPLY"];
        "S2S-15" log "MM_WAIT_MSG2" note "the remote peer is down" => ["P1-NO-REPLY", "N-ICMP-HOST"];
        "S2S-16" log "MM_WAIT_MSG3" note "different vendors" => ["P1-MM2-NO-MM3"];
        "S2S-17" log "MM_WAIT_MSG3" note "a firewall in the way" => ["P1-MM2-NO-MM3"];
        "S2S-18" log "MM_WAIT_MSG3" note "different ASA versions" => ["P1-MM2-NO-MM3"];
        "S2S-19" log "MM_WAIT_MSG3" note "no route back to the initiator" => ["P1-MM2-NO-MM3", "P1-NO-REPLY"];
        "S2S-20" log "MM_WAIT_MSG4" note "no tunnel group or key for this peer" => ["P1-MM3-NO-REPLY"];
        "S2S-21" log "MM_WAIT_MSG4" note "another pre-shared key at the receiver" => ["P1-MM3-NO-REPLY"];
        "S2S-22" log "MM_WAIT_MSG5" note "pre-shared keys differ" => ["P1-AUTH-SILENT", "P1-PSK"];
        "S2S-23" log "MM_WAIT_MSG5" note "NAT-T on that should be off" => ["N-PORT4500", "P1-MM4-NO-MM5"];
        "S2S-24" log "MM_WAIT_MSG6" note "pre-shared keys differ" => ["P1-AUTH-SILENT", "P1-PSK", "P1-AUTH-REJECT"];
        "S2S-25" log "MM_WAIT_MSG6" note "NAT-T on that should be off" => ["N-PORT4500"];
        "S2S-26" note "briefly, then the tunnel is reset" => ["P2-REJECT", "L-FLAP"];
        "S2S-27" log "MM_ACTIVE / AM_ACTIVE" => ["OK-P1-UP"];
        "S2S-28" note "phase 2 proposal and lifetime equal on both sides" =>
            ["P2-REJECT", "P2-PROPOSAL", "L-LIFETIME"];
        "S2S-29" note "protected networks mirror each other" => ["P2-REJECT", "P2-SELECTOR"];
        "S2S-30" note "the right access list in the crypto map" => ["P1-UP-NO-P2", "P2-REJECT"];
        "S2S-31" note "a route from the firewall to inside hosts" => ["T-ONEWAY"];
        "S2S-32" note "the remote network must not overlap the local" => ["T-ONEWAY", "T-NONE"];
        "S2S-33" note "VPN traffic exempt from NAT" => ["T-ONEWAY", "C-CLEAR-INNER"];
        "S2S-34" note "PFS equal on both sides" => ["P2-PFS", "P2-REJECT"];
        "S2S-35" note "crypto map bound to the outside interface" => ["C-NO-IKE", "N-WRONG-ADDR"];
        "S2S-36" log "#pkts encaps / #pkts decaps" note "not increasing" => ["T-ONEWAY", "T-NONE", "OK-IDLE"];
        "S2S-37" note "firewall policies and routing" => ["T-ONEWAY", "T-NONE"];
        "S2S-38" note "packet tracer shows where VPN traffic stops" => ["T-NONE"];
        "S2S-39" note "an inside route to the hosted network" => ["T-ONEWAY"];
        "S2S-40" note "the remote network overlaps the local" => ["T-NONE", "T-ONEWAY"];
        "S2S-41" note "a new VPN policy overlaps an older one" => ["T-NONE"];
        "S2S-42" log "#send errors: 0, #recv errors: 3416" => ["T-REPLAY", "T-REORDER", "T-SPI-UNKNOWN"];
        "S2S-43" note "try other algorithms; read the release notes" => ["P1-PROPOSAL", "V2-PROPOSAL"];
        "S2S-44" note "somebody changed the remote end" => ["L-FLAP", "P1-PROPOSAL"];
        "S2S-45" note "protected networks equal to the bit" => ["P2-REJECT", "L-FLAP"];
        "S2S-46" note "phase 1 lifetime longer than that of phase 2" => ["L-LIFETIME", "L-FLAP"];
        "S2S-47" note "dead peer detection between different vendors" => ["L-DPD-TIMEOUT"];
        "S2S-48" note "the peer's address should not be translated" => ["N-NAT-DETECTED", "N-MAPPING-CHANGED"];
        "S2S-49" note "internet line stable" => ["L-FLAP", "T-SEQ-GAP"];
        "S2S-50" note "VPN traffic exempt from every NAT rule" => ["T-ONEWAY", "C-CLEAR-INNER"];
        "S2S-51" note "PFS and transform set equal on both ends" => ["P2-PFS", "P2-PROPOSAL"];
        "S2S-52" log "State : MM_ACTIVE / IKE Neg Mode : Main / UDP Src Port : 500 UDP Dst Port : 500" => ["OK-UP"];
        "S2S-53" log "Encryption : 3DES Hashing : SHA1 / D/H Group : 2" => ["S-3DES", "S-DH-WEAK", "S-SHA1"];
        "S2S-54" log "path mtu 1500, ipsec overhead 58, media mtu 1500 / #PMTUs sent: 0, #PMTUs rcvd: 0" => ["F-PMTU"];
        "S2S-55" log "Idle Time Out: 30 Minutes / Rekey Int (D): 4608000 K-Bytes" => ["OK-IDLE", "L-LIFETIME"];
        "S2S-56" note "traffic from inside starts phase 2" => ["P1-UP-NO-P2", "OK-IDLE"];
        "S2S-57" note "phase 1 policy of the sample configuration" => ["P1-PROPOSAL", "S-DH-WEAK", "S-SHA1"];
        "S2S-58" note "pre-shared key of the sample configuration" => ["S-AGGR-PSK"];
        "S2S-59" note "networks, masks and algorithms of the sample disagree" => ["P2-SELECTOR"];
        "S2S-60" log "current outbound spi: A12ACD06 / current inbound spi : ADA4ACB9" => ["T-SPI-UNKNOWN", "OK-UP"];
        "S2S-61" log "IKE Tunnels: 1 / IPsec Tunnels: 4" => ["OK-UP", "L-DUP-SA"];
        "S2S-62" log "#pre-frag successes: 0 / #fragments created: 0 / #decapsulated frgs needing reassembly: 0" =>
            ["F-ESP-FRAG"];
        "S2S-63" log "Role : responder / Rekey : no / Rekey Int (T): 86400 Seconds / Rekey Int (T): 28800 Seconds" =>
            ["L-LIFETIME", "OK-UP"];
    }
    "CON" "Cisco IOS" "CCIE or Null (Cisco IOS ISAKMP states, session statuses)" {
        "CON-01" note "ISAKMP is on and the peer's key found" => [];
        "CON-02" note "NAT traversal, RFC 3947" => ["N-NAT-DETECTED"];
        "CON-03" log "New State = IKE_I_MM1 / beginning Main Mode exchange" => ["OK-P1-UP"];
        "CON-04" log "MM_NO_STATE" note "right after message 1 is sent" => ["P1-NO-REPLY"];
        "CON-05" log "Input = IKE_MESG_FROM_PEER, IKE_MM_EXCH" => ["OK-P1-UP"];
        "CON-06" log "atts are acceptable" note "in phase 1" => ["OK-P1-UP"];
        "CON-07" note "phase 1 lifetime of 86400 seconds" => ["L-LIFETIME"];
        "CON-08" log "MM_SA_SETUP / Old State = IKE_I_MM2 New State = IKE_I_MM3 / Old State = IKE_I_MM3 New State = \
            IKE_I_MM4" => ["OK-P1-UP"];
        "CON-09" log "my_port 500 peer_port 500 (i) MM_KEY_EXCH / Old State = IKE_I_MM4 New State = IKE_I_MM5" =>
            ["OK-P1-UP"];
        "CON-10" log "SA authentication status: authenticated" => ["OK-P1-UP"];
        "CON-11" log "Old State = IKE_I_MM5 New State = IKE_I_MM6 / Old State = IKE_I_MM6 New State = IKE_P1_COMPLETE"
            => ["OK-P1-UP"];
        "CON-12" log "QM_IDLE" note "Quick Mode messages 1 and 2" => ["OK-UP"];
        "CON-13" log "atts are acceptable / Creating IPSec SAs" note "in phase 2" => ["OK-UP"];
        "CON-14" note "SPIs and lifetimes of the IPsec SAs" => ["L-LIFETIME"];
        "CON-15" log "Old State = IKE_QM_R_QM2 New State = IKE_QM_PHASE2_COMPLETE" => ["OK-UP"];
        "CON-16" log "MM_NO_STATE" => ["P1-NO-REPLY", "P1-PROPOSAL"];
        "CON-17" log "MM_SA_SETUP" => ["P1-MM2-NO-MM3", "P1-MM3-NO-REPLY"];
        "CON-18" log "MM_KEY_EXCH" => ["P1-AUTH-SILENT", "P1-PSK", "P1-CERT"];
        "CON-19" log "MM_KEY_AUTH" => ["OK-P1-UP"];
        "CON-20" log "AG_NO_STATE" => ["P1-NO-REPLY", "P1-MODE"];
        "CON-21" log "AG_INIT_EXCH" => ["P1-AGGR-AUTH"];
        "CON-22" log "AG_AUTH" => ["OK-P1-UP"];
        "CON-23" log "QM_IDLE" => ["OK-P1-UP", "P1-UP-NO-P2"];
        "CON-24" log "#pkts encaps/encrypt/decap/decrypt" => ["T-ONEWAY", "T-NONE"];
        "CON-25" log "Up-Active" => ["OK-UP"];
        "CON-26" log "Up-IDLE" => ["OK-IDLE"];
        "CON-27" log "Up-No-IKE" => ["L-STALE-SA", "T-SPI-UNKNOWN"];
        "CON-28" log "Down-Negotiating" => ["P1-NO-REPLY", "P1-AUTH-SILENT", "P2-REJECT"];
        "CON-29" log "Down" => ["C-NO-IKE"];
        "CON-30" log "Sending packet to 172.17.1.1 my_port 500 peer_port 500 (i) MM_KEY_EXCH / Received packet from \
            172.17.1.1 dport 500 sport 500 global (i) MM_KEY_EXCH" => ["OK-P1-UP"];
        "CON-31" log "Input = IKE_MESG_INTERNAL, IKE_PROCESS_COMPLETE" => ["OK-P1-UP"];
        "CON-32" note "SPIs, transform set, group and mode are shown" => ["T-SPI-UNKNOWN", "P2-PROPOSAL"];
    }
    "NIR" "Netopia" "Netopia NIR_083 (IPsec error messages and troubleshooting)" {
        "NIR-01" note "private addresses on the WAN are not supported" => ["N-NAT-DETECTED", "N-PRIVATE-OUTER"];
        "NIR-02" note "let UDP 500 and protocols 50 and 51 through" => ["P1-NO-REPLY", "T-ESP-BLOCKED"];
        "NIR-03" note "AH does not pass NAT" => ["N-NAT-AH"];
        "NIR-04" note "IP only, no IPX or AppleTalk" => [];
        "NIR-05" note "a long ping brings the tunnel up" => ["OK-UP"];
        "NIR-06" log "no ph1 preferences assigned" => ["C-NO-IKE"];
        "NIR-07" log "DNS Lookup Failure" note "remote endpoint of all zeros" => ["C-NO-IKE"];
        "NIR-08" log "DNS Lookup Failure" note "remote endpoint given by name" => ["C-NO-IKE", "C-DNS-FAIL"];
        "NIR-09" log "no matching phase1 profile" => ["P1-NO-REPLY", "N-WRONG-ADDR", "P1-PROPOSAL"];
        "NIR-10" log "no matching proposal" => ["P1-PROPOSAL"];
        "NIR-11" log "phase1 auth failure" => ["P1-PSK", "P1-AUTH-SILENT", "P1-AGGR-AUTH"];
        "NIR-12" log "phase1 resend timeout" => ["P1-NO-REPLY"];
        "NIR-13" log "phase1 resend timeout" note "filter set on the WAN" => ["P1-NO-REPLY", "N-ICMP-PROHIB"];
        "NIR-14" log "phase1 complete" => ["OK-P1-UP"];
        "NIR-15" log "phase2 hash failed" => ["P2-REJECT", "L-STALE-SA"];
        "NIR-16" log "ph2 resend timeout" => ["P2-NO-REPLY"];
        "NIR-17" log "ph2 resend timeout" note "with Cisco: PFS on one side only" => ["P2-PFS", "P2-NO-REPLY"];
        "NIR-18" log "phase2 complete" => ["OK-UP"];
        "NIR-19" note "profile missing from VPN Quick View" => ["C-NO-IKE"];
        "NIR-20" note "five pings sent, five answered" => ["OK-UP"];
        "NIR-21" note "sent, nothing received: the target routes elsewhere" => ["T-ONEWAY"];
        "NIR-22" note "sent, nothing received: filter behind the other gateway" => ["T-ONEWAY"];
        "NIR-23" note "sent, nothing received: the target ignores ping" => ["T-ONEWAY"];
        "NIR-24" log "Rx Discard" => ["T-ONEWAY"];
        "NIR-25" note "Rx discard: unknown protocol" => ["T-ONEWAY"];
        "NIR-26" note "Rx discard: unknown SPI" => ["T-SPI-UNKNOWN", "L-STALE-SA"];
        "NIR-27" note "Rx discard: ESP/AH error" => ["T-ONEWAY"];
        "NIR-28" note "Rx discard: SA mismatch" => ["T-PROTO-MIX"];
        "NIR-29" note "Rx discard: source address in no remote range" => ["T-ONEWAY", "P2-SELECTOR"];
        "NIR-30" note "Rx discard: destination address in no local range" => ["T-ONEWAY", "P2-SELECTOR"];
        "NIR-31" note "no incoming UDP 500 at the responder" => ["P1-NO-REPLY", "C-TWO-POINT"];
        "NIR-32" note "the WAN addresses can ping each other" => ["P1-NO-REPLY", "N-ICMP-HOST"];
        "NIR-33" note "profiles enabled, with the right remote endpoints" => ["P1-NO-REPLY", "N-WRONG-ADDR"];
        "NIR-34" note "no firewall before the VPN router" => ["P1-NO-REPLY", "N-ICMP-PROHIB"];
        "NIR-35" note "the provider does not filter UDP 500" => ["P1-NO-REPLY", "N-PORT-FILTER"];
        "NIR-36" note "incoming UDP 500 seen: the attempt arrived" => ["C-TWO-POINT"];
        "NIR-37" note "translation seen, phase 1 never completes" => ["P1-NO-REPLY"];
        "NIR-38" note "no ESP before there is data" => ["OK-IDLE", "T-NONE"];
        "NIR-39" log "IKE: phase 1 complete sg 10.0.0.2 / IKE: phase 2 complete sg 10.0.0.2" => ["OK-UP"];
        "NIR-40" log "ESP_LIFE = 180 / IKE_LIFE = 600" => ["N-KEEPALIVE"];
        "NIR-41" note "ESP alone, ten minutes after set-up" => ["C-ESP-NO-IKE"];
        "NIR-42" note "tunnels with manual keys" => ["C-ESP-NO-IKE"];
        "NIR-43" note "five pings sent, none answered" => ["T-ONEWAY"];
        "NIR-44" note "only outgoing UDP 500, and no ESP" => ["P1-NO-REPLY"];
        "NIR-45" note "translations of NTP are not the tunnel's" => ["P1-NO-REPLY"];
        "NIR-46" note "fifteen seconds from phase 1 to phase 2" => ["OK-UP", "P1-UP-NO-P2"];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_in_the_order_of_their_documents() {
        for document in DOCUMENTS {
            for (index, row) in document.rows.iter().enumerate() {
                assert_eq!(row.id, format!("{}-{:02}", document.prefix, index + 1));
                assert!(!(row.log.is_empty() && row.note.is_empty()), "{} says nothing", row.id);
            }
        }
        assert_eq!(rows().count(), 225);
    }

    #[test]
    fn a_row_has_patterns_or_a_reason_to_have_none() {
        for (_, row) in rows() {
            assert_eq!(row.patterns.is_empty(), why_unanswered(row.id).is_some(), "{}", row.id);
        }
        for (id, _) in UNANSWERED {
            assert!(row(id).is_some(), "{id}");
        }
    }

    #[test]
    fn a_row_is_found_in_any_letter_case() {
        let (document, found) = row("pix-14").unwrap();
        assert_eq!((document.vendor, found.log), ("Cisco PIX", "Reserved Not Zero on Payload 5"));
        assert!(row("PIX-99").is_none());
    }
}
