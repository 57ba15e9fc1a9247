//! Octets of a packet as text that is safe on a terminal: controls, reordering and invisible characters are spelled out.

use std::fmt::Write as _;

/// Octets that should be UTF-8: `\xNN` for controls and for what is not UTF-8, `\u{N}` for characters that reorder or
/// hide text, `\\` for a backslash.
pub(super) fn escape_octets(octets: &[u8]) -> String {
    let mut safe = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => safe.push_str("\\\\"),
                _ if character.is_ascii_control() => push_octet(&mut safe, character as u8),
                _ if character.is_control() || reorders_or_hides(character) => {
                    let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
                }
                _ => safe.push(character),
            }
        }
        chunk.invalid().iter().for_each(|&octet| push_octet(&mut safe, octet));
    }
    safe
}

fn push_octet(safe: &mut String, octet: u8) {
    let _ = write!(safe, "\\x{octet:02x}");
}

fn reorders_or_hides(character: char) -> bool {
    matches!(character,
        '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
