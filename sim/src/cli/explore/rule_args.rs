//! Rules of a world of one's own, as options.

use core::fmt::Write as _;

/// Rules of a world of one's own; what is left out is as in the smallest safe strict one.
#[derive(Debug, clap::Args)]
#[group(id = "rules", multiple = true, conflicts_with_all = ["world", "list", "replay", "sharding"])]
#[command(next_help_heading = "A world of one's own")]
pub(super) struct RuleArgs {
    /// The rules that the replicas follow: strict or a client-go profile.
    #[arg(long)]
    profile: Option<String>,
    /// The lease duration, such as 2s or 1500ms; a number alone is seconds.
    #[arg(long, value_name = "TIME")]
    lease: Option<String>,
    /// The renew deadline.
    #[arg(long, value_name = "TIME", alias = "renew")]
    deadline: Option<String>,
    /// The retry period.
    #[arg(long, value_name = "TIME")]
    retry: Option<String>,
    /// The request time-out, or none.
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// How long a tick is.
    #[arg(long, value_name = "TIME")]
    tick: Option<String>,
    /// The rate of each replica's clock, in ticks per tick: 1:2 or 1:1:1.
    #[arg(long)]
    rates: Option<String>,
    /// How many replicas, 2 or 3, all with clocks of rate 1.
    #[arg(long, value_name = "N", conflicts_with = "rates", value_parser = clap::value_parser!(u8).range(2..=3))]
    replicas: Option<u8>,
    /// What requests and answers do: prompt, lossy, slow-requests, slow-renewals, slow-reads or slow.
    #[arg(long)]
    network: Option<String>,
    /// The replica whose network it is, a, b or c; the others' is prompt.
    #[arg(long, value_name = "REPLICA")]
    faulty: Option<String>,
    /// A write that was given up may still be applied.
    #[arg(long)]
    late_writes: bool,
    /// Who is stopped releases the lock.
    #[arg(long)]
    release: bool,
    /// What to do when there is no lock: wait or new-group.
    #[arg(long)]
    missing: Option<String>,
    /// What there is at the beginning: free, a lock that nobody holds, or missing.
    #[arg(long)]
    start: Option<String>,
    /// The wall clocks: runs or frozen.
    #[arg(long)]
    wall: Option<String>,
    /// The replicas' names: own, or one for all.
    #[arg(long)]
    names: Option<String>,
    /// Which of two objects carry the lock of each replica, first, both or second: first:both.
    #[arg(long)]
    locks: Option<String>,
    /// Everybody may be shown what the store has, by a watch, at any time.
    #[arg(long)]
    watch: bool,
    /// The replica that should lead whenever it can: a, b or c.
    #[arg(long, value_name = "REPLICA")]
    preferred: Option<String>,
    /// How often which fault: crash,pause:2,delete:1,stop:1,edit:1,hand-over:1,late-show:1.
    #[arg(long)]
    faults: Option<String>,
    /// What to look for: two-leaders, foreign-release, bystanders or knowing-leader.
    #[arg(long)]
    sought: Option<String>,
}

impl RuleArgs {
    /// The rules as text, if there are any.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        let mut set = |key: &str, value: &Option<String>, unit: &str| {
            if let Some(value) = value {
                let is_number = value.chars().all(|c| c.is_ascii_digit() || c == '.');
                let _ = write!(text, "{key}={value}{} ", if is_number { unit } else { "" });
            }
        };
        set("lease", &self.lease, "s");
        set("deadline", &self.deadline, "s");
        set("retry", &self.retry, "s");
        set("timeout", &self.timeout, "s");
        set("tick", &self.tick, "s");
        set("rates", &self.rates, "");
        set("rates", &self.replicas.map(|count| vec!["1"; usize::from(count)].join(":")), "");
        set("profile", &self.profile, "");
        set("network", &self.network, "");
        set("faulty", &self.faulty, "");
        set("missing", &self.missing, "");
        set("start", &self.start, "");
        set("wall", &self.wall, "");
        set("names", &self.names, "");
        set("locks", &self.locks, "");
        set("watch", &self.watch.then(|| "yes".to_owned()), "");
        set("preferred", &self.preferred, "");
        set("faults", &self.faults, "");
        set("sought", &self.sought, "");
        set("late-writes", &self.late_writes.then(|| "yes".to_owned()), "");
        set("release", &self.release.then(|| "yes".to_owned()), "");
        Some(text).filter(|text| !text.is_empty())
    }
}
