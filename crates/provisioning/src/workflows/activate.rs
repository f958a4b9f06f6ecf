//! `activate`: from an accepted order to a running server.
//!
//! edge → network → speed ‖ group with the network → machine → size → customization → power → first boot → signing in → ready.
//! The speed and the group do not need each other: the first locks the edge, the second the group.

use std::{sync::Arc, time::Duration};

use domain::{JobId, cause::Cause, state::ServerState};
use jobs::StepContext;
use store::{edges::Edge, servers::Server};

use super::{
    activate_back::{edge_release, group_leave, machine_delete, network_delete, speed_lift},
    machine::{DNS, guest_settings, observe, own_edge, own_machine},
    migration::current_group,
    names::{group_name, machine_name, network_of},
    step::{Row, Stop, Tried, adopt, alone, carry_out, carry_out_together, delete_doubles, server, together},
};
use crate::{
    control::Control,
    provider::{
        Access, Block, EdgeRef, EdgeSpeed, Group, GroupRef, GuestLogin, GuestProgress, GuestSetup, JobWay,
        MachineSpec, NetworkFound, NetworkRef, NetworkSpec,
    },
    way,
};

/// Raised whenever a step is added, removed or renamed.
pub(super) const SHAPE: i64 = 2;

/// What has been customized is not customized once more, and secrets that are gone are not there.
pub(super) const AGAIN: &[&str] = &[
    "order_check",
    "edge_claim",
    "network_create",
    "qos_apply",
    "group_ensure",
    "machine_create",
    "machine_resize",
    "power_on",
    "guest_wait",
    "access_verify",
];

/// What staff may choose anew: the template, and another edge than the one that is named.
pub(crate) const TEMPLATE: &str = "template";
pub(crate) const OTHER_EDGE: &str = "other_edge";

pub(super) const STEPS: &[Row] = &[
    alone!("order_check" after [] do order_check; takes ["template"]),
    alone!("edge_claim" after ["order_check"] do edge_claim; undo edge_release),
    alone!("network_create" after ["edge_claim"] do network_create; undo network_delete; takes ["other_edge"]),
    alone!("qos_apply" after ["network_create"] do qos_apply; undo speed_lift),
    together!("group_ensure" after ["network_create"] do group_ensure; undo group_leave),
    together!("machine_create" after ["group_ensure"] do machine_create; undo machine_delete; takes ["template"]),
    alone!("machine_resize" after ["machine_create"] do machine_resize),
    alone!("guest_customize" after ["machine_resize"] do guest_customize),
    alone!("power_on" after ["guest_customize", "qos_apply"] do power_on),
    alone!("guest_wait" after ["power_on"] do guest_wait),
    alone!("access_verify" after ["guest_wait"] do access_verify),
    alone!("secrets_clear" after ["access_verify"] do secrets_clear),
    alone!("ready" after ["secrets_clear"] do ready),
];

pub(super) const QUICK: Duration = Duration::from_secs(10 * 60);
/// Copying a template may queue behind others on slow storage.
pub(super) const COPY: Duration = Duration::from_secs(60 * 60);
/// A guest that has said it is done may still be starting what lets people in.
const ACCESS: Duration = Duration::from_secs(5 * 60);
const FIRST_BOOT: Duration = Duration::from_secs(30 * 60);

/// What people see beside it in the cloud. A host name that asks the simulated cloud for a fault stands in it.
pub(super) fn label(s: &Server) -> String {
    format!("made by slipway for {}", s.hostname)
}

async fn order_check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = with_template(&c, &cx).await?;
    if c.offers.current().template(&s.template_id).is_none() {
        return Err(Stop::Fail(
            Cause::OrderInvalid,
            format!("template {} is not offered any more", s.template_id),
        ));
    }
    if s.terminated_at.is_some() {
        return Err(Stop::Fail(Cause::OrderInvalid, "the server has been terminated".into()));
    }
    c.store.server_set_state(cx.fence(), s.id, ServerState::Creating).await?;
    Ok(())
}

/// The server, made from another template where staff have chosen one. There is no machine of it yet: what an earlier try has
/// left of one goes.
async fn with_template(c: &Arc<Control>, cx: &StepContext) -> Result<Server, Stop> {
    let s = server(c, cx).await?;
    let Some(wanted) = cx.params()[TEMPLATE].as_str().filter(|id| *id != s.template_id) else { return Ok(s) };
    let catalogue = c.offers.current();
    let template =
        catalogue.template(wanted).ok_or_else(|| Stop::Fail(Cause::TemplateMissing, wanted.to_owned()))?;
    machine_delete(c.clone(), cx.clone()).await?;
    c.store.server_set_template(cx.fence(), s.id, &template.id, &template.name).await?;
    server(c, cx).await
}

async fn edge_claim(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    match c.store.edge_claim(cx.fence(), s.id, c.clock.now_ms()).await? {
        Some(_) => Ok(()),
        // An order is never refused, nor failed, for lack of a network slot: it waits for one, in nobody's way.
        None => {
            c.store.server_set_state(cx.fence(), s.id, ServerState::Ordered).await?;
            Err(Stop::Park(Cause::NoFreeEdge, "no edge is free for it".into()))
        }
    }
}

async fn network_create(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let mut edge = own_edge(&c, &s).await?;
    let mut address = s.address.clone();
    if cx.params()[OTHER_EDGE].as_str() == Some(edge.id.to_string().as_str()) {
        edge = leave_edge(&c, &cx, &s, &edge).await?;
        address = None;
    }
    let address = match &address {
        Some(address) => address.clone(),
        None => {
            let free = c.store.address_free(&edge, c.clock.now_ms()).await?;
            free.ok_or_else(|| Stop::Fail(Cause::OrderInvalid, "every address of its edge rests".into()))?
        }
    };
    adopt(&c, &cx, QUICK).await?;
    let spec = NetworkSpec {
        name: network_of(&s),
        label: label(&s),
        edge: EdgeRef(edge.facts.provider_ref.clone()),
        block: block(&edge),
        dns: DNS.map(str::to_owned).to_vec(),
    };
    let network = super::network::made(&c, &cx, &spec).await?;
    c.store.server_set_network(cx.fence(), s.id, &network.network.0, &address).await?;
    Ok(())
}

/// Staff have said that this edge is not the one: what an earlier try has made on it goes, it stays out of the pool, and the
/// server gets another, or waits for one.
async fn leave_edge(c: &Arc<Control>, cx: &StepContext, s: &Server, edge: &Edge) -> Result<Edge, Stop> {
    adopt(c, cx, QUICK).await?;
    if let Some(found) = c.provider.network_find(&network_of(s)).await? {
        carry_out(c, cx, QUICK, c.provider.network_delete(&found.network)).await?;
    }
    let why = format!("left by job {}", domain::JobId(cx.fence().job));
    if !c.store.edge_exchange(cx.fence(), s.id, edge.id, &why, c.clock.now_ms()).await? {
        c.store.server_set_state(cx.fence(), s.id, ServerState::Ordered).await?;
        return Err(Stop::Park(Cause::NoFreeEdge, "no other edge is free for it".into()));
    }
    own_edge(c, s).await
}

async fn qos_apply(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    speed_to(&c, &cx, &s).await?;
    let mbit = s.size.bandwidth_mbit;
    c.store.edge_bound(cx.fence(), s.id, &network_of(&s), i64::from(mbit), c.clock.now_ms()).await?;
    Ok(())
}

/// Limits the server's edge to its speed.
pub(super) async fn speed_to(c: &Control, cx: &StepContext, s: &Server) -> Tried {
    let edge = EdgeRef(own_edge(c, s).await?.facts.provider_ref);
    let mbit = s.size.bandwidth_mbit;
    if c.provider.edge_speed(&edge).await? != EdgeSpeed::Mbit(mbit) {
        carry_out(c, cx, QUICK, c.provider.edge_set_speed(&edge, Some(mbit))).await?;
    }
    Ok(())
}

/// The addresses of an edge, as its network is made with.
pub(super) fn block(edge: &Edge) -> Block {
    let f = &edge.facts;
    Block {
        gateway: f.gateway.clone(),
        prefix_length: f.prefix_length as u8,
        first_address: f.first_address.clone(),
        last_address: f.last_address.clone(),
    }
}

/// The customer's group, with the networks of all of these in it: one change for all that are missing.
async fn group_ensure(c: Arc<Control>, all: Vec<StepContext>) -> Vec<Tried> {
    let ensured = async {
        let mut members = Vec::with_capacity(all.len());
        for cx in &all {
            let s = server(&c, cx).await?;
            adopt(&c, cx, QUICK).await?;
            let name = network_of(&s);
            let network = found_network(&c, &name).await?.network;
            members.push((s, name, network));
        }
        let Some((first, cx)) = members.first().zip(all.first()) else { return Ok(()) };
        let networks: Vec<(&str, &NetworkRef)> = members.iter().map(|(_, n, r)| (n.as_str(), r)).collect();
        let group_name = group_name(first.0.customer);
        c.store.group_intend(cx.fence(), &group_name).await?;
        let mut found = current_group(&c, first.0.customer).await?;
        if let Some(broken) = found.take_if(|g| g.broken && g.machines.is_empty()) {
            carry_out_together(&c, &all, QUICK, c.provider.group_delete(&broken.group)).await?;
        }
        let group = match found {
            Some(group) => group.group,
            None => {
                let label = label(&first.0);
                let making = c.provider.group_create(&group_name, &label, &networks);
                carry_out_together(&c, &all, QUICK, making).await?;
                c.provider
                    .group_find(&group_name)
                    .await?
                    .ok_or_else(|| Stop::Unknown(format!("group {group_name} is not there after its task")))?
            }
        };
        let seen = c.provider.group(&group).await?;
        if !seen.ready {
            return Err(Stop::Retry(Cause::PlatformBusy, format!("group {group_name} is busy")));
        }
        delete_doubles(&c, &all, QUICK, &group_name, Some(&group)).await?;
        let missing: Vec<_> = networks.into_iter().filter(|(n, _)| !seen.has_network(n)).collect();
        if !missing.is_empty() {
            carry_out_together(&c, &all, QUICK, c.provider.group_attach(&group, &missing)).await?;
        }
        c.store.group_set_ref(cx.fence(), Some(&group.0)).await?;
        observe_group(&c, cx, &group).await
    };
    let tried = ensured.await;
    vec![tried; all.len()]
}

async fn found_network(c: &Control, name: &str) -> Result<NetworkFound, Stop> {
    let found = c.provider.network_find(name).await?;
    found.ok_or_else(|| Stop::Fail(Cause::PlatformRefused, format!("network {name} has disappeared")))
}

/// The customer's group, by the reference in its row.
pub(super) async fn own_group(c: &Control, s: &Server) -> Result<Option<Group>, Stop> {
    let row = c.store.group(s.customer).await?;
    match row.and_then(|g| g.group_ref) {
        None => Ok(None),
        Some(group) => Ok(Some(c.provider.group(&GroupRef(group)).await?)),
    }
}

/// The customer's group, also one that was made without its reference being recorded.
pub(super) async fn own_group_by_any(c: &Control, s: &Server) -> Result<Option<GroupRef>, Stop> {
    Ok(current_group(c, s.customer).await?.map(|g| g.group))
}

pub(super) async fn observe_group(c: &Control, cx: &StepContext, group: &GroupRef) -> Tried {
    let seen = c.provider.group(group).await?;
    let (machines, networks) = (seen.machines.len() as i64, seen.networks.len() as i64);
    c.store.group_observed(cx.fence(), machines, networks, c.clock.now_ms()).await?;
    Ok(())
}

/// The machines of all of these, copied in one change.
pub(super) async fn machine_create(c: Arc<Control>, all: Vec<StepContext>) -> Vec<Tried> {
    let made = async {
        let mut members = Vec::with_capacity(all.len());
        for cx in &all {
            adopt(&c, cx, COPY).await?;
            let s = with_template(&c, cx).await?;
            let catalogue = c.offers.current();
            let template = catalogue
                .template(&s.template_id)
                .ok_or_else(|| Stop::Fail(Cause::TemplateMissing, s.template_id.clone()))?;
            let spec = MachineSpec {
                name: machine_name(s.id),
                label: label(&s),
                template: template.platform_name.clone(),
                network: network_of(&s),
                address: s.address.clone().unwrap_or_default(),
            };
            members.push((s, spec));
        }
        let Some((first, cx)) = members.first().zip(all.first()) else { return Ok(()) };
        let no_group = || Stop::Fail(Cause::Internal, "no group".into());
        let mut group = own_group(&c, &first.0).await?.ok_or_else(no_group)?;
        let missing: Vec<MachineSpec> = members
            .iter()
            .filter(|(_, spec)| group.machine_named(&spec.name).is_none())
            .map(|(_, spec)| spec.clone())
            .collect();
        if !missing.is_empty() {
            // A copy appears only when its task has ended: a busy group may be making ours already.
            if !group.ready {
                return Err(Stop::Retry(Cause::PlatformBusy, "the group is busy".into()));
            }
            carry_out_together(&c, &all, COPY, c.provider.machines_create(&group.group, &missing)).await?;
            group = c.provider.group(&group.group).await?;
        }
        for ((s, spec), cx) in members.iter().zip(&all) {
            let machine = group
                .machine_named(&spec.name)
                .ok_or_else(|| Stop::Unknown(format!("machine {} is not there after its task", spec.name)))?;
            c.store.server_set_machine(cx.fence(), s.id, Some(&machine.machine.0)).await?;
        }
        observe_group(&c, cx, &group.group).await
    };
    let tried = made.await;
    vec![tried; all.len()]
}

pub(super) async fn machine_resize(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    adopt(&c, &cx, QUICK).await?;
    let seen = c.provider.machine(&machine).await?;
    let (ram_mb, disk_mb) = (u64::from(s.size.ram_gb) * 1024, u64::from(s.size.disk_gb) * 1024);
    let fits = seen.vcpu == u64::from(s.size.vcpu) && seen.ram_mb == ram_mb && seen.disk_mb >= disk_mb;
    if !fits {
        if c.provider.machine_prepared(&machine).await? == Some(false) {
            carry_out(&c, &cx, QUICK, c.provider.machine_prepare(&machine, true)).await?;
        }
        carry_out(&c, &cx, QUICK, c.provider.machine_resize(&machine, s.size.vcpu, ram_mb, disk_mb)).await?;
    }
    // What was set for it is put back by the customization that follows.
    Ok(())
}

/// What the guest of a server is told when it is customized.
pub(super) async fn guest_setup(c: &Control, s: &Server) -> Result<GuestSetup, Stop> {
    Ok(GuestSetup {
        family: s.family,
        hostname: s.hostname.clone(),
        login: s.guest_login.clone(),
        password: c.store.secret_for_job(s.id).await?,
        ssh_keys: s.ssh_keys.clone(),
        way: None,
    })
}

/// The way in of the job that installs this server's panel afterwards, if there is such a job.
async fn way_of_panel(c: &Control, cx: &StepContext, s: &Server) -> Result<Option<JobWay>, Stop> {
    let Some(job) = c.store.panel_job_of(JobId(cx.fence().job)).await? else { return Ok(None) };
    let broken = |why: String| Stop::Fail(Cause::Internal, why);
    let way = match c.store.way(job).await? {
        Some(way) => Some(way),
        None => c.store.way_keep(cx.fence(), s.id, job, way::make(s.family).map_err(broken)?).await?,
    };
    Ok(way.map(|way| way::told(s.family, way)))
}

pub(super) async fn guest_customize(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    adopt(&c, &cx, QUICK).await?;
    // Once it is on it has been customized, and writing the section again would only put the secret back.
    if c.provider.machine(&machine).await?.on {
        return Ok(());
    }
    let setup = GuestSetup { way: way_of_panel(&c, &cx, &s).await?, ..guest_setup(&c, &s).await? };
    if s.method.uses_password() && setup.password.is_none() {
        return Err(Stop::Fail(Cause::Internal, "the password is gone".into()));
    }
    // What its own script keeps right from its second start on.
    let settings = guest_settings(&s, &own_edge(&c, &s).await?, s.address.as_deref().unwrap_or_default());
    carry_out(&c, &cx, QUICK, c.provider.machine_set_guest(&machine, &settings)).await?;
    carry_out(&c, &cx, QUICK, c.provider.machine_customize(&machine, &setup)).await
}

pub(super) async fn power_on(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    adopt(&c, &cx, QUICK).await?;
    if !c.provider.machine(&machine).await?.on {
        carry_out(&c, &cx, QUICK, c.provider.machine_power_on(&machine)).await?;
    }
    Ok(())
}

pub(super) async fn guest_wait(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    let until = tokio::time::Instant::now() + FIRST_BOOT;
    loop {
        match c.provider.machine_guest(&machine).await? {
            GuestProgress::Complete => return Ok(()),
            GuestProgress::Failed => {
                let text = "the guest reports that its customization failed";
                return Err(Stop::Fail(Cause::CustomizationFailed, text.into()));
            }
            GuestProgress::UnderWay if tokio::time::Instant::now() > until => {
                return Err(Stop::Fail(Cause::Timeout, "the guest did not finish its first boot".into()));
            }
            GuestProgress::UnderWay => tokio::time::sleep(c.provider.pause()).await,
        }
    }
}

/// A server is ready once it lets in with what was ordered, under its name and address.
pub(super) async fn access_verify(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let (machine, address) = (own_machine(&s)?, s.address.clone().unwrap_or_default());
    let GuestSetup { login, password, ssh_keys, .. } = guest_setup(&c, &s).await?;
    let login = GuestLogin { login, password, ssh_keys };
    let until = tokio::time::Instant::now() + c.patience(ACCESS);
    loop {
        let wrong = match c.provider.guest_lets_in(&machine, s.family, &address, &login).await? {
            Access::LetsIn { hostname, addresses } => {
                let (named, there) = (hostname.as_ref(), addresses.as_ref());
                if named.is_some_and(|name| !same_name(name, &s.hostname)) {
                    let text = format!("it calls itself {}, not {}", named.map_or("", |n| n), s.hostname);
                    (Cause::CustomizationFailed, text)
                } else if there.is_some_and(|all| !all.contains(&address)) {
                    (Cause::AddressSilent, format!("it does not know its address {address}"))
                } else {
                    return Ok(());
                }
            }
            Access::Silent => (Cause::AddressSilent, format!("nobody answers at {address}")),
            Access::Refused => (Cause::AccessRefused, format!("{} is not let in", login.login)),
        };
        if tokio::time::Instant::now() > until {
            return Err(Stop::Fail(wrong.0, wrong.1));
        }
        tokio::time::sleep(c.provider.pause()).await;
    }
}

/// A guest may know the whole of its name or only the first part.
fn same_name(seen: &str, wanted: &str) -> bool {
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    seen.eq_ignore_ascii_case(wanted) || (!seen.contains('.') && first(seen) == first(wanted))
}

pub(super) async fn secrets_clear(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    carry_out(&c, &cx, QUICK, c.provider.machine_forget_secrets(&machine, &s.hostname)).await
}

pub(super) async fn ready(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let seen = c.provider.machine(&own_machine(&s)?).await?;
    let address = s.address.clone().unwrap_or_default();
    if !seen.on || !seen.addresses.contains(&address) {
        let text = format!("on: {}, addresses: {}, expected {address}", seen.on, seen.addresses.join(", "));
        return Err(Stop::Fail(Cause::CustomizationFailed, text));
    }
    observe(&c, &cx, &s).await
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn a_guest_may_know_its_whole_name_or_the_first_part() {
        assert!(same_name("web-01.example.com", "web-01.example.com"));
        assert!(same_name("WEB-01", "web-01.example.com"));
        for other in ["web-02", "web-01.example.org", "web", "", "web-01."] {
            assert!(!same_name(other, "web-01.example.com"), "{other:?}");
        }
    }
}
