//! What may come next in a world.

use core::fmt;

use super::rules::{name, replica};

/// One thing that happens; the number is a replica's, or of [`Late`](Self::Late) a place in the list
/// of writes that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    /// An elector does what is due, or makes an attempt before it is.
    Wake(u8),
    /// The store executes the request.
    Apply(u8),
    /// The answer arrives.
    Answer(u8),
    /// A request that was given up is executed after all.
    Late(u8),
    Stop(u8),
    WorkStopped(u8),
    Crash(u8),
    Pause(u8),
    Resume(u8),
    /// A leader is asked to hand over to the next replica.
    HandOver(u8),
    /// A watch shows a replica the first object as it is, or the second.
    Show(u8),
    ShowSecond(u8),
    /// As it was before the last write.
    ShowOld(u8),
    ShowOldSecond(u8),
    /// That an object was deleted, whether one was or not.
    ShowDeleted(u8),
    Delete,
    DeleteSecond,
    Edit,
}

type Make = fn(u8) -> Step;

/// Those with a number; the word is what scripts say.
const NUMBERED: [(&str, Make); 15] = [
    ("wake", Step::Wake),
    ("apply", Step::Apply),
    ("answer", Step::Answer),
    ("late", Step::Late),
    ("stop", Step::Stop),
    ("work-stopped", Step::WorkStopped),
    ("crash", Step::Crash),
    ("pause", Step::Pause),
    ("resume", Step::Resume),
    ("hand-over", Step::HandOver),
    ("show", Step::Show),
    ("show-second", Step::ShowSecond),
    ("show-old", Step::ShowOld),
    ("show-old-second", Step::ShowOldSecond),
    ("show-deleted", Step::ShowDeleted),
];
const PLAIN: [(&str, Step); 4] = [
    ("tick", Step::Tick),
    ("delete", Step::Delete),
    ("delete-second", Step::DeleteSecond),
    ("edit", Step::Edit),
];

impl Step {
    /// Of its text in a script.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (word, who) = (words.next()?, words.next());
        let step = match who {
            None => PLAIN.iter().find(|(known, _)| *known == word).map(|(_, step)| *step),
            Some(who) => {
                let (_, make) = NUMBERED.iter().find(|(known, _)| *known == word)?;
                let number = if word == "late" { who.parse().ok() } else { replica(who) };
                number.filter(|number| *number < 3).map(make)
            }
        };
        step.filter(|_| words.next().is_none())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((word, _)) = PLAIN.iter().find(|(_, step)| step == self) {
            return f.write_str(word);
        }
        let found = (0u8..3).find_map(|number| {
            let mut all = NUMBERED.iter();
            all.find(|(_, make)| make(number) == *self).map(|(word, _)| (*word, number))
        });
        match found {
            Some(("late", number)) => write!(f, "late {number}"),
            Some((word, number)) => write!(f, "{word} {}", name(number)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_back_from_text() {
        for (_, make) in NUMBERED {
            for step in (0..3).map(make).chain(PLAIN.map(|(_, step)| step)) {
                assert_eq!(Step::parse(&step.to_string()), Some(step));
            }
        }
        for text in ["", "tick a", "wake", "wake d", "late 3", "wake a b", "sleep a"] {
            assert_eq!(Step::parse(text), None, "{text}");
        }
    }
}
