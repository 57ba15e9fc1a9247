//! The laws that the fuzz targets run: the very functions that `cargo test` runs on the octets kept in `corpus/`.

#[path = "../../tests/laws/fuzz/mod.rs"]
pub mod laws;
