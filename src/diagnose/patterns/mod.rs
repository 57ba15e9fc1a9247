//! The catalogue: one file a failure pattern, listed here once.

mod fragments;
mod icmp;
mod ikev2;
mod informational;
mod initial_contact;
mod life_cycle;
mod look;
mod mended;
mod nat;
mod nearest_miss;
mod offer;
mod phase1;
mod phase2;
mod probe;
mod silence;
mod traffic;

pub(super) use c_no_ike::{is_cut_short, unless_short};
pub(super) use icmp::is_no_port;
pub(super) use initial_contact::either as initial_contact;
pub(super) use life_cycle::spacing;
pub(super) use ok_delete::is_taken_down;
pub(super) use traffic::{ended_with, is_faded, is_no_esp};

use super::pattern::{Match, Pattern};
use crate::track::Facts;

macro_rules! catalogue {
    ($($file:ident::$name:ident,)*) => {
        $(mod $file;)*

        /// All patterns, by stage of a tunnel's life.
        pub static CATALOGUE: &[&Pattern] = &[$(&$file::$name),*];
    };
}

catalogue! {
    c_no_ike::C_NO_IKE,
    c_esp_no_ike::C_ESP_NO_IKE,
    c_one_dir::C_ONE_DIR,
    c_midstream::C_MIDSTREAM,
    c_two_point::C_TWO_POINT,
    c_clear_inner::C_CLEAR_INNER,
    c_dns_fail::C_DNS_FAIL,
    p1_no_reply::P1_NO_REPLY,
    p1_proposal::P1_PROPOSAL,
    p1_mode::P1_MODE,
    p1_version::P1_VERSION,
    p1_notify::P1_NOTIFY,
    p1_mm2_no_mm3::P1_MM2_NO_MM3,
    p1_mm3_no_reply::P1_MM3_NO_REPLY,
    p1_mm4_no_mm5::P1_MM4_NO_MM5,
    p1_psk::P1_PSK,
    p1_auth_silent::P1_AUTH_SILENT,
    p1_auth_reject::P1_AUTH_REJECT,
    p1_init_reject::P1_INIT_REJECT,
    p1_aggr_auth::P1_AGGR_AUTH,
    p1_cert::P1_CERT,
    p1_xauth::P1_XAUTH,
    p1_ke::P1_KE,
    p1_up_no_p2::P1_UP_NO_P2,
    p1_no_key::P1_NO_KEY,
    p2_reject::P2_REJECT,
    p2_no_reply::P2_NO_REPLY,
    p2_no_qm3::P2_NO_QM3,
    p2_pfs::P2_PFS,
    p2_selector::P2_SELECTOR,
    p2_proposal::P2_PROPOSAL,
    p_direction::P_DIRECTION,
    v2_no_reply::V2_NO_REPLY,
    v2_proposal::V2_PROPOSAL,
    v2_ke_retry::V2_KE_RETRY,
    v2_ke_loop::V2_KE_LOOP,
    v2_cookie::V2_COOKIE,
    v2_cookie_loop::V2_COOKIE_LOOP,
    v2_version::V2_VERSION,
    v2_clear_error::V2_CLEAR_ERROR,
    v2_auth_fail::V2_AUTH_FAIL,
    v2_auth_init_reject::V2_AUTH_INIT_REJECT,
    v2_auth_no_reply::V2_AUTH_NO_REPLY,
    v2_child_reject::V2_CHILD_REJECT,
    v2_eap::V2_EAP,
    v2_intermediate::V2_INTERMEDIATE,
    v2_followup::V2_FOLLOWUP,
    v2_child_no_reply::V2_CHILD_NO_REPLY,
    v2_rekey_refused::V2_REKEY_REFUSED,
    v2_redirect::V2_REDIRECT,
    v2_msgid::V2_MSGID,
    v2_mobike::V2_MOBIKE,
    v2_ppk::V2_PPK,
    v2_init_no_auth::V2_INIT_NO_AUTH,
    v2_childless::V2_CHILDLESS,
    v2_ts_narrow::V2_TS_NARROW,
    v2_resume::V2_RESUME,
    n_nat_detected::N_NAT_DETECTED,
    n_port4500::N_PORT4500,
    n_natt_missing::N_NATT_MISSING,
    n_win_nat_server::N_WIN_NAT_SERVER,
    n_wrong_addr::N_WRONG_ADDR,
    n_nat_ah::N_NAT_AH,
    n_private_outer::N_PRIVATE_OUTER,
    n_keepalive::N_KEEPALIVE,
    n_mapping_changed::N_MAPPING_CHANGED,
    n_port_filter::N_PORT_FILTER,
    n_icmp_port::N_ICMP_PORT,
    n_icmp_prohib::N_ICMP_PROHIB,
    n_icmp_host::N_ICMP_HOST,
    n_tcp_encap::N_TCP_ENCAP,
    n_nat_multi::N_NAT_MULTI,
    f_ike_frag_lost::F_IKE_FRAG_LOST,
    f_ike_big::F_IKE_BIG,
    f_skf_incomplete::F_SKF_INCOMPLETE,
    f_v1frag_incomplete::F_V1FRAG_INCOMPLETE,
    f_esp_frag::F_ESP_FRAG,
    f_pmtu::F_PMTU,
    f_pmtu_blackhole::F_PMTU_BLACKHOLE,
    t_none::T_NONE,
    t_oneway::T_ONEWAY,
    t_esp_blocked::T_ESP_BLOCKED,
    t_encap_mismatch::T_ENCAP_MISMATCH,
    t_spi_unknown::T_SPI_UNKNOWN,
    t_seq_gap::T_SEQ_GAP,
    t_reorder::T_REORDER,
    t_replay::T_REPLAY,
    t_seq_reset::T_SEQ_RESET,
    t_seq_wrap::T_SEQ_WRAP,
    t_proto_mix::T_PROTO_MIX,
    t_null::T_NULL,
    t_short_session::T_SHORT_SESSION,
    l_dpd_timeout::L_DPD_TIMEOUT,
    l_flap::L_FLAP,
    l_lifetime::L_LIFETIME,
    l_delete_after_p1::L_DELETE_AFTER_P1,
    l_delete_storm::L_DELETE_STORM,
    l_rekey_collision::L_REKEY_COLLISION,
    l_simult_init::L_SIMULT_INIT,
    l_dup_sa::L_DUP_SA,
    l_stale_sa::L_STALE_SA,
    l_retry_loop::L_RETRY_LOOP,
    s_des::S_DES,
    s_3des::S_3DES,
    s_md5::S_MD5,
    s_sha1::S_SHA1,
    s_dh_weak::S_DH_WEAK,
    s_aggr_psk::S_AGGR_PSK,
    s_aggr_id::S_AGGR_ID,
    s_ikev1::S_IKEV1,
    s_ah::S_AH,
    s_null_integ::S_NULL_INTEG,
    s_keylen::S_KEYLEN,
    s_halfopen::S_HALFOPEN,
    s_scan::S_SCAN,
    s_vid_leak::S_VID_LEAK,
    s_no_pq::S_NO_PQ,
    m_enc_bit::M_ENC_BIT,
    m_length::M_LENGTH,
    m_marker::M_MARKER,
    m_unknown::M_UNKNOWN,
    ok_p1_up::OK_P1_UP,
    ok_up::OK_UP,
    ok_idle::OK_IDLE,
    ok_dpd::OK_DPD,
    ok_delete::OK_DELETE,
    ok_retrans::OK_RETRANS,
}

pub(super) use informational::Read;
pub(super) use look::{Memory, signs_of};
pub(super) use nearest_miss::Known as Shown;
pub(super) use s_halfopen::{Floods, is_of_flood};

/// C-DNS-FAIL for a capture in which nobody belongs to a pair.
pub(super) fn failed_lookups(facts: &Facts) -> Option<Match> {
    let all = || (0..facts.pairs.len()).filter_map(|index| facts.pairs.ends(index));
    let ends = |address| all().any(|(a, b)| a == address || b == address);
    c_dns_fail::of(facts, |fact| !ends(fact.client))
}

/// The pattern with this id, in any letter case.
pub fn by_id(id: &str) -> Option<&'static Pattern> {
    CATALOGUE.iter().copied().find(|pattern| pattern.id.eq_ignore_ascii_case(id))
}
