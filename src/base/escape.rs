//! Makes anything that came from a packet or a file name safe to print, in one reversible way.
//!
//! `\\` stands for a backslash, `\xNN` for the octet NN (controls, and octets that are not UTF-8), `\u{N}` for the
//! character N (C1 controls, bidirectional overrides, and others that are invisible). The report and the messages hold
//! only text that went through here, so that no view of them has to think of it again. Not here: quoting for JSON, which
//! the serialisers do.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with everything escaped that could move the cursor, hide or reorder what stands beside it.
pub fn escape(text: &str) -> Cow<'_, str> {
    // without an early end this is a few vector instructions for what most text is
    let plain = text.bytes().fold(true, |plain, octet| plain & matches!(octet, b' '..=b'~') & (octet != b'\\'));
    if plain || !text.chars().any(needs_escape) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    push_escaped(&mut safe, text);
    Cow::Owned(safe)
}

/// The same for octets that should be UTF-8 and may not be.
pub fn escape_octets(octets: &[u8]) -> String {
    let mut safe = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        push_escaped(&mut safe, chunk.valid());
        for octet in chunk.invalid() {
            push_octet(&mut safe, *octet);
        }
    }
    safe
}

/// Escapes what is left in a line that is made of safe parts: backslashes stay, so that nothing is escaped twice. Not
/// reversible: the last resort for words of others, such as those of the system. Line feeds stay too.
pub fn guard(text: &str) -> Cow<'_, str> {
    let harmless = |character: char| matches!(character, '\\' | '\n') || !needs_escape(character);
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if harmless(character) {
            safe.push(character);
        } else {
            push_escaped(&mut safe, character.encode_utf8(&mut [0; 4]));
        }
    }
    Cow::Owned(safe)
}

fn push_escaped(safe: &mut String, text: &str) {
    for character in text.chars() {
        if !needs_escape(character) {
            safe.push(character);
        } else if character == '\\' {
            safe.push_str("\\\\");
        } else if character.is_ascii() {
            push_octet(safe, character as u8);
        } else {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        }
    }
}

fn push_octet(safe: &mut String, octet: u8) {
    let _ = write!(safe, "\\x{octet:02x}");
}

fn needs_escape(character: char) -> bool {
    character == '\\' || character.is_control() || (!character.is_ascii() && is_invisible(character))
}

/// Characters that are not seen and change what is: bidirectional controls, joiners, fillers, variation selectors, tags
/// (Unicode's Default_Ignorable_Code_Point), line and paragraph separators.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(escape("vpn.example.org · Zürich"), Cow::Borrowed(_)));
    }

    #[test]
    fn terminal_sequences_are_shown_not_sent() {
        assert_eq!(escape("a\x1b[31mb\r\n\x7f"), "a\\x1b[31mb\\x0d\\x0a\\x7f");
        assert_eq!(escape("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn text_cannot_be_turned_around_or_hidden() {
        for character in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}').chain(['\u{200b}', '\u{feff}']) {
            assert_eq!(escape(&character.to_string()), format!("\\u{{{:x}}}", u32::from(character)));
        }
    }

    #[test]
    fn octets_that_are_not_utf_8_keep_their_value() {
        assert_eq!(escape_octets(b"id\xff\xc3("), "id\\xff\\xc3(");
        assert_eq!(escape_octets("Zürich".as_bytes()), "Zürich");
    }

    #[test]
    fn a_line_of_safe_parts_is_not_escaped_twice() {
        let line = format!("{}: \u{1b}[2J\u{202e}", escape("a\x1b\\b"));
        assert_eq!(guard(&line), "a\\x1b\\\\b: \\x1b[2J\\u{202e}");
        assert!(matches!(guard("a\\x1b\nb"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_written_escape_cannot_be_taken_for_a_real_one() {
        assert_ne!(escape_octets(b"\\xff"), escape_octets(b"\xff"));
        assert_eq!(escape_octets(b"\\xff"), "\\\\xff");
    }
}
