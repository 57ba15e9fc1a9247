//! What nobody honest sends: for every way in which a decoder of ISAKMP has been fooled, a capture and the answer that is
//! required, in terms of what a user sees.
//!
//! | row | capture | what is required |
//! |---|---|---|
//! | R1 | `r01-short` | counted as a keepalive or as malformed; nothing behind the datagram is read |
//! | R2 | `r02-length` | read as far as header and datagram both go; the lie is named with its octet |
//! | R3 | `r03-payload-length` | the chain stops at the length that cannot be, which is named |
//! | R4 | `r04-chain` | 128 payloads are followed, whatever comes behind them |
//! | R5 | `r05-proposals` | read as far as lengths and counts agree; no octet of it is taken for a payload type |
//! | R6 | `r06-attributes` | a number where it can be one, octets where not |
//! | R7 | `r07-spi-count` | as many SPIs as there are octets, none of size 0, one fault |
//! | R8 | `r08-identities` | words where they can be, octets always, escaped and of bounded length |
//! | R9 | `r09-vendor-ids` | known by all octets only, and never by less |
//! | R10 | `r10-key-exchange` | a value of another length than its group's is flagged; nothing is computed with it |
//! | R11 | `r11-version` | no payload of the other version's table; unknown versions are refused |
//! | R12 | `r12-missing` | what is missing or there twice is listed as a violation |
//! | R13 | `r13-quoted` | what a notification quotes is data |
//! | R14 | `r14-nested` | a message put together from fragments is not taken apart again |
//! | R15 | `r15-skf` | kept by SPIs, message id and side, bounded in octets and time; what contradicts itself makes no message |
//! | R16 | `r16-v1-fragments` | kept by cookies and id, bounded |
//! | R17 | `r17-ip-fragments` | a datagram once, and a note where its fragments contradict each other; bounded |
//! | R18 | `r18-esp` | too short is malformed; a number that wraps is no loss |
//! | R19 | `r19-ah` | believed as far as its octets go; what it wraps is no flow of its own |
//! | R20 | `r20-esp-or-ike` | told apart by port, marker and header together |
//! | R21 | `r21-flags` | kept, shown as they are, and flagged |
//! | R22 | `r22-spi` | told apart by addresses; flagged where an SPI cannot be |
//! | R23 | `r23-made-up` | the tunnel keeps its verdict; what was forgotten is counted (`tests/floods.rs`: millions) |
//! | R24 | `r24-clock`, `r24-big-endian-nanoseconds`, `r24-fraction` | order is the file's; what the clock does is a note |
//! | R25 | `r25-claims`, `r25-record`, `r25-blocks`, `r25-trailer` | skipped and counted, or the end, named, with status 2 |
//! | R26 | `r26-crowded` | single messages whole, of each kind 128 in the report; linear work (`benches/hostile.rs`) |
//! | R27 | `r27-ciphertext` | nothing is decrypted, and no length goes below nothing |
//! | R28 | `r28-tcp` | records are found however the stream is cut; bounded, gaps are told |
//! | R29 | `r29-certificate` | octets; names are read within their bounds or not at all |
//! | R30 | `r30-injection` | nothing of it reaches any answer unescaped, and all of it can be had back from the JSON |
//! | R31 | `r31-icmp` | no message and no negotiation, however much of it is quoted |
//! | R32 | `r32-twice`, `r32-two-hops`, `r32-tagged` | recorded twice is not sent twice; the verdict is the tunnel's |
//!
//! One file a group of rows, and the tests of a row are named after it; `captures/malformed` holds what the groups make. Not here: random octets, which are the
//! fuzzers' part, and what the library's own types answer (`tests/isakmp`, `tests/packet`).

#[path = "../support/mod.rs"]
mod support;

mod captures;
mod datagrams;
mod files;
mod floods;
mod fragments;
mod headers;
mod made;
mod payloads;
mod shown;
mod tape;
mod text;

/// Octets of the largest capture that is kept.
const MOST: usize = 80_000;

#[test]
fn the_captures_are_what_the_tests_make() {
    let groups =
        [headers::MADE, payloads::MADE, fragments::MADE, datagrams::MADE, text::MADE, captures::MADE, floods::MADE];
    let all: Vec<&made::Made> = groups.iter().flat_map(|group| group.iter()).collect();
    made::compare_all(&all, MOST);
}
