//! Moving what stays of a customer's servers to a new group, while they keep running.
//!
//! A network cannot leave a group in which anything runs. So the servers that stay, and their networks, go to a new group;
//! the old one, in which only what leaves is left, is given up. Each phase reads what is there and does what is missing, so
//! it can be repeated after any interruption; the plan stands in the customer's row from before the first change until after
//! the last. Until the old group is stopped everything can be moved back.
//!
//! Never here: stopping a machine that stays. Where one cannot be moved as it is, the plan is refused with its name; if staff
//! say so, or if it never will be movable, the machines that leave go alone, and their networks stay behind, on edges that are
//! held for them. The next move of this customer takes such networks away, and so does `migrate` once nothing is in the way.

use std::time::Duration;

use domain::{
    CustomerId, ServerId,
    cause::Cause,
    kind::Scope,
    state::{ServerState, StepState},
};
use jobs::StepContext;
use store::{groups::Migration, servers::Server};

use super::{
    activate_back::clear_speed,
    names::{
        group_name, machine_name, network_name, network_of, next_group_name, server_of_machine,
        server_of_network,
    },
    step::{Stop, Tried, adopt, carry_out_together, delete_doubles, server},
};
use crate::{
    control::Control,
    provider::{EdgeRef, Group, GroupRef, Machine, MachineRef, NetworkRef, Obstacle, ProviderErrorKind},
};

const QUICK: Duration = Duration::from_secs(10 * 60);
/// Many machines move one after the other.
const MOVE: Duration = Duration::from_secs(60 * 60);
const LABEL: &str = "made by slipway";

async fn customer(c: &Control, all: &[StepContext]) -> Result<(CustomerId, StepContext), Stop> {
    let Some(cx) = all.first() else { return Err(Stop::Fail(Cause::Internal, "nobody asks".into())) };
    Ok((server(c, cx).await?.customer, cx.clone()))
}

/// Waits for what an earlier try of this phase had begun.
async fn adopt_all(c: &Control, all: &[StepContext], deadline: Duration) -> Tried {
    for cx in all {
        adopt(c, cx, deadline).await?;
    }
    Ok(())
}

/// A group that may be gone.
async fn look(c: &Control, group: &GroupRef) -> Result<Option<Group>, Stop> {
    match c.provider.group(group).await {
        Ok(group) => Ok(Some(group)),
        Err(e) if e.kind == ProviderErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

async fn idle(c: &Control, group: &GroupRef) -> Result<Option<Group>, Stop> {
    match look(c, group).await? {
        Some(group) if !group.ready && !group.broken => {
            Err(Stop::Retry(Cause::PlatformBusy, format!("group {} is busy", group.group)))
        }
        found => Ok(found),
    }
}

async fn next_group(c: &Control, customer: CustomerId) -> Result<Option<GroupRef>, Stop> {
    Ok(c.provider.group_find(&next_group_name(customer)).await?)
}

/// The plan that is under way, if there is one.
pub(super) async fn plan(c: &Control, customer: CustomerId) -> Result<Option<Migration>, Stop> {
    Ok(c.store.group(customer).await?.and_then(|g| g.migration))
}

/// The plan of this job. `None` once it is over: another member of the batch, or an earlier try, has carried it to its end.
async fn need_plan(c: &Control, customer: CustomerId, cx: &StepContext) -> Result<Option<Migration>, Stop> {
    let lost = || Stop::Fail(Cause::Internal, "the plan of this migration is gone: take it back".into());
    let target = cx.target().map(ServerId).ok_or_else(lost)?;
    if let Some(plan) = plan(c, customer).await?.filter(|plan| is_of(plan, target)) {
        return Ok(Some(plan));
    }
    let s = server(c, cx).await?;
    let Some(group) = current_group(c, customer).await? else { return Ok(None) };
    let over = match s.state {
        ServerState::Terminating => group.machine_named(&machine_name(target)).is_none(),
        _ => left_behind(c, customer, &[], &group).await?.is_empty(),
    };
    if over { Ok(None) } else { Err(lost()) }
}

/// Whether a job of this server is part of the plan. Plans from before servers could change their edge name only who leaves.
pub(super) fn is_of(plan: &Migration, server: ServerId) -> bool {
    plan.of.contains(&server) || plan.leaving.contains(&server)
}

/// Who asks for a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The servers that ask leave with their networks.
    Leaves,
    /// They stay; a network of theirs leaves.
    Stays,
}

/// What staff may say of a move that was refused: leave the networks behind.
pub(super) const KEEP_NETWORK: &str = "keep_network";

/// Networks that do not come along.
fn gone(plan: &Migration) -> Vec<String> {
    let named = plan.leaving.iter().map(|id| network_name(*id, 0));
    named.chain(plan.networks.iter().cloned()).collect()
}

fn stays(plan: &Migration, machine: &str) -> bool {
    !plan.leaving.iter().any(|id| machine_name(*id) == machine)
}

/// Decides what is to be moved and writes it down. Refused where a machine that stays cannot be moved as it is.
pub(super) async fn decide(c: &Control, all: &[StepContext], who: Who) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    let of: Vec<ServerId> = all.iter().filter_map(|cx| cx.target().map(ServerId)).collect();
    if let Some(plan) = plan(c, customer).await? {
        // An earlier try of ours; whoever else had begun one goes on with it, or takes it back.
        if of.iter().all(|id| is_of(&plan, *id)) {
            return Ok(());
        }
        let jobs = c.store.jobs_unfinished(customer).await?;
        let theirs = jobs.iter().any(|j| {
            j.server.is_some_and(|s| is_of(&plan, s))
                && j.steps.iter().any(|s| s.key == "migration_plan" && s.state == StepState::Done)
        });
        if theirs || next_group(c, customer).await?.is_some() {
            let text = "another migration of this customer is not over";
            return Err(Stop::Retry(Cause::PlatformBusy, text.into()));
        }
    }
    let leaving = if who == Who::Leaves { of.clone() } else { Vec::new() };
    let old = current_group(c, customer).await?;
    let mut plan =
        Migration { leaving, of, old: old.as_ref().map(|g| g.group.0.clone()), ..Migration::default() };
    if let Some(old) = &old {
        plan.networks = left_behind(c, customer, &plan.leaving, old).await?;
        let staying: Vec<&Machine> = old.machines.iter().filter(|m| stays(&plan, &m.name)).collect();
        if who == Who::Stays && plan.networks.is_empty() {
            plan.old = None;
            return Ok(c.store.group_plan(cx.fence(), &group_name(customer), Some(&plan)).await?);
        }
        plan.moves = !staying.is_empty() || old.networks.iter().any(|n| !plan.networks.contains(&n.name));
        if let Some((machine, obstacle)) = staying.iter().find_map(|m| Some((m, m.obstacle?))) {
            let text = format!("{} cannot be moved: {}", machine.name, obstacle.as_str());
            let told = all.iter().any(|cx| cx.params()[KEEP_NETWORK] == serde_json::json!(true));
            if !told && obstacle != Obstacle::Broken {
                return Err(Stop::Fail(Cause::NotMovable, text));
            }
            (plan.moves, plan.stuck) = (false, Some(text));
        }
    }
    Ok(c.store.group_plan(cx.fence(), &group_name(customer), Some(&plan)).await?)
}

/// The networks of a group that nobody who stays is on: those of whoever leaves, and what could not be taken away before.
async fn left_behind(
    c: &Control,
    customer: CustomerId,
    leaving: &[ServerId],
    group: &Group,
) -> Result<Vec<String>, Stop> {
    let servers = c.store.servers_of(customer).await?;
    let machines: Vec<(String, Option<String>)> =
        group.machines.iter().map(|m| (m.name.clone(), m.network.clone())).collect();
    let networks: Vec<String> = group.networks.iter().map(|n| n.name.clone()).collect();
    Ok(left_behind_in(&servers, leaving, &machines, &networks))
}

/// The same of what was seen: machines, each with the network that its card is on, and networks by name.
pub(crate) fn left_behind_in(
    servers: &[Server],
    leaving: &[ServerId],
    machines: &[(String, Option<String>)],
    networks: &[String],
) -> Vec<String> {
    let stay = servers.iter().filter(|s| s.terminated_at.is_none() && !leaving.contains(&s.id));
    let mut used: Vec<String> = stay.map(network_of).collect();
    // And whatever a machine that stays is plugged into, whatever its row says.
    let staying = machines.iter().filter(|(name, _)| !leaving.iter().any(|id| machine_name(*id) == *name));
    used.extend(staying.filter_map(|(_, network)| network.clone()));
    let ours = |name: &&String| server_of_network(name).is_some() && !used.contains(name);
    networks.iter().filter(ours).cloned().collect()
}

/// Nothing that has to move is in the way of a move.
pub(super) async fn movable(c: &Control, customer: CustomerId) -> Tried {
    let Some(group) = current_group(c, customer).await? else { return Ok(()) };
    match group.machines.iter().find_map(|m| Some((m, m.obstacle?))) {
        None => Ok(()),
        Some((m, obstacle)) => {
            let text = format!("{} cannot be moved: {}", m.name, obstacle.as_str());
            Err(Stop::Fail(Cause::NotMovable, text))
        }
    }
}

/// The customer's group: by the reference in its row, or by its name where that was never recorded.
pub(super) async fn current_group(c: &Control, customer: CustomerId) -> Result<Option<Group>, Stop> {
    let recorded = c.store.group(customer).await?.and_then(|g| g.group_ref);
    if let Some(recorded) = recorded
        && let Some(group) = idle(c, &GroupRef(recorded)).await?
    {
        return Ok(Some(group));
    }
    match c.provider.group_find(&group_name(customer)).await? {
        None => Ok(None),
        Some(found) => idle(c, &found).await,
    }
}

/// The new group, with every network that stays.
pub(super) async fn compose(c: &Control, all: &[StepContext]) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    adopt_all(c, all, QUICK).await?;
    let Some(plan) = need_plan(c, customer, &cx).await? else { return Ok(()) };
    // From here on nobody else may touch this customer's servers until the old group is gone.
    for cx in all {
        c.store.job_set_hold(cx.fence(), Scope::SameCustomer).await?;
    }
    if !plan.moves {
        return Ok(());
    }
    let old = plan.old.clone().map(GroupRef);
    let old = match &old {
        Some(old) => idle(c, old).await?,
        None => None,
    };
    let Some(old) = old else { return Ok(()) };
    let gone = gone(&plan);
    let staying: Vec<(&str, &NetworkRef)> = old
        .networks
        .iter()
        .filter(|n| !gone.contains(&n.name))
        .filter_map(|n| Some((n.name.as_str(), n.network.as_ref()?)))
        .collect();
    let name = next_group_name(customer);
    let mut found = next_group(c, customer).await?;
    // A half-made one is made anew.
    if let Some(half) = &found
        && idle(c, half).await?.is_some_and(|g| g.broken)
    {
        carry_out_together(c, all, QUICK, c.provider.group_delete(half)).await?;
        found = None;
    }
    let next = match found {
        Some(next) => next,
        None => {
            carry_out_together(c, all, QUICK, c.provider.group_create(&name, LABEL, &staying)).await?;
            let made = next_group(c, customer).await?;
            made.ok_or_else(|| Stop::Unknown(format!("group {name} is not there after its task")))?
        }
    };
    let seen = idle(c, &next).await?;
    let seen = seen.ok_or_else(|| Stop::Unknown(format!("group {name} has disappeared")))?;
    delete_doubles(c, all, QUICK, &name, Some(&next)).await?;
    let missing: Vec<_> = staying.into_iter().filter(|(n, _)| !seen.has_network(n)).collect();
    if !missing.is_empty() {
        carry_out_together(c, all, QUICK, c.provider.group_attach(&next, &missing)).await?;
    }
    Ok(())
}

/// Everything that stays moves over, in one change, and the rows say so in one transaction.
pub(super) async fn move_over(c: &Control, all: &[StepContext]) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    adopt_all(c, all, MOVE).await?;
    let Some(plan) = need_plan(c, customer, &cx).await? else { return Ok(()) };
    if !plan.moves {
        return Ok(());
    }
    let next = next_group(c, customer).await?;
    let next = next.ok_or_else(|| Stop::Fail(Cause::Internal, "the new group has disappeared".into()))?;
    if let Some(old) = &plan.old
        && let Some(old) = idle(c, &GroupRef(old.clone())).await?
    {
        let staying = |m: &Machine| stays(&plan, &m.name);
        move_machines(c, all, &old, &next, staying).await?;
        let left = idle(c, &old.group).await?;
        if let Some(machine) = left.iter().flat_map(|g| &g.machines).find(|m| staying(m)) {
            return Err(Stop::Unknown(format!("{} has not moved", machine.name)));
        }
    }
    settle(c, &cx, &next).await
}

/// Moves the machines of a group that are meant.
async fn move_machines(
    c: &Control,
    all: &[StepContext],
    from: &Group,
    to: &GroupRef,
    meant: impl Fn(&Machine) -> bool,
) -> Tried {
    let machines: Vec<MachineRef> =
        from.machines.iter().filter(|m| meant(m)).map(|m| m.machine.clone()).collect();
    if machines.is_empty() {
        return Ok(());
    }
    if idle(c, to).await?.is_none() {
        return Err(Stop::Fail(Cause::Internal, format!("group {to} has disappeared")));
    }
    let moved = carry_out_together(c, all, MOVE, c.provider.machines_move(to, &machines)).await;
    // A worker that died may have asked for the same a moment ago: what is over there already cannot be moved again.
    if let Err(Stop::Fail(..)) = &moved {
        idle(c, to).await?;
        let left = idle(c, &from.group).await?;
        if !left.iter().flat_map(|g| &g.machines).any(meant) {
            return Ok(());
        }
    }
    moved
}

/// Makes this group the customer's, its machines under the references that they have there.
async fn settle(c: &Control, cx: &StepContext, group: &GroupRef) -> Tried {
    let seen = idle(c, group).await?;
    let seen = seen.ok_or_else(|| Stop::Unknown(format!("group {group} has disappeared")))?;
    let machines: Vec<(ServerId, String)> = seen
        .machines
        .iter()
        .filter_map(|m| Some((server_of_machine(&m.name)?, m.machine.0.clone())))
        .collect();
    c.store.group_moved(cx.fence(), &group.0, &machines).await?;
    let (machines, networks) = (seen.machines.len() as i64, seen.networks.len() as i64);
    Ok(c.store.group_observed(cx.fence(), machines, networks, c.clock.now_ms()).await?)
}

/// The old group, if it is still there. A machine in it that stays would be cut off with it: that is refused.
async fn given_up(c: &Control, plan: &Migration) -> Result<Option<Group>, Stop> {
    let Some(old) = plan.old.clone().map(GroupRef) else { return Ok(None) };
    let Some(old) = idle(c, &old).await? else { return Ok(None) };
    match old.machines.iter().find(|m| stays(plan, &m.name)) {
        Some(machine) => {
            let text = format!("{} is still in the group that is to be given up", machine.name);
            Err(Stop::Fail(Cause::NotLastServer, text))
        }
        None => Ok(Some(old)),
    }
}

/// The machines that leave a group in which others stay.
async fn leaving_machines(c: &Control, plan: &Migration) -> Result<Vec<Machine>, Stop> {
    let Some(old) = plan.old.clone().map(GroupRef) else { return Ok(Vec::new()) };
    let machines = idle(c, &old).await?.map(|g| g.machines).unwrap_or_default();
    Ok(machines.into_iter().filter(|m| !stays(plan, &m.name)).collect())
}

/// Cuts the power of what leaves.
pub(super) async fn stop(c: &Control, all: &[StepContext]) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    adopt_all(c, all, QUICK).await?;
    let Some(plan) = need_plan(c, customer, &cx).await? else { return Ok(()) };
    if plan.stuck.is_some() {
        for machine in leaving_machines(c, &plan).await?.iter().filter(|m| m.deployed) {
            carry_out_together(c, all, QUICK, c.provider.machine_stop(&machine.machine)).await?;
        }
        return Ok(());
    }
    match given_up(c, &plan).await? {
        Some(old) if old.running => {
            carry_out_together(c, all, QUICK, c.provider.group_stop(&old.group)).await
        }
        _ => Ok(()),
    }
}

/// Deletes the old group and what leaves with it.
pub(super) async fn delete(c: &Control, all: &[StepContext]) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    adopt_all(c, all, QUICK).await?;
    let Some(plan) = need_plan(c, customer, &cx).await? else {
        for cx in all {
            let s = server(c, cx).await?;
            if s.state == ServerState::Terminating {
                c.store.server_set_machine(cx.fence(), s.id, None).await?;
            }
            c.store.job_set_hold(cx.fence(), Scope::SameServer).await?;
        }
        return Ok(());
    };
    // Nothing was to be taken away: the group stays as it is.
    if plan.leaving.is_empty() && !plan.moves && plan.stuck.is_none() {
        return release_hold(c, all).await;
    }
    if let (Some(_), Some(old)) = (&plan.stuck, plan.old.clone().map(GroupRef)) {
        for machine in leaving_machines(c, &plan).await? {
            carry_out_together(c, all, QUICK, c.provider.machine_delete(&old, &machine.machine)).await?;
        }
    } else {
        if let Some(old) = given_up(c, &plan).await? {
            carry_out_together(c, all, QUICK, c.provider.group_delete(&old.group)).await?;
        }
        delete_doubles(c, all, QUICK, &group_name(customer), None).await?;
    }
    let kept = match &plan.stuck {
        Some(_) => current_group(c, customer).await?.map(|g| g.networks).unwrap_or_default(),
        None => Vec::new(),
    };
    for cx in all {
        let s = server(c, cx).await?;
        if plan.leaving.contains(&s.id) {
            c.store.server_set_machine(cx.fence(), s.id, None).await?;
            let name = network_of(&s);
            if let Some(why) = plan.stuck.as_ref().filter(|_| kept.iter().any(|n| n.name == name)) {
                c.store.edge_hold(cx.fence(), s.id, &name, why, c.clock.now_ms()).await?;
            }
        }
    }
    release_hold(c, all).await?;
    if !plan.moves && plan.stuck.is_none() {
        c.store.group_set_ref(cx.fence(), None).await?;
        c.store.group_observed(cx.fence(), 0, 0, c.clock.now_ms()).await?;
    }
    Ok(())
}

async fn release_hold(c: &Control, all: &[StepContext]) -> Tried {
    for cx in all {
        c.store.job_set_hold(cx.fence(), Scope::SameServer).await?;
    }
    Ok(())
}

/// All of it in one step: for what takes something out of a group on its way back. Once the new group has its name only the
/// end is left.
pub(super) async fn carry_through(c: &Control, all: &[StepContext], who: Who) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    if plan(c, customer).await?.is_none_or(|plan| cx.target().is_none_or(|t| !is_of(&plan, ServerId(t)))) {
        decide(c, all, who).await?;
    }
    let plan = need_plan(c, customer, &cx).await?;
    let renamed = match plan.as_ref().filter(|p| p.moves).and_then(|p| p.old.clone()) {
        Some(old) => look(c, &GroupRef(old)).await?.is_none() && next_group(c, customer).await?.is_none(),
        None => false,
    };
    if !renamed {
        compose(c, all).await?;
        move_over(c, all).await?;
        stop(c, all).await?;
        delete(c, all).await?;
    }
    finish(c, all).await
}

/// The new group takes the old one's name, and the plan is over.
pub(super) async fn finish(c: &Control, all: &[StepContext]) -> Tried {
    let (customer, cx) = customer(c, all).await?;
    adopt_all(c, all, QUICK).await?;
    if let Some(next) = next_group(c, customer).await? {
        idle(c, &next).await?;
        let name = group_name(customer);
        carry_out_together(c, all, QUICK, c.provider.group_rename(&next, &name, LABEL)).await?;
    }
    let plan = plan(c, customer).await?;
    if plan.as_ref().is_none_or(|plan| plan.stuck.is_none()) {
        let_go(c, all, customer, &cx).await?;
    }
    match (plan, cx.target().map(ServerId)) {
        (Some(plan), Some(target)) if is_of(&plan, target) => {
            Ok(c.store.group_plan(cx.fence(), &group_name(customer), None).await?)
        }
        _ => Ok(()),
    }
}

/// Networks of this customer that could not be taken away before, and are in no group any more, go now; nobody holds their
/// edges any longer.
async fn let_go(c: &Control, all: &[StepContext], customer: CustomerId, cx: &StepContext) -> Tried {
    let held = c.store.edges_held().await?;
    if held.is_empty() {
        return Ok(());
    }
    let group = current_group(c, customer).await?;
    for edge in held {
        let Some(name) = edge.network_name.clone() else { continue };
        let Some(server) = server_of_network(&name) else { continue };
        let ours = c.store.server(server).await?.is_some_and(|s| s.customer == customer);
        if !ours || group.as_ref().is_some_and(|g| g.has_network(&name)) {
            continue;
        }
        if let Some(found) = c.provider.network_find(&name).await? {
            carry_out_together(c, all, QUICK, c.provider.network_delete(&found.network)).await?;
        }
        clear_speed(c, cx, &EdgeRef(edge.facts.provider_ref.clone())).await?;
        c.store.edge_let_go(cx.fence(), edge.id, c.clock.now_ms()).await?;
    }
    Ok(())
}

/// Everything that was moved goes back to where it came from.
pub(super) async fn move_back(c: &Control, cx: &StepContext) -> Tried {
    let all = std::slice::from_ref(cx);
    let (customer, _) = customer(c, all).await?;
    adopt(c, cx, MOVE).await?;
    let Some(plan) = plan(c, customer).await? else { return Ok(()) };
    let (Some(old), Some(next)) = (plan.old.map(GroupRef), next_group(c, customer).await?) else {
        return Ok(());
    };
    let Some(seen) = idle(c, &next).await? else { return Ok(()) };
    move_machines(c, all, &seen, &old, |_| true).await?;
    settle(c, cx, &old).await
}

/// The new group goes again; it is empty.
pub(super) async fn uncompose(c: &Control, cx: &StepContext) -> Tried {
    let all = std::slice::from_ref(cx);
    let (customer, _) = customer(c, all).await?;
    adopt(c, cx, QUICK).await?;
    if let Some(next) = next_group(c, customer).await?
        && let Some(seen) = idle(c, &next).await?
    {
        if !seen.machines.is_empty() {
            let text = "machines are in the new group";
            return Err(Stop::Fail(Cause::Internal, text.into()));
        }
        carry_out_together(c, all, QUICK, c.provider.group_delete(&next)).await?;
    }
    Ok(c.store.job_set_hold(cx.fence(), Scope::SameServer).await?)
}

/// The plan is dropped, if this job is part of it.
pub(super) async fn undecide(c: &Control, cx: &StepContext) -> Tried {
    let s = server(c, cx).await?;
    match plan(c, s.customer).await? {
        Some(plan) if is_of(&plan, s.id) => {
            Ok(c.store.group_plan(cx.fence(), &group_name(s.customer), None).await?)
        }
        _ => Ok(()),
    }
}
