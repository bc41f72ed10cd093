//! The part of CEL that a `shardSelector` may be written in (`parser/gen/CEL.g4` of cel-go), and what
//! the API server then demands of it (`parser.go` of `k8s.io/apiserver/pkg/sharding`).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::{error, fmt};

use super::{Field, KeyRange, Selector};

/// cel-go takes no longer texts, in characters.
const LONGEST: usize = 100_000;
/// cel-go descends 250 levels, and counts a few that have no parentheses.
const DEEPEST: u32 = 200;
const END_OF_SPACE: &str = "10000000000000000";

/// A text that is no `shardSelector`.
///
/// ```
/// use tenure::sharding::Selector;
/// let text = "shardRange(object.metadata.uid, '0x0', '0x8000000000000000')";
/// let error = text.parse::<Selector>().unwrap_err();
/// assert_eq!(error.position(), 33);
/// assert_eq!(
///     error.to_string(),
///     "shardSelector, character 33: the bound \"0x0\" has not 16 digits: write '0x0000000000000000'",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SelectorError {
    position: usize,
    problem: Problem,
}

impl SelectorError {
    /// The character that it is about, counted from 1.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Problem {
    Empty,
    TooLong,
    TooDeep,
    /// What should stand here, and what does.
    Expected(&'static str, String),
    UnknownField(String),
    OtherField(Field, Field),
    Prefix(String),
    Digit(String, char),
    Digits(String, String),
    BeyondSpace(String),
    NoRange(String, String),
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Problem as P;
        write!(f, "shardSelector, character {}: ", self.position)?;
        match &self.problem {
            P::Empty => f.write_str("it is empty: who wants all objects leaves it out"),
            P::TooLong => write!(f, "longer than {LONGEST} characters: select fewer ranges"),
            P::TooDeep => write!(f, "more than {DEEPEST} levels of parentheses: leave them out"),
            P::Expected(what, found) => write!(f, "expected {what}, found {found}"),
            P::UnknownField(found) => {
                write!(f, "{found} is no field: write {} or {}", Field::Uid, Field::Namespace)
            }
            P::OtherField(first, other) => {
                write!(f, "{other} after {first}: write the same field in all ranges")
            }
            P::Prefix(found) => {
                write!(f, "the bound {found:?} does not begin with 0x: put it before")
            }
            P::Digit(found, odd) => {
                write!(
                    f,
                    "the bound {found:?} contains {odd:?}: write digits from 0 to 9 and a to f"
                )
            }
            P::Digits(found, good) => {
                write!(f, "the bound {found:?} has not 16 digits: write '{good}'")
            }
            P::BeyondSpace(found) => write!(
                f,
                "the bound {found:?} lies behind the end of the space: write at most '0x{END_OF_SPACE}'"
            ),
            P::NoRange(start, end) => {
                write!(f, "the range from {start} to {end} is empty: write the smaller bound first")
            }
        }
    }
}

impl error::Error for SelectorError {}

pub(super) fn selector(text: &str) -> Result<Selector, SelectorError> {
    let inner = text.trim();
    let mut reader = Reader { text, at: text.len() - text.trim_start().len(), depth: 0 };
    if inner.is_empty() {
        return Err(reader.error(0, Problem::Empty));
    }
    if inner.chars().nth(LONGEST).is_some() {
        return Err(reader.error(0, Problem::TooLong));
    }
    let mut found = Found { field: None, ranges: Vec::new() };
    reader.any_of(&mut found)?;
    reader.skip();
    if !reader.rest().trim_start().is_empty() {
        return Err(reader.expected("|| or the end"));
    }
    let selector =
        found.field.and_then(|field| Selector::new(field, found.ranges.into_iter().collect()));
    selector.ok_or_else(|| reader.error(0, Problem::Empty))
}

/// What was read so far.
struct Found {
    field: Option<Field>,
    ranges: Vec<KeyRange>,
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    /// How many parentheses are open.
    depth: u32,
}

impl<'a> Reader<'a> {
    /// `term || term || …`
    fn any_of(&mut self, found: &mut Found) -> Result<(), SelectorError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(self.at, Problem::TooDeep));
        }
        loop {
            if self.takes("(") {
                self.any_of(found)?;
                self.take(")", "|| or )")?;
            } else {
                self.range(found)?;
            }
            if !self.takes("||") {
                self.depth -= 1;
                return Ok(());
            }
        }
    }

    /// `shardRange(field, start, end)`
    fn range(&mut self, found: &mut Found) -> Result<(), SelectorError> {
        self.skip();
        let from = self.at;
        if self.name() != Some("shardRange") {
            self.at = from;
            return Err(self.expected("shardRange(…)"));
        }
        self.take("(", "( after shardRange")?;
        self.skip();
        let field_at = self.at;
        let path = self.path()?;
        let known = [Field::Uid, Field::Namespace];
        let Some(field) = known.into_iter().find(|field| field.as_str() == path) else {
            return Err(self.error(field_at, Problem::UnknownField(excerpt(&path))));
        };
        if let Some(first) = found.field.replace(field).filter(|first| *first != field) {
            return Err(self.error(field_at, Problem::OtherField(first, field)));
        }
        self.take(",", "a comma after the field")?;
        let (start, start_text) = self.bound()?;
        self.take(",", "a comma after the first bound")?;
        let (end, end_text) = self.bound()?;
        self.take(")", ") after the second bound")?;
        let range = start.and_then(|start| KeyRange::new(start, end));
        let Some(range) = range else {
            let problem = Problem::NoRange(start_text.into(), end_text.into());
            return Err(self.error(from, problem));
        };
        found.ranges.push(range);
        Ok(())
    }

    /// `object.metadata.uid`, without what may stand between.
    fn path(&mut self) -> Result<String, SelectorError> {
        let mut path = if self.takes("(") {
            self.nested(Self::path)?
        } else {
            self.skip();
            let name =
                self.name().ok_or_else(|| self.expected("a field, as object.metadata.uid"))?;
            name.to_string()
        };
        while self.takes(".") {
            self.skip();
            let name = self.name().ok_or_else(|| self.expected("a name after the point"))?;
            path.push('.');
            path.push_str(name);
        }
        Ok(path)
    }

    /// `'0x8000000000000000'`: the number, none if it is the end of the space; and its text.
    fn bound(&mut self) -> Result<(Option<u64>, &'a str), SelectorError> {
        if self.takes("(") {
            return self.nested(Self::bound);
        }
        self.skip();
        let from = self.at;
        let text = self.string()?;
        let bad = |problem: fn(String) -> Problem| Err(self.error(from, problem(excerpt(text))));
        let Some(digits) = text.strip_prefix("0x") else { return bad(Problem::Prefix) };
        if let Some(odd) = digits.chars().find(|c| !matches!(c, '0'..='9' | 'a'..='f')) {
            return Err(self.error(from, Problem::Digit(excerpt(text), odd)));
        }
        if digits == END_OF_SPACE {
            return Ok((None, text));
        }
        match u64::from_str_radix(digits, 16) {
            Ok(bound) if digits.len() == 16 => Ok((Some(bound), text)),
            Err(_) if !digits.is_empty() => bad(Problem::BeyondSpace),
            bound => {
                let good = alloc::format!("0x{:016x}", bound.unwrap_or(0));
                Err(self.error(from, Problem::Digits(excerpt(text), good)))
            }
        }
    }

    /// What is inside a parenthesis that has been opened, and its end.
    fn nested<T>(
        &mut self,
        inner: impl Fn(&mut Self) -> Result<T, SelectorError>,
    ) -> Result<T, SelectorError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(self.at, Problem::TooDeep));
        }
        let found = inner(self)?;
        self.take(")", ")")?;
        self.depth -= 1;
        Ok(found)
    }

    /// A string, in one or three quotation marks of either kind, perhaps raw.
    fn string(&mut self) -> Result<&'a str, SelectorError> {
        const WHAT: &str = "a bound in quotation marks, as '0x8000000000000000'";
        let from = self.at;
        let rest = self.rest();
        let rest = rest.strip_prefix(['r', 'R']).unwrap_or(rest);
        let mark = ["'''", "\"\"\"", "'", "\""].into_iter().find(|mark| rest.starts_with(mark));
        let mark = mark.ok_or_else(|| self.expected(WHAT))?;
        let inner = rest.strip_prefix(mark).unwrap_or(rest);
        let end = inner.find(mark).ok_or_else(|| self.expected(WHAT))?;
        let (inner, behind) = inner.split_at(end);
        self.at = self.text.len() - behind.len() + mark.len();
        if inner.contains(['\\', '\n', '\r']) {
            self.at = from;
            return Err(self.expected("a bound without escapes"));
        }
        Ok(inner)
    }

    /// A name, if one stands here.
    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !letter(c)).unwrap_or(rest.len());
        let name =
            rest.get(..end).filter(|name| !name.starts_with(|c: char| c.is_ascii_digit()))?;
        self.at += end;
        (!name.is_empty()).then_some(name)
    }

    /// Whether this comes next; if so, it is taken.
    fn takes(&mut self, sign: &str) -> bool {
        self.skip();
        let here = self.rest().starts_with(sign);
        self.at += if here { sign.len() } else { 0 };
        here
    }

    fn take(&mut self, sign: &str, what: &'static str) -> Result<(), SelectorError> {
        if self.takes(sign) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let text = rest.trim_start_matches(['\t', ' ', '\r', '\n', '\u{c}']);
            let behind = match text.strip_prefix("//") {
                Some(comment) => {
                    comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or("")
                }
                None => text,
            };
            self.at += rest.len() - behind.len();
            if behind.len() == text.len() {
                return;
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn expected(&self, what: &'static str) -> SelectorError {
        let rest = self.rest();
        let token = |c: char| c.is_ascii_alphanumeric() || "_.'\"".contains(c);
        let found = match rest.find(|c| !token(c)).unwrap_or(rest.len()) {
            0 => rest.chars().take(2).take_while(|c| !c.is_whitespace()).collect(),
            end => rest.get(..end).unwrap_or("").to_string(),
        };
        let found = if found.is_empty() { "the end".into() } else { excerpt(&found) };
        self.error(self.at, Problem::Expected(what, found))
    }

    fn error(&self, at: usize, problem: Problem) -> SelectorError {
        let before = self.text.get(..at).unwrap_or("");
        SelectorError { position: before.chars().count() + 1, problem }
    }
}

/// As much of a text as a message needs.
fn excerpt(text: &str) -> String {
    let mut excerpt: String = text.chars().take(40).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
