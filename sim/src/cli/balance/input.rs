//! What both commands read: algorithms, members, keys.

use std::io;
use std::path::Path;

use tenure::placement::Member;

use super::super::{Refusal, text};
use crate::balance::catalogue::{ALL, Choice};
use crate::balance::input::{self, KeyHash, MOST_MEMBERS};
use crate::nearest::nearest;

/// An algorithm by its name, perhaps with a parameter.
pub(in crate::cli) fn choice(text: &str) -> Result<Choice, Refusal> {
    text.parse().map_err(|why| {
        let name = text.split(':').next().unwrap_or_default();
        let names = || ALL.iter().map(|row| row.name);
        let near = nearest(name, names());
        let remedy = match near[..] {
            _ if names().any(|known| known == name) => return algorithm(why),
            [] => "`--algorithm help` lists them".to_owned(),
            _ => format!("did you mean {}?", near.join(" or ")),
        };
        algorithm(format_args!("{why}: {remedy}"))
    })
}

fn algorithm(why: impl core::fmt::Display) -> Refusal {
    Refusal::new(format_args!("--algorithm {why}"))
}

/// The hash of this name.
pub(in crate::cli) fn hash(text: Option<&str>) -> Result<Option<KeyHash>, Refusal> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|why: crate::balance::Unfit| Refusal::new(format_args!("--hash {why}")))
}

/// So many members, or those of a file; and their weights, if any are given beside them.
pub(in crate::cli) fn members(
    text: &str,
    word: &str,
    weights: Option<&str>,
) -> Result<Vec<Member>, Refusal> {
    let members = match count("--members", text, MOST_MEMBERS)? {
        Some(count) => input::numbered(word, count),
        None => listed("--members", text)?,
    };
    let Some(weights) = weights else { return Ok(members) };
    if let Some(member) = members.iter().find(|member| member.weight().get() != 1) {
        return Err(Refusal::new(format_args!(
            "--weights: {text} gives {:?} the weight {} already: leave one of them out",
            member.name(),
            member.weight()
        )));
    }
    let weights: Vec<_> = weights.split(',').collect();
    if weights.len() != members.len() {
        return Err(Refusal::new(format_args!(
            "--weights: {} for {} members: write one for each, with commas between them",
            weights.len(),
            members.len()
        )));
    }
    let weighted = members.into_iter().zip(weights).map(|(member, weight)| {
        let weight = input::weight(weight).map_err(|why| {
            Refusal::new(format_args!("--weights: of {:?}: {why}", member.name()))
        })?;
        Ok(member.with_weight(weight))
    });
    weighted.collect()
}

/// A number, if the text is one: from 1 to `most`.
pub(in crate::cli) fn count(option: &str, text: &str, most: u32) -> Result<Option<u32>, Refusal> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.parse() {
        Ok(count) if (1..=most).contains(&count) => Ok(Some(count)),
        _ => {
            let remedy = format_args!("write a number from 1 to {most}, or name a file");
            Err(Refusal::new(format_args!("{option} {text}: {remedy}")))
        }
    }
}

fn listed(option: &str, path: &str) -> Result<Vec<Member>, Refusal> {
    let text = read(option, path)?;
    input::members(&text).map_err(|why| Refusal::new(format_args!("{option} {path}: {why}")))
}

/// A file, which must be text, where there might be a number instead.
pub(in crate::cli) fn read(option: &str, path: &str) -> Result<String, Refusal> {
    text::read(Path::new(path)).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            let remedy = "write a number, or name a file that can be read";
            return Refusal::new(format_args!(
                "{option} {path:?}: cannot be read ({error}): {remedy}"
            ));
        }
        Refusal::unreadable(Path::new(path), &error).of(option)
    })
}
