//! A line of a log as tokens: words, numbers, and gaps where it says something that differs from case to case.
//!
//! Contract: the same for lines that are known and lines that are asked for, so that the two can be compared.

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// Letters, in lower case and without the ending of a plural.
    Word(String),
    /// A decimal number.
    Number(String),
    /// An address, a time, a cookie, a placeholder: whatever stands here is no part of the message.
    Gap,
}

impl Token {
    /// Whether it is a number as it stands in policies, sessions and lists, and not one that names an error.
    pub fn is_small_number(&self) -> bool {
        matches!(self, Self::Number(digits) if digits.len() < 3)
    }
}

/// The tokens of a line. Letters and digits part company, so that `Msg1`, `Msg 1` and `MSG_1` are the same.
pub fn tokens(line: &str) -> Vec<Token> {
    let characters: Vec<char> = line.chars().collect();
    let mut found = Vec::new();
    let mut rest = characters.as_slice();
    while let Some(first) = rest.first() {
        let length = gap(rest);
        if length > 0 {
            found.push(Token::Gap);
            rest = rest.get(length..).unwrap_or_default();
        } else if is_word(*first) {
            let length = leading(rest, is_word);
            push_run(&mut found, rest.get(..length).unwrap_or_default());
            rest = rest.get(length..).unwrap_or_default();
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    found
}

/// Letters and digits that stand together.
fn push_run(found: &mut Vec<Token>, run: &[char]) {
    for piece in run.chunk_by(|left, right| left.is_ascii_digit() == right.is_ascii_digit()) {
        let mut text: String = piece.iter().flat_map(|character| character.to_lowercase()).collect();
        if piece.iter().all(char::is_ascii_digit) {
            found.push(Token::Number(text));
            continue;
        }
        if text.len() > 3 && text.ends_with('s') && !text.ends_with("ss") {
            text.pop();
        }
        match found.last_mut() {
            _ if matches!(text.as_str(), "foo" | "bar") => found.push(Token::Gap),
            // the one word that everybody writes in another way
            Some(Token::Word(before)) if before == "pre" && text == "shared" => before.push_str(&text),
            _ => found.push(Token::Word(text)),
        }
    }
}

/// How many characters at the start of `rest` say something that differs from case to case.
fn gap(rest: &[char]) -> usize {
    let found = [ellipsis(rest), placeholder(rest), dotted(rest), with_colons(rest), hexadecimal(rest)];
    found.into_iter().max().unwrap_or(0)
}

fn ellipsis(rest: &[char]) -> usize {
    match rest {
        ['…', ..] => 1,
        ['.', '.', '.', ..] => 3,
        _ => 0,
    }
}

/// `%s`, `%#x`, `%zu`, `{name}`, `<name>`. That of examples, `foo`, is found among the words.
fn placeholder(rest: &[char]) -> usize {
    let Some((first, behind)) = rest.split_first() else { return 0 };
    match first {
        '%' => {
            let flags = leading(behind, |character| matches!(character, '#' | '.' | 'z' | 'h' | 'l' | '*'));
            let letter = behind.get(flags).is_some_and(char::is_ascii_alphabetic);
            let ends = !behind.get(flags + 1).copied().is_some_and(is_word);
            if letter && ends { flags + 2 } else { 0 }
        }
        '{' | '<' => {
            let close = if *first == '{' { '}' } else { '>' };
            let name = leading(behind, |character| is_word(character) || matches!(character, '_' | '-'));
            if name > 0 && behind.get(name) == Some(&close) { name + 2 } else { 0 }
        }
        _ => 0,
    }
}

/// `192.0.2.1`, `x.x.x.x`.
fn dotted(rest: &[char]) -> usize {
    let mut length = 0;
    for group in 0..4 {
        let behind = rest.get(length..).unwrap_or_default();
        let digits = leading(behind, |character| character.is_ascii_digit());
        let letter = usize::from(matches!(behind.first(), Some('x' | 'y' | 'z')));
        if digits + letter == 0 {
            return 0;
        }
        length += digits.max(letter);
        if group < 3 {
            if rest.get(length) != Some(&'.') {
                return 0;
            }
            length += 1;
        }
    }
    length
}

/// `2001:db8::1`, `10:42:07`.
fn with_colons(rest: &[char]) -> usize {
    /// No address and no time is longer; from each letter of a line no more is looked at.
    const LONGEST: usize = 48;
    if !rest.first().is_some_and(char::is_ascii_hexdigit) {
        return 0;
    }
    let length =
        leading(rest.get(..LONGEST).unwrap_or(rest), |character| character.is_ascii_hexdigit() || character == ':');
    let text = rest.get(..length).unwrap_or_default();
    let colons = text.iter().filter(|character| **character == ':').count();
    let whole = !rest.get(length).copied().is_some_and(is_word);
    if colons >= 2 && whole && text.iter().any(char::is_ascii_digit) { length } else { 0 }
}

/// `0x1f`, `a12acd06`, `1166168095`: cookies, SPIs, message ids.
fn hexadecimal(rest: &[char]) -> usize {
    let length = leading(rest, is_word);
    let text = rest.get(..length).unwrap_or_default();
    let prefixed = matches!(text, ['0', 'x' | 'X', _, ..]);
    let long = length >= 8 && text.iter().any(char::is_ascii_digit) && text.iter().all(char::is_ascii_hexdigit);
    if prefixed || long { length } else { 0 }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric()
}

fn leading(text: &[char], belongs: impl Fn(char) -> bool) -> usize {
    text.iter().take_while(|character| belongs(**character)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str) -> String {
        let word = |token: &Token| match token {
            Token::Word(text) | Token::Number(text) => text.clone(),
            Token::Gap => "_".into(),
        };
        tokens(line).iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn letter_case_and_punctuation_do_not_matter() {
        assert_eq!(written("%CRYPTO-6-IKMP_MODE_FAILURE: Main"), "crypto 6 ikmp mode failure main");
        assert_eq!(written("MM Msg 1"), written("mm_MSG1"));
        assert_eq!(written("Pre-Shared Keys"), written("preshared key"));
        assert_eq!(written("NO-PROPOSAL-CHOSEN"), written("no_proposal_chosen"));
    }

    #[test]
    fn what_differs_from_case_to_case_is_a_gap() {
        assert_eq!(
            written("giving up after %u retransmits to %#x of {name}, <IP>"),
            "giving up after _ retransmit to _ of _ _"
        );
        assert_eq!(written("pktsize=foo, eff_mtu = bar of food"), "pktsize _ eff mtu _ of food");
        assert_eq!(written("10:42:07 from x.x.x.x/500 or 192.0.2.1[500], 2001:db8::1"), "_ from _ 500 or _ 500 _");
        assert_eq!(written("spi 0x1f, A12ACD06, id = 1166168095 …"), "spi _ _ id _ _");
    }

    #[test]
    fn words_that_look_like_numbers_stay_words() {
        assert_eq!(written("decade: deadbeat, 3DES 13801 id:face"), "decade deadbeat 3 des 13801 id face");
    }

    #[test]
    fn anything_can_be_asked() {
        for line in
            ["", "%", "{", "<>", "%%%%", "....", "::::", "1.2.3.", "0x", "\u{0}\u{202e}é", "1.2.3.4.5.6", "{{a}}"]
        {
            let _ = tokens(line);
        }
    }
}
