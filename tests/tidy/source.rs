//! Reading Rust, as far as the rules need it.

use std::ops::Range;
use std::path::Path;

use crate::PARTS;

pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: usize,
    /// Empty if it is not text.
    pub(crate) text: String,
    /// The text with spaces for comments and for strings and characters; offsets are the same.
    pub(crate) code: String,
    /// The text with spaces for all but comments.
    pub(crate) comments: String,
}

impl File {
    pub(crate) fn new(path: &str, content: Vec<u8>) -> Self {
        let bytes = content.len();
        let text = String::from_utf8(content).unwrap_or_default();
        let rust = Path::new(path).extension().is_some_and(|extension| extension == "rs");
        let (code, comments) = if rust { split(&text) } else { Default::default() };
        Self { path: path.to_owned(), bytes, text, code, comments }
    }

    pub(crate) fn is_rust(&self) -> bool {
        !self.code.is_empty()
    }

    pub(crate) fn at(&self, offset: usize, complaint: &str) -> String {
        let line = 1 + self.text[..offset].matches('\n').count();
        format!("{}:{line}: {complaint}", self.path)
    }

    pub(crate) fn find(&self, needle: &str, complaint: &str) -> Vec<String> {
        let found = self.code.match_indices(needle);
        found.map(|(at, _)| self.at(at, &format!("{needle}: {complaint}"))).collect()
    }

    /// Where in the crate the file is: `["lock", "lease"]`; empty for the crate's root.
    pub(crate) fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').filter(|name| *name != "lib").collect()
    }

    /// The placement algorithm that the file belongs to.
    pub(crate) fn algorithm(&self) -> Option<&str> {
        let name = self.path.strip_prefix("src/placement/")?.split(['/', '.']).next()?;
        (!PARTS.contains(&name)).then_some(name)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words of a text and where they begin.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    let pieces = text.split_inclusive(|c| !is_word(c)).map(move |piece| {
        end += piece.len();
        (end - piece.len(), piece.trim_end_matches(|c| !is_word(c)))
    });
    pieces.filter(|(_, word)| !word.is_empty())
}

/// The code and the comments of a text, each with spaces for what is not of its kind.
fn split(text: &str) -> (String, String) {
    let (mut code, mut comments) = (String::new(), String::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_word = code.ends_with(is_word);
        let (comment, literal) = (comment_len(rest), literal_len(rest, in_word));
        let len = comment.max(literal).max(first.len_utf8());
        let (token, after) = rest.split_at(len);
        let blank = token.chars().flat_map(|c| {
            let blank = if c == '\n' { '\n' } else { ' ' };
            std::iter::repeat_n(blank, c.len_utf8())
        });
        if comment > 0 {
            comments.push_str(token);
            code.extend(blank);
        } else {
            comments.extend(blank.clone());
            if literal > 0 { code.extend(blank) } else { code.push_str(token) }
        }
        rest = after;
    }
    (code, comments)
}

/// How long the comment is that `rest` begins with; 0 if it begins with none.
fn comment_len(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if !rest.starts_with("/*") {
        return 0;
    }
    let (mut at, mut depth) = (0, 0);
    loop {
        let (step, change) = match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => (2, 1),
            Some(b"*/") => (2, -1),
            Some(_) => (1, 0),
            None => return rest.len(),
        };
        at += step;
        depth += change;
        if depth == 0 {
            return at;
        }
    }
}

/// How long the string or character is that `rest` begins with; 0 if it begins with none.
fn literal_len(rest: &str, in_word: bool) -> usize {
    let raw = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix));
    if let Some(raw) = raw.filter(|_| !in_word) {
        let quoted = raw.trim_start_matches('#');
        let end = format!("\"{}", "#".repeat(raw.len() - quoted.len()));
        if let Some(inside) = quoted.strip_prefix('"') {
            let tail = inside.find(&end).map_or("", |at| &inside[at + end.len()..]);
            return rest.len() - tail.len();
        }
    }
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote));
    let Some(quote) = quote else { return 0 };
    let mut inside = rest.char_indices().skip(1);
    let is_lifetime = quote == '\''
        && !rest.starts_with("'\\")
        && inside.clone().nth(1).is_none_or(|(_, c)| c != '\'');
    if is_lifetime {
        return 0;
    }
    while let Some((at, c)) = inside.next() {
        match c {
            '\\' => {
                inside.next();
            }
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Where the bracket at `open` is closed: the offset behind its partner.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code.bytes().enumerate().skip(open) {
        match c {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The block of the item whose head goes on at `head`; `None` if it has none.
fn block(code: &str, head: usize) -> Option<Range<usize>> {
    let mut at = head;
    loop {
        at += code[at..].find(['(', '[', '{', ';'])?;
        match code.as_bytes().get(at) {
            Some(b'{') => return Some(at..closing(code, at)),
            Some(b';') => return None,
            _ => at = closing(code, at),
        }
    }
}

/// The functions that have a body, from `fn` to the end.
pub(crate) fn functions(code: &str) -> impl Iterator<Item = Range<usize>> {
    let heads = words(code).filter(|(_, word)| *word == "fn");
    let heads = heads.filter(|(at, _)| code[at + 2..].trim_start().starts_with(is_word));
    heads.filter_map(|(at, _)| Some(at..block(code, at)?.end))
}

/// The items that exist in tests only.
pub(crate) fn test_items(code: &str) -> Vec<Range<usize>> {
    let attributes = code.match_indices("#[cfg(").map(|(at, _)| at..closing(code, at + 1));
    let of_tests = attributes.filter(|range| {
        let has = |word| words(&code[range.clone()]).any(|(_, w)| w == word);
        has("test") && !has("not")
    });
    of_tests.filter_map(|range| Some(range.start..block(code, range.end)?.end)).collect()
}

/// What a file of `src/` imports: where, and the path from the crate's root.
pub(crate) fn imports(file: &File) -> Vec<(usize, Vec<&str>)> {
    let inline = words(&file.code).filter(|(_, word)| *word == "mod");
    let inline: Vec<_> = inline.filter_map(|(at, _)| block(&file.code, at)).collect();
    let mut imports = Vec::new();
    for (at, word) in words(&file.code) {
        let starts = !file.code[..at].ends_with("::");
        let is_path = file.code[at + word.len()..].starts_with("::");
        if !(starts && is_path && ["crate", "super"].contains(&word)) {
            continue;
        }
        let mut module = file.module();
        module.extend(inline.iter().filter(|range| range.contains(&at)).map(|_| "inline"));
        let mut paths = Vec::new();
        use_tree(&file.code[at..], &[], &mut paths);
        for path in paths {
            let up = path.iter().take_while(|name| **name == "super").count();
            let keep = if word == "crate" { 0 } else { module.len().saturating_sub(up) };
            let rest = path.into_iter().skip(up.max(1)).filter(|name| *name != "self");
            imports.push((at, module.iter().copied().take(keep).chain(rest).collect()));
        }
    }
    imports
}

/// Adds each path of the use tree that `rest` begins with; returns what comes after it.
fn use_tree<'a>(rest: &'a str, prefix: &[&'a str], paths: &mut Vec<Vec<&'a str>>) -> &'a str {
    let mut rest = rest.trim_start();
    let mut path = prefix.to_vec();
    while !rest.starts_with('{') {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(if rest.starts_with('*') { 1 } else { end });
        path.push(name);
        let next = after.strip_prefix("::").map(str::trim_start);
        let more = |next: &&str| next.starts_with(|c| is_word(c) || c == '{' || c == '*');
        let Some(next) = next.filter(more) else {
            paths.push(path);
            return after;
        };
        rest = next;
    }
    while let Some(inside) = rest.strip_prefix(['{', ',']).map(str::trim_start) {
        if inside.starts_with('}') {
            rest = inside;
            break;
        }
        let after = use_tree(inside, &path, paths);
        rest = &after[after.find([',', '}']).unwrap_or(after.len())..]; // behind `as name`
    }
    rest.strip_prefix('}').unwrap_or(rest)
}

/// Whether a line of comment (not of documentation) reads like a statement. Prose may end with a
/// semicolon, too; then it has no call and no assignment in it.
pub(crate) fn is_dead_code(line: &str) -> bool {
    let Some(text) = line.trim().strip_prefix("//") else { return false };
    if text.starts_with(['/', '!']) {
        return false;
    }
    let text = text.trim();
    let begins = |word: &&str| text.split(' ').next() == Some(*word);
    let item = ["let", "use", "pub", "fn", "impl", "mod", "return", "#[derive"];
    let call =
        text.match_indices('(').any(|(at, _)| text[..at].ends_with(|c| is_word(c) || c == '!'));
    let code = call || text.contains(" = ") || item.iter().any(begins) || text.starts_with('}');
    ["}", "});", "})"].contains(&text)
        || (text.ends_with(';') && code)
        || (text.ends_with('{') && !text.contains('`'))
}
