//! The numbers by which one layer names the next: EtherTypes, IP protocols, ports.

/// EtherTypes (IANA "IEEE 802 Numbers").
pub(super) mod ether_type {
    pub const IPV4: u16 = 0x0800;
    pub const TRANSPARENT_ETHERNET: u16 = 0x6558;
    pub const VLAN: u16 = 0x8100;
    pub const PPP: u16 = 0x880b;
    pub const IPV6: u16 = 0x86dd;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_UPSTREAM: u16 = 0x8848;
    pub const PPPOE_SESSION: u16 = 0x8864;
    pub const PROVIDER_BRIDGING: u16 = 0x88a8;
    pub const ERSPAN: u16 = 0x88be;
    pub const ERSPAN_III: u16 = 0x22eb;
    /// Used for stacked tags before 802.1ad.
    pub const VLAN_STACKED: u16 = 0x9100;
    /// From here on the field is a type; below, the length of an 802.2 frame.
    pub const LEAST: u16 = 0x0600;
}

/// IP protocols (IANA "Assigned Internet Protocol Numbers").
pub(super) mod ip_protocol {
    pub const HOP_BY_HOP: u8 = 0;
    pub const ICMP: u8 = 1;
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const GRE: u8 = 47;
    pub const ESP: u8 = 50;
    pub const AH: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const DESTINATION_OPTIONS: u8 = 60;
    pub const MOBILITY: u8 = 135;
}

/// UDP ports of tunnels that mirror ports use.
pub(super) mod tunnel_port {
    pub const VXLAN: u16 = 4789;
    /// What Linux used before the assignment.
    pub const VXLAN_LINUX: u16 = 8472;
    pub const GENEVE: u16 = 6081;

    /// Whether a datagram to `port` may be a tunnel's.
    #[inline(always)]
    pub fn any(port: u16) -> bool {
        matches!(port, VXLAN | VXLAN_LINUX | GENEVE)
    }
}

/// The ports on which IKE is looked for: 500, 4500 and what the user added.
#[derive(Debug, Clone)]
pub(super) struct IkePorts {
    extra: Box<[u16]>,
}

impl IkePorts {
    /// IKE itself (RFC 7296 §2).
    pub const IKE: u16 = 500;
    /// IKE and ESP through NAT (RFC 3947).
    pub const NAT_TRAVERSAL: u16 = 4500;

    pub fn new(extra: &[u16]) -> Self {
        Self { extra: extra.into() }
    }

    /// Whether a datagram between these ports is looked at.
    #[inline(always)]
    pub fn either(&self, source: u16, destination: u16) -> bool {
        source == Self::IKE || destination == Self::IKE || self.shared_with_esp(source, destination)
    }

    /// Whether ESP may stand between these ports, so that ISAKMP needs a marker: all ports of ours but 500.
    #[inline(always)]
    pub fn shared_with_esp(&self, source: u16, destination: u16) -> bool {
        source == Self::NAT_TRAVERSAL
            || destination == Self::NAT_TRAVERSAL
            || (!self.extra.is_empty() && (self.extra.contains(&source) || self.extra.contains(&destination)))
    }
}
