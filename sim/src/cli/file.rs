//! Scenario files: JSON, or TOML by their extension, and where in them something stands.

use core::fmt;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use super::{Refusal, text};
use crate::nearest::nearest;

/// A file that was read.
#[derive(Debug)]
pub(super) struct File<'a> {
    path: &'a Path,
    text: String,
}

/// Whether a file of this name is TOML.
pub(super) fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

impl<'a> File<'a> {
    pub(super) fn read(path: &'a Path) -> Result<Self, Refusal> {
        let text = text::read(path).map_err(|error| Refusal::unreadable(path, &error))?;
        if text.starts_with('\u{feff}') {
            let what = "line 1: begins with a byte order mark: save it as plain UTF-8 without one";
            return Err(Refusal::file(path, what));
        }
        if text.trim().is_empty() && !is_toml(path) {
            return Err(Refusal::file(path, "is empty: write {} for a calm day"));
        }
        Ok(Self { path, text })
    }

    /// What it says, whatever that is about; `null` if it is malformed.
    pub(super) fn value(&self) -> serde_json::Value {
        let toml = || toml::from_str(&self.text).unwrap_or_default();
        if is_toml(self.path) {
            toml()
        } else {
            serde_json::from_str(&self.text).unwrap_or_default()
        }
    }

    /// What it says, of this form.
    pub(super) fn parsed<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        if is_toml(self.path) { self.toml() } else { self.json() }
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let mut reader = serde_json::Deserializer::from_str(&self.text);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let line = filled_line(&self.text, error.inner().line());
            let field = error.path().to_string();
            let told = error.inner().to_string();
            // Well-formed, but not as a thing of several kinds is written.
            if told.starts_with("expected value") && self.is_json() {
                let one = "has no kind, or several: write an object with one field, its kind, as \
                           {\"pause\": {\"target\": \"leader\"}}";
                return self.malformed(Some(line), &field, one);
            }
            if let Some((_, kind)) = field.rsplit_once('.')
                && told.starts_with("invalid type: unit variant, expected")
            {
                let object = format!("is plain text: write an object, as {{\"{kind}\": {{}}}}");
                return self.malformed(Some(line), &field, object);
            }
            self.malformed(Some(line), &field, error.inner())
        })?;
        reader.end().map_err(|error| self.malformed(Some(error.line().max(1)), "", &error))?;
        Ok(value)
    }

    fn is_json(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(&self.text).is_ok()
    }

    fn toml<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let malformed = |field: &str, error: &toml::de::Error| {
            let line = error.span().map(|span| self.line_at(span.start));
            self.malformed(line, field, error.message())
        };
        let reader =
            toml::Deserializer::parse(&self.text).map_err(|error| malformed("", &error))?;
        serde_path_to_error::deserialize(reader)
            .map_err(|error| malformed(&error.path().to_string(), error.inner()))
    }

    /// Line, field, what is wrong and what to do about it.
    fn malformed(&self, line: Option<usize>, field: &str, error: impl fmt::Display) -> Refusal {
        let line = line.map_or_else(String::new, |line| format!("line {line}: "));
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or(&message);
        let field =
            if matches!(field, "" | "." | "?") { String::new() } else { format!("{field}: ") };
        let near = meant(what).map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        let told = format_args!("{line}{field}{what}{near}: see docs/simulation.md").to_string();
        Refusal::file(self.path, told)
    }

    /// What makes no sense in it. The line is that of the field with which the sentence begins.
    pub(super) fn refuse(&self, error: impl fmt::Display) -> Refusal {
        let what = error.to_string();
        let line = self.line_of(subject(&what));
        let line = line.map_or_else(String::new, |line| format!("line {line}: "));
        Refusal::file(self.path, format_args!("{line}{what}"))
    }

    /// The line in which a field stands, or as much of it as there is.
    fn line_of(&self, field: &str) -> Option<usize> {
        let steps: Vec<&str> = field.split(['.', '[', ']']).filter(|it| !it.is_empty()).collect();
        let offset = if is_toml(self.path) {
            let table = DeTable::parse(&self.text).ok()?;
            let start = table.span().start;
            let (offset, found) = in_toml(&DeValue::Table(table.into_inner()), start, &steps);
            found.then_some(offset)
        } else {
            let whole: &RawValue = serde_json::from_str(&self.text).ok()?;
            let inner = in_json(whole, &steps);
            let place = inner.get().as_ptr().addr() - self.text.as_ptr().addr();
            (inner.get().len() < whole.get().len()).then_some(place)
        };
        offset.map(|offset| self.line_at(offset))
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

/// A value that was read and then refused is found by what stands after it, maybe lines below.
fn filled_line(text: &str, line: usize) -> usize {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let filled = |line: &&str| line.contains(|letter: char| !" \t}],".contains(letter));
    let below = lines.iter().rev().take_while(|line| !filled(line)).count();
    line.saturating_sub(below).max(1)
}

/// The field that a sentence such as `faults[0].at is 9h: …` is about.
fn subject(what: &str) -> &str {
    let end = [": ", " is ", ", "].iter().filter_map(|end| what.find(end)).min();
    let subject = end.and_then(|end| what.get(..end)).unwrap_or_default();
    if subject.contains(' ') { "" } else { subject }
}

/// Of names in backticks, the first of which is wrong and the others are right, the one that was meant.
fn meant(what: &str) -> Option<&str> {
    let mut names = what.split('`').skip(1).step_by(2);
    let wrong = names.next().filter(|_| what.contains("expected"))?;
    nearest(wrong, names).first().copied()
}

/// The value that the steps lead to, as far as they lead anywhere. What stands in a fault is one level
/// lower, or two, than its name says: under its kind, under `links`.
fn in_json<'a>(raw: &'a RawValue, steps: &[&str]) -> &'a RawValue {
    let Some((step, rest)) = steps.split_first() else { return raw };
    if let Ok(fields) = serde_json::from_str::<BTreeMap<Cow<'a, str>, &'a RawValue>>(raw.get()) {
        if let Some(inner) = fields.get(*step) {
            return in_json(inner, rest);
        }
        let deeper = fields.values().map(|inner| (*inner, in_json(inner, steps)));
        let mut found = deeper.filter(|(inner, found)| found.get().len() < inner.get().len());
        return found.next().map_or(raw, |(_, found)| found);
    }
    let items = serde_json::from_str::<Vec<&RawValue>>(raw.get()).unwrap_or_default();
    let item = step.parse().ok().and_then(|number: usize| items.get(number).copied());
    item.map_or(raw, |item| in_json(item, rest))
}

/// The same, as an offset, and whether it led anywhere.
fn in_toml(value: &DeValue<'_>, start: usize, steps: &[&str]) -> (usize, bool) {
    let Some((step, rest)) = steps.split_first() else { return (start, true) };
    match value {
        DeValue::Table(fields) => {
            let found = fields.iter().find(|(name, _)| name.get_ref() == step);
            if let Some((name, inner)) = found {
                return (in_toml(inner.get_ref(), name.span().start, rest).0, true);
            }
            let deeper =
                fields.iter().map(|(name, it)| in_toml(it.get_ref(), name.span().start, steps));
            deeper.into_iter().find(|(_, found)| *found).unwrap_or((start, false))
        }
        DeValue::Array(items) => {
            let item = step.parse().ok().and_then(|number: usize| items.get(number));
            let inner = item.map(|item| in_toml(item.get_ref(), item.span().start, rest).0);
            inner.map_or((start, false), |offset| (offset, true))
        }
        _ => (start, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "{\n \"horizon\": \"9m\",\n \"faults\": [\n  {\"at\": \"1s\", \"fault\": {\n    \
                        \"delay\": {\"by\": 1,\n      \"links\": {\n        \"sites\": [9]}}}},\n  \
                        {\n   \"fault\": {\"heal\": {}}}\n ]}";
    const TOML: &str = "horizon = \"9m\"\n[[faults]]\nat = \"1s\"\n[faults.fault.delay]\nby = 1\n\
                        links = {sites = [9]}\n[[faults]]\nfault = {heal = {}}\n";

    fn line(name: &str, text: &str, field: &str) -> Option<usize> {
        File { path: Path::new(name), text: text.to_owned() }.line_of(field)
    }

    #[test]
    fn the_line_of_a_field_is_found() {
        for (field, json, toml) in [
            ("horizon", Some(2), Some(1)),
            ("faults[0].at", Some(4), Some(3)),
            ("faults[0].fault.by", Some(5), Some(5)),
            ("faults.0.fault.sites", Some(7), Some(6)),
            ("faults[1].fault", Some(9), Some(8)),
            ("faults[1].at", Some(8), Some(7)),
            ("nothing", None, None),
        ] {
            assert_eq!(
                (line("a.json", JSON, field), line("a.toml", TOML, field)),
                (json, toml),
                "{field}"
            );
        }
    }

    #[test]
    fn what_a_sentence_is_about_and_what_was_meant() {
        assert_eq!(subject("faults[0].at is 9h: let it"), "faults[0].at");
        assert_eq!(subject("expect.client-go: \"a\" is no check"), "expect.client-go");
        assert_eq!(subject("something is wrong with it: mend it"), "something");
        assert_eq!(subject("a load balancer is on"), "");
        let unknown = "unknown field `horizn`, expected one of `name`, `horizon`";
        assert_eq!(meant(unknown), Some("horizon"));
        assert_eq!(meant("unknown field `xyzzy`, expected one of `name`, `horizon`"), None);
    }
}
