//! What the store does, and what watches will show of it.

use tenure::election::Failure;

use super::doors::{ANY, Ask, Rec, Reply, Shown};
use super::laws::Law;
use super::world::{APART, Stage, Watch, World};

/// The most that a watch keeps to show.
const SHOWS: usize = 3;

impl Stage {
    /// The store does what it is asked.
    pub(super) fn execute(&mut self, world: &mut World, ask: Ask) -> Result<Reply, Law> {
        let next = world.version + APART;
        Ok(match ask {
            Ask::List => {
                Reply::Listed(world.store.iter().flatten().copied().collect(), world.version)
            }
            Ask::Create(rec) | Ask::Update(rec, _) => {
                let stored = &mut world.store[usize::from(self.table.whose(rec))];
                match (ask, &stored) {
                    (Ask::Create(_), Some(_)) => return Ok(Reply::Failed(Failure::AlreadyExists)),
                    (Ask::Update(..), None) => return Ok(Reply::Failed(Failure::NotFound)),
                    (Ask::Update(_, over), Some(old)) if over != ANY && over != old.version => {
                        return Ok(Reply::Failed(Failure::Conflict));
                    }
                    _ => {}
                }
                let rec = Rec { version: next, ..rec };
                *stored = Some(rec);
                world.version = next;
                tell(world, &Shown::Stored(rec));
                Reply::Written(next)
            }
            Ask::Delete(whose, over) => {
                let stored = &mut world.store[usize::from(whose)];
                match stored {
                    None => return Ok(Reply::Failed(Failure::NotFound)),
                    Some(old) if old.version != over => {
                        return Ok(Reply::Failed(Failure::Conflict));
                    }
                    Some(_) => *stored = None,
                }
                world.version = next;
                tell(world, &Shown::Deleted(whose, next));
                Reply::Deleted
            }
        })
    }
}

/// What watches will show.
fn tell(world: &mut World, shown: &Shown) {
    for player in &mut world.members {
        if let Watch::Listed(shows) | Watch::Running(shows) = &mut player.watch {
            if shows.last() == Some(&Shown::Broken) {
                continue;
            }
            shows.push(shown.clone());
            if shows.len() > SHOWS {
                *shows = vec![Shown::Broken];
            }
        }
    }
}
