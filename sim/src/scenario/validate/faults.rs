//! Whether planned faults make sense: that they name what there is, come before the end, and can apply.

use std::collections::{BTreeMap, BTreeSet};

use tenure::lock::Kind;

use super::{ScenarioError, valid_distribution, valid_ppm, valid_rate, wrong};
use crate::fault::{Code, Edit, Fault, Planned, Site, Target, Trigger};
use crate::nearest::nearest;
use crate::scenario::{Lock, Scenario};
use crate::time::Span;
use crate::wire::kind_name;

/// A wall clock that jumps more often would be all that happens.
const LEAST_STROBE: Span = Span::from_millis(1);

impl Scenario {
    pub(super) fn validate_fault(
        &self,
        number: usize,
        planned: &Planned,
    ) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{number}].{name}");
        self.valid_time(number, planned)?;
        if let Some(span) = planned.lasts.filter(|_| !planned.fault.can_last()) {
            let remedy = format!("leave it out: a {} does not last", planned.fault.kind());
            return Err(wrong(field("for"), span, remedy));
        }
        let about_object = matches!(planned.fault, Fault::Edit(_) | Fault::Delete {});
        if let Some(object) = planned.object.filter(|_| !about_object) {
            let object = kind_name(object);
            let remedy = "leave it out: only edit and delete are about an object";
            return Err(wrong(field("object"), object, remedy));
        }
        self.validate_hand_over(field("fault.to"), &planned.fault)?;
        let triggered = planned.on.is_some();
        if let Some(target) = planned.fault.target() {
            self.valid_target(field("fault.target"), target, triggered)?;
        }
        if let Some(links) = planned.fault.links() {
            for site in links.sites.iter().chain(&links.from) {
                self.valid_site(field("fault.sites"), site, triggered)?;
            }
            if links.sites.is_empty() {
                return Err(wrong(field("fault.sites"), "empty", "name at least one site"));
            }
            if !links.from.is_empty() && !self.are_linked(&links.sites, &links.from) {
                let from: Vec<_> = links.from.iter().map(ToString::to_string).collect();
                let remedy = "no messages go between these and `sites`: a replica talks to API servers \
                              and the resource only: leave `from` out, or name api or resource there";
                return Err(wrong(field("fault.from"), from.join(", "), remedy));
            }
        }
        self.valid_amounts(number, &planned.fault)?;
        self.applies(number, planned)
    }

    /// It begins before the end, by a time or upon something that may happen.
    fn valid_time(&self, number: usize, planned: &Planned) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{number}].{name}");
        match (&planned.at, &planned.on) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                let remedy = "say when by `at`, or upon what by `on`";
                return Err(wrong(field("at"), "absent", remedy));
            }
            (Some(at), Some(_)) => {
                return Err(wrong(field("at"), at, "give either `at` or `on`, not both"));
            }
        }
        if let (Some(at), Some(heal_at)) = (planned.at, self.heal_at)
            && at >= heal_at
        {
            let remedy = format!("let faults begin before heal_at, {heal_at}");
            return Err(wrong(field("at"), at, remedy));
        }
        if let Some(at) = planned.at.filter(|at| *at >= self.horizon) {
            let remedy = format!("let faults begin before the run ends, {}", self.horizon);
            return Err(wrong(field("at"), at, remedy));
        }
        if planned.at.is_some() && !planned.after.is_zero() {
            let remedy = "leave it out: it goes with `on`; say all of it by `at`";
            return Err(wrong(field("after"), planned.after, remedy));
        }
        if let Some(Trigger { since, .. }) = &planned.on
            && *since >= self.heal_at.unwrap_or(self.horizon)
        {
            let end = if self.heal_at.is_some() { "heal_at" } else { "the run ends" };
            let (at, remedy) = (self.heal_at.unwrap_or(self.horizon), "wait from before");
            return Err(wrong(field("on.since"), since, format!("{remedy} {end}, {at}")));
        }
        if planned.after >= self.horizon && !planned.after.is_zero() {
            let remedy = format!("let it begin before the run ends, {}", self.horizon);
            return Err(wrong(field("after"), planned.after, remedy));
        }
        if let Some(trigger) = &planned.on {
            if trigger.nth == 0 {
                return Err(wrong(field("on.nth"), 0, "count from 1"));
            }
            if trigger.by == Target::Actor {
                let remedy = "name a replica, leader, follower or everyone";
                return Err(wrong(field("on.by"), "actor", remedy));
            }
            self.valid_target(field("on.by"), trigger.by, true)?;
        }
        Ok(())
    }

    fn valid_amounts(&self, number: usize, fault: &Fault) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{number}].fault.{name}");
        match fault {
            Fault::Delay { by, .. } | Fault::Slow { by, .. } => {
                valid_distribution(&field("by"), by)
            }
            Fault::Reorder { by, ppm, .. } => {
                valid_ppm(&field("ppm"), *ppm)?;
                valid_distribution(&field("by"), by)
            }
            Fault::Strobe { every, .. } if *every < LEAST_STROBE => {
                let remedy = format!("let it stay for at least {LEAST_STROBE} each time");
                Err(wrong(field("every"), every, remedy))
            }
            Fault::Loss { ppm, .. } | Fault::Duplicate { ppm, .. } => {
                valid_ppm(&field("ppm"), *ppm)
            }
            Fault::Drift { rate_ppb, .. } => valid_rate(field("rate_ppb"), *rate_ppb),
            Fault::StoreSlow { before, after } => {
                valid_distribution(&field("before"), before)?;
                valid_distribution(&field("after"), after)
            }
            Fault::StoreErrors { before_ppm, after_ppm, code } => {
                valid_ppm(&field("before_ppm"), *before_ppm)?;
                valid_ppm(&field("after_ppm"), *after_ppm)?;
                if *code == Code::TooManyRequests && *after_ppm > 0 {
                    let remedy = "leave it out: a call that is refused as one too many (429) never \
                                  took effect; 409, 500 and 504 can come after it did";
                    return Err(wrong(field("after_ppm"), after_ppm, remedy));
                }
                Ok(())
            }
            Fault::StoreOutage { api: Some(api), .. }
            | Fault::StaleReads { api: Some(api), .. }
                if !self.has_api(*api) =>
            {
                Err(wrong(field("api"), api, self.an_api()))
            }
            _ => Ok(()),
        }
    }

    /// A fault that cannot do anything in this scenario is a mistake.
    fn applies(&self, number: usize, planned: &Planned) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{number}].{name}");
        let (apis, kind) = (self.network.apis.len(), planned.fault.kind());
        let needs = match &planned.fault {
            Fault::Bridge {} => 2,
            Fault::MajoritiesRing {} => 3,
            _ => 0,
        };
        if apis < needs {
            let remedy = format!("let network.apis have at least {needs}: there are only {apis}");
            return Err(wrong(field("fault"), kind, remedy));
        }
        if let Fault::Smear { by, .. } = &planned.fault {
            let Some(lasts) = planned.lasts.filter(|lasts| !lasts.is_zero()) else {
                let remedy = "say over how long the clocks are slewed, as \"1h\"";
                return Err(wrong(field("for"), "absent", remedy));
            };
            if by.as_nanos().unsigned_abs() > lasts.as_nanos() / 2 {
                let remedy = format!(
                    "let clocks gain or lose at most half of `for`, {lasts}; `drift` is for more"
                );
                return Err(wrong(field("fault.by"), by, remedy));
            }
        }
        let object = planned.object.unwrap_or_else(|| self.lock.primary());
        let meddles = matches!(planned.fault, Fault::Edit(_) | Fault::Delete {});
        if meddles && planned.object.is_some() {
            let used: Vec<_> = self.objects().map(kind_name).collect();
            let name = kind_name(object);
            if !used.contains(&name) {
                let remedy = format!("no lock is ever carried by one: use {}", used.join(" or "));
                return Err(wrong(field("object"), name, remedy));
            }
        }
        if planned.fault == Fault::Edit(Edit::Garble {}) && object == Kind::Lease {
            let remedy = "a Lease has no text that could be garbled: use `set-holder`, or give the \
                          scenario another `lock`, as \"config-map\"";
            return Err(wrong(field("fault.edit"), "garble", remedy));
        }
        Ok(())
    }

    /// The kinds of all objects that ever carry the lock.
    fn objects(&self) -> impl Iterator<Item = Kind> {
        let locks = self.all_settings().into_iter().map(|(_, it)| it.lock.unwrap_or(self.lock));
        let used: Vec<_> = locks.chain([self.lock]).flat_map(Lock::objects).collect();
        [Kind::Lease, Kind::ConfigMap, Kind::Endpoints]
            .into_iter()
            .filter(move |it| used.contains(it))
    }

    /// Of what several hands do to an object at one and the same time nobody can say what comes of it.
    pub(super) fn validate_meddling(&self) -> Result<(), ScenarioError> {
        let mut seen = BTreeMap::new();
        for (number, planned) in self.faults.iter().enumerate() {
            let meddles = matches!(planned.fault, Fault::Edit(_) | Fault::Delete {});
            let Some(at) = planned.at.filter(|_| meddles) else { continue };
            let object = planned.object.unwrap_or_else(|| self.lock.primary());
            if let Some(other) = seen.insert((at, kind_name(object)), number) {
                let of = kind_name(object);
                let remedy = format!(
                    "faults[{other}] meddles with the {of} at that very time: leave one of them out, or \
                     let one be a while after the other"
                );
                return Err(wrong(format!("faults[{number}].at"), at, remedy));
            }
        }
        Ok(())
    }

    /// What to name instead of an API server that there is not.
    fn an_api(&self) -> String {
        match self.network.apis.len() {
            0 | 1 => "there is only 0".to_owned(),
            count => format!("name an API server from 0 to {}", count - 1),
        }
    }

    fn valid_target(
        &self,
        field: String,
        target: Target,
        triggered: bool,
    ) -> Result<(), ScenarioError> {
        match target {
            Target::Replica(index) if index as usize >= self.replicas.len() => {
                let last = self.replicas.len().saturating_sub(1);
                Err(wrong(field, index, format!("name a replica from 0 to {last}")))
            }
            Target::Actor if !triggered => {
                let remedy = "only a fault with `on` has an actor; name a replica or a role";
                Err(wrong(field, "actor", remedy))
            }
            _ => Ok(()),
        }
    }

    /// Whether messages go between any of these and any of those.
    fn are_linked(&self, sites: &[Site], from: &[Site]) -> bool {
        let network = &self.network;
        let replicas = |site: &Site| match site {
            Site::Of(_) => true,
            Site::Zone(zone) => self.replicas.iter().any(|it| it.zone == *zone),
            Site::Api(_) | Site::Resource => false,
        };
        let servers = |site: &Site| match site {
            Site::Of(_) => false,
            Site::Zone(zone) => {
                network.apis.iter().any(|it| it.zone == *zone) || network.resource_zone == *zone
            }
            Site::Api(_) | Site::Resource => true,
        };
        let ways =
            |one: &[Site], other: &[Site]| one.iter().any(replicas) && other.iter().any(servers);
        ways(sites, from) || ways(from, sites)
    }

    fn valid_site(&self, field: String, site: &Site, triggered: bool) -> Result<(), ScenarioError> {
        match site {
            Site::Of(target) => self.valid_target(field, *target, triggered),
            Site::Api(Some(api)) if !self.has_api(*api) => Err(wrong(field, site, self.an_api())),
            Site::Zone(zone) => {
                let replicas = self.replicas.iter().map(|replica| &replica.zone);
                let apis = self.network.apis.iter().map(|api| &api.zone);
                let zones = replicas.chain(apis).chain([&self.network.resource_zone]);
                let zones = || zones.clone().map(String::as_str).filter(|known| !known.is_empty());
                if zones().any(|known| known == zone) {
                    return Ok(());
                }
                let known: BTreeSet<_> = zones().collect();
                let remedy = match nearest(zone, known.iter().copied()).first() {
                    Some(near) => format!("did you mean zone:{near}?"),
                    None if known.is_empty() => "no site is in a zone: give some `zone`".to_owned(),
                    None => {
                        let known = known.into_iter().collect::<Vec<_>>().join(", ");
                        format!("name a zone that some site is in: {known}")
                    }
                };
                Err(wrong(field, site, remedy))
            }
            Site::Api(_) | Site::Resource => Ok(()),
        }
    }
}
