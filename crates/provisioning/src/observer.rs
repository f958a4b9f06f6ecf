//! Desired against observed, over and over: every server, its network and its edge, and what nobody owns.
//!
//! A look only reads the cloud. What it sees otherwise than it should is written down and shown; what can be put right
//! without anybody noticing is put right at once by a `repair`, the rest by the next restart or by staff. Servers that
//! something is being done to are left out: what is being moved or made is neither missing nor wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    CustomerId, ServerId,
    drift::{DriftKind, Hardware, Remedy},
    kind::Kind,
};
use futures::{StreamExt, TryStreamExt};
use store::{
    drift::DriftSeen,
    edges::Edge,
    orders::{Accepted, Idempotency, NewJob},
    servers::Server,
    sight::{GroupSeen, MachineSeen},
    system::PlatformAnswer,
};
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    control::Control,
    orphans::{orphan_delete, orphan_find},
    provider::{EdgeRef, EdgeSpeed, Group, GroupRef, Machine, MachineRef, Result},
    workflows::{self, group_name, machine_name, network_of, server_of_network},
};

const EVERY: Duration = Duration::from_secs(60);
/// How soon a wish that somebody looks is seen.
const WISH: Duration = Duration::from_secs(2);
/// Servers looked at side by side.
const AT_ONCE: usize = 8;
const AGAIN_MS: i64 = 10 * 60_000;

/// Looks once a minute, and when somebody asks for it, until it is dropped. Several nodes that look see the same and write the same.
pub async fn observe(control: Arc<Control>) {
    loop {
        match look(&control).await {
            Ok(0) => {}
            Ok(n) => info!("{n} things are otherwise than they should be"),
            Err(e) => warn!("the cloud could not be looked at: {e}"),
        }
        let until = tokio::time::Instant::now() + EVERY;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(WISH).await;
            match control.store.look_wanted_since().await {
                Ok(Some(_)) => break,
                Ok(None) => {}
                Err(e) => warn!("whether a look is wanted is not known: {e}"),
            }
        }
    }
}

/// One look. Returns how much is otherwise than it should be.
pub async fn look(c: &Arc<Control>) -> std::result::Result<usize, String> {
    let text = |e: store::Error| e.to_string();
    let now = c.clock.now_ms();
    let servers = c.store.servers_at_rest().await.map_err(text)?;
    let known = c.store.servers_known().await.map_err(text)?;
    let edges = c.store.edges_of_servers().await.map_err(text)?;
    let Looked { seen, at: looked_at, groups } = match compare(c, &servers, &known, &edges).await {
        Ok(seen) => seen,
        Err(e) => {
            // Every page says so: what it shows may be out of date.
            c.store.platform_silent(now).await.map_err(text)?;
            return Err(e.to_string());
        }
    };
    c.store.platform_answers().await.map_err(text)?;
    let at = c.clock.now_ms();
    c.store.platform_answered(PlatformAnswer { at, took: at - now }).await.map_err(text)?;
    c.store.groups_seen(&groups, c.clock.now_ms()).await.map_err(text)?;
    c.store.drift_write(&seen, &looked_at, now).await.map_err(text)?;
    clear(c, &seen).await.map_err(text)?;
    for server in &servers {
        if let Some(wrong) =
            seen.iter().filter(|d| d.server == Some(server.id)).find(|d| d.kind.remedy() == Remedy::AtOnce)
        {
            repair(c, server, wrong, now).await.map_err(text)?;
        }
    }
    for edge in c.store.edges_held().await.map_err(text)? {
        if let Err(e) = take_away(c, &edge, &servers, now).await {
            warn!("the network on {} stays: {e}", edge.facts.name);
        }
    }
    Ok(seen.len())
}

/// A network that could not be taken away before is taken away once nothing is in the way.
async fn take_away(
    c: &Control,
    edge: &Edge,
    at_rest: &[Server],
    now: i64,
) -> std::result::Result<(), String> {
    let text = |e: store::Error| e.to_string();
    let Some(id) = edge.network_name.as_deref().and_then(server_of_network) else { return Ok(()) };
    let Some(server) = c.store.server(id).await.map_err(text)? else { return Ok(()) };
    let group = c.store.group(server.customer).await.map_err(text)?.and_then(|g| g.group_ref);
    let Some(group) = group.map(GroupRef) else { return Ok(()) };
    let seen = c.provider.group(&group).await.map_err(|e| e.to_string())?;
    if seen.machines.iter().any(|m| m.obstacle.is_some()) {
        return Ok(());
    }
    // The server itself may have ended: the move is about those that are there, and waits until all of them are at rest. The
    // last of them takes it along.
    let open = c.store.jobs_unfinished_count(server.customer).await.map_err(text)?;
    match at_rest.iter().find(|s| s.customer == server.customer && open == 0) {
        Some(one) => ask(c, Kind::Migrate, one, &format!("migrate-{}", edge.id), now).await.map_err(text),
        None => Ok(()),
    }
}

/// What staff have said is to go goes, if this look has seen it still, and nobody's still.
async fn clear(c: &Control, seen: &[DriftSeen]) -> store::Result<()> {
    for drift in c.store.drift(None).await?.iter().filter(|d| d.clearing.is_some()) {
        let DriftSeen { kind, subject, .. } = &drift.seen;
        if !seen.iter().any(|s| s.kind == *kind && s.subject == *subject && s.server.is_none()) {
            continue;
        }
        let done = match orphan_find(&*c.provider, subject).await {
            Ok(Some(orphan)) => orphan_delete(&*c.provider, &orphan).await,
            Ok(None) => Ok(()),
            Err(e) => Err(e),
        };
        match done {
            Ok(()) => info!("{subject}, which nobody owned, was deleted"),
            Err(e) => c.store.drift_clear_failed(*kind, subject, &e.to_string()).await?,
        }
    }
    Ok(())
}

/// What a look has seen.
struct Looked {
    /// Everything that is otherwise than it should be.
    seen: Vec<DriftSeen>,
    /// The servers that were looked at.
    at: Vec<ServerId>,
    /// Each customer's group, as it is.
    groups: Vec<(CustomerId, GroupSeen)>,
}

fn group_seen(name: &str, group: &Group) -> GroupSeen {
    let machine = |m: &Machine| MachineSeen {
        name: m.name.clone(),
        on: m.on,
        network: m.network.clone(),
        obstacle: m.obstacle.map(|o| o.as_str().to_owned()),
    };
    GroupSeen {
        name: name.to_owned(),
        running: group.running,
        machines: group.machines.iter().map(machine).collect(),
        networks: group.networks.iter().map(|n| n.name.clone()).collect(),
    }
}

async fn compare(
    c: &Control,
    servers: &[Server],
    known: &[(ServerId, CustomerId)],
    edges: &BTreeMap<ServerId, Edge>,
) -> Result<Looked> {
    let owners: BTreeMap<String, CustomerId> = known.iter().map(|(_, c)| (group_name(*c), *c)).collect();
    let mut owned = BTreeMap::new();
    let (mut machines, mut groups) = (BTreeMap::<String, Machine>::new(), Vec::new());
    for (name, group) in c.provider.groups_all().await? {
        if let Some(group) = c.provider.group(&group).await.map(Some).or_else(crate::provider::gone)? {
            machines.extend(group.machines.iter().map(|m| (m.name.clone(), m.clone())));
            // Under its own name or, while a move is under way or since one, under that of the next.
            if let Some(owner) = owners.get(name.trim_end_matches("-next")) {
                owned.entry(*owner).or_insert_with(|| group_seen(&name, &group));
            }
            groups.push((name, group.group));
        }
    }
    let networks: BTreeSet<String> = c.provider.networks_all().await?.into_iter().collect();
    state(c, servers, &machines).await;
    // A closure over borrowed servers is not general enough for a spawned task; a list of futures is.
    let mut each = Vec::with_capacity(servers.len());
    for s in servers {
        let machine = machines.get(&machine_name(s.id));
        each.push(of_server(c, s, machine, edges.get(&s.id), networks.contains(&network_of(s))));
    }
    let mut seen = futures::stream::iter(each).buffered(AT_ONCE).try_concat().await?;
    let held = edges.iter().filter(|(_, e)| e.held.is_some()).map(|(id, _)| *id).collect();
    orphans(known, &machines, &networks, &groups, &held, &mut seen);
    Ok(Looked { seen, at: servers.iter().map(|s| s.id).collect(), groups: owned.into_iter().collect() })
}

/// Writes down which of them are on, and that the others are as they were.
async fn state(c: &Control, servers: &[Server], machines: &BTreeMap<String, Machine>) {
    let now = c.clock.now_ms();
    let mut as_they_were = Vec::new();
    for s in servers {
        let Some(seen) = machines.get(&machine_name(s.id)).map(workflows::seen_of) else { continue };
        if seen == s.seen() {
            as_they_were.push(s.id);
        } else if let Err(e) = c.store.server_seen(s, seen, now).await {
            warn!("what was seen of {} was not written: {e}", s.id);
        }
    }
    if let Err(e) = c.store.servers_as_they_were(&as_they_were, now).await {
        warn!("when they were seen was not written: {e}");
    }
}

async fn of_server(
    c: &Control,
    s: &Server,
    machine: Option<&Machine>,
    edge: Option<&Edge>,
    has_network: bool,
) -> Result<Vec<DriftSeen>> {
    let mut seen = Vec::new();
    let mut differs = |kind: DriftKind, desired: String, observed: Option<String>| {
        seen.push(DriftSeen {
            kind,
            subject: s.id.to_string(),
            customer: Some(s.customer),
            server: Some(s.id),
            desired: Some(desired),
            observed,
        });
    };
    if !has_network {
        differs(DriftKind::NetworkMissing, network_of(s), None);
    }
    let Some(m) = machine else {
        differs(DriftKind::MachineMissing, machine_name(s.id), None);
        return Ok(seen);
    };
    let reference = MachineRef(m.machine.0.clone());
    let wanted = Hardware::of(s.size);
    let has = Hardware { vcpu: m.vcpu, ram_mb: m.ram_mb, disk_mb: m.disk_mb };
    if wanted != has {
        differs(DriftKind::Size, wanted.to_string(), Some(has.to_string()));
    }
    let address = s.address.clone().unwrap_or_default();
    if !m.addresses.contains(&address) {
        differs(DriftKind::Address, address.clone(), Some(m.addresses.join(", ")));
    }
    if c.provider.machine_prepared(&reference).await? == Some(true) {
        differs(DriftKind::FirstLogin, "false".into(), Some("true".into()));
    }
    if let Some(edge) = edge {
        let speed = c.provider.edge_speed(&EdgeRef(edge.facts.provider_ref.clone())).await?;
        if speed != EdgeSpeed::Mbit(s.size.bandwidth_mbit) {
            let observed = match speed {
                EdgeSpeed::Mbit(mbit) => mbit.to_string(),
                EdgeSpeed::Unlimited => "unlimited".into(),
                EdgeSpeed::Other => "other".into(),
            };
            differs(DriftKind::Speed, s.size.bandwidth_mbit.to_string(), Some(observed));
        }
    }
    // What no road can see is not known, and not wrong.
    if let Some(guest) = c.provider.guest_seen(&reference).await? {
        // Windows writes its name in capitals.
        if !guest.hostname.eq_ignore_ascii_case(&s.hostname) {
            differs(DriftKind::Hostname, s.hostname.clone(), Some(guest.hostname));
        }
        if !guest.addresses.contains(&address) {
            differs(DriftKind::GuestAddress, address, Some(guest.addresses.join(", ")));
        }
    }
    Ok(seen)
}

/// What bears one of our names and belongs to nobody.
fn orphans(
    known: &[(ServerId, CustomerId)],
    machines: &BTreeMap<String, Machine>,
    networks: &BTreeSet<String>,
    groups: &[(String, GroupRef)],
    held: &BTreeSet<ServerId>,
    seen: &mut Vec<DriftSeen>,
) {
    let servers: BTreeSet<String> = known.iter().map(|(id, _)| id.to_string()).collect();
    let owners: BTreeSet<String> = known.iter().map(|(_, c)| group_name(*c)).collect();
    let mut orphan = |kind, subject: &str| {
        let subject = subject.to_owned();
        seen.push(DriftSeen { kind, subject, customer: None, server: None, desired: None, observed: None });
    };
    for name in machines.keys() {
        if name.strip_prefix("vds-").is_some_and(|id| !servers.contains(id)) {
            orphan(DriftKind::OrphanMachine, name);
        }
    }
    for name in networks {
        // One that could not be taken away is known, and its edge says why.
        let unknown = |id: ServerId| !servers.contains(&id.to_string()) && !held.contains(&id);
        if server_of_network(name).is_some_and(unknown) {
            orphan(DriftKind::OrphanNetwork, name);
        }
    }
    for (name, _) in groups {
        let base = name.trim_end_matches("-next");
        if name.starts_with("cust-") && !owners.contains(base) {
            orphan(DriftKind::OrphanGroup, name);
        }
    }
}

/// Asks for what can be put right unnoticed, once for what was first seen then.
async fn repair(c: &Control, s: &Server, wrong: &DriftSeen, now: i64) -> store::Result<()> {
    ask(c, Kind::Repair, s, &format!("repair-{}-{}", s.id, wrong.kind), now).await
}

/// One try in so long: what could not be mended will not be mended a minute later either.
async fn ask(c: &Control, kind: Kind, s: &Server, what: &str, now: i64) -> store::Result<()> {
    let Some((steps, shape)) = workflows::plan(kind) else { return Ok(()) };
    let job = NewJob {
        id: domain::JobId(Uuid::now_v7()),
        kind,
        server: s.id,
        provider: crate::provider_vcd::NAME,
        needs: None,
        params: serde_json::json!({ "restart": false }),
        shape,
        steps,
        hold_on_failure: domain::kind::Scope::None,
        requested_by: domain::AccountId(s.customer.0),
        request_id: "observer".into(),
    };
    let idempotency =
        Idempotency { key: format!("{what}-{}", now / AGAIN_MS), body_hash: kind.as_str().to_owned() };
    // One that is under way already will have been seen: the server would not be at rest.
    if let Accepted::New(job) = c.store.job_accept(s.customer, &job, &idempotency, now).await? {
        info!(server = %s.id, job = %job, "{what}");
    }
    Ok(())
}
