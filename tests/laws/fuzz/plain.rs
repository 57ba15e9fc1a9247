//! Text for a terminal: words, line ends, and the few styles that the program itself writes.

/// Styles that are written: none, bold, faint, and the plain colours.
const STYLES: [&str; 11] = ["0", "1", "2", "3", "4", "31", "32", "33", "34", "35", "36"];

/// Fails if `text` would do anything to a terminal but show words in a style.
pub fn check_plain(text: &str) {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| {
        let (style, words) = part.split_once('m').unwrap_or((part, ""));
        assert!(STYLES.contains(&style), "{part:?} is no style of ours");
        words
    });
    for words in std::iter::once(first).chain(rest) {
        // Controls are the octets below a blank, and in UTF-8 what follows these two.
        if !words.bytes().any(|octet| matches!(octet, ..0x20 | 0x7f | 0xc2) && octet != b'\n') {
            continue;
        }
        let raw = words.chars().find(|&character| character.is_control() && character != '\n');
        assert_eq!(raw, None, "octets of a packet would reach the terminal as they are: {words:?}");
    }
}
