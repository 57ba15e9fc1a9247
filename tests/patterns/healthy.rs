//! Stories in which all goes well: no pattern may raise an alarm on any of them.

use crate::support::Scenario;
use crate::support::story::{aggressive, main_mode_psk};

/// A name and a story.
pub const STORIES: &[(&str, fn() -> Scenario)] = &[
    ("Main Mode", || main_mode_psk().quick_mode().traffic(4)),
    ("Aggressive Mode", || aggressive().quick_mode().traffic(4)),
];
