//! JSON as octets appended to a buffer: what a row needs of it, and nothing that would slow it down.
//!
//! A general serialiser looks at every key and every name for characters to escape, and a row is little else. Here keys
//! are literals that carry their quotes ([`key!`]), copied in place because everything with a key is inlined, and names
//! are looked at in one sweep. Contract: what
//! is written is valid JSON, whatever the text.

use crate::report::pen;

/// A key with its quotes and colon, put together when the program is built.
macro_rules! key {
    ($name:literal) => {
        concat!("\"", $name, "\":")
    };
}
pub(super) use key;

/// Appends JSON to a buffer. Every value is followed by a comma, and the end of its object or list takes it back.
pub(super) struct Emit<'out> {
    out: &'out mut Vec<u8>,
}

impl<'out> Emit<'out> {
    /// Appends to `out`; who calls sees to the comma behind the last value.
    #[inline(always)]
    pub(super) fn to(out: &'out mut Vec<u8>) -> Self {
        Self { out }
    }

    /// One object, alone in `out` behind what is already there.
    pub(super) fn document(out: &'out mut Vec<u8>, fields: impl FnOnce(&mut Emit<'_>)) {
        let mut emit = Self { out };
        emit.item(fields);
        emit.out.pop();
    }

    /// An object in a list.
    #[inline(always)]
    pub(super) fn item(&mut self, fields: impl FnOnce(&mut Emit<'_>)) {
        self.out.push(b'{');
        fields(self);
        self.close(b'}');
    }

    /// An object under a key.
    pub(super) fn object(&mut self, key: &'static str, fields: impl FnOnce(&mut Emit<'_>)) {
        self.raw(key);
        self.item(fields);
    }

    /// A list under a key; `items` writes it.
    pub(super) fn list(&mut self, key: &'static str, items: impl FnOnce(&mut Emit<'_>)) {
        self.list_of(key, |out| items(&mut Emit::to(out)));
    }

    /// A list under a key, whose items somebody else appends, each with a comma behind it.
    #[inline(always)]
    pub(super) fn list_of<T>(&mut self, key: &'static str, items: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.raw(key);
        self.out.push(b'[');
        let said = items(self.out);
        self.close(b']');
        said
    }

    /// Values that somebody else appends with their keys, each with a comma behind it.
    #[inline(always)]
    pub(super) fn appended(&mut self, values: impl FnOnce(&mut Vec<u8>)) {
        values(self.out);
    }

    #[inline(always)]
    fn close(&mut self, bracket: u8) {
        match self.out.last_mut() {
            Some(last) if *last == b',' => *last = bracket,
            _ => self.out.push(bracket),
        }
        self.out.push(b',');
    }

    /// A number.
    #[inline(always)]
    pub(super) fn number(&mut self, key: &'static str, number: impl Into<u64>) {
        self.raw(key);
        self.digits(number.into());
        self.out.push(b',');
    }

    /// How many.
    pub(super) fn count(&mut self, key: &'static str, count: usize) {
        self.number(key, u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// True or false.
    #[inline(always)]
    pub(super) fn truth(&mut self, key: &'static str, truth: bool) {
        self.raw(key);
        self.raw(if truth { "true," } else { "false," });
    }

    /// Nothing.
    #[inline(always)]
    pub(super) fn null(&mut self, key: &'static str) {
        self.raw(key);
        self.raw("null,");
    }

    /// Text.
    #[inline(always)]
    pub(super) fn text(&mut self, key: &'static str, text: &str) {
        self.raw(key);
        self.string(text);
        self.out.push(b',');
    }

    /// A name out of a registry, or null. Names hold nothing to escape.
    #[inline(always)]
    pub(super) fn name(&mut self, key: &'static str, name: Option<&'static str>) {
        let Some(name) = name else { return self.null(key) };
        self.raw(key);
        self.out.push(b'"');
        self.raw(name);
        self.raw("\",");
    }

    /// Text, or null.
    #[inline(always)]
    pub(super) fn text_or_null(&mut self, key: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.null(key),
        }
    }

    /// Anything that prints itself.
    pub(super) fn shown(&mut self, key: &'static str, shown: impl std::fmt::Display) {
        self.text(key, &shown.to_string());
    }

    /// Octets as lower-case hexadecimal digits.
    #[inline(always)]
    pub(super) fn hex(&mut self, key: &'static str, octets: &[u8]) {
        self.raw(key);
        self.hex_item(octets);
    }

    /// The same, in a list.
    pub(super) fn hex_item(&mut self, octets: &[u8]) {
        self.out.push(b'"');
        pen::hex(self.out, octets);
        self.raw("\",");
    }

    /// Text that `write` appends as it is, with nothing in it to escape.
    #[inline(always)]
    pub(super) fn plain(&mut self, key: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        self.raw(key);
        self.out.push(b'"');
        write(self.out);
        self.raw("\",");
    }

    /// Anything with a serialiser of its own.
    pub(super) fn other(&mut self, key: &'static str, value: &impl serde::Serialize) {
        self.raw(key);
        let start = self.out.len();
        if serde_json::to_writer(&mut *self.out, value).is_err() {
            // a half-written value would spoil the row
            self.out.truncate(start);
            self.raw("null");
        }
        self.out.push(b',');
    }

    #[inline(always)]
    fn raw(&mut self, text: &'static str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    #[inline]
    fn digits(&mut self, number: u64) {
        pen::digits(self.out, number);
    }

    fn string(&mut self, text: &str) {
        pen::string(self.out, text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::isakmp::registry;

    fn written(fields: impl FnOnce(&mut Emit<'_>)) -> Value {
        let mut out = b"before".to_vec();
        Emit::document(&mut out, fields);
        serde_json::from_slice(out.strip_prefix(b"before").unwrap()).unwrap()
    }

    #[test]
    fn objects_and_lists_nest_and_may_be_empty() {
        let value = written(|emit| {
            emit.list(key!("none"), |_| {});
            emit.object(key!("empty"), |_| {});
            emit.list(key!("list"), |list| {
                list.item(|item| item.truth(key!("yes"), true));
                list.item(|item| item.list(key!("inner"), |inner| inner.hex_item(&[0xa5, 0x00])));
            });
            emit.null(key!("null"));
        });
        let expected = json!({"none": [], "empty": {}, "list": [{"yes": true}, {"inner": ["a500"]}], "null": null});
        assert_eq!(value, expected);
        assert_eq!(written(|_| {}), json!({}));
    }

    #[test]
    fn numbers_and_octets_are_written_whole() {
        for number in [0, 9, 10, 255, 65_535, u64::MAX] {
            assert_eq!(written(|emit| emit.number(key!("n"), number)), json!({"n": number}));
        }
        let octets: Vec<u8> = (0..=255).collect();
        assert_eq!(written(|emit| emit.hex(key!("h"), &octets)), json!({"h": hex::encode(&octets)}));
        assert_eq!(written(|emit| emit.hex(key!("h"), &[])), json!({"h": ""}));
    }

    #[test]
    fn text_of_any_kind_stays_what_it_is() {
        for text in ["", "plain", "qu\"ote", "back\\slash", "line\nfeed\u{1}", "Zürich ▸", ","] {
            assert_eq!(written(|emit| emit.text(key!("t"), text)), json!({"t": text}));
        }
    }

    #[test]
    fn names_hold_nothing_to_escape() {
        let names = registry::registries().iter().flat_map(|registry| registry.rows()).map(|row| row.name);
        for name in names.chain(registry::GROUPS.iter().map(|group| group.name)) {
            assert_eq!(written(|emit| emit.name(key!("n"), Some(name))), json!({"n": name}));
        }
        assert_eq!(written(|emit| emit.name(key!("n"), None)), json!({"n": null}));
    }
}
