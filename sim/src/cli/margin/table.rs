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
    let ratio =
        |ratio: Option<Ratio>| ratio.map_or_else(|| "none".to_owned(), |ratio| ratio.to_string());
    let answers = |column: &Column, length: Option<Duration>, none: &str| {
        if strict(column) { "any".to_owned() } else { length.map_or_else(|| none.to_owned(), span) }
    };
    row(&mut text, "", columns, |column| column.config.profile.to_string());
    row(&mut text, "a leader goes on for at most", columns, |it| bounded(it.margin.needed()));
    row(&mut text, "candidates wait for", columns, |it| span(it.margin.lease));
    row(&mut text, "largest ratio of clock rates", columns, |it| ratio(it.margin.max_ratio()));
    row(&mut text, "  if answers came at once", columns, |it| ratio(it.at_once.max_ratio()));
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
         clock rates up to {}:1, answers {answer}, timers up to {} late\n\n",
        args.lease, args.renew, args.retry, args.ratio.0, args.slack,
    )
}

fn row(text: &mut String, name: &str, columns: &[Column], cell: impl Fn(&Column) -> String) {
    let _ = write!(text, "{name:<36}");
    for column in columns {
        let _ = write!(text, "{:>17}", cell(column));
    }
    text.push('\n');
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
        format!("({}) times {}", sum(margin), margin.ratio)
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
