//! What a row of a registry is, and how a number finds its row.

/// A number that a registry gave a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePoint {
    /// The number on the wire.
    pub number: u16,
    /// The name as its specification spells it.
    pub name: &'static str,
    /// What fits into a line for people; the same as `name` where that is short already.
    pub short: &'static str,
    /// Where it is specified: RFC, draft, vendor document, or whose private number it is.
    pub reference: &'static str,
}

/// Writes registries down, a row a code point: `number = "name" as "short", "reference";`, where `as` may be left out.
macro_rules! registries {
    ($($(#[$doc:meta])* $table:ident = $title:literal {
        $($number:literal = $name:literal $(as $short:literal)?, $reference:literal;)*
    })*) => {$(
        $(#[$doc])*
        pub(super) static $table: Registry = Registry::new($title, &[
            $($crate::isakmp::registry::code_point::point($number, $name, $reference)$(.short($short))?),*
        ]);
    )*};
}
pub(super) use registries;

/// A row of a registry.
pub(super) const fn point(number: u16, name: &'static str, reference: &'static str) -> CodePoint {
    CodePoint { number, name, short: name, reference }
}

impl CodePoint {
    /// The same row with a shorter name for people.
    pub(super) const fn short(self, short: &'static str) -> Self {
        Self { short, ..self }
    }
}

/// The code points of one kind, in ascending order of their numbers.
#[derive(Debug, Clone, Copy)]
pub struct Registry {
    title: &'static str,
    rows: &'static [CodePoint],
}

impl Registry {
    /// A registry of `rows`. Rows out of order or twice the same number fail to compile.
    pub(super) const fn new(title: &'static str, rows: &'static [CodePoint]) -> Self {
        let mut i = 1;
        while i < rows.len() {
            assert!(rows[i - 1].number < rows[i].number, "rows stand in ascending order, each number once");
            i += 1;
        }
        Self { title, rows }
    }

    /// What is numbered here, for people: `"IKEv2 exchange types"`.
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// All rows, in ascending order of their numbers.
    pub const fn rows(&self) -> &'static [CodePoint] {
        self.rows
    }

    /// The row of `number`, or `None` if it has no name.
    pub fn get(&self, number: u16) -> Option<&'static CodePoint> {
        self.rows.binary_search_by_key(&number, |row| row.number).ok().map(|at| &self.rows[at])
    }

    /// The name of `number`.
    pub(super) fn name(&self, number: u16) -> Option<&'static str> {
        self.get(number).map(|row| row.name)
    }

    /// The short name of `number`.
    pub(super) fn short(&self, number: u16) -> Option<&'static str> {
        self.get(number).map(|row| row.short)
    }
}
