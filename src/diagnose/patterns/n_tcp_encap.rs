//! N-TCP-ENCAP: IKE and ESP go through TCP.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::packet::Encapsulation;

pattern! {
    /// ## What is seen
    ///
    /// A TCP stream that begins with `IKETCP` and holds IKE messages and ESP packets, each with its length in front.
    ///
    /// ## What it means
    ///
    /// The initiator fell back to TCP, most often because UDP did not get through. It works, more slowly: TCP inside TCP
    /// repeats what is lost twice.
    ///
    /// ## Look-alikes
    ///
    /// - IPsec over TCP of older products, which has no such beginning and is not recognised.
    N_TCP_ENCAP = "N-TCP-ENCAP", Path, Info;
    title: "IKE and ESP go through TCP";
    causes: [
        "udp" 1.0 "UDP 500 or 4500 does not pass somewhere on the way", raised by "unanswered attempts over UDP before", lowered by "TCP from the first message on";
    ];
    checks: [
        Path: "nothing; where UDP 500 and 4500 can be opened, UDP is faster";
    ];
    logs: [
        "Cisco ASA": "Client rejected NAT enabled IPsec Over UDP request, falling back to IPsec Over TCP" ("Cisco ASA syslog reference");
    ];
    sources: ["RFC 9329", "RFC 8229"];
    when: TCP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let in_tcp = |encapsulation| encapsulation == Encapsulation::Tcp;
    let messages: Vec<_> = case
        .attempts()
        .flat_map(|(_, view)| view.messages())
        .filter(|message| in_tcp(message.encapsulation))
        .map(|message| message.frame)
        .collect();
    let flows: Vec<_> = case.pair.flows.iter().filter(|flow| in_tcp(flow.encapsulation)).collect();
    let first = messages.iter().copied().chain(flows.iter().map(|flow| flow.first_frame)).min();
    let Some(first) = first else { return Vec::new() };
    let packets = flows.iter().map(|flow| flow.packets).sum();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} of IKE and {} of ESP or AH in TCP",
                number(messages.len() as u64, "message"),
                number(packets, "packet")
            ))
            .means("normal where UDP does not pass; expect less speed")
            .frames([first]),
    ]
}
