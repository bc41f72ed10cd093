//! A driver of an [`Elector`] on tokio, for any store.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};

use tenure::election::{Elector, Event, Failure, Request, Response, Stored};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::clock;

/// What a driver is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The work that [`drive`] started has ended, all of it.
    Ended,
    /// The process is asked to end: give the lock up in good order.
    Stop,
}

/// Runs the elector until it has ended, which it does after [`Input::Stop`] only.
///
/// `call` sends one request and waits for its answer; it is dropped at the request's deadline, when the
/// store may still apply it. `start` starts the work, which asks [`Elector::is_leading`] before each act,
/// and so ends by itself; then it sends [`Input::Ended`]. Work that waits for something else than its next
/// act, such as an answer, must be told as well: on [`Event::StoppedLeading`].
pub async fn drive<C>(
    elector: &Mutex<Elector>,
    call: impl Fn(Request) -> C,
    start: impl Fn(),
    mut inputs: UnboundedReceiver<Input>,
) where
    C: Future<Output = Result<Stored, Failure>>,
{
    // At most one is on its way. A new request means that the last one is given up: it is dropped.
    let mut calling: Option<Pin<Box<dyn Future<Output = Response> + '_>>> = None;
    loop {
        let until = {
            let mut elector = lock(elector);
            while let Some(event) = elector.poll_event() {
                eprintln!("election: {event:?}");
                if let Event::StartedLeading { .. } = event {
                    start();
                }
            }
            if elector.is_finished() {
                return;
            }
            if let Some(request) = elector.poll_request() {
                calling = Some(Box::pin(answer(&call, request)));
            }
            elector.poll_timeout()
        };
        let response = async {
            match &mut calling {
                Some(calling) => calling.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            response = response => {
                calling = None;
                lock(elector).handle_response(clock::now(), response);
            }
            Some(input) = inputs.recv() => match input {
                Input::Ended => lock(elector).work_stopped(clock::now()),
                Input::Stop => lock(elector).stop(clock::now()),
            },
            () = clock::sleep_until(until) => lock(elector).handle_timeout(clock::now()),
        }
    }
}

async fn answer<C>(call: &impl Fn(Request) -> C, request: Request) -> Response
where
    C: Future<Output = Result<Stored, Failure>>,
{
    let (id, deadline) = (request.id, request.deadline);
    let result = tokio::select! {
        result = call(request) => result,
        // What became of it is not known. It is no conflict: that would say that it was not applied.
        () = clock::sleep_until(deadline) => Err(Failure::Other),
    };
    Response { id, result }
}

/// The machine. Nobody panics with it in hand, and nobody waits.
///
/// # Panics
/// Somebody has.
pub fn lock<T>(machine: &Mutex<T>) -> MutexGuard<'_, T> {
    machine.lock().expect("a thread has panicked with the machine in hand: this process must end")
}
