//! The report: owned, ordered, serialisable; and the words it is printed in.
//!
//! Not here: anything that decides. Contract: the only place where numbers become text; same facts, same report.
//!
//! [`Report`] is made by `build` from facts and findings, and read by [`json`] and [`text`]. Words that other views
//! share are in [`escape`], [`quantity`], [`naming`], [`proposal`] and [`words`]. [`pages`] prints the catalogue itself.

mod build;
mod model;

pub mod json;
pub mod naming;
pub mod pages;
pub mod proposal;
pub mod quantity;
pub mod tense;
pub mod text;
pub mod vendor_state;
pub mod words;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod schema;

pub use crate::base::escape;
pub use build::{Selection, message_words};
pub use model::*;
pub use proposal::proposal_text;

/// The JSON Schema of the report (draft 2020-12).
pub const SCHEMA: &str = include_str!("../../docs/report.schema.json");
