//! What is followed, kept small and found fast: there may be a million pairs.
//!
//! | file | what |
//! |---|---|
//! | `pairs` | all pairs, by their index |
//! | `slot` | one pair, at work or at rest |
//! | `room` | where pairs and attempts are brought out to |
//! | `packed` | attempts packed: a template held once, and a few dozen octets an attempt |
//! | `shared` | what many messages and attempts have in common, kept once |
//! | `ends` | the two addresses of a pair in eight octets |
//! | `rows` | places in a table, of which most owners have one or two |
//! | `shelf` | rows that stay where they are while there come more |
//! | `index` | finding pairs, attempts and flows by what a datagram says of them |

pub(super) mod ends;
pub(super) mod index;
pub(super) mod packed;
pub(super) mod pairs;
pub(super) mod room;
pub(super) mod rows;
pub(super) mod shared;
pub(super) mod shelf;
pub(super) mod slot;
