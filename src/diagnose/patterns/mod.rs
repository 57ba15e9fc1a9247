//! The catalogue: one file a failure pattern, listed here once.

mod icmp;
mod informational;
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
    n_icmp_port::N_ICMP_PORT,
    n_icmp_prohib::N_ICMP_PROHIB,
    n_icmp_host::N_ICMP_HOST,
    ok_up::OK_UP,
    ok_idle::OK_IDLE,
}

/// The pattern with this id, in any letter case.
pub fn by_id(id: &str) -> Option<&'static Pattern> {
    CATALOGUE.iter().copied().find(|pattern| pattern.id.eq_ignore_ascii_case(id))
}
