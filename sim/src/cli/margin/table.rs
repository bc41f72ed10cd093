//! The margin for people: a table, and a verdict for each profile.

use core::fmt::Write as _;
use core::time::Duration;

use tenure::election::{Margin, Profile, Ratio, Remedy, Term};

use super::{Column, MarginArgs};
use crate::time::Span;

pub(super) fn text(args: &MarginArgs, columns: &[Column]) -> String {
    let mut text = asked(args);
    let span = |duration: Duration| Span::from(duration).to_string();
    let bounded = |duration: Option<Duration>| duration.map_or_else(|| "for ever".to_owned(), span);
    let strict = |column: &Column| column.config.profile == Profile::Strict;
    let largest = |margin: &Margin| {
        margin.max_ratio().map_or_else(|| "none".to_owned(), |most| beside(most, margin.ratio))
    };
    let answers = |column: &Column, length: Option<Duration>, none: &str| {
        if strict(column) { "any".to_owned() } else { length.map_or_else(|| none.to_owned(), span) }
    };
    row(&mut text, "", columns, |column| column.config.profile.to_string());
    row(&mut text, "a leader goes on for at most", columns, |it| bounded(it.margin.needed()));
    row(&mut text, "candidates wait for", columns, |it| span(it.margin.lease));
    row(&mut text, "largest ratio of clock rates", columns, |it| largest(&it.margin));
    row(&mut text, "  if answers came at once", columns, |it| largest(&it.at_once));
    row(&mut text, "longest answer that fits", columns, |it| {
        answers(it, it.margin.answer_budget(), "none")
    });
    row(&mut text, "longest answer that time-outs allow", columns, |it| {
        answers(it, it.margin.possible_answer(), "any")
    });
    row(&mut text, "two leaders are", columns, |it| {
        let released = it.config.release_on_stop && !strict(it);
        match it.margin.is_inside() {
            true if released => "by release only",
            true => "impossible",
            false => "POSSIBLE",
        }
        .to_owned()
    });
    for column in columns {
        verdict(&mut text, column);
    }
    text
}

/// What it was asked for.
fn asked(args: &MarginArgs) -> String {
    let timeout =
        args.timeout().map_or_else(|| "none".to_owned(), |span| Span::from(span).to_string());
    let release = if args.release { "released when stopped" } else { "not released" };
    let answer = args.answer.map_or_else(
        || "as late as time-outs allow".to_owned(),
        |answer| format!("within {answer} of the effect"),
    );
    format!(
        "lease {}, renew deadline {}, retry period {}, request time-out {timeout}, {release}\n\
         ratio of clock rates up to {}, answers {answer}, timers up to {} late\n\n",
        args.lease,
        args.renew,
        args.retry,
        exact(args.ratio.0),
        args.slack,
    )
}

fn row(text: &mut String, name: &str, columns: &[Column], cell: impl Fn(&Column) -> String) {
    let _ = write!(text, "{name:<36}");
    for column in columns {
        let _ = write!(text, "{:>17}", cell(column));
    }
    text.push('\n');
}

/// As a decimal number with so many digits after the point, cut, not rounded; and whether it is exact.
fn decimal(ratio: Ratio, digits: u32) -> (String, bool) {
    let unit = 10_u128.pow(digits);
    let (parts, slowest) = (u128::from(ratio.fastest()) * unit, u128::from(ratio.slowest()));
    let (whole, part) = (parts / slowest / unit, parts / slowest % unit);
    let width = digits as usize;
    (format!("{whole}.{part:0width$}"), parts.is_multiple_of(slowest))
}

/// At least, and at most: what is shorter is hard to compare, what is longer to read.
const DIGITS: core::ops::RangeInclusive<u32> = 3..=9;

/// A ratio with all its digits, or as a fraction.
fn exact(ratio: Ratio) -> String {
    let found = DIGITS.map(|digits| decimal(ratio, digits)).find(|(_, exact)| *exact);
    found.map_or_else(|| fraction(ratio), |(text, _)| text)
}

fn fraction(ratio: Ratio) -> String {
    format!("{}/{}", ratio.fastest(), ratio.slowest())
}

/// What [`decimal`] says, if that is not too much.
fn cut(ratio: Ratio, digits: u32) -> Option<Ratio> {
    let unit = 10_u64.pow(digits);
    let parts = u128::from(ratio.fastest()) * u128::from(unit) / u128::from(ratio.slowest());
    Ratio::new(u64::try_from(parts).ok()?, unit)
}

/// The largest ratio in as many digits as it takes not to read as less than one that is allowed. Never
/// more than it is.
fn beside(most: Ratio, asked: Ratio) -> String {
    if most == asked {
        return exact(most);
    }
    let enough = |digits: &u32| most < asked || cut(most, *digits) >= Some(asked);
    let found = DIGITS.into_iter().find(enough).map(|digits| decimal(most, digits).0);
    found.unwrap_or_else(|| fraction(most))
}

/// The terms of a sum.
fn sum(margin: &Margin) -> String {
    let spans = margin.terms().into_iter().filter(|(_, length)| *length != Some(Duration::ZERO));
    let terms = spans.map(|(term, length)| {
        let length =
            length.map_or_else(|| "no bound".to_owned(), |span| Span::from(span).to_string());
        let name = match term {
            Term::Deadline => "renew deadline",
            Term::Retry => "retry period",
            Term::Resolution => "same second",
            Term::Answer => "answer",
            Term::Release => "release",
            _ => "slack",
        };
        format!("{name} {length}")
    });
    terms.collect::<Vec<_>>().join(" + ")
}

fn verdict(text: &mut String, column: &Column) {
    let Column { config, margin, remedies, .. } = column;
    let profile = config.profile;
    let found =
        margin.blame().map_or_else(|| "inside".to_owned(), |term| format!("OUTSIDE by {term}"));
    let needed = if margin.ratio > Ratio::ONE {
        format!("({}) times {}", sum(margin), exact(margin.ratio))
    } else {
        sum(margin)
    };
    let compared = if margin.is_inside() { "at most" } else { "more than" };
    let lease = Span::from(margin.lease);
    let _ = writeln!(text, "\n{profile}: {found}: {needed} is {compared} the lease, {lease}");
    if !remedies.is_empty() {
        let flags: Vec<_> = remedies.iter().map(|remedy| flag(*remedy)).collect();
        let _ = writeln!(text, "    mended by any one of: {}", flags.join(", "));
    } else if !margin.is_inside() {
        text.push_str("    no single change mends it: change several, or use --profile strict\n");
    }
    if config.release_on_stop && profile != Profile::Strict {
        text.push_str(
            "    and whatever the durations: a release takes effect before the work is told to stop\n",
        );
    }
}

/// The change as an option of this command.
pub(super) fn flag(remedy: Remedy) -> String {
    match remedy {
        Remedy::LeaseDuration(span) => format!("--lease {}", Span::from(span)),
        Remedy::RenewDeadline(span) => format!("--renew {}", Span::from(span)),
        Remedy::RetryPeriod(span) => format!("--retry {}", Span::from(span)),
        Remedy::RequestTimeout(span) => format!("--timeout {}", Span::from(span)),
        Remedy::NoRelease => "no --release".to_owned(),
        Remedy::Strict => "--profile strict".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(fastest: u64, slowest: u64) -> Ratio {
        Ratio::new(fastest, slowest).unwrap()
    }

    #[test]
    fn a_ratio_is_told_exactly() {
        assert_eq!(exact(ratio(11, 10)), "1.100");
        assert_eq!(exact(ratio(10_000_004, 10_000_000)), "1.0000004");
        assert_eq!(exact(ratio(12, 11)), "12/11");
        assert_eq!(exact(ratio(u64::MAX, 1)), "18446744073709551615.000");
    }

    #[test]
    fn the_largest_ratio_reads_as_it_compares() {
        let (most, usual) = (ratio(4, 3), Ratio::ONE);
        assert_eq!(beside(most, usual), "1.333");
        assert_eq!(beside(most, ratio(13_333, 10_000)), "1.3333");
        assert_eq!(beside(most, most), "4/3");
        // Beyond it, what is cut is less all the same.
        assert_eq!(beside(most, ratio(1_333_334, 1_000_000)), "1.333");
        assert_eq!(beside(ratio(3, 5), usual), "0.600");
        assert_eq!(beside(ratio(u64::MAX, 1), usual), "18446744073709551615/1");
        assert_eq!(beside(ratio(u64::MAX - 1, u64::MAX), ratio(u64::MAX - 2, u64::MAX)), {
            "18446744073709551614/18446744073709551615"
        });
    }
}
