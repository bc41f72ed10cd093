//! A driver of a [`Sharder`] on tokio, with a watch.

use std::sync::Mutex;

use tenure::election::Failure;
use tenure::sharding::{Answer, Event, Request, Response, Sharder, Slot, SlotSet, Watched};
use tenure_examples::clock;
use tenure_examples::lead::lock;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::members::Members;
use crate::watch::watch;

/// What the driver is told from outside.
pub(crate) enum Input {
    /// All work on this slot has ended.
    Ended(Slot),
    /// The process is asked to end: give everything away.
    Leave,
}

/// Runs the member until it has left, which it does after [`Input::Leave`] only. `start` starts work on a
/// slot, which asks `Sharder::permit` before each act, and so ends by itself; then it sends
/// [`Input::Ended`]. Work that waits for something else than its next act must be told as well: on
/// `Event::Revoking` to begin nothing more, on `Event::Lapsed` to stop at once.
pub(crate) async fn drive(
    member: &Mutex<Sharder>,
    members: &Members,
    start: impl Fn(Slot),
    mut inputs: UnboundedReceiver<Input>,
) {
    let mut calls: JoinSet<Response> = JoinSet::new();
    let mut watching: Option<Watching> = None;
    loop {
        let until = {
            let mut member = lock(member);
            while let Some(event) = member.poll_event() {
                eprintln!("slots: {event}");
                if let Event::Acquired(slots) = &event {
                    slots.iter().for_each(&start);
                }
            }
            if member.is_finished() {
                return;
            }
            while let Some(request) = member.poll_request() {
                calls.spawn(answer(members.clone(), request));
            }
            member.poll_timeout()
        };
        tokio::select! {
            Some(Ok(response)) = calls.join_next() => {
                let listed = match &response.result {
                    Ok(Answer::Listed { version, .. }) => Some(*version),
                    _ => None,
                };
                let (now, mut member) = (clock::now(), lock(member));
                member.handle_response(now, response);
                if let Some(after) = listed.filter(|_| watching.is_none()) {
                    let (deliver, deliveries) = unbounded_channel();
                    let mut task = JoinSet::new();
                    let pause = member.config().retry_period;
                    task.spawn(watch(members.clone(), after, pause, deliver));
                    watching = Some(Watching { deliveries, _task: task });
                    member.handle_watch(now, Watched::Started { after });
                }
            }
            watched = next(&mut watching) => {
                if watched == Watched::Broken {
                    watching = None; // the next list begins another
                }
                lock(member).handle_watch(clock::now(), watched);
            }
            Some(input) = inputs.recv() => {
                let (now, mut member) = (clock::now(), lock(member));
                match input {
                    Input::Ended(slot) => {
                        // Work that asks the clock may have ended before the end of its right was
                        // handled here. In mode `leased` a slot that still counts as owned would not
                        // be taken for drained, and this is said once only.
                        member.handle_timeout(now);
                        let slots = SlotSet::of(member.config().slots, [slot]);
                        member.drained(now, &slots);
                    }
                    Input::Leave => member.leave(now),
                }
            }
            () = clock::sleep_until(until) => lock(member).handle_timeout(clock::now()),
        }
    }
}

/// A watch, which ends with this value.
struct Watching {
    deliveries: UnboundedReceiver<Watched>,
    _task: JoinSet<()>,
}

/// The next delivery; never, if there is no watch.
async fn next(watching: &mut Option<Watching>) -> Watched {
    match watching {
        Some(watching) => watching.deliveries.recv().await.unwrap_or(Watched::Broken),
        None => std::future::pending().await,
    }
}

async fn answer(members: Members, request: Request) -> Response {
    let result = tokio::select! {
        result = members.call(request.op) => result,
        // What became of it is not known. It is no conflict: that would say that it was not applied.
        () = clock::sleep_until(Some(request.deadline)) => Err(Failure::Other),
    };
    Response { id: request.id, result }
}
