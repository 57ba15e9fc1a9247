//! Trials: IKEv1 phase 1.

use crate::trial::Evidence::Lab;
use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[Trial {
    id: "P1-NO-REPLY",
    positive: Lab("v1-udp500-drop"),
    near_miss: Lab("v1-no-responder-icmp-port-unreach"),
    how: "an ICMP error says why there is no answer",
}];
