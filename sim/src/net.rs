//! The network: sites (replicas, API servers, the guarded resource) and the links between them, one
//! for each direction.
//!
//! Faults are kept by their number on each link that they hit, so that overlapping ones heal
//! independently: a link passes messages when no fault blocks it any more.

use petgraph::stable_graph::{EdgeIndex, NodeIndex, StableDiGraph};

use crate::distribution::Distribution;
use crate::fault::{Direction, Links, Site, Target};
use crate::rng::{Draw, Purpose, Stream, happens, mix};
use crate::scenario::Scenario;
use crate::time::Span;

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// A replica, by its index.
    Replica(u32),
    /// An API server, by its index.
    Api(u32),
    /// The guarded resource.
    Resource,
}

/// A place and the zone that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// What it is.
    pub(crate) place: Place,
    /// Where it is.
    pub(crate) zone: String,
}

/// A link, by number.
pub(crate) type LinkId = EdgeIndex<u32>;

/// One direction between two sites.
#[derive(Debug, Clone)]
struct Link {
    latency: Distribution,
    loss_ppm: u32,
    duplicate_ppm: u32,
    stream: Stream,
    /// The faults that are on it, in the order of their beginnings.
    troubles: Vec<(u32, Trouble)>,
}

impl Link {
    /// What becomes of a message by the faults on its link. Those that change it are passed to
    /// `blame`: of a message that does not arrive, those that see to it.
    fn troubled(&self, fate: Fate, bits: u64, mut blame: impl FnMut(u32)) -> Fate {
        let Fate { takes, mut again, luck, .. } = fate;
        let Some(mut takes) = takes else { return fate };
        let mut lost = false;
        for (fault, trouble) in &self.troubles {
            let loses = match trouble {
                Trouble::Blocked => true,
                Trouble::Lossy(ppm) => happens(mix(luck, Draw::LostByFault), *ppm),
                _ => false,
            };
            if loses {
                lost = true;
                blame(*fault);
            }
        }
        if lost {
            return Fate { takes: None, again: None, ..fate };
        }
        let mut way = Way::Free;
        for (fault, trouble) in &self.troubles {
            match trouble {
                Trouble::Held if way == Way::Free => way = Way::Held,
                Trouble::Held => {}
                Trouble::Reset => way = Way::Reset,
                _ => continue,
            }
            blame(*fault);
        }
        if way == Way::Reset {
            return Fate { again: None, way, ..fate };
        }
        for (fault, trouble) in &self.troubles {
            if let Trouble::Doubling(ppm) = trouble
                && happens(mix(luck, Draw::DoubledByFault), *ppm)
            {
                again.get_or_insert_with(|| self.latency.draw(mix(bits, Draw::Double)));
                blame(*fault);
            }
        }
        for (fault, trouble) in &self.troubles {
            let (more, of_double) = match trouble {
                Trouble::Slow(by) => {
                    (by.draw(mix(bits, Draw::Delay)), by.draw(mix(bits, Draw::DoubleDelay)))
                }
                Trouble::Reordering(ppm, by) if happens(mix(luck, Draw::Overtaken), *ppm) => {
                    (by.draw(mix(bits, Draw::Behind)), Span::ZERO)
                }
                _ => continue,
            };
            if !more.is_zero() {
                takes = takes + more;
                blame(*fault);
            }
            again = again.map(|again| again + of_double);
        }
        Fate { takes: Some(takes), again, luck, way }
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fate {
    /// How long it takes; `None` if it is lost.
    pub(crate) takes: Option<Span>,
    /// How long its double takes, if there is one.
    pub(crate) again: Option<Span>,
    /// More random bits, for what may happen to it where it arrives.
    pub(crate) luck: u64,
    /// Whether it can go now.
    pub(crate) way: Way,
}

/// Whether a message can go its way now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Way {
    /// It can.
    #[default]
    Free,
    /// It waits until [`Net::is_held`] says no for its link.
    Held,
    /// The connection is reset: it does not arrive, and an error does instead.
    Reset,
}

/// What a network fault does to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Blocked,
    Slow(Distribution),
    Lossy(u32),
    Doubling(u32),
    Held,
    Reset,
    Reordering(u32, Distribution),
}

/// The network of one world.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    graph: StableDiGraph<Spot, Link, u32>,
    replicas: Vec<NodeIndex<u32>>,
    apis: Vec<NodeIndex<u32>>,
    /// By replica, then API server.
    requests: Vec<LinkId>,
    responses: Vec<LinkId>,
    writes: Vec<LinkId>,
    written: Vec<LinkId>,
}

impl Net {
    /// The network of a scenario.
    #[must_use]
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let network = &scenario.network;
        let mut graph = StableDiGraph::default();
        let mut spot = |place, zone: &str| graph.add_node(Spot { place, zone: zone.to_owned() });
        let replicas: Vec<_> = (0..)
            .zip(&scenario.replicas)
            .map(|(index, replica)| spot(Place::Replica(index), &replica.zone))
            .collect();
        let apis: Vec<_> = (0..)
            .zip(&network.apis)
            .map(|(index, api)| spot(Place::Api(index), &api.zone))
            .collect();
        let resource = spot(Place::Resource, &network.resource_zone);
        let mut net = Self {
            graph,
            replicas,
            apis,
            requests: Vec::new(),
            responses: Vec::new(),
            writes: Vec::new(),
            written: Vec::new(),
        };
        let mut made = 0;
        let mut link = |graph: &mut StableDiGraph<Spot, Link, u32>, from, to, latency| {
            let stream = Stream::new(seed, Purpose::Link, made);
            made += 1;
            let link = Link {
                latency,
                loss_ppm: network.loss_ppm,
                duplicate_ppm: network.duplicate_ppm,
                stream,
                troubles: Vec::new(),
            };
            graph.add_edge(from, to, link)
        };
        for &replica in &net.replicas {
            for &api in &net.apis {
                net.requests.push(link(&mut net.graph, replica, api, network.request));
                net.responses.push(link(&mut net.graph, api, replica, network.response));
            }
            net.writes.push(link(&mut net.graph, replica, resource, network.request));
            net.written.push(link(&mut net.graph, resource, replica, network.response));
        }
        net
    }

    /// The link of a replica's requests to an API server.
    #[must_use]
    pub(crate) fn request(&self, replica: u32, api: u32) -> Option<LinkId> {
        self.requests.get(replica as usize * self.apis.len() + api as usize).copied()
    }

    /// The link of the answers.
    #[must_use]
    pub(crate) fn response(&self, replica: u32, api: u32) -> Option<LinkId> {
        self.responses.get(replica as usize * self.apis.len() + api as usize).copied()
    }

    /// The link of a replica's writes to the guarded resource.
    #[must_use]
    pub(crate) fn write(&self, replica: u32) -> Option<LinkId> {
        self.writes.get(replica as usize).copied()
    }

    /// The link of the answers.
    #[must_use]
    pub(crate) fn written(&self, replica: u32) -> Option<LinkId> {
        self.written.get(replica as usize).copied()
    }

    /// What becomes of the next message on a link. Faults that change it are passed to `blame`.
    pub(crate) fn send(&mut self, link: LinkId, blame: impl FnMut(u32)) -> Fate {
        let Some(link) = self.graph.edge_weight_mut(link) else { return Fate::default() };
        let (bits, luck) = (link.stream.bits(), link.stream.bits());
        let takes = link.latency.draw(bits);
        let lost = link.loss_ppm > 0 && happens(mix(luck, Draw::Lost), link.loss_ppm);
        let doubled =
            link.duplicate_ppm > 0 && happens(mix(luck, Draw::Doubled), link.duplicate_ppm);
        let again = doubled.then(|| link.latency.draw(mix(bits, Draw::Double)));
        let takes = Some(takes).filter(|_| !lost);
        let fate = Fate { takes, again, luck, way: Way::Free };
        let fate = if link.troubles.is_empty() { fate } else { link.troubled(fate, bits, blame) };
        Fate { again: fate.again.filter(|_| fate.takes.is_some()), ..fate }
    }

    /// The links that a fault names, once roles are resolved: those between `links.sites` and
    /// `links.from`.
    pub(crate) fn links(&self, links: &Links, resolve: impl Fn(Target) -> Vec<u32>) -> Vec<LinkId> {
        let inside = self.members(&links.sites, &resolve);
        let outside = if links.from.is_empty() {
            inside.iter().map(|inside| !inside).collect()
        } else {
            self.members(&links.from, &resolve)
        };
        let is = |members: &[bool], node: NodeIndex<u32>| {
            members.get(node.index()).copied().unwrap_or_default()
        };
        let hit = |from, to| {
            let leaves = is(&inside, from) && is(&outside, to);
            let comes = is(&inside, to) && is(&outside, from);
            match links.direction {
                Direction::Both => leaves || comes,
                Direction::Outgoing => leaves,
                Direction::Incoming => comes,
            }
        };
        let edges = self.graph.edge_indices();
        let ends = |edge: &LinkId| self.graph.edge_endpoints(*edge);
        edges.filter(|edge| ends(edge).is_some_and(|(from, to)| hit(from, to))).collect()
    }

    /// Which sites, by node, are among those named.
    fn members(&self, sites: &[Site], resolve: &impl Fn(Target) -> Vec<u32>) -> Vec<bool> {
        let mut members = vec![false; self.graph.node_count()];
        for site in sites {
            let replicas = match site {
                Site::Of(target) => resolve(*target),
                _ => Vec::new(),
            };
            for node in self.graph.node_indices() {
                let Some(spot) = self.graph.node_weight(node) else { continue };
                let named = match (site, spot.place) {
                    (Site::Of(_), Place::Replica(index)) => replicas.contains(&index),
                    (Site::Api(None), Place::Api(_)) | (Site::Resource, Place::Resource) => true,
                    (Site::Api(Some(api)), Place::Api(index)) => *api == index,
                    (Site::Zone(zone), _) => *zone == spot.zone,
                    _ => false,
                };
                if named && let Some(member) = members.get_mut(node.index()) {
                    *member = true;
                }
            }
        }
        members
    }

    /// A fault begins to trouble these links.
    pub(crate) fn trouble(&mut self, links: &[LinkId], fault: u32, trouble: Trouble) {
        for link in links {
            let Some(link) = self.graph.edge_weight_mut(*link) else { continue };
            link.troubles.push((fault, trouble));
        }
    }

    /// A fault troubles these links no more.
    pub(crate) fn heal(&mut self, links: &[LinkId], fault: u32) {
        for link in links {
            let Some(link) = self.graph.edge_weight_mut(*link) else { continue };
            link.troubles.retain(|(other, _)| *other != fault);
        }
    }

    /// Whether messages on a link are held up now.
    #[must_use]
    pub(crate) fn is_held(&self, link: LinkId) -> bool {
        self.has(link, |trouble| matches!(trouble, Trouble::Held))
    }

    /// The fault that blocks a link now, if one does.
    pub(crate) fn blocker(&self, link: LinkId) -> Option<u32> {
        let troubles = &self.graph.edge_weight(link)?.troubles;
        let blocked = |(_, trouble): &&(u32, Trouble)| *trouble == Trouble::Blocked;
        troubles.iter().find(blocked).map(|(fault, _)| *fault)
    }

    fn has(&self, link: LinkId, which: impl Fn(&Trouble) -> bool) -> bool {
        let link = self.graph.edge_weight(link);
        link.is_some_and(|link| link.troubles.iter().any(|(_, trouble)| which(trouble)))
    }

    /// The links, both ways, between replicas and API servers that do not reach each other in a bridge.
    pub(crate) fn bridge(&self) -> Vec<LinkId> {
        let (replicas, apis) = (self.replicas.len(), self.apis.len());
        self.between(|replica, api| {
            let first = replica * 2 < replicas;
            if first { api * 2 < apis } else { (api + 1) * 2 > apis }
        })
    }

    /// The same in a ring of majorities.
    pub(crate) fn majorities_ring(&self) -> Vec<LinkId> {
        let apis = self.apis.len().max(1);
        self.between(|replica, api| (api + apis - replica % apis) % apis <= apis / 2)
    }

    /// The links, both ways, between replicas and API servers of which `reach` says no.
    fn between(&self, reach: impl Fn(usize, usize) -> bool) -> Vec<LinkId> {
        let apis = self.apis.len().max(1);
        let pairs = self.requests.iter().zip(&self.responses).enumerate();
        let cut = pairs.filter(|(number, _)| !reach(number / apis, number % apis));
        cut.flat_map(|(_, (request, response))| [*request, *response]).collect()
    }

    /// From now on no message gets lost or doubled by chance.
    pub(crate) fn calm(&mut self) {
        for link in self.graph.edge_weights_mut() {
            (link.loss_ppm, link.duplicate_ppm) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net() -> Net {
        let mut scenario = Scenario::default();
        scenario.replicas[2].zone = "b".into();
        Net::new(&scenario, 1)
    }

    fn one(target: Target) -> Vec<u32> {
        match target {
            Target::Replica(index) => vec![index],
            _ => vec![0, 1, 2],
        }
    }

    fn passes(net: &mut Net, replica: u32) -> (bool, bool) {
        let (up, down) = (net.request(replica, 0).unwrap(), net.response(replica, 0).unwrap());
        let up = net.send(up, |_| {}).takes.is_some();
        (up, net.send(down, |_| {}).takes.is_some())
    }

    #[test]
    fn overlapping_partitions_heal_independently() {
        let mut net = net();
        let both = net.links(&Links::of(Site::Of(Target::Replica(0))), one);
        let zone = Links::of(Site::Api(None)).direction(Direction::Outgoing);
        let answers = net.links(&zone, one);
        assert_eq!((both.len(), answers.len()), (4, 3));
        net.trouble(&both, 0, Trouble::Blocked);
        net.trouble(&answers, 1, Trouble::Blocked);
        assert_eq!((passes(&mut net, 0), passes(&mut net, 1)), ((false, false), (true, false)));
        net.heal(&both, 0);
        assert_eq!((passes(&mut net, 0), passes(&mut net, 1)), ((true, false), (true, false)));
        net.heal(&answers, 1);
        assert_eq!((passes(&mut net, 0), passes(&mut net, 1)), ((true, true), (true, true)));
    }

    #[test]
    fn sites_are_found_by_zone_and_by_name() {
        let net = net();
        assert_eq!(net.links(&Links::of(Site::Zone("b".into())), one).len(), 4);
        assert_eq!(net.links(&Links::of(Site::Resource), one).len(), 6);
        let between = Links {
            sites: vec![Site::Of(Target::Replica(1))],
            from: vec![Site::Api(Some(0))],
            direction: Direction::Incoming,
        };
        assert_eq!(net.links(&between, one), [net.response(1, 0).unwrap()]);
    }

    #[test]
    fn a_fault_does_not_reshuffle_the_fates_of_later_messages() {
        let (mut calm, mut rough) = (net(), net());
        let link = calm.request(0, 0).unwrap();
        rough.trouble(&[link], 0, Trouble::Lossy(500_000));
        rough.trouble(&[link], 1, Trouble::Slow(Distribution::Constant(Span::from_secs(1))));
        let mut blamed = [0; 2];
        for _ in 0..100 {
            let plain = calm.send(link, |_| {});
            let fate = rough.send(link, |fault| blamed[fault as usize] += 1);
            assert_eq!(fate.luck, plain.luck);
            assert!(
                fate.takes.is_none_or(|takes| takes == plain.takes.unwrap() + Span::from_secs(1))
            );
        }
        assert!((35..65).contains(&blamed[0]), "{blamed:?}");
        assert_eq!(blamed[0] + blamed[1], 100);
        rough.heal(&[link], 0);
        rough.heal(&[link], 1);
        assert_eq!(rough.send(link, |_| {}), calm.send(link, |_| {}));
    }
    #[test]
    fn a_double_is_delayed_too_and_a_lost_message_has_none() {
        let mut net = net();
        let link = net.request(0, 0).unwrap();
        let hour = Span::from_secs(3_600);
        net.trouble(&[link], 0, Trouble::Doubling(1_000_000));
        net.trouble(&[link], 1, Trouble::Slow(Distribution::Constant(hour)));
        let fate = net.send(link, |_| {});
        assert!(fate.takes.unwrap() > hour && fate.again.unwrap() > hour);
        net.trouble(&[link], 2, Trouble::Blocked);
        let mut blamed = Vec::new();
        let fate = net.send(link, |fault| blamed.push(fault));
        assert_eq!((fate.takes, fate.again), (None, None));
        assert_eq!(blamed, [2], "the others changed nothing");
    }
}
