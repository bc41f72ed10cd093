//! Steps as text, for people.

use tenure::election::Op;
use tenure::lock::Record;

use super::world::{Call, Flight, Step, World};

impl World {
    pub(crate) fn noted(mut self) -> Self {
        self.note = Some(String::new());
        self
    }

    pub(crate) fn note(&self) -> String {
        format!("tick {:>2}: {}", self.ticks, self.note.as_deref().unwrap_or_default())
    }

    pub(crate) fn describe(&self, step: Step) -> String {
        let name = |i: u8| self.replicas[usize::from(i)].elector.identity();
        let flight = |i: u8| match &self.replicas[usize::from(i)].flight {
            Some(Flight::Sent(request)) => call(request),
            Some(Flight::Answered(Ok(stored))) => record(&stored.object.record().unwrap()),
            Some(Flight::Answered(Err(failure))) => format!("{failure:?}"),
            None => String::new(),
        };
        match step {
            Step::Tick => "a tick goes by".into(),
            Step::Timeout(i) => format!("{}: timer", name(i)),
            Step::Poke(i) => format!("{}: poke", name(i)),
            Step::Apply(i) => format!("store: executes {} of {}", flight(i), name(i)),
            Step::Answer(i) => format!("{}: is answered {}", name(i), flight(i)),
            Step::Late(k) => {
                format!("store: executes, too late, {}", call(&self.orphans[usize::from(k)].1))
            }
            Step::Stop(i) => format!("{}: stop", name(i)),
            Step::WorkStopped(i) => format!("{}: the work has stopped", name(i)),
            Step::Crash(i) => format!("{}: crashes and starts anew", name(i)),
            Step::Pause(i) => format!("{}: pauses", name(i)),
            Step::Resume(i) => format!("{}: goes on", name(i)),
            Step::HandOver(i) => format!("{}: is to hand over", name(i)),
            Step::Show(i, place) => format!("{}: is shown object {place}", name(i)),
            Step::ShowOld(i, place) => format!("{}: is shown old object {place}", name(i)),
            Step::ShowDeleted(i) => format!("{}: is shown a deletion", name(i)),
            Step::Delete(place) => format!("somebody deletes object {place}"),
        }
    }
}

pub(crate) fn call(call: &Call) -> String {
    let text = match &call.op {
        Op::Get => "get".into(),
        Op::Create(object) => format!("create {}", record(&object.record().unwrap())),
        Op::Update(object, _) => format!("update to {}", record(&object.record().unwrap())),
    };
    if call.place == 0 { text } else { format!("{text} of the second object") }
}

fn record(record: &Record) -> String {
    format!("{{{:?}, {} s}}", record.holder, record.lease_duration_seconds)
}
