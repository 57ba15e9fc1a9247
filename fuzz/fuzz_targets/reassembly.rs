#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| ikescope_fuzz::laws::reassembly::hold(octets));
