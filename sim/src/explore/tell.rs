//! A way through a world as a script: for people to read, and to be played again.

use core::fmt::{self, Write as _};
use core::str::FromStr;

use tenure::election::Failure;

use super::electors::{Ask, Call, Copied, Electors, Happened};
use super::laws::{self, Law};
use super::live::Live;
use super::rules::{Rules, name};
use super::step::Step;
use super::world::{Flight, Stage, World};

/// Steps through a world, and the law that is violated at their end.
///
/// As text: a line `world` with the [`Rules`], a line for each step, a line `violates` with the law.
/// What follows a `#` is for people: what was asked, executed, and answered, and who leads then.
///
/// ```
/// use tenure_sim::explore::{NoStory, Rules, Story, explore};
/// let rules = "profile=client-go-v1.36 lease=3s retry=1s network=prompt faults=delete:1";
/// let outcome = explore(&rules.parse().unwrap(), 100_000, &mut |_| {});
/// let text = outcome.violation.unwrap().story.to_string();
/// assert!(text.contains("\ndelete") && text.contains("# a asks"));
///
/// let story: Story = text.parse().unwrap();
/// assert_eq!(story.replay().unwrap(), Some("two believe to lead"));
/// let cut = text.replace("delete ", "tick #");
/// let no: NoStory = cut.parse::<Story>().unwrap().replay().unwrap_err();
/// assert!(no.to_string().contains("cannot happen here"), "{no}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    rules: Rules,
    steps: Vec<Step>,
    law: Law,
}

/// The text is no story, or its steps do not follow one another: where, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoStory(String);

impl fmt::Display for NoStory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for NoStory {}

impl Story {
    pub(super) fn new(rules: &Rules, steps: Vec<Step>, law: Law) -> Self {
        Self { rules: rules.clone(), steps, law }
    }

    /// What is said to be violated at the end.
    #[must_use]
    pub const fn law(&self) -> Law {
        self.law
    }

    /// How many steps there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a violation takes steps")]
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Plays the steps on electors as they are in production, with nothing looked up or renamed:
    /// what is violated at the end, if anything.
    ///
    /// # Errors
    /// A step cannot follow the ones before it, or something is violated before the last.
    pub fn replay(&self) -> Result<Option<Law>, NoStory> {
        self.play(&mut |_, _, _| {})
    }

    /// Calls `tell` after each step with the world before it.
    fn play(&self, tell: &mut Teller<'_>) -> Result<Option<Law>, NoStory> {
        let mut stage = Stage::new(&self.rules, Live::new(&self.rules));
        let mut world = stage.start();
        let mut possible = Vec::new();
        for (at, &step) in self.steps.iter().enumerate() {
            stage.steps(&world, &mut possible);
            if !possible.contains(&step) {
                let text = format!("step {}, {step}: cannot happen here", at + 1);
                return Err(NoStory(text));
            }
            let before = world.clone();
            let result = stage.step(&mut world, step);
            tell(&mut stage, (&before, &world), step);
            if let Err(law) = result {
                if at + 1 < self.steps.len() {
                    let text = format!("step {}, {step}: violates already: {law}", at + 1);
                    return Err(NoStory(text));
                }
                return Ok(Some(law));
            }
        }
        Ok(None)
    }
}

type Playing = World<<Live as Electors>::Seat>;
type Teller<'a> = dyn FnMut(&mut Stage<Live>, (&Playing, &Playing), Step) + 'a;

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = format!("world {}\n", self.rules);
        let mut last = String::new();
        // A story that cannot be played to its end is told as far as it goes.
        let _ = self.play(&mut |stage, worlds, step| {
            let mut told = tell(stage, worlds, step);
            let leaders = leaders(stage, worlds.1);
            if leaders != last {
                let _ =
                    write!(told, "; {}", if leaders.is_empty() { "none leads" } else { &leaders });
                last = leaders;
            }
            let told = told.trim_start_matches("; ");
            let _ = writeln!(lines, "{:<16}# {told}", step.to_string());
        });
        let lines = lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        writeln!(f, "{lines}\nviolates {}", self.law)
    }
}

fn leaders(stage: &Stage<Live>, world: &Playing) -> String {
    let lead = (0u8..).zip(world.replicas()).filter(|(_, replica)| {
        if stage.strict() { stage.facts(replica).leads } else { replica.believes }
    });
    let names: Vec<_> = lead.map(|(i, _)| name(i)).collect();
    match names.len() {
        0 => String::new(),
        1 => format!("{} leads", names.join("")),
        _ => format!("{} LEAD", names.join(" AND ").to_uppercase()),
    }
}

/// What a step did.
fn tell(stage: &mut Stage<Live>, (before, after): (&Playing, &Playing), step: Step) -> String {
    let mut text = match step {
        Step::Tick => format!("tick {}", after.ticks),
        Step::Apply(i) => {
            let replica = &before.replicas()[usize::from(i)];
            let result = match after.replicas()[usize::from(i)].flight {
                Flight::Answered(_, result) => told_result(stage, result),
                _ => String::new(),
            };
            match replica.flight {
                Flight::Sent(call) => {
                    format!("the store executes {}'s {}: {result}", name(i), told_call(stage, call))
                }
                _ => String::new(),
            }
        }
        Step::Answer(i) => match before.replicas()[usize::from(i)].flight {
            Flight::Answered(_, result) => {
                format!("{} is answered {}", name(i), told_result(stage, result))
            }
            _ => String::new(),
        },
        Step::Late(k) => match before.orphans[usize::from(k)] {
            Some(orphan) => {
                let writer = name(orphan.writer.replica);
                format!(
                    "the store executes, though {writer} gave it up, the {}",
                    told_call(stage, orphan.call)
                )
            }
            None => String::new(),
        },
        Step::Crash(i) => format!("{} crashes and starts anew", name(i)),
        Step::HandOver(i) => format!("{} is asked to hand over", name(i)),
        Step::Show(i) => shown(stage, i, "", before.store[0]),
        Step::ShowSecond(i) => shown(stage, i, "the second object, ", before.store[1]),
        Step::ShowOld(i) => shown(stage, i, "what was, ", before.old[0]),
        Step::ShowOldSecond(i) => shown(stage, i, "what the second object was, ", before.old[1]),
        Step::ShowDeleted(i) => shown(stage, i, "", None),
        Step::Delete => "somebody deletes the lock".to_owned(),
        Step::DeleteSecond => "somebody deletes the second object".to_owned(),
        Step::Edit => "somebody clears the holder".to_owned(),
        Step::Stop(i) => format!("{} is asked to stop", name(i)),
        Step::WorkStopped(i) => format!("the work of {} has stopped", name(i)),
        Step::Pause(i) => format!("{} stands still", name(i)),
        Step::Resume(i) => format!("{} goes on", name(i)),
        Step::Wake(_) => String::new(),
    };
    for (i, reaction) in core::mem::take(&mut stage.told.reactions) {
        for happened in reaction.happened.into_iter().flatten() {
            let _ = match happened {
                Happened::Started(token) => {
                    write!(text, "; {} STARTED LEADING, token {token}", name(i))
                }
                Happened::Stopped(cause) => write!(text, "; {} stopped ({cause:?})", name(i)),
            };
        }
        if let Some(call) = reaction.request {
            let _ = write!(text, "; {} asks for {}", name(i), told_call(stage, call));
        }
    }
    text
}

fn told_call(stage: &Stage<Live>, call: Call) -> String {
    let record = |object| {
        let record = stage.electors.objects_ref().record(object);
        format!("{{{}, {} s}}", holder(record.holder.as_str()), record.lease_duration_seconds)
    };
    let text = match call.ask {
        Ask::Get => "get".to_owned(),
        Ask::Create(object) => format!("create {}", record(object)),
        Ask::Update(Copied { object, version }) => {
            format!("update to {} over {version}", record(object))
        }
    };
    if call.place == 0 { text } else { format!("{text} of the second object") }
}

fn shown(stage: &Stage<Live>, i: u8, what: &str, shown: Option<Copied>) -> String {
    let shown = shown.map_or_else(|| "a deletion".to_owned(), |it| told_result(stage, Ok(it)));
    format!("{} is shown {what}{shown}", name(i))
}

fn told_result(stage: &Stage<Live>, result: Result<Copied, Failure>) -> String {
    match result {
        Ok(copied) => {
            let record = stage.electors.objects_ref().record(copied.object);
            format!("held by {}, version {}", holder(record.holder.as_str()), copied.version)
        }
        Err(Failure::NotFound) => "not found".to_owned(),
        Err(Failure::AlreadyExists) => "exists already".to_owned(),
        Err(Failure::Conflict) => "conflict".to_owned(),
        Err(Failure::Other) => "failed".to_owned(),
    }
}

fn holder(holder: &str) -> &str {
    if holder.is_empty() { "nobody" } else { holder }
}

impl FromStr for Story {
    type Err = NoStory;

    fn from_str(text: &str) -> Result<Self, NoStory> {
        let (mut rules, mut law, mut steps) = (None, None, Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            let refuse = |what: &str| NoStory(format!("line {number}: {what}"));
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "" => {}
                _ if law.is_some() => return Err(refuse("something after `violates`: end there")),
                "world" if rules.is_some() => return Err(refuse("a second `world`: leave it out")),
                "world" => {
                    rules = Some(rest.parse().map_err(|error| refuse(&format!("{error}")))?);
                }
                _ if rules.is_none() => return Err(refuse("begin with `world` and its rules")),
                "violates" => {
                    let known = laws::ALL.iter().find(|known| **known == rest);
                    let names = || format!("{rest:?} is no law: use one of {}", laws::ALL.join(", "));
                    law = Some(*known.ok_or_else(|| refuse(&names()))?);
                }
                _ => steps.push(Step::parse(line).ok_or_else(|| {
                    refuse("no step: write tick, delete, delete-second, edit, late 0, or one of wake, \
                            apply, answer, stop, work-stopped, crash, pause, resume, hand-over, show, \
                            show-second, show-old, show-old-second, show-deleted with a replica, \
                            as wake a")
                })?),
            }
        }
        match (rules, law) {
            (None, _) => Err(NoStory("empty: begin with `world` and its rules".to_owned())),
            (_, None) => Err(NoStory("no line `violates`: end with it".to_owned())),
            (Some(rules), Some(law)) => Ok(Self { rules, steps, law }),
        }
    }
}
