//! What may go wrong from outside, and how often.

use core::fmt;

/// How often each fault may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Faults {
    /// Somebody calls `stop`.
    pub stops: u8,
    /// A process dies, and starts again with a new incarnation.
    pub crashes: u8,
    /// Somebody from outside deletes the lock, or an object of it.
    pub deletions: u8,
    /// A process does nothing for a while, and its clock goes on.
    pub pauses: u8,
    /// Somebody from outside clears the holder.
    pub edits: u8,
    /// Somebody asks a leader to hand over to the next replica, which may have died.
    pub hand_overs: u8,
    /// A watch shows what is no longer so, or that the lock was deleted when it was not.
    pub late_shows: u8,
}

impl Faults {
    fn each(&mut self) -> [(&'static str, &mut u8); 7] {
        [
            ("stop", &mut self.stops),
            ("crash", &mut self.crashes),
            ("delete", &mut self.deletions),
            ("pause", &mut self.pauses),
            ("edit", &mut self.edits),
            ("hand-over", &mut self.hand_overs),
            ("late-show", &mut self.late_shows),
        ]
    }

    /// How often each may still happen.
    pub(super) fn counts(mut self) -> impl Iterator<Item = u8> {
        self.each().map(|(_, times)| *times).into_iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut faults = *self;
        let some = faults.each().into_iter().filter(|(_, times)| **times > 0);
        let some: Vec<_> = some.map(|(fault, times)| format!("{fault}:{times}")).collect();
        if some.is_empty() { f.write_str("none") } else { f.write_str(&some.join(",")) }
    }
}

impl Faults {
    /// Of their text.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let remedy = "write faults and how often, from 0 to 9, as crash:1,delete:2; there are stop, \
                      crash, delete, pause, edit, hand-over and late-show";
        let mut faults = Self::default();
        for part in text.split(',').filter(|part| *part != "none") {
            let (fault, times) = part.split_once(':').unwrap_or((part, "1"));
            let times = times.parse().ok().filter(|times| *times < 10).ok_or(remedy)?;
            let mut each = faults.each().into_iter();
            let (_, known) = each.find(|(name, _)| *name == fault).ok_or(remedy)?;
            *known = times;
        }
        Ok(faults)
    }
}
