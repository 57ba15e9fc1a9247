//! The catalogue: one file a failure pattern, listed here once.

mod icmp;
mod informational;
mod life_cycle;
mod offer;
mod probe;
mod silence;
mod traffic;

use super::pattern::Pattern;

macro_rules! catalogue {
    ($($file:ident::$name:ident,)*) => {
        $(mod $file;)*

        /// All patterns, by stage of a tunnel's life.
        pub static CATALOGUE: &[&Pattern] = &[$(&$file::$name),*];
    };
}

catalogue! {
    c_no_ike::C_NO_IKE,
    c_one_dir::C_ONE_DIR,
    p1_no_reply::P1_NO_REPLY,
    p1_proposal::P1_PROPOSAL,
    v2_no_reply::V2_NO_REPLY,
    v2_proposal::V2_PROPOSAL,
    n_icmp_port::N_ICMP_PORT,
    n_icmp_prohib::N_ICMP_PROHIB,
    n_icmp_host::N_ICMP_HOST,
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
    ok_up::OK_UP,
    ok_idle::OK_IDLE,
}

/// The pattern with this id, in any letter case.
pub fn by_id(id: &str) -> Option<&'static Pattern> {
    CATALOGUE.iter().copied().find(|pattern| pattern.id.eq_ignore_ascii_case(id))
}
