//! What reports say, against what happened; and what the command does with them. That they look as they should
//! is tested in a browser (`sim/browser`).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tenure_sim::catalogue;
use tenure_sim::check::{Checks, Violation};
use tenure_sim::report::{Election, Group, Report};
use tenure_sim::scenario::Scenario;
use tenure_sim::sharding::{self, tenure_world};
use tenure_sim::time::SimTime;
use tenure_sim::trace::{Entry, Recorder, What};
use tenure_sim::world::World;

/// Kinds of spans, as a report numbers them.
const UP: u64 = 0;
const LEADS: u64 = 1;
const ACTS: u64 = 2;
const PAUSED: u64 = 3;

/// A span: its lane, from when to when, in microseconds.
type Span = (usize, u64, u64);

/// What an HTML file has as data.
fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"report\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

fn spans(data: &Value, kind: u64) -> BTreeSet<Span> {
    let lanes = data["lanes"].as_array().unwrap().iter().enumerate();
    let spans = lanes.flat_map(|(lane, it)| {
        let spans = it["spans"].as_array().unwrap().iter().filter(move |span| span[0] == kind);
        spans.map(move |span| {
            let from = span[1].as_u64().unwrap();
            (lane, from, from + span[2].as_u64().unwrap())
        })
    });
    spans.collect()
}

fn micros(at: SimTime) -> u64 {
    at.as_nanos() / 1_000
}

fn drawn(scenario: &Scenario, seed: u64) -> (Report, Vec<Entry>, Vec<Violation>) {
    let mut world = World::new(scenario, seed).unwrap();
    let checks = Checks::for_scenario(world.scenario());
    let mut all = ((checks, Recorder::default()), Election::new(world.scenario()));
    let violations = world.run(&mut all).violations;
    (all.1.report(&violations), all.0.1.entries, violations)
}

/// What begins and ends by entries of its own, told apart by `way`: whose, and whether it begins.
fn intervals(entries: &[Entry], way: impl Fn(&What) -> Option<(u32, bool)>) -> BTreeSet<Span> {
    let mut open: BTreeMap<u32, u64> = BTreeMap::new();
    let mut all = BTreeSet::new();
    let mut over = |replica: u32, from: Option<u64>, at: u64| {
        if let Some(from) = from.filter(|from| *from < at) {
            all.insert((replica as usize, from, at));
        }
    };
    for entry in entries {
        let at = micros(entry.at);
        let ended = match &entry.what {
            What::Ended { replica, .. } => Some((*replica, false)),
            what => way(what),
        };
        let Some((replica, begins)) = ended else { continue };
        let before = open.remove(&replica);
        over(replica, before, at);
        if begins {
            open.insert(replica, at);
        }
    }
    let end = micros(entries.last().unwrap().at);
    for (replica, from) in open {
        over(replica, Some(from), end);
    }
    all
}

/// The same of rights, which end by the clock.
fn rights(entries: &[Entry]) -> BTreeSet<Span> {
    let mut open: BTreeMap<u32, (SimTime, SimTime)> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for entry in entries {
        let (replica, until) = match &entry.what {
            What::Authority { replica, until } => (*replica, *until),
            What::Ended { replica, .. } => (*replica, None),
            _ => continue,
        };
        let until = until.filter(|until| *until > entry.at);
        let held = open.remove(&replica).map(|(from, to)| (from, to, to > entry.at));
        match (held, until) {
            (Some((from, _, true)), Some(until)) => {
                open.insert(replica, (from, until));
                continue;
            }
            (Some((from, to, _)), _) => {
                all.insert((replica as usize, micros(from), micros(to.min(entry.at))));
            }
            (None, _) => {}
        }
        if let Some(until) = until {
            open.insert(replica, (entry.at, until));
        }
    }
    let end = entries.last().unwrap().at;
    all.extend(
        open.into_iter().map(|(it, (from, to))| (it as usize, micros(from), micros(to.min(end)))),
    );
    all.into_iter().filter(|(_, from, to)| from < to).collect()
}

#[test]
fn an_election_is_drawn_as_it_was() {
    let mut terms = 0;
    for name in ["pause", "random", "wild", "leader-crash", "mixed-fleet", "suspend"] {
        for profile in ["strict", "client-go-head"] {
            let mut scenario = catalogue::find(name).unwrap();
            scenario.profile = profile.parse().unwrap();
            for seed in 0..3 {
                let (report, entries, violations) = drawn(&scenario, seed);
                let data = data(&report.html());
                let believes = intervals(&entries, |what| match what {
                    What::StartedLeading { replica, .. } => Some((*replica, true)),
                    What::StoppedLeading { replica, led: true, .. } => Some((*replica, false)),
                    _ => None,
                });
                assert_eq!(spans(&data, LEADS), believes, "{name} {profile} {seed}");
                terms += believes.len();
                let paused = intervals(&entries, |what| match what {
                    What::Paused { replica } => Some((*replica, true)),
                    What::Resumed { replica } => Some((*replica, false)),
                    _ => None,
                });
                assert_eq!(spans(&data, PAUSED), paused, "{name} {profile} {seed}");
                let up = intervals(&entries, |what| match what {
                    What::Started { replica, .. } => Some((*replica, true)),
                    _ => None,
                });
                assert_eq!(spans(&data, UP), up, "{name} {profile} {seed}");
                assert_eq!(spans(&data, ACTS), rights(&entries), "{name} {profile} {seed}");
                let sent = entries.iter().filter(|it| matches!(it.what, What::Sent { .. })).count();
                let writes = |it: &&Entry| matches!(it.what, What::GuardedWrite { .. });
                let writes = entries.iter().filter(writes).count();
                let lanes = data["lanes"].as_array().unwrap();
                let calls: usize =
                    lanes.iter().map(|it| it["calls"].as_array().unwrap().len()).sum();
                assert_eq!(calls, sent + writes, "{name} {profile} {seed}");
                assert_eq!(data["violations"].as_array().unwrap().len(), violations.len());
            }
        }
    }
    assert!(terms > 60, "{terms}");
}

/// Two leaders are two until one of them stops.
#[test]
fn a_violation_lasts_as_long_as_two_lead() {
    let mut scenario = catalogue::find("pause").unwrap();
    scenario.profile = "client-go-head".parse().unwrap();
    let (report, ..) = drawn(&scenario, 1);
    let data = data(&report.html());
    let first = &data["violations"][0];
    let text =
        |place: &Value| data["texts"][usize::try_from(place.as_u64().unwrap()).unwrap()].clone();
    assert_eq!(text(&first["rule"]), "one-leader/authority");
    assert_eq!((&first["at"], &first["to"]), (&78_234_017.into(), &100_689_717.into()));
    assert_eq!(first["lanes"].as_array().unwrap().len(), 2);
}

/// Who has each slot at each instant at which anything happened, from the entries alone.
#[test]
fn slots_are_drawn_as_they_were_owned() {
    let mut two = 0;
    for (name, without) in [
        ("sharding/crash", None),
        ("sharding/late-exclusion", Some(tenure::sharding::Rule::ExclusionNewer)),
        ("sharding/leased", None),
        ("sharding/swarm", None),
    ] {
        let mut scenario = sharding::catalogue::find(name).unwrap();
        scenario.without.extend(without);
        for seed in 0..3 {
            let mut world = tenure_world(&scenario, seed, &[]).unwrap();
            let drawn = world.scenario().clone();
            let mut all = (sharding::trace::Recorder::default(), Group::new(&drawn));
            let outcome = world.run(&mut all);
            let data = data(&all.1.report(&outcome.violations).html());
            two += compared(name, &drawn, &all.0.entries, &data);
        }
    }
    assert!(two > 0, "no slot had two owners: the rule that was left out did nothing");
}

/// Compares at each entry; how often a slot had two owners.
fn compared(
    name: &str,
    scenario: &sharding::Scenario,
    entries: &[sharding::trace::Entry],
    data: &Value,
) -> usize {
    use tenure_sim::sharding::trace::What;
    let rows = data["grid"]["rows"].as_array().unwrap();
    let slots = u32::try_from(rows.len()).unwrap();
    let replicas = scenario.replicas.len();
    // Claims, their ends, and ends of single slots.
    let mut claims = vec![BTreeSet::<u32>::new(); replicas];
    let mut until = vec![Some(SimTime::ZERO); replicas];
    let mut ends = vec![BTreeMap::<u32, SimTime>::new(); replicas];
    let fine = |set: &sharding::trace::Set| {
        let width = slots / set.0.slots().count();
        let each = |slot: u32| slot * width..(slot + 1) * width;
        set.0.iter().flat_map(|slot| each(slot.index())).collect::<BTreeSet<u32>>()
    };
    let (mut two, mut looked) = (0, 0);
    for pair in entries.windows(2) {
        let [entry, next] = pair else { unreachable!() };
        match &entry.what {
            What::Started { replica, .. } => {
                until[*replica as usize] = Some(SimTime::ZERO);
                ends[*replica as usize].clear();
            }
            What::Ended { replica, .. } => claims[*replica as usize].clear(),
            What::Gained { replica, slots } => claims[*replica as usize].extend(fine(slots)),
            What::Lost { replica, slots } => {
                let gone = fine(slots);
                claims[*replica as usize].retain(|slot| !gone.contains(slot));
            }
            What::Until { replica, until: end, .. } => until[*replica as usize] = *end,
            What::Ends { replica, slots, until } => {
                ends[*replica as usize].extend(fine(slots).into_iter().map(|slot| (slot, *until)));
            }
            _ => continue,
        }
        // The last word on an instant counts.
        if micros(next.at) == micros(entry.at) {
            continue;
        }
        looked += 1;
        let now = entry.at;
        for slot in 0..slots {
            let has = |replica: &usize| {
                claims[*replica].contains(&slot)
                    && until[*replica].is_none_or(|until| now < until)
                    && ends[*replica].get(&slot).is_none_or(|end| now < *end)
            };
            let owners: Vec<usize> = (0..replicas).filter(has).collect();
            let expected = match owners.as_slice() {
                [] => 0,
                [owner] => owner + 2,
                _ => 1,
            };
            two += usize::from(expected == 1);
            let runs = rows[slot as usize]["runs"].as_array().unwrap();
            let at = micros(now);
            let run = runs.iter().take_while(|run| run[0].as_u64().unwrap() <= at).last();
            let code = run.and_then(|run| run[1].as_u64()).unwrap_or(0);
            assert_eq!(code, expected as u64, "{name}: slot {slot} at {now}");
        }
    }
    assert!(looked > 10, "{name}: {looked}");
    two
}

#[test]
fn many_slots_are_few_rows() {
    let text = r#"{"mode": "ranked", "slots": 65536, "replicas": [{"count": 3}], "horizon": "30s", "heal_at": "20s"}"#;
    let scenario: sharding::Scenario = serde_json::from_str(text).unwrap();
    let mut world = tenure_world(&scenario, 1, &[]).unwrap();
    let mut group = Group::new(world.scenario());
    let outcome = world.run(&mut group);
    let html = group.report(&outcome.violations).html();
    let data = data(&html);
    let rows = data["grid"]["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &data["grid"]["title"]), (512, &"65536 slots".into()));
    assert!(html.contains("slots 65408 to 65535"), "128 slots a row");
    assert!(html.len() < 1_000_000, "{}", html.len());
}

/// The command, run in a folder of its own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn tenure(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
        command.current_dir(&self.0).args(arguments.split(' ')).output().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let files = fs::read_dir(&self.0).unwrap();
        let mut files: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_same_exit_status() {
    let folder = Folder::new("same");
    for (arguments, status) in [
        ("run pause --profile client-go-head --seed 1", 0),
        ("run random --seed 7", 0),
        ("run sharding/late-exclusion --without exclusion-newer --seed 1", 1),
        ("sweep random --seeds 0..40", 0),
    ] {
        let plain = folder.tenure(arguments);
        let first = folder.tenure(&format!("{arguments} --report a.html --svg a.svg"));
        let other = folder.tenure(&format!("{arguments} --report b.html --svg b.svg"));
        assert_eq!(plain.status.code(), Some(status), "{plain:?}");
        assert_eq!((first.status, &first.stdout), (plain.status, &plain.stdout), "{arguments}");
        assert_eq!(folder.read("a.html"), folder.read("b.html"), "{arguments}");
        assert_eq!(folder.read("a.svg"), folder.read("b.svg"), "{arguments}");
        assert_eq!(other.status, plain.status);
        let printed = folder.tenure(&format!("{arguments} --report -"));
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), folder.read("a.html"));
        assert_eq!(printed.status, plain.status);
    }
}

#[test]
fn a_report_says_what_the_command_says() {
    let folder = Folder::new("says");
    folder.tenure("run pause --profile client-go-head --seed 1 --report a.html --svg a.svg");
    let head = &data(&folder.read("a.html"))["head"];
    assert_eq!(head["title"], "pause, client-go-head, seed 1");
    assert_eq!(
        (&head["verdict"], &head["tone"]),
        (&"violated, as expected".into(), &"good".into())
    );
    assert_eq!(head["again"], "tenure run pause --profile client-go-head --seed 1");
    assert!(head["explained"][0].as_str().unwrap().starts_with("two leaders: "));
    let svg = folder.read("a.svg");
    for told in [
        "pause, client-go-head, seed 1",
        "pause of replica-0",
        "one-leader/authority",
        "violated, as expected",
    ] {
        assert!(svg.contains(told), "{told}");
    }

    folder.tenure("run pause --profile client-go-head --seed 1 --trace a.jsonl");
    let output = folder.tenure("check a.jsonl --report check.html");
    assert_eq!(output.status.code(), Some(1));
    let checked = data(&folder.read("check.html"));
    assert_eq!(checked["head"]["tone"], "bad");
    assert_eq!(checked["violations"].as_array().unwrap().len(), 3);
    let terms = &checked["tables"].as_array().unwrap().last().unwrap()["rows"];
    assert_eq!(terms.as_array().unwrap().len(), 2, "{terms}");

    let sweep = "sweep random --profile client-go-head --seeds 5..105 --report sweep.html";
    assert_eq!(folder.tenure(sweep).status.code(), Some(0));
    let swept = data(&folder.read("sweep.html"));
    assert_eq!(swept["axis"]["seed"], "5");
    let verdicts = &swept["grid"]["rows"][0]["runs"];
    let json = folder.tenure("sweep random --profile client-go-head --seeds 5..105 --json");
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    for (code, name) in [(2, "holds"), (3, "as_expected"), (4, "unknown")] {
        let runs = verdicts.as_array().unwrap();
        let ends = runs.iter().skip(1).map(|run| run[0].as_u64().unwrap()).chain([100]);
        let of_code = runs.iter().zip(ends).filter(|(run, _)| run[1] == code);
        let seeds: u64 = of_code.map(|(run, end)| end - run[0].as_u64().unwrap()).sum();
        assert_eq!(told["runs"][name], seeds, "{name}");
    }
}

/// A name is a name, whatever it says.
#[test]
fn names_are_escaped() {
    let folder = Folder::new("names");
    let evil = "</script><img src=x onerror=alert(1)>";
    let scenario = serde_json::json!({
        "name": evil, "description": evil, "horizon": "1m", "replicas": [{ "identity": evil }],
    });
    fs::write(folder.0.join("evil.json"), scenario.to_string()).unwrap();
    let output = folder.tenure("run --scenario evil.json --report a.html --svg a.svg");
    assert!(output.status.code().is_some_and(|code| code != 2), "{output:?}");
    let html = folder.read("a.html");
    assert!(!html.contains("<img") && html.matches("</script>").count() == 2);
    assert_eq!(data(&html)["head"]["about"][0], evil);
    let svg = folder.read("a.svg");
    assert!(!svg.contains("<img") && !svg.contains("<script") && svg.contains("&lt;/script"));
}

#[test]
fn what_cannot_be_written_is_refused_and_nothing_is_left() {
    let folder = Folder::new("refused");
    fs::write(folder.0.join("calm.json"), r#"{"horizon": "1m"}"#).unwrap();
    fs::create_dir(folder.0.join("folder")).unwrap();
    let refused = [
        ("run pause --report nowhere/a.html", "nowhere/a.html: cannot be written"),
        ("run pause --report folder", "folder: is a directory: name a file"),
        (
            "run --scenario calm.json --report calm.json",
            "calm.json: an output would write over an input",
        ),
        ("run pause --report a.html --svg a.html", "--report and --svg name one file: name two"),
        ("run pause --report a.html --svg ./a.html", "--report and --svg name one file: name two"),
        (
            "run pause --trace a.html --svg ./a.html",
            "--trace and a drawing name one file: name two",
        ),
        ("run pause --report - --json", "only one of them can go to standard output"),
        ("run --report a.html", "the experiment is four runs: name one scenario, such as pause"),
        // Before anything is run: else the file of `--out` would be there.
        (
            "sweep random --seeds 0..2 --out a --report nowhere/a.html",
            "nowhere/a.html: cannot be written",
        ),
        ("sweep random --seeds 0..2 --out a --report a", "a: an output would write over an input"),
        ("sweep --all --seeds 0..1 --report a.html", "cannot be used with"),
        ("check calm.json --report calm.json", "calm.json: an output would write over an input"),
    ];
    for (arguments, why) in refused {
        let output = folder.tenure(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {told}");
        assert!(told.contains(why) && told.lines().count() == 1, "{arguments}: {told}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert_eq!(folder.files(), ["calm.json", "folder"], "{arguments}");
    }
}

/// The picture in the documentation is what the command makes.
#[test]
fn the_picture_in_the_documentation_is_made_by_its_command() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(docs.join("simulation.md")).unwrap();
    let command = "tenure run pause --profile client-go-head --seed 1 --svg docs/report.svg";
    assert!(text.contains(command) && text.contains("](report.svg)"));
    let folder = Folder::new("docs");
    let arguments = command.trim_start_matches("tenure ").replace("docs/report.svg", "report.svg");
    assert!(folder.tenure(&arguments).status.success());
    let kept = fs::read_to_string(docs.join("report.svg")).unwrap();
    assert!(folder.read("report.svg") == kept, "docs/report.svg is not what `{command}` makes");
}
