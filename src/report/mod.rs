//! The report: owned, ordered, serialisable; and the words it is printed in.
//!
//! Not here: anything that decides. Contract: the only place where numbers become text; same facts, same report.
//!
//! A [`Walk`] brings out the facts and findings behind each row, table by table; `build` makes rows of them. [`Report`] is
//! all rows at once, for [`text`] and for who wants to look around; [`json`] writes a walk as well. Words that other views
//! share are in [`escape`], [`quantity`], [`naming`], [`proposal`] and [`words`]. [`pages`] prints the catalogue itself.

mod build;
mod model;
pub(crate) mod moment;
pub(crate) mod pen;
mod walk;

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
pub use walk::Walk;

/// The JSON Schema of the report (draft 2020-12).
pub const SCHEMA: &str = include_str!("../../docs/report.schema.json");
