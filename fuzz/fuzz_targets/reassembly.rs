#![no_main]

use ikescope_fuzz::laws::Asked;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| ikescope_fuzz::laws::reassembly::hold(octets, Asked::of(octets)));
