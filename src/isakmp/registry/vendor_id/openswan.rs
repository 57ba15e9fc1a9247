//! Vendor ids of Openswan and Libreswan: like FreeS/WAN's, later with "OSW" and "OEN", then plain text.
//!
//! Sources: the text in each row, from which the octets were recomputed.

use super::behind;
use super::pattern::{Pattern, folded, octets, text};

/// Openswan.
pub(super) static OPENSWAN: &[Pattern] = &[
    folded("4f53574745627352675b5a51", "Linux Openswan 2.6.44"),
    folded("4f53577e7b6566787577466d", "Linux Openswan 2.6.45"),
    folded("4f535771775064405e494145", "Linux Openswan 2.6.46"),
    folded("4f5357584f7a6d66706e7052", "Linux Openswan 2.6.47"),
    folded("4f53575353637b5979536b4c", "Linux Openswan 2.6.47.1"),
    folded("4f53576d77657d7c497e6c7c", "Linux Openswan 2.6.48"),
    octets("4f5357795f4472657a654753", "Linux Openswan 2.6.49").version("2.6.49"),
    folded("4f53575e5f45464d62615370", "Linux Openswan 2.6.50dev1"),
    folded("4f455d787a5b6948787a655b", "Openswan 2.1.0"),
    folded("4f45466a786e57484d4d4361", "Openswan 2.1.1"),
    folded("4f4555656771407e63636578", "Openswan 2.1.2"),
    folded("4f4548724b6e5e68557c604f", "Openswan 2.2.0"),
    folded("4f4572696f5c77557f746249", "Openswan 2.3.0"),
    folded("4f45454355706e735d625c71", "Openswan 2.3.1"),
    folded("4f45436f586c544d46766f54", "Openswan 2.3.1 X.509-1.5.4 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.3.1"),
    folded("4f454578616c467b5f6f606d", "Openswan 2.3.1 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.3.1"),
    folded("4f45785c567c6f61507e7864", "Openswan 2.4.0"),
    folded("4f457240604e7f585d6d5869", "Openswan 2.4.0 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.0"),
    folded("4f456e5e4c737d7d62796c51", "Openswan 2.4.1"),
    folded("4f45666a6343554b5f7a4062", "Openswan 2.4.2"),
    folded("4f4547407c7673775449546e", "Openswan 2.4.3"),
    folded("4f455b7075417d5959587e46", "Openswan 2.4.3 X.509-1.5.4 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.3"),
    folded("4f45565e6441545f4a664642", "Openswan 2.4.4"),
    folded("4f457a7d4646466667725f65", "Openswan 2.4.4 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.4"),
    folded("4f45587d5d4b4b7c61487b7c", "Openswan 2.4.5"),
    folded("4f454766754a5b59657b4168", "Openswan 2.4.5 X.509-1.5.4 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.5"),
    folded("4f456e4d43757f784f704063", "Openswan 2.4.5 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.5"),
    folded("4f45725c5b754061666c425f", "Openswan 2.4.5dr3 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.5dr3"),
    folded("4f45636e6542785f6f6b7257", "Openswan 2.4.6"),
    folded("4f456c4c4f5d5264574e5244", "Openswan 2.4.6 X.509-1.5.4 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.6"),
    folded("4f454e7c454d716b5f4d6c67", "Openswan 2.4.6 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.6"),
    folded("4f457a7d6d6c5e5441727070", "Openswan 2.4.6rc3 X.509-1.5.4 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.6rc3"),
    folded("4f4552756a414d79434d4951", "Openswan 2.4.7"),
    folded("4f455a7e4261425d725c705f", "Openswan 2.4.7 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR").named("Openswan 2.4.7"),
    folded("4f457a6d734b6f476273616c", "Openswan 2.4.8"),
    folded("4f455d62575860514272754c", "Openswan 2.4.8 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.8"),
    folded("4f4574514070784e717f5760", "Openswan 2.4.8 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR").named("Openswan 2.4.8"),
    folded("4f45414c5d6a75516450457a", "Openswan 2.4.9"),
    folded("4f45534a496f60726b636462", "Openswan 2.4.9 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.9"),
    folded("4f455f5d7b764b67436f4f49", "Openswan 2.4.9 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR").named("Openswan 2.4.9"),
    folded("4f456971726d54726e464a71", "Openswan 2.4.10"),
    folded("4f4574715e655577567a5f41", "Openswan 2.4.10 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.10"),
    folded("4f4550484948576e64636f6b", "Openswan 2.4.11"),
    folded("4f457b64445e664a6355766b", "Openswan 2.4.11 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.11"),
    folded("4f456c7c5b79725e4a6a5658", "Openswan 2.4.12"),
    folded("4f45606c50487c5662707575", "Openswan 2.4.12 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.12"),
    folded("4f454b427a64597b774d5d40", "Openswan 2.4.12 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.12"),
    folded("4f45445e597f60634770436c", "Openswan 2.4.13"),
    folded("4f456b5a5d52605d7a7a6f4e", "Openswan 2.4.13 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.13"),
    folded("4f456066696a417566514d44", "Openswan 2.4.13 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.13"),
    folded("4f454c4e767d475b775e6f56", "Openswan 2.4.14"),
    folded("4f455a526b5f4c686e534e63", "Openswan 2.4.14 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.14"),
    folded("4f45675d5e5d7f664c604651", "Openswan 2.4.15"),
    folded("4f4540784e47627163627858", "Openswan 2.4.15 LDAP_V3 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.15"),
    folded("4f457d78546050757b707245", "Openswan 2.4.15 PLUTO_SENDS_VENDORID PLUTO_USES_KEYRR")
        .named("Openswan 2.4.15"),
    folded("4f4546477e5e4b5440606859", "Openswan 2.5.0"),
    folded("4f45495c767449495c5a7350", "Openswan 2.5.00"),
    folded("4f457260466858434c7e6a45", "Openswan 2.5.01"),
    folded("4f45717a7c715b657c5c5156", "Openswan 2.5.02"),
    folded("4f456651517b4f475276654d", "Openswan 2.5.03"),
    folded("4f455672606d794f697d7242", "Openswan 2.5.04"),
    folded("4f454a4d5e5e674c604e4168", "Openswan 2.5.05"),
    folded("4f454a6176624e5876754d64", "Openswan 2.5.06"),
    folded("4f455c47464946434875464e", "Openswan 2.5.07"),
    folded("4f455a6f776e666c49497b68", "Openswan 2.5.08"),
    folded("4f454c4f577c5a7c4c665248", "Openswan 2.5.09"),
    folded("4f45714250575765766a6c72", "Openswan 2.5.10"),
    folded("4f457a795c6440407166776c", "Openswan 2.5.11"),
    folded("4f4549796c524b7c515b5450", "Openswan 2.5.12"),
    folded("4f45455740667a5f766d785d", "Openswan 2.5.13"),
    folded("4f45736b7f50645f6c416341", "Openswan 2.5.14"),
    folded("4f45675e407f696148444f7c", "Openswan 2.5.15"),
    folded("4f4557575d58474e5d574e58", "Openswan 2.5.16"),
    folded("4f457a74437b794a6148685b", "Openswan 2.5.17"),
    folded("4f455e74654a504c7a614967", "Openswan 2.5.18"),
    folded("4f45766b71776b6f48467a69", "Openswan 2.6.01"),
    folded("4f455f525758674a61465b6b", "Openswan 2.6.02"),
    folded("4f45775376797c60516a757b", "Openswan 2.6.03"),
    folded("4f45736f4c6569475a7d7f4c", "Openswan 2.6.04"),
    folded("4f457b654a44434170427663", "Openswan 2.6.05"),
    folded("4f454a4376414f737d6e495f", "Openswan 2.6.06"),
    folded("4f45466b5d7b4753765c686b", "Openswan 2.6.07"),
    folded("4f457d456755615659534c7b", "Openswan 2.6.08"),
    folded("4f455a447e4d547d6d416e6c", "Openswan 2.6.09"),
    folded("4f45744a61537c7646486641", "Openswan 2.6.10"),
    folded("4f455e7f4c79574b43455465", "Openswan 2.6.11"),
    folded("4f45775b5b5e5b705443404e", "Openswan 2.6.12"),
    folded("4f455a7f4b47466754526564", "Openswan 2.6.13"),
    folded("4f456f534a55776561714158", "Openswan 2.6.14"),
    folded("4f4563476e586e5f567a5457", "Openswan 2.6.15"),
    folded("4f456a7d637357765a5c7b63", "Openswan 2.6.16"),
    folded("4f4554704245584355764571", "Openswan 2.6.17"),
    folded("4f457d5a765a404d5b4f5744", "Openswan 2.6.18"),
    folded("4f456b71484c42504f664d44", "Openswan 2.6.19"),
    folded("4f4543714271574c644b7a41", "Openswan 2.6.20"),
    folded("4f454970424c6d5f4e5b6f59", "Openswan 2.6.20dr2"),
    folded("4f4550544259485a67464e66", "Openswan 2.6.20rc1"),
    folded("4f457e717f6b5a4e727d576b", "Openswan 2.6.21"),
    folded("4f456c6a405d72544d42754d", "Openswan 2.6.22"),
    folded("4f456d406b6753464548407f", "Openswan 2.6.23"),
    folded("4f45557d6068416e77737478", "Openswan 2.6.24"),
    folded("4f45694b5146645d6863434c", "Openswan 2.6.24rc3"),
    folded("4f45445743787f6f78467b4d", "Openswan 2.6.24rc5"),
    folded("4f4543606e547b776f5e5848", "Openswan 2.6.25"),
    folded("4f45504b7e7a764d4e645f57", "Openswan 2.6.26"),
    folded("4f456e544e77494c76567e5c", "Openswan 2.6.27"),
    folded("4f45517b4f7f6e657a7b4351", "Openswan 2.6.28"),
    folded("4f455e5a65725d6564727763", "Openswan 2.6.29"),
    folded("4f457656736b546968656675", "Openswan 2.6.30"),
    folded("4f457d476e447f5a4159655b", "Openswan 2.6.31"),
    folded("4f4568794c64414365636661", "Openswan 2.6.32"),
    folded("4f456768495f775c414c4679", "Openswan 2.6.33"),
    folded("4f457f7e637f7679517f4a5a", "Openswan 2.6.34"),
    folded("4f457e487a746b6f69705842", "Openswan 2.6.35"),
    folded("4f45716c74725d4b5a6c5d5f", "Openswan 2.6.36"),
    folded("4f45755c645c6a795c5c6170", "Openswan 2.6.37"),
    folded("4f4576795c6b677a57715c73", "Openswan 2.6.38"),
    folded("4f454b705270417f765b6b59", "Openswan 2.6.38dr2"),
    folded("4f45414f75405b4e6b554a50", "Openswan 2.6.38rc2"),
    folded("4f456d6470475f6c477d767d", "Openswan 2.6.39"),
    folded("4f456c4e75416271485b7970", "Openswan 2.6.39dr3"),
    folded("4f53577666617a6f6355505a", "Openswan 2.6.40"),
    folded("4f535773786c6a4640545359", "Openswan 2.6.41"),
    octets("4f535751624a50497c705f61", "Openswan 2.6.42").version("2.6.42"),
    folded("4f53577b5547416f4c674b64", "Openswan 2.6.43"),
    octets("4f45", "FreeS/WAN or Openswan").total(12),
    octets("4f45", "FreeS/WAN or Openswan"),
    octets("4f5357", "Openswan").total(12),
    octets("4f5357", "Openswan"),
];

/// Libreswan.
pub(super) static LIBRESWAN: &[Pattern] = &[
    folded("4f454e574547444b6865684a", "Libreswan 3.3 LDAP_V3").named("Libreswan 3.3"),
    folded("4f454e5f52685050487b645e", "Libreswan 3.5"),
    folded("4f454e756f6b706a71757d5c", "Libreswan 3.5 LDAP_V3").named("Libreswan 3.5"),
    octets("4f454e", "FreeS/WAN, Openswan or Libreswan").total(12),
    text("4f452d4c696272657377616e2d", "OE-Libreswan-").named("Libreswan").behind(behind::text),
    octets("4f454e", "Libreswan 3.0 to 3.5"),
];
