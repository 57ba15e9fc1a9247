//! The catalogue: one file a failure pattern, listed here once.

mod fragments;
mod icmp;
mod informational;
mod nat;
mod silence;

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

/// The pattern with this id, in any letter case.
pub fn by_id(id: &str) -> Option<&'static Pattern> {
    CATALOGUE.iter().copied().find(|pattern| pattern.id.eq_ignore_ascii_case(id))
}
