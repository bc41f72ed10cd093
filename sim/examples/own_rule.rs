//! Somebody's own rule under the simulator's faults and checks. It looks right and is wrong: it takes a
//! lease to be over when what its holder's clock said at its renewal is long ago by *our* clock.
use core::time::Duration;
use tenure::election::Failure;
use tenure::lock::{Identity, Record};
use tenure::time::{Instant, Now, Timestamp};
use tenure_sim::rule::{Call, Input, Rule, Seen, first_violation};
use tenure_sim::scenario::Scenario;

#[derive(Debug, Default)]
struct RemoteClock {
    me: Identity,
    call: Option<Call>,
    writes: bool,
    sent: Instant,
    until: Option<Instant>,
}
impl RemoteClock {
    fn for_holder(me: Identity) -> Self {
        Self { me, ..Self::default() }
    }
    fn ask(&mut self, now: Now, call: Call) {
        (self.writes, self.sent, self.call) = (call != Call::Read, now.instant, Some(call));
    }
}
impl Rule for RemoteClock {
    fn handle(&mut self, now: Now, input: Input) {
        let (holder, renew_time) = (self.me.clone(), Some(now.timestamp));
        let mine = Record { holder, renew_time, lease_duration_seconds: 15, ..Record::default() };
        match input {
            Input::Timeout => self.ask(now, Call::Read),
            Input::Answer(Ok(_)) if self.writes => self.until = Some(self.sent + SECOND * 10),
            Input::Answer(Ok(Seen { record, version })) => {
                let renewed = record.renew_time.map_or(0, Timestamp::unix_nanos);
                let age = now.timestamp.unix_nanos() - renewed; // the mistake: two clocks
                if record.holder == self.me || age > 15_000_000_000 {
                    self.ask(now, Call::Update(mine, version));
                }
            }
            Input::Answer(Err(Failure::NotFound)) => self.ask(now, Call::Create(mine)),
            Input::Answer(Err(_)) | Input::Watched(_) | Input::Stop => {}
        }
    }
    fn poll_call(&mut self) -> Option<Call> {
        self.call.take()
    }
    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.sent + SECOND * 2)
    }
    fn leading_until(&self) -> Option<Instant> {
        self.until
    }
}
const SECOND: Duration = Duration::from_secs(1);
fn main() {
    let off: Scenario = serde_json::from_str(include_str!("own_rule.json")).unwrap_or_default();
    let found = first_violation(&off, 1, |it| RemoteClock::for_holder(it.holder.clone()));
    println!("{}", found.ok().flatten().unwrap_or_else(|| "nothing is found".to_owned()));
}
#[cfg(test)]
#[path = "own_rule/tests.rs"]
mod tests;
