//! What vendors call a stage: the state that `show crypto isakmp sa` and its cousins print while an attempt stands there.
//!
//! A side's state follows from the last message it sent itself; only the last message of a set-up moves its receiver
//! too. Cisco's names are those of the documents "MM_WAIT_MSG" and "CCIE or Null", the others those of the programs.

use crate::track::{Label, Mode, Side};

use super::model::{BothSides, SideStates, VendorStates};

const fn states(
    cisco_asa: &'static str,
    cisco_ios: &'static str,
    libreswan: &'static str,
    strongswan: &'static str,
) -> SideStates {
    SideStates {
        cisco_asa: Some(cisco_asa),
        cisco_ios: Some(cisco_ios),
        libreswan: Some(libreswan),
        strongswan: Some(strongswan),
    }
}

const UNSEEN: SideStates = SideStates { cisco_asa: None, cisco_ios: None, libreswan: None, strongswan: None };

/// Main Mode: a row for each message that a side sent last.
const MAIN: [SideStates; 7] = [
    UNSEEN,
    states("MM_WAIT_MSG2", "MM_NO_STATE", "STATE_MAIN_I1", "CONNECTING"),
    states("MM_WAIT_MSG3", "MM_SA_SETUP", "STATE_MAIN_R1", "CONNECTING"),
    states("MM_WAIT_MSG4", "MM_SA_SETUP", "STATE_MAIN_I2", "CONNECTING"),
    states("MM_WAIT_MSG5", "MM_KEY_EXCH", "STATE_MAIN_R2", "CONNECTING"),
    states("MM_WAIT_MSG6", "MM_KEY_EXCH", "STATE_MAIN_I3", "CONNECTING"),
    states("MM_ACTIVE", "QM_IDLE", "STATE_MAIN_R3", "ESTABLISHED"),
];
const MAIN_DONE: SideStates = states("MM_ACTIVE", "QM_IDLE", "STATE_MAIN_I4", "ESTABLISHED");

/// Aggressive Mode: the same.
const AGGRESSIVE: [SideStates; 4] = [
    UNSEEN,
    states("AM_WAIT_MSG2", "AG_NO_STATE", "STATE_AGGR_I1", "CONNECTING"),
    states("AM_WAIT_MSG3", "AG_INIT_EXCH", "STATE_AGGR_R1", "CONNECTING"),
    states("AM_ACTIVE", "QM_IDLE", "STATE_AGGR_I2", "ESTABLISHED"),
];
const AGGRESSIVE_DONE: SideStates = states("AM_ACTIVE", "QM_IDLE", "STATE_AGGR_R2", "ESTABLISHED");

const V2_INIT_SENT: SideStates = states("IN-NEG", "IN-NEG", "STATE_V2_PARENT_I1", "CONNECTING");
const V2_INIT_ANSWERED: SideStates = states("IN-NEG", "IN-NEG", "STATE_V2_PARENT_R1", "CONNECTING");
const V2_AUTH_SENT: SideStates = states("IN-NEG", "IN-NEG", "STATE_V2_PARENT_I2", "CONNECTING");
const V2_UP: SideStates = states("READY", "READY", "STATE_V2_ESTABLISHED_IKE_SA", "ESTABLISHED");

/// How an attempt stands, as far as vendors' names for it depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stand {
    /// Its mode.
    pub mode: Mode,
    /// Its furthest message.
    pub stage: Label,
    /// The side that began the first Quick Mode, if there was one.
    pub quick_mode_by: Option<Side>,
    /// By its furthest message the other side refused it, and keeps nothing of it, or asks for more.
    pub refused: bool,
}

impl Stand {
    /// What vendors call it.
    pub fn states(self) -> VendorStates {
        let Self { mode, stage, quick_mode_by, refused } = self;
        let (side, initiator, responder) = match stage {
            Label::Mm(number) => phase1(&MAIN, MAIN_DONE, number, refused),
            Label::Am(number) => phase1(&AGGRESSIVE, AGGRESSIVE_DONE, number, refused),
            Label::Qm(number) => quick_mode(mode, number, quick_mode_by.unwrap_or(Side::Initiator)),
            Label::Tr(_) => transaction(mode),
            Label::SA_INIT_REQ => (Some(Side::Initiator), V2_INIT_SENT, UNSEEN),
            Label::SA_INIT_RSP if refused => (Some(Side::Initiator), V2_INIT_SENT, UNSEEN),
            Label::SA_INIT_RSP => (Some(Side::Responder), V2_INIT_SENT, V2_INIT_ANSWERED),
            Label::INTERMEDIATE_REQ | Label::INTERMEDIATE_RSP => {
                (Some(Side::Initiator), SideStates { libreswan: None, ..V2_INIT_SENT }, V2_INIT_ANSWERED)
            }
            Label::AUTH_REQ => (Some(Side::Initiator), V2_AUTH_SENT, V2_INIT_ANSWERED),
            Label::AUTH_RSP if refused => (Some(Side::Initiator), V2_AUTH_SENT, V2_INIT_ANSWERED),
            Label::AUTH_RSP
            | Label::CREATE_CHILD_SA_REQ
            | Label::INFORMATIONAL_REQ
            | Label::FOLLOWUP_KE_REQ
            | Label::CREATE_CHILD_SA_RSP
            | Label::INFORMATIONAL_RSP
            | Label::FOLLOWUP_KE_RSP => (None, V2_UP, V2_UP),
            Label::MmEither(_)
            | Label::Ngm(_)
            | Label::Inf
            | Label::Stray
            | Label::Request(_)
            | Label::Response(_)
            | Label::Other(_) => (None, UNSEEN, UNSEEN),
        };
        let shown = match side {
            Some(Side::Responder) => responder,
            _ => initiator,
        };
        VendorStates {
            side,
            cisco_asa: shown.cisco_asa,
            cisco_ios: shown.cisco_ios,
            libreswan: shown.libreswan,
            strongswan: shown.strongswan,
            by_side: BothSides { initiator, responder },
        }
    }
}

type Sides = (Option<Side>, SideStates, SideStates);

/// `refused`: who got the last message does not take it, and stays where its own last one left it.
fn phase1(rows: &[SideStates], done: SideStates, number: u8, refused: bool) -> Sides {
    let last = rows.len().saturating_sub(1);
    let number = usize::from(number).min(last);
    let row = |number: usize| rows.get(number).copied().unwrap_or(UNSEEN);
    if number == last {
        let sender = if last % 2 == 1 { Side::Initiator } else { Side::Responder };
        let (waits, receiver) = if refused { (Some(sender.other()), row(last - 1)) } else { (None, done) };
        return match sender {
            Side::Initiator => (waits, row(last), receiver),
            Side::Responder => (waits, receiver, row(last)),
        };
    }
    let before = row(number.saturating_sub(1));
    match number % 2 {
        1 => (Some(Side::Initiator), row(number), before),
        _ => (Some(Side::Responder), before, row(number)),
    }
}

/// Phase 1 is behind; which of its two modes it was decides what ASA says.
fn phase1_done(mode: Mode) -> SideStates {
    match mode {
        Mode::Main => MAIN_DONE,
        Mode::Aggressive => AGGRESSIVE_DONE,
        Mode::IkeV2 | Mode::Unknown => SideStates { cisco_asa: None, ..MAIN_DONE },
    }
}

fn quick_mode(mode: Mode, number: u8, started_by: Side) -> Sides {
    let up = phase1_done(mode);
    let idle = SideStates { libreswan: None, ..up };
    let named = |libreswan| SideStates { libreswan: Some(libreswan), ..up };
    let (waits, starter, answerer) = match number {
        0 | 1 => (Some(started_by), named("STATE_QUICK_I1"), idle),
        2 => (Some(started_by.other()), named("STATE_QUICK_I1"), named("STATE_QUICK_R1")),
        _ => (None, named("STATE_QUICK_I2"), named("STATE_QUICK_R2")),
    };
    match started_by {
        Side::Initiator => (waits, starter, answerer),
        Side::Responder => (waits, answerer, starter),
    }
}

/// XAUTH or Mode Config: which of the two is encrypted, so only what both share is named.
fn transaction(mode: Mode) -> Sides {
    let up = phase1_done(mode);
    let side = SideStates { cisco_ios: Some("CONF_XAUTH"), libreswan: None, ..up };
    (None, side, side)
}

#[cfg(test)]
mod tests {
    use crate::diagnose::lookup;

    use super::*;

    fn vendor_states(mode: Mode, stage: Label, quick_mode_by: Option<Side>, refused: bool) -> VendorStates {
        Stand { mode, stage, quick_mode_by, refused }.states()
    }

    #[test]
    fn the_side_that_waits_is_named() {
        let rows = [
            (1, Side::Initiator, "MM_WAIT_MSG2", "MM_NO_STATE", "STATE_MAIN_I1"),
            (2, Side::Responder, "MM_WAIT_MSG3", "MM_SA_SETUP", "STATE_MAIN_R1"),
            (3, Side::Initiator, "MM_WAIT_MSG4", "MM_SA_SETUP", "STATE_MAIN_I2"),
            (4, Side::Responder, "MM_WAIT_MSG5", "MM_KEY_EXCH", "STATE_MAIN_R2"),
            (5, Side::Initiator, "MM_WAIT_MSG6", "MM_KEY_EXCH", "STATE_MAIN_I3"),
        ];
        for (number, side, asa, ios, libreswan) in rows {
            let states = vendor_states(Mode::Main, Label::Mm(number), None, false);
            assert_eq!(
                (states.side, states.cisco_asa, states.cisco_ios, states.libreswan),
                (Some(side), Some(asa), Some(ios), Some(libreswan)),
            );
        }
    }

    #[test]
    fn explain_knows_every_state() {
        let quick = (1..=3).map(|number| quick_mode(Mode::Main, number, Side::Initiator));
        let both = quick.flat_map(|(_, starter, answerer)| [starter, answerer]);
        let sides = MAIN.into_iter().chain(AGGRESSIVE).chain([MAIN_DONE, AGGRESSIVE_DONE, transaction(Mode::Main).1]);
        let v2 = [V2_INIT_SENT, V2_INIT_ANSWERED, V2_AUTH_SENT, V2_UP];
        for state in sides.chain(both).chain(v2) {
            for name in [state.cisco_asa, state.cisco_ios, state.libreswan, state.strongswan].into_iter().flatten() {
                let hits = lookup::find(name);
                assert_eq!(hits.first().map(|hit| hit.message), Some(name));
                assert!(hits.iter().all(|hit| !hit.patterns.is_empty()), "{name}");
            }
        }
    }

    #[test]
    fn a_side_stays_where_its_own_last_message_left_it() {
        let states = vendor_states(Mode::Main, Label::Mm(4), None, false);
        assert_eq!(states.by_side.initiator.cisco_asa, Some("MM_WAIT_MSG4"));
        let states = vendor_states(Mode::Main, Label::Mm(1), None, false);
        assert_eq!(states.by_side.responder.cisco_asa, None, "nothing shows that message 1 arrived");
    }

    #[test]
    fn the_last_message_makes_both_sides_active() {
        let states = vendor_states(Mode::Main, Label::Mm(6), None, false);
        assert_eq!((states.side, states.cisco_asa, states.cisco_ios), (None, Some("MM_ACTIVE"), Some("QM_IDLE")));
        assert_eq!(states.by_side.initiator.libreswan, Some("STATE_MAIN_I4"));
        assert_eq!(states.by_side.responder.libreswan, Some("STATE_MAIN_R3"));
        let states = vendor_states(Mode::Aggressive, Label::Am(3), None, false);
        assert_eq!(states.by_side.initiator.libreswan, Some("STATE_AGGR_I2"));
        assert_eq!(states.by_side.responder.libreswan, Some("STATE_AGGR_R2"));
    }

    #[test]
    fn who_does_not_take_the_last_message_still_waits_for_it() {
        let states = vendor_states(Mode::Main, Label::Mm(6), None, true);
        assert_eq!((states.side, states.cisco_asa), (Some(Side::Initiator), Some("MM_WAIT_MSG6")));
        let by_side = (states.by_side.initiator.libreswan, states.by_side.responder.libreswan);
        assert_eq!(by_side, (Some("STATE_MAIN_I3"), Some("STATE_MAIN_R3")));
        let states = vendor_states(Mode::Aggressive, Label::Am(3), None, true);
        assert_eq!((states.side, states.cisco_asa), (Some(Side::Responder), Some("AM_WAIT_MSG3")));
    }

    #[test]
    fn quick_mode_may_be_begun_by_the_responder_of_phase_1() {
        let states = vendor_states(Mode::Main, Label::Qm(1), Some(Side::Responder), false);
        assert_eq!((states.side, states.libreswan), (Some(Side::Responder), Some("STATE_QUICK_I1")));
        assert_eq!(states.cisco_ios, Some("QM_IDLE"));
    }

    #[test]
    fn ikev2_is_in_negotiation_until_the_auth_response() {
        let states = vendor_states(Mode::IkeV2, Label::AUTH_REQ, None, false);
        assert_eq!((states.cisco_asa, states.libreswan), (Some("IN-NEG"), Some("STATE_V2_PARENT_I2")));
        let states = vendor_states(Mode::IkeV2, Label::AUTH_RSP, None, false);
        assert_eq!((states.cisco_asa, states.strongswan), (Some("READY"), Some("ESTABLISHED")));
        let refused = vendor_states(Mode::IkeV2, Label::AUTH_RSP, None, true);
        assert_eq!((refused.cisco_asa, refused.strongswan), (Some("IN-NEG"), Some("CONNECTING")));
        let refused = vendor_states(Mode::IkeV2, Label::SA_INIT_RSP, None, true);
        assert_eq!((refused.side, refused.libreswan), (Some(Side::Initiator), Some("STATE_V2_PARENT_I1")));
        assert_eq!(refused.by_side.responder.libreswan, None, "whoever refuses keeps nothing");
    }
}
