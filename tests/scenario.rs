//! The encoder of the crafted captures, held against the RFCs by octets that were worked out by hand.

mod support;

use std::net::{IpAddr, SocketAddr};

use support::capture::Frame;
use support::story::{START, aggressive, ikev2_gcm, ikev2_psk, main_mode_psk, usual_transform};
use support::wire::{Attribute, chain, v1, v2};
use support::{Capture, Header, Link, Scenario, Side, link, ms, packet, secs};

const INITIATOR_SPI: u64 = 0x0102_0304_0506_0708;
const RESPONDER_SPI: u64 = 0x1112_1314_1516_1718;

fn header(version: u8, exchange_type: u8, flags: u8, message_id: u32) -> Header {
    Header { initiator_spi: INITIATOR_SPI, responder_spi: RESPONDER_SPI, version, exchange_type, flags, message_id }
}

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.replace(char::is_whitespace, "")).expect("hex digits")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// UDP payloads of a capture with source and destination port, the marker still in place.
fn datagrams(capture: &Capture) -> Vec<(u16, u16, Vec<u8>)> {
    let port = |octets: &[u8]| u16::from_be_bytes([octets[0], octets[1]]);
    capture
        .packets()
        .filter(|(_, packet)| packet[9] == packet::UDP)
        .map(|(_, packet)| (port(&packet[20..]), port(&packet[22..]), packet[28..].to_vec()))
        .collect()
}

/// Lengths in the headers of the messages of a capture, port 4500's marker skipped.
fn lengths(capture: &Capture) -> Vec<u32> {
    let length = |message: &[u8]| u32::from_be_bytes([message[24], message[25], message[26], message[27]]);
    datagrams(capture).iter().map(|(_, _, payload)| length(payload.strip_prefix(&[0; 4]).unwrap_or(payload))).collect()
}

mod messages {
    use super::*;

    /// RFC 2408 §3.1 and §3.14: header, then a notify without SPI.
    #[test]
    fn an_ikev1_notify_in_clear() {
        let message = header(0x10, v1::exchange::INFORMATIONAL, 0, 0xdead_beef).message(&[v1::notify(14)]);
        let expected = hex("0102030405060708 1112131415161718  0b 10 05 00  deadbeef  00000028
             00 00 000c  00000001  01 00 000e");
        assert_eq!(message, expected);
    }

    /// RFC 7296 §3.1, §3.2, §3.10: payloads name their successor, the last says 0.
    #[test]
    fn an_ikev2_response_with_two_payloads() {
        let payloads = [v2::notify(v2::INVALID_KE_PAYLOAD, &[0, 19]), v2::vendor_id(b"ab").critical()];
        let message = header(0x20, v2::exchange::SA_INIT, v2::RESPONSE, 0).message(&payloads);
        let expected = hex("0102030405060708 1112131415161718  29 20 22 20  00000000  0000002c
             2b 00 000a  00 00 0011 0013
             00 80 0006  6162");
        assert_eq!(message, expected);
    }

    /// RFC 2407 §4.6.1, RFC 2408 §3.3 to §3.6, RFC 2409 appendix A.
    #[test]
    fn a_phase_1_security_association() {
        let transforms = [
            v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::PSK, 14),
            v1::transform(v1::TRIPLE_DES, 0, v1::SHA1, v1::PSK, 2),
        ];
        let expected = hex("00 00 0058  00000001 00000001
             00 00 004c 01 01 00 02
             03 00 0024 01 01 0000  80010007 800e0100 80020004 8004000e 80030001 800b0001 800c7080
             00 00 0020 02 01 0000  80010005 80020002 80040002 80030001 800b0001 800c7080");
        assert_eq!(chain(&[v1::phase1_sa(&transforms)]), expected);
    }

    /// RFC 2407 §4.5: the lifetime in long form, an ESP SPI in the proposal.
    #[test]
    fn a_phase_2_security_association() {
        let proposal = v1::Proposal {
            protocol: v1::PROTO_ESP,
            spi: vec![0xca, 0xfe, 0, 1],
            transforms: vec![v1::ipsec_transform(12, 128, 5, 14)],
        };
        let expected = hex("00 00 003c  00000001 00000001
             00 00 0030 01 03 04 01 cafe0001
             00 00 0024 01 0c 0000  80010001 00020004 00000e10 8003000e 80040001 80050005 80060080");
        assert_eq!(chain(&[v1::sa(&[proposal])]), expected);
    }

    /// RFC 7296 §3.3: two proposals, the key length as attribute 14.
    #[test]
    fn an_ikev2_security_association() {
        let gcm = v2::ike(&[v2::encr(v2::AES_GCM_16, 128), v2::group(19)]);
        let expected = hex("00 00 004c
             02 00 002c 01 01 00 04
             03 00 000c 01 00 000c 800e0100
             03 00 0008 03 00 000c
             03 00 0008 02 00 0005
             00 00 0008 04 00 000e
             00 00 001c 02 01 00 02
             03 00 000c 01 00 0014 800e0080
             00 00 0008 04 00 0013");
        assert_eq!(chain(&[v2::sa(&[v2::ike_cbc(14), gcm])]), expected);
    }

    /// RFC 2408 §3.15, RFC 7296 §3.11.
    #[test]
    fn deletes_of_both_versions() {
        let expected = hex("00 00 001c  00000001 01 10 0001 0102030405060708 1112131415161718");
        assert_eq!(chain(&[v1::delete_isakmp(INITIATOR_SPI, RESPONDER_SPI)]), expected);
        let expected = hex("00 00 0014  00000001 03 04 0002 00000101 00000102");
        assert_eq!(chain(&[v1::delete_ipsec(v1::PROTO_ESP, &[0x101, 0x102])]), expected);
        assert_eq!(chain(&[v2::delete_ike()]), hex("00 00 0008 01 00 0000"));
        assert_eq!(chain(&[v2::delete_esp(&[0x101])]), hex("00 00 000c 03 04 0001 00000101"));
    }

    /// RFC 7296 §3.13: protocol and ports for any, one range.
    #[test]
    fn a_traffic_selector() {
        let any = v2::selector(ip("10.1.0.0"), ip("10.1.0.255"));
        let expected = hex("00 00 0018  01 000000  07 00 0010 0000 ffff 0a010000 0a0100ff");
        assert_eq!(chain(&[v2::ts_initiator(&[any])]), expected);
    }

    #[test]
    fn attributes_of_a_transaction() {
        let user = Attribute::Tlv(16_521, b"me".to_vec());
        let expected = hex("00 00 0012  01 00 0007  c0880000 4089 0002 6d65");
        assert_eq!(chain(&[v1::attributes(1, 7, &[Attribute::Tv(16_520, 0), user])]), expected);
    }

    /// RFC 3947 §3.2 and RFC 7296 §2.23 hash the same octets: both SPIs, address, port. Digests by another program.
    #[test]
    fn nat_detection_hashes() {
        let at: SocketAddr = "192.0.2.1:500".parse().unwrap();
        let digest = |hash| v1::nat_d(hash, INITIATOR_SPI, RESPONDER_SPI, at).body;
        let sha1 = hex("d798d986143f878f70765e0e869c80bbc375f701");
        assert_eq!(digest(v1::SHA1), sha1);
        assert_eq!(digest(v1::MD5), hex("cf5faa9384eb43f6272e122d4934e27f"));
        assert_eq!(digest(v1::SHA2_256), hex("1f2143b5f4921e97f1d040b016b4443a97ba0383703aa02d511907f137b11a77"));
        let notify = v2::nat_detection(v2::NAT_DETECTION_SOURCE_IP, INITIATOR_SPI, RESPONDER_SPI, at);
        assert_eq!(notify.body, [hex("00 00 4004"), sha1].concat());
        assert_eq!(v1::vid_nat_t().body, hex("4a131c81070358455c5728f20e95452f"), "as RFC 3947 §3.1 prints it");
    }
}

mod ciphertext {
    use super::*;

    /// Lengths of AES-CBC and SHA2-256 measured on two stacks, one that pads always and one that pads when needed.
    #[test]
    fn ikev1_pads_to_the_block() {
        let suite = v1::Suite::of(&usual_transform());
        let length = |padding, payload: &support::Payload| {
            let hash = v1::hash(32, 1);
            let clear = header(0x10, v1::exchange::INFORMATIONAL, 0, 7);
            v1::encrypted(&clear, suite, padding, &[hash, payload.clone()], 3).len()
        };
        assert_eq!(length(v1::Padding::Min, &v1::notify(14)), 76);
        assert_eq!(length(v1::Padding::Always, &v1::notify(14)), 92);
        assert_eq!(length(v1::Padding::Min, &v1::delete_isakmp(1, 2)), 92);
        assert_eq!(length(v1::Padding::Always, &v1::delete_isakmp(1, 2)), 108);
    }

    /// RFC 7296 §3.14: IV, payloads, padding, its length octet, ICV; the SK payload names what is inside.
    #[test]
    fn ikev2_adds_iv_padding_and_checksum() {
        let clear = header(0x20, v2::exchange::INFORMATIONAL, v2::INITIATOR, 5);
        let message = |suite, payloads: &[_]| clear.message(&[v2::encrypted(suite, payloads, 3)]);
        let sha1 = v2::ike(&[v2::encr(v2::TRIPLE_DES, 0), v2::integ(v2::SHA1_96)]);
        assert_eq!(message(v2::Suite::AES_CBC_SHA2_256, &[]).len(), 28 + 4 + 16 + 16 + 16);
        assert_eq!(message(v2::Suite::AES_GCM_16, &[]).len(), 28 + 4 + 8 + 1 + 16);
        assert_eq!(message(v2::Suite::of(&sha1), &[]).len(), 28 + 4 + 8 + 8 + 12);
        let refused = message(v2::Suite::AES_CBC_SHA2_256, &[v2::notify(v2::AUTHENTICATION_FAILED, &[])]);
        assert_eq!((refused.len(), refused[16], &refused[28..32]), (80, 46, &[41, 0, 0, 52][..]));
    }

    /// RFC 7383 §2.5: numbers from 1, the total in each, only the first names what is inside.
    #[test]
    fn ikev2_fragments() {
        let clear = header(0x20, v2::exchange::AUTH, v2::INITIATOR, 1);
        let payloads = [v2::id_initiator(1, &[192, 0, 2, 1]), v2::certificate(1500, 1)];
        let fragments = v2::encrypted_fragments(&clear, v2::Suite::AES_CBC_SHA2_256, &payloads, 600, 9);
        assert_eq!(fragments.len(), 3, "1517 octets, 527 a fragment");
        for (index, fragment) in fragments.iter().enumerate() {
            assert_eq!(fragment[16], 53);
            assert_eq!(fragment[28], if index == 0 { 35 } else { 0 });
            assert_eq!(fragment[32..36], [0, index as u8 + 1, 0, 3]);
            assert!(fragment.len() <= 600, "{}", fragment.len());
        }
    }

    #[test]
    fn ikev1_fragments_hold_the_message_in_order() {
        let clear = header(0x10, v1::exchange::MAIN, 0, 0);
        let suite = v1::Suite::of(&usual_transform());
        let message = v1::encrypted(&clear, suite, v1::Padding::Min, &[v1::certificate(1500, 1)], 2);
        let fragments = v1::fragments(&message, 3, &clear, 576);
        let whole: Vec<u8> = fragments.iter().flat_map(|fragment| fragment[36..].to_vec()).collect();
        assert_eq!(whole, message);
        let heads: Vec<&[u8]> = fragments.iter().map(|fragment| &fragment[32..36]).collect();
        assert_eq!(heads, [&[0, 3, 1, 0][..], &[0, 3, 2, 0], &[0, 3, 3, 1]]);
        assert!(fragments.iter().all(|fragment| fragment[16] == 132 && fragment[19] == 0));
    }
}

mod packets {
    use super::*;

    const HEAD: packet::Ip = packet::Ip {
        source: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
        destination: IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 2)),
        id: 0x1234,
        ttl: 64,
    };

    /// The example of RFC 1071 §3: the sum is ddf2.
    #[test]
    fn the_internet_checksum() {
        assert_eq!(packet::checksum(&hex("0001 f203 f4f5 f6f7")), !0xddf2);
    }

    /// What was summed with its checksum in place sums to zero (RFC 1071 §1).
    #[test]
    fn headers_carry_their_checksum() {
        let datagram = packet::udp("192.0.2.1:500".parse().unwrap(), "198.51.100.2:4500".parse().unwrap(), b"odd");
        let whole = HEAD.packet(packet::UDP, &datagram);
        assert_eq!(whole[..10], hex("4500 001f 1234 0000 40 11"));
        assert_eq!(packet::checksum(&whole[..20]), 0);
        let pseudo = [&whole[12..20], &[0, packet::UDP, 0, 11], &datagram].concat();
        assert_eq!(packet::checksum(&pseudo), 0);
        assert_eq!(datagram[..6], hex("01f4 1194 000b"));
    }

    /// RFC 791 §3.2: all but the last say more, offsets count eight octets.
    #[test]
    fn ipv4_fragments() {
        let payload: Vec<u8> = (0..=255).cycle().take(3000).collect();
        let fragments = HEAD.fragments(packet::UDP, &payload, 1500);
        let places: Vec<u16> = fragments.iter().map(|octets| u16::from_be_bytes([octets[6], octets[7]])).collect();
        assert_eq!(places, [0x2000, 0x2000 | 185, 370]);
        let whole: Vec<u8> = fragments.iter().flat_map(|octets| octets[20..].to_vec()).collect();
        assert_eq!(whole, payload);
    }

    /// RFC 8200 §4.5.
    #[test]
    fn ipv6_fragments() {
        let head = packet::Ip { source: ip("2001:db8::1"), destination: ip("2001:db8::2"), ..HEAD };
        let fragments = head.fragments(packet::UDP, &[7; 2000], 1280);
        assert_eq!(fragments.len(), 2);
        assert_eq!(fragments[0][4..8], hex("04d8 2c 40"));
        assert_eq!(fragments[0][40..48], hex("11 00 0001 00001234"));
        assert_eq!(fragments[1][40..48], hex("11 00 04d0 00001234"));
    }

    #[test]
    fn every_link_wraps_and_unwraps() {
        let four = HEAD.packet(packet::UDP, &[0; 8]);
        let six = packet::Ip { source: ip("2001:db8::1"), destination: ip("2001:db8::2"), ..HEAD };
        for link in Link::ALL {
            for whole in [&four, &six.packet(packet::UDP, &[0; 8])] {
                let frame = link.wrap(whole);
                assert_eq!(link.unwrap(&frame), Some(&whole[..]), "{link:?}");
            }
        }
        let padded = [Link::Ethernet.wrap(&four), vec![0; 18]].concat();
        assert_eq!(Link::Ethernet.unwrap(&padded), Some(&four[..]), "padding up to 60 octets is not IP's");
        assert_eq!(Link::Vlan(100).wrap(&four)[12..18], hex("8100 0064 0800"));
        assert_eq!(Link::Null.wrap(&four)[..4], hex("02000000"));
        assert_eq!(Link::PppHdlc.wrap(&four)[..4], hex("ff03 0021"));
        assert_eq!(Link::LinuxSll2.wrap(&four)[..2], hex("0800"));
        assert_eq!(Link::Ethernet.unwrap(&hex("ffffffffffff 020000000001 0806 0001")), None, "ARP is not IP");
    }
}

mod stories {
    use super::*;

    #[test]
    fn the_same_story_twice_is_the_same_file() {
        let other = Scenario::between(ip("203.0.113.11"), ip("198.51.100.7"));
        assert_eq!(main_mode_psk().pcap(), main_mode_psk().pcap());
        assert_ne!(Scenario::new().ike_spis().0, other.ike_spis().0);
        assert_ne!(Scenario::new().ike_spis().0, Scenario::new().seed(1).ike_spis().0);
    }

    /// In blocks of 16, at least one octet of padding: message 5 holds 76 octets (identity, hash, INITIAL-CONTACT),
    /// message 6 holds 48, Quick Mode 160 (hash, SA of 56, nonce, two subnets) and at last the hash of 36.
    #[test]
    fn main_mode_has_the_lengths_of_a_real_one() {
        let capture = main_mode_psk().quick_mode().capture();
        assert_eq!(lengths(&capture)[2..], [396, 396, 108, 92, 204, 204, 76]);
        let sent: Vec<u64> = capture.frames.iter().map(|frame| frame.at - START).collect();
        assert_eq!(sent[..3], [0, 20_000_000, 40_000_000]);
    }

    /// 144 octets of payloads in the response, and eight more for INITIAL_CONTACT in the request.
    #[test]
    fn ike_auth_has_the_lengths_of_a_real_one() {
        assert_eq!(lengths(&ikev2_psk().capture())[2..], [224, 224]);
        assert_eq!(lengths(&ikev2_gcm().capture())[2..], [209, 201]);
    }

    /// RFC 7296 §2.2, §3.1: requests count up from IKE_SA_INIT's 0; the response repeats the id and sets R.
    #[test]
    fn ikev2_messages_are_numbered() {
        let capture = ikev2_psk().liveness(Side::Responder).liveness(Side::Initiator).capture();
        let numbered: Vec<(u8, u8, u8)> =
            datagrams(&capture).iter().map(|(_, _, message)| (message[18], message[19], message[23])).collect();
        let expected = [
            (34, 0x08, 0),
            (34, 0x20, 0),
            (35, 0x08, 1),
            (35, 0x20, 1),
            (37, 0x00, 0),
            (37, 0x28, 0),
            (37, 0x08, 2),
            (37, 0x20, 2),
        ];
        assert_eq!(numbered, expected);
    }

    /// RFC 3947 §4: message 5 moves to port 4500, where the marker stands before it; NAT shifted the source port.
    #[test]
    fn nat_moves_the_story_to_port_4500() {
        let capture = Scenario::new().nat().main_mode().keepalive(Side::Initiator).capture();
        let sent = datagrams(&capture);
        let ports: Vec<(u16, u16)> = sent.iter().map(|(source, destination, _)| (*source, *destination)).collect();
        assert_eq!(ports[..4], [(10_500, 500), (500, 10_500), (10_500, 500), (500, 10_500)]);
        assert_eq!(ports[4..], [(14_500, 4500), (4500, 14_500), (14_500, 4500)]);
        assert_eq!(sent[4].2[..4], [0; 4]);
        assert_eq!(sent[6].2, [0xff]);
        let inside = Scenario::new().nat().captured_inside().main_mode().capture();
        assert_eq!(link::source(inside.packets().next().unwrap().1), ip("192.168.1.10"));
        assert_eq!(datagrams(&inside)[4].0, 4500);
    }

    /// The hash of the initiator's own address is not the hash of the address that the responder sees.
    #[test]
    fn nat_shows_in_the_nat_d_payloads() {
        let nat_d = |message: &[u8]| message[message.len() - 72..].to_vec();
        let hashes = |story: Scenario| {
            let sent = datagrams(&story.main_mode().capture());
            let (third, fourth) = (nat_d(&sent[2].2), nat_d(&sent[3].2));
            // Each names the other side first, then itself.
            (third[40..].to_vec(), fourth[4..36].to_vec(), third[4..36].to_vec(), fourth[40..].to_vec())
        };
        let (itself, seen, responder, responder_itself) = hashes(Scenario::new());
        assert_eq!((&itself, &responder), (&seen, &responder_itself));
        let (itself, seen, responder, responder_itself) = hashes(Scenario::new().nat());
        assert_ne!(itself, seen);
        assert_eq!(responder, responder_itself);
    }

    #[test]
    fn a_message_repeats_at_its_gaps() {
        let capture = Scenario::new().mm1(&[usual_transform()]).repeat(3, &[4.0, 7.2]).capture();
        let sent: Vec<u64> = capture.frames.iter().map(|frame| (frame.at - START) / 1_000_000).collect();
        assert_eq!(sent, [0, 4_000, 11_200, 18_400]);
        let said = datagrams(&capture);
        assert!(said.iter().all(|copy| copy == &said[0]));
        let ids: Vec<&[u8]> = capture.packets().map(|(_, packet)| &packet[4..6]).collect();
        assert_ne!(ids[0], ids[1], "a retransmission is a new IP packet");
    }

    #[test]
    fn encrypting_anew_changes_the_body_alone() {
        let said = datagrams(&main_mode_psk().qm1(0).repeat_reencrypted(1, &[1.0]).capture());
        let [.., first, again] = &said[..] else { panic!("two messages") };
        assert_eq!(first.2[..28], again.2[..28]);
        assert_ne!(first.2[28..], again.2[28..]);
        assert_eq!(first.2.len(), again.2.len());
    }

    #[test]
    fn what_is_unseen_or_lost_leaves_no_frame() {
        let story = || Scenario::new().mm1(&[usual_transform()]);
        let capture = story().unseen(|told| told.mm2(&usual_transform())).mm3().capture();
        assert_eq!(capture.frames.len(), 2);
        assert_ne!(datagrams(&capture)[1].2[8..16], [0; 8], "the answer was heard all the same");
        let big = |story: Scenario| story.main_mode_certificates(1600).capture().frames.len();
        assert_eq!(big(Scenario::new()), 8, "messages 5 and 6 take two IP fragments each");
        assert_eq!(big(Scenario::new().losing(&[2])), 6);
        assert_eq!(big(Scenario::new().ike_fragments(1280)), 8);
    }

    /// RFC 792: the error goes to the sender and quotes its packet.
    #[test]
    fn an_icmp_error_quotes_the_last_message() {
        let router = ip("192.0.2.254");
        let capture = Scenario::new().mm1(&[usual_transform()]).after(ms(5)).icmp_unreachable(router, 13).capture();
        let packets: Vec<&[u8]> = capture.packets().map(|(_, packet)| packet).collect();
        let [asked, refused] = packets[..] else { panic!("two packets") };
        assert_eq!((link::source(refused), link::destination(refused)), (router, ip("203.0.113.10")));
        assert_eq!((refused[9], refused[20], refused[21]), (packet::ICMP, 3, 13));
        assert_eq!(&refused[28..], asked);
        assert_eq!(packet::checksum(&refused[20..]), 0);
    }

    #[test]
    fn esp_goes_as_the_peers_agreed() {
        let story = |story: Scenario| story.esp(Side::Initiator, 0xc0de_0001, 1..=2, 120, ms(100)).capture();
        let native = story(main_mode_psk());
        let packets: Vec<&[u8]> = native.packets().map(|(_, packet)| packet).skip(6).collect();
        assert_eq!(packets.len(), 2);
        assert_eq!(packets[1][9], packet::ESP);
        assert_eq!(packets[1][20..28], hex("c0de0001 00000002"));
        assert_eq!(packets[1].len(), 20 + 120);
        let encapsulated = datagrams(&story(Scenario::new().nat().main_mode()));
        assert_eq!(encapsulated[6].2[..8], hex("c0de0001 00000001"));
    }

    /// RFC 9329 §3: the prefix, then each message behind its length and the marker.
    #[test]
    fn tcp_carries_a_stream() {
        let capture = Scenario::new().over_tcp().ikev2(&v2::ike_cbc(14)).capture();
        let packets: Vec<&[u8]> = capture.packets().map(|(_, packet)| packet).collect();
        assert_eq!((packets[0][33], packets[1][33], packets[2][33]), (packet::SYN, 0x12, packet::ACK));
        assert_eq!(&packets[3][40..], b"IKETCP");
        let message = &packets[4][40..];
        assert_eq!(usize::from(u16::from_be_bytes([message[0], message[1]])), message.len());
        assert_eq!(message[2..6], [0; 4]);
        let sequence = |packet: &[u8]| u32::from_be_bytes([packet[24], packet[25], packet[26], packet[27]]);
        assert_eq!(sequence(packets[4]) - sequence(packets[3]), 6);
    }

    #[test]
    fn a_new_attempt_with_roles_swapped() {
        let capture = Scenario::new().aggressive_mode().swap_roles().after(secs(3)).aggressive_mode().capture();
        let sources: Vec<IpAddr> = capture.packets().map(|(_, packet)| link::source(packet)).collect();
        assert_eq!((sources[0], sources[3]), (ip("203.0.113.10"), ip("198.51.100.7")));
        let said = datagrams(&capture);
        assert_ne!(said[0].2[..8], said[3].2[..8]);
        assert_eq!(said[3].2[8..16], [0; 8]);
    }

    #[test]
    fn tampering_and_markers() {
        let offer = [usual_transform()];
        let long = Scenario::new().tampered(|message| message[27] = 0xff, |told| told.mm1(&offer)).capture();
        assert_eq!(datagrams(&long)[0].2[27], 0xff);
        let marked = Scenario::new().with_marker(|told| told.mm1(&offer)).capture();
        assert_eq!(datagrams(&marked)[0].2[..4], [0; 4]);
        let bare = Scenario::new().nat().without_marker(Scenario::main_mode).capture();
        assert_ne!(datagrams(&bare)[4].2[..4], [0; 4]);
    }
}

mod captures {
    use super::*;

    fn at(frame: &Frame) -> u64 {
        (frame.at - START) / 1_000_000
    }

    #[test]
    fn pcap_reads_back() {
        let capture = aggressive().quick_mode().traffic(2).capture();
        let file = capture.pcap();
        assert_eq!(file[..24], hex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000"));
        assert_eq!(Capture::read_pcap(&file), capture, "all times are whole microseconds");
        assert_eq!(capture.pcap_nanoseconds()[..4], hex("4d3cb2a1"));
        assert_eq!(capture.pcap_nanoseconds().len(), file.len());
    }

    /// pcapng: section header, interface with if_tsresol 9, then a block a frame, lengths at both ends.
    #[test]
    fn pcapng_is_made_of_blocks() {
        let capture = aggressive().capture();
        let file = capture.pcapng();
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let (mut at, mut kinds) = (0, Vec::new());
        while at < file.len() {
            let length = word(at + 4);
            assert!(length % 4 == 0 && word(at + length - 4) == length);
            kinds.push(word(at));
            at += length;
        }
        assert_eq!(kinds, [0x0a0d_0d0a, 1, 6, 6, 6]);
        assert_eq!(file[28..60], hex("01000000 20000000 0100 0000 00000000 0900 0100 09 000000 00000000 20000000"));
        let first = (word(60 + 12) as u64) << 32 | word(60 + 16) as u64;
        assert_eq!(first, START);
    }

    #[test]
    fn captures_are_cut_and_turned() {
        let capture = main_mode_psk().capture();
        let responder = capture.clone().only_from(ip("198.51.100.7"));
        assert_eq!(responder.frames.iter().map(at).collect::<Vec<_>>(), [20, 60, 100]);
        assert_eq!(capture.clone().cut_after(ms(40)).frames.len(), 3);
        assert_eq!(capture.clone().start_after(ms(41)).frames.iter().map(at).collect::<Vec<_>>(), [60, 80, 100]);
        assert_eq!(capture.clone().without(&[1, 6]).frames.len(), 4);
        assert_eq!(capture.clone().shift_time(-3600).frames[0].at, START - 3_600_000_000_000);
        let twice = capture.clone().double_every_frame();
        assert_eq!(twice.frames.len(), 12);
        assert_eq!((&twice.frames[1].octets, twice.frames[1].at), (&capture.frames[0].octets, START + 10_000));
        let short = capture.clone().snap(60);
        assert_eq!((short.frames[0].octets.len(), short.frames[0].wire_length), (60, capture.frames[0].wire_length));
        assert_eq!(capture.relink(Link::LinuxSll2).relink(Link::Ethernet), capture);
        let both = capture.clone().merge(&aggressive().seed(1).capture().shift_time(1));
        assert!(both.frames.len() == 6 + 3 && both.frames.is_sorted_by_key(|frame| frame.at));
    }
}
