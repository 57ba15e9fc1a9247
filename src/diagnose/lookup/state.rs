//! What programs call the stage at which a negotiation stands, where no source document names it.
//!
//! Contract: every state that a report names is known, here or as the row of a document.

/// A state in which a program shows a negotiation.
#[derive(Debug)]
pub(super) struct State {
    pub vendor: &'static str,
    /// Its names in several versions: " / " stands between them.
    pub name: &'static str,
    pub source: &'static str,
    /// Ids of the patterns of a negotiation that stays there, the likeliest first; none of them is clearly the one, as a state
    /// tells where it stands, and not why.
    pub patterns: &'static [&'static str],
}

macro_rules! states {
    ($($vendor:literal from $source:literal { $($name:literal => [$($pattern:literal),+];)+ })+) => {
        pub(super) static STATES: &[State] = &[$($(State {
            vendor: $vendor, name: $name, source: $source, patterns: &[$($pattern),+],
        }),+),+];
    };
}

states! {
    "libreswan" from "libreswan source" {
        "STATE_MAIN_I1" => ["P1-NO-REPLY", "P1-PROPOSAL"];
        "STATE_MAIN_R1" => ["P1-MM2-NO-MM3"];
        "STATE_MAIN_I2" => ["P1-MM3-NO-REPLY", "P1-NO-KEY"];
        "STATE_MAIN_R2" => ["P1-MM4-NO-MM5", "N-PORT4500"];
        "STATE_MAIN_I3" => ["P1-AUTH-SILENT", "P1-PSK", "P1-AUTH-REJECT"];
        "STATE_MAIN_I4" => ["OK-P1-UP", "P1-UP-NO-P2"];
        "STATE_MAIN_R3" => ["OK-P1-UP", "P1-UP-NO-P2", "P1-INIT-REJECT"];
        "STATE_AGGR_I1" => ["P1-NO-REPLY", "P1-PROPOSAL", "P1-AGGR-AUTH", "P1-MODE"];
        "STATE_AGGR_R1" => ["P1-AGGR-AUTH"];
        "STATE_AGGR_I2" => ["OK-P1-UP", "P1-UP-NO-P2"];
        "STATE_AGGR_R2" => ["OK-P1-UP", "P1-UP-NO-P2"];
        "STATE_XAUTH_R0 / STATE_XAUTH_R1 / STATE_XAUTH_I0 / STATE_XAUTH_I1" => ["P1-XAUTH"];
        "STATE_QUICK_I1" => ["P2-NO-REPLY", "P2-REJECT"];
        "STATE_QUICK_R1" => ["P2-NO-QM3"];
        "STATE_QUICK_I2" => ["OK-UP", "OK-IDLE"];
        "STATE_QUICK_R2" => ["OK-UP", "OK-IDLE"];
        "STATE_V2_PARENT_I1 / IKE_SA_INIT_I" => ["V2-NO-REPLY", "V2-PROPOSAL"];
        "STATE_V2_PARENT_R1 / IKE_SA_INIT_R" => ["V2-INIT-NO-AUTH", "V2-AUTH-FAIL"];
        "STATE_V2_PARENT_I2 / IKE_AUTH_I" => ["V2-AUTH-NO-REPLY", "V2-AUTH-FAIL"];
        "STATE_V2_ESTABLISHED_IKE_SA" => ["OK-UP", "OK-IDLE"];
    }
    "strongSwan" from "strongSwan source" {
        "CONNECTING" => ["P1-NO-REPLY", "V2-NO-REPLY", "P1-AUTH-SILENT", "V2-AUTH-NO-REPLY"];
        "ESTABLISHED" => ["OK-P1-UP", "OK-UP", "P1-UP-NO-P2"];
    }
    "Cisco ASA" from "show crypto isakmp sa" {
        "AM_WAIT_MSG2" => ["P1-NO-REPLY", "P1-MODE"];
        "AM_WAIT_MSG3" => ["P1-AGGR-AUTH"];
        "AM_ACTIVE" => ["OK-P1-UP", "P1-UP-NO-P2"];
    }
    "Cisco IOS" from "show crypto isakmp sa" {
        "CONF_XAUTH" => ["P1-XAUTH"];
    }
    "Cisco" from "show crypto ikev2 sa" {
        "IN-NEG" => ["V2-NO-REPLY", "V2-INIT-NO-AUTH", "V2-AUTH-NO-REPLY"];
        "READY" => ["OK-UP", "OK-IDLE"];
    }
}
