//! The encoder of the crafted captures, held against the RFCs by octets that were worked out by hand.

mod support;

use std::net::{IpAddr, SocketAddr};

use support::story::{self, Side, ms, secs};
use support::wire::{v1, v2};
use support::{Capture, Header, Link, Scenario, packet};
