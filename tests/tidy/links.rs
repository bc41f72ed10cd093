//! Links between the documents: what they name is there.

use std::collections::BTreeSet;
use std::path::Path;

use super::source::File;

/// Each relative link of a Markdown file names a file or folder of the repository, and each anchor a heading.
pub(crate) fn links(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_page = |file: &&File| Path::new(&file.path).extension().is_some_and(|it| it == "md");
    for file in files.iter().filter(is_page) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, link) in targets(&file.text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let Some(path) =
                (if path.is_empty() { Some(file.path.clone()) } else { joined(folder, path) })
            else {
                complaints.push(file.at(at, &format!("{link} leaves the repository")));
                continue;
            };
            let named = files.iter().find(|other| other.path == path);
            let inside = format!("{}/", path.trim_end_matches('/'));
            if named.is_none() && !files.iter().any(|other| other.path.starts_with(&inside)) {
                complaints.push(file.at(at, &format!("{link}: there is no {path}")));
            }
            let known = |named: &File| anchors(&named.text).contains(anchor);
            if !anchor.is_empty() && !named.is_some_and(known) {
                complaints.push(file.at(at, &format!("{link}: {path} has no such heading")));
            }
        }
    }
    complaints
}

/// A path seen from a folder; none if it leads outside.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// The lines that are no code, and where they begin.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut at, mut fence) = (0, None::<&str>);
    text.split_inclusive('\n').filter_map(move |line| {
        let begin = at;
        at += line.len();
        let ticks = line.trim_start().split(|c| c != '`').next().unwrap_or_default();
        match fence {
            Some(open) if ticks.len() >= open.len() => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => return Some((begin, line)),
            Some(_) => {}
        }
        None
    })
}

/// What links name, and where.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (begin, line) in prose(text) {
        let mut inside_code = false;
        for (at, letter) in line.char_indices() {
            inside_code ^= letter == '`';
            if let Some(rest) = line[at..].strip_prefix("](").filter(|_| !inside_code)
                && let Some(end) = rest.find(')')
            {
                found.push((begin + at, &rest[..end]));
            }
        }
    }
    found
}

/// The names by which GitHub knows the headings of a text.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let name: String =
            kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|nth| format!("{name}-{nth}"));
        let free = std::iter::once(name.clone()).chain(again).find(|name| !known.contains(name));
        known.extend(free);
    }
    known
}
