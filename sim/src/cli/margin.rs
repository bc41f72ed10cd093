//! `tenure margin`: whether durations leave room for clocks that drift and answers that are late.

mod confirm;
mod table;

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde_json::{Value, json};
use tenure::election::{
    Answers, Conditions, Config, ConfigError, Elector, Margin, Profile, Ratio, Release, Term,
};
use tenure::lock::LockRef;
use tenure::time::Instant;

use super::{Refusal, output};
use crate::time::{NoDuration, Span};

/// How much drift and latency durations can take, and what to change if it is not enough.
///
/// Shows both profiles, and exits with 0; with --profile that one, and exits with 1 if two leaders are
/// possible under it.
#[derive(Debug, clap::Args)]
pub(super) struct MarginArgs {
    /// How long candidates wait.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN", default_value = "15s")]
    pub(super) lease: Span,
    /// How long a leader tries to renew.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN", default_value = "10s")]
    pub(super) renew: Span,
    /// How long it waits between tries.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN", default_value = "2s")]
    pub(super) retry: Span,
    /// How long it waits for an answer, or `none`; half of --renew by default, at least 1s.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN")]
    pub(super) timeout: Option<Timeout>,
    /// The longest from the effect of a write to its answer; by default as long as time-outs allow.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN")]
    pub(super) answer: Option<Span>,
    /// The rate of the fastest clock over that of the slowest, as 1.1 or 11/10.
    #[arg(long, allow_hyphen_values = true, value_name = "RATIO", default_value = "1")]
    pub(super) ratio: RatioArg,
    /// How late a process may handle a timer, and its work stop.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN", default_value = "0s")]
    pub(super) slack: Span,
    /// The lock is released when a leader is stopped.
    #[arg(long)]
    pub(super) release: bool,
    /// Only this profile: strict, or client-go-v1.14 and so on to client-go-head.
    #[arg(long)]
    pub(super) profile: Option<Profile>,
    /// Run the simulator a hundredth inside and a hundredth outside of the bounds of a dozen
    /// configurations: two leaders never inside, always outside.
    #[arg(long, conflicts_with_all = ["lease", "renew", "retry", "timeout", "answer", "ratio", "slack",
        "release", "profile"])]
    pub(super) confirm: bool,
    /// How many seeds to run inside, for each configuration; a tenth of it outside at most.
    #[arg(long, value_name = "N", default_value_t = 10_000, requires = "confirm",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(super) seeds: u64,
    /// Print one JSON object instead of text; docs/simulation.md says what null means in each field.
    #[arg(long)]
    pub(super) json: bool,
}

/// A request time-out, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timeout(Option<Span>);

impl FromStr for Timeout {
    type Err = NoDuration;

    fn from_str(text: &str) -> Result<Self, NoDuration> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|span| Self(Some(span))) }
    }
}

/// A ratio of clock rates, as `1.1`, `11/10` or `11:10`; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RatioArg(Ratio);

/// The text is no ratio of the fastest to the slowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRatio;

impl fmt::Display for NoRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write the fastest over the slowest, at least 1, as 1.1 or 11/10")
    }
}

impl core::error::Error for NoRatio {}

impl FromStr for RatioArg {
    type Err = NoRatio;

    fn from_str(text: &str) -> Result<Self, NoRatio> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u64>().ok()).flatten().ok_or(NoRatio)
        };
        let (fastest, slowest) = if let Some((fastest, slowest)) = text.split_once(['/', ':']) {
            (number(fastest)?, number(slowest)?)
        } else {
            let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
            let digits = u32::try_from(part.len()).map_err(|_| NoRatio)?;
            let unit = 10_u64.checked_pow(digits).ok_or(NoRatio)?;
            let whole = number(whole)?.checked_mul(unit).ok_or(NoRatio)?;
            (whole.checked_add(number(part)?).ok_or(NoRatio)?, unit)
        };
        let ratio = Ratio::new(fastest, slowest).filter(|ratio| *ratio >= Ratio::ONE);
        ratio.map(Self).ok_or(NoRatio)
    }
}

/// One profile's answer.
#[derive(Debug)]
struct Column {
    config: Config,
    margin: Margin,
    /// If answers came at once.
    at_once: Margin,
    /// What would help.
    remedies: Vec<tenure::election::Remedy>,
}

impl MarginArgs {
    fn conditions(&self) -> Conditions {
        Conditions {
            ratio: self.ratio.0,
            answer: self.answer.map(Span::as_duration),
            slack: self.slack.as_duration(),
        }
    }

    fn timeout(&self) -> Option<Duration> {
        // client-go's `NewFromKubeconfig`.
        let half = (self.renew.as_duration() / 2).max(Duration::from_secs(1));
        self.timeout.map_or(Some(half), |timeout| timeout.0.map(Span::as_duration))
    }

    fn column(&self, profile: Profile) -> Result<Column, Refusal> {
        let config = Config {
            lease_duration: self.lease.as_duration(),
            renew_deadline: self.renew.as_duration(),
            retry_period: self.retry.as_duration(),
            request_timeout: self.timeout(),
            release_on_stop: self.release,
            profile,
            ..Config::new(LockRef::lease("default", "lock"), "replica", "0")
        };
        Elector::new(config.clone(), 0, Instant::default())
            .map_err(|error| refused(profile, error))?;
        let conditions = self.conditions();
        let at_once = Conditions { answer: Some(Duration::ZERO), ..conditions };
        Ok(Column {
            margin: config.margin(&conditions),
            at_once: config.margin(&at_once),
            remedies: config.remedies(&conditions),
            config,
        })
    }

    /// With `--profile` outside is a failure.
    fn exit_status(&self, columns: &[Column]) -> u8 {
        let outside = columns.iter().any(|column| !column.margin.is_inside());
        u8::from(self.profile.is_some() && outside)
    }
}

/// The elector's own words, and which flag to change.
fn refused(profile: Profile, error: ConfigError) -> Refusal {
    let (flags, remedy) = match error {
        ConfigError::LeaseNotLonger { .. } => {
            ("--lease, --renew", "lengthen --lease or shorten --renew")
        }
        ConfigError::DeadlineWithinJitter { .. } | ConfigError::DeadlineWithinRetry { .. } => {
            ("--renew, --retry", "lengthen --renew or shorten --retry")
        }
        ConfigError::RetryZero => ("--retry", "give it some time, as 2s"),
        ConfigError::RequestTimeoutZero => ("--timeout", "give it some time, as 5s, or none"),
        _ => ("--lease", "choose one between, as 15s"),
    };
    Refusal::new(format_args!("{flags}: {profile}: {error}: {remedy}"))
}

/// Prints the margin, or runs the simulator to confirm it.
///
/// # Errors
/// Durations that no elector takes; standard output does not work.
pub(super) fn run(args: &MarginArgs) -> Result<u8, Refusal> {
    if args.confirm {
        return confirm::run(args);
    }
    let both = [Profile::Strict, Profile::ClientGo(Release::Head)];
    let profiles = args.profile.map_or_else(|| both.to_vec(), |profile| vec![profile]);
    let columns =
        profiles.into_iter().map(|profile| args.column(profile)).collect::<Result<Vec<_>, _>>()?;
    if args.json {
        output::print_json(&json(args, &columns))?;
    } else {
        output::print(table::text(args, &columns))?;
    }
    Ok(args.exit_status(&columns))
}

fn nanos(duration: Option<Duration>) -> Value {
    let nanos = duration.map(|duration| Span::from(duration).as_nanos());
    json!(nanos)
}

fn ratio(ratio: Option<Ratio>) -> Value {
    ratio.map_or(Value::Null, |ratio| {
        json!({ "fastest": ratio.fastest(), "slowest": ratio.slowest(), "about": ratio.to_string() })
    })
}

/// A term's name in JSON.
const fn name(term: Term) -> &'static str {
    match term {
        Term::Deadline => "renew_deadline",
        Term::Retry => "retry_period",
        Term::Resolution => "resolution",
        Term::Answer => "answer",
        Term::Release => "release",
        Term::Slack => "slack",
        Term::Rate => "ratio",
        _ => "other",
    }
}

fn json(args: &MarginArgs, columns: &[Column]) -> Value {
    let column = |column: &Column| {
        let margin = &column.margin;
        let terms = margin.terms().map(|(term, length)| (name(term).to_owned(), nanos(length)));
        let (answers, max_answer) = match margin.max_answer() {
            Answers::Any => ("any", None),
            Answers::UpTo(longest) => ("up-to", Some(longest)),
            Answers::None => ("none", None),
        };
        json!({
            "profile": column.config.profile.to_string(),
            "inside": margin.is_inside(),
            "needed_nanos": nanos(margin.needed()),
            "terms_nanos": Value::Object(terms.into_iter().collect()),
            "lease_nanos": nanos(Some(margin.lease)),
            "max_ratio": ratio(margin.max_ratio()),
            "max_ratio_at_once": ratio(column.at_once.max_ratio()),
            "answers": answers,
            "max_answer_nanos": nanos(max_answer),
            "answer_budget_nanos": nanos(margin.answer_budget()),
            "possible_answer_nanos": nanos(margin.possible_answer()),
            "blame": margin.blame().map(name),
            "remedies": column.remedies.iter().map(|remedy| table::flag(*remedy)).collect::<Vec<_>>(),
        })
    };
    json!({
        "lease_duration": args.lease,
        "renew_deadline": args.renew,
        "retry_period": args.retry,
        "request_timeout": args.timeout().map(Span::from),
        "release_on_stop": args.release,
        "ratio": ratio(Some(args.ratio.0)),
        "answer": args.answer,
        "slack": args.slack,
        "profiles": columns.iter().map(column).collect::<Vec<_>>(),
        "exit_status": args.exit_status(columns),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_read_exactly() {
        let read = |text: &str| text.parse::<RatioArg>().map(|RatioArg(ratio)| ratio);
        for (text, fastest, slowest) in [
            ("1", 1, 1),
            ("1.0", 1, 1),
            ("1.1", 11, 10),
            ("11/10", 11, 10),
            ("12:10", 6, 5),
            ("1.000000001", 1_000_000_001, 1_000_000_000),
        ] {
            assert_eq!(read(text), Ok(Ratio::new(fastest, slowest).unwrap()), "{text}");
        }
        for text in ["", "0", "0.9", "10/11", "1/0", "-1", "+1", "1.", ".5", "1e3", "1,1", "NaN"] {
            assert_eq!(read(text), Err(NoRatio), "{text}");
        }
    }
}
