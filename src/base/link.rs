//! Link types as captures name them.

/// A link-layer header type (LINKTYPE_ value, as in pcap and pcapng files).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

macro_rules! link_types {
    ($($(#[$doc:meta])* $constant:ident = $value:literal, $name:literal;)*) => {
        impl LinkType {
            $($(#[$doc])* pub const $constant: Self = Self($value);)*

            /// The registry's short name in lower case, or `None` for a number this program has no name for.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

link_types! {
    /// BSD loopback: address family in host byte order.
    NULL = 0, "null";
    /// Ethernet.
    ETHERNET = 1, "ethernet";
    /// PPP in HDLC-like framing or without.
    PPP = 9, "ppp";
    /// Raw IP, older value on BSD.
    RAW_BSD = 12, "raw";
    /// Raw IP, value used by OpenBSD.
    RAW_OPENBSD = 14, "raw";
    /// PPP in HDLC-like framing.
    PPP_HDLC = 50, "ppp-hdlc";
    /// PPPoE session.
    PPP_ETHER = 51, "pppoe";
    /// Raw IP: the version nibble tells IPv4 from IPv6.
    RAW = 101, "raw";
    /// OpenBSD loopback: address family in network byte order.
    LOOP = 108, "loop";
    /// Linux cooked capture v1.
    LINUX_SLL = 113, "linux-sll";
    /// PPP with a direction octet in front.
    PPP_WITH_DIR = 204, "ppp-with-dir";
    /// Raw IPv4.
    IPV4 = 228, "ipv4";
    /// Raw IPv6.
    IPV6 = 229, "ipv6";
    /// Linux cooked capture v2.
    LINUX_SLL2 = 276, "linux-sll2";
}

impl std::fmt::Display for LinkType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "linktype-{}", self.0),
        }
    }
}
