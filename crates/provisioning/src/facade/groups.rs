//! Customers' groups on the platform, for staff: what is there against what is believed, why a network does not go, what was
//! moved, and what a move would do.

use domain::{
    CustomerId, ServerId,
    kind::Kind,
    permission::{Action, Denial},
    state::Role,
};
use store::{
    Result,
    audit::Subject,
    edges::Edge,
    groups::{Group, GroupRow},
    jobs::Job,
    orders::{Idempotency, OrderSecrets},
    servers::Server,
    sight::GroupSeen,
};

use super::{Facade, Form, ServerAnswer, Viewer, orders::body_hash, staff::reason};
use crate::workflows::{left_behind_in, machine_name, network_of, next_group_name, server_of_network};

/// Moves of the last time that are shown.
const MOVES_SHOWN: i64 = 20;

#[derive(Clone, Debug)]
pub struct GroupDetail {
    pub group: Group,
    pub customer_email: String,
    /// What the platform held when it was last looked at.
    pub seen: Option<GroupSeen>,
    /// Servers that are there by our record.
    pub servers: Vec<Server>,
    pub networks: Vec<NetworkLine>,
    /// Edges of networks that could not be taken away.
    pub held: Vec<Edge>,
    /// What is open for this customer.
    pub open: Vec<Job>,
    /// Moves and ends of servers, the newest first.
    pub moves: Vec<Job>,
    pub look_wanted: Option<i64>,
}

/// A network in the group and what keeps it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkLine {
    pub name: String,
    /// The server that it was made for.
    pub server: Option<ServerId>,
    pub server_name: Option<String>,
    pub kept_by: Vec<KeptBy>,
}

/// Why a network cannot be deleted as things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptBy {
    /// A machine's card is on it: machine and, where it is known, its server.
    Machine { machine: String, server: Option<String> },
    /// Nothing is on it, but machines of its group run: it goes with the next move.
    GroupRuns,
    /// Nothing any more.
    Nothing,
}

/// What a move would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovePlan {
    /// The group that takes over.
    pub next: String,
    /// Machines that move, each with its server's name.
    pub machines: Vec<(String, Option<String>)>,
    /// Networks that come along.
    pub networks: Vec<String>,
    /// What stays behind and is deleted: machines and networks.
    pub gone_machines: Vec<String>,
    pub gone_networks: Vec<String>,
    /// The group that is deleted.
    pub old: String,
    /// What keeps a machine that would have to move: machine, and why.
    pub in_the_way: Vec<(String, String)>,
}

impl MovePlan {
    /// There is nothing to take away: nothing would be moved.
    pub fn is_empty(&self) -> bool {
        self.gone_machines.is_empty() && self.gone_networks.is_empty()
    }
}

impl GroupDetail {
    fn name_of(&self, machine: &str) -> Option<String> {
        self.servers.iter().find(|s| machine_name(s.id) == machine).map(|s| s.name.clone())
    }

    /// Machines that are seen and not in our record, and servers that are in our record and not seen.
    pub fn differs(&self) -> bool {
        let Some(seen) = &self.seen else { return false };
        let believed: Vec<String> =
            self.servers.iter().filter(|s| s.machine_ref.is_some()).map(|s| machine_name(s.id)).collect();
        seen.machines.iter().any(|m| !believed.contains(&m.name))
            || believed.iter().any(|name| !seen.machines.iter().any(|m| m.name == *name))
    }

    /// What would happen if this server left, or, for none, if what nobody uses was taken away. `None` where the platform was
    /// never looked at.
    pub fn plan(&self, leaves: Option<ServerId>) -> Option<MovePlan> {
        let seen = self.seen.as_ref()?;
        let leaving: Vec<ServerId> = leaves.into_iter().collect();
        let leaves_too = |machine: &str| leaving.iter().any(|id| machine_name(*id) == machine);
        let machines: Vec<(String, Option<String>)> =
            seen.machines.iter().map(|m| (m.name.clone(), m.network.clone())).collect();
        let gone_networks = left_behind_in(&self.servers, &leaving, &machines, &seen.networks);
        let staying = seen.machines.iter().filter(|m| !leaves_too(&m.name));
        let plan = MovePlan {
            next: next_group_name(self.group.customer),
            machines: staying.clone().map(|m| (m.name.clone(), self.name_of(&m.name))).collect(),
            networks: seen.networks.iter().filter(|n| !gone_networks.contains(n)).cloned().collect(),
            gone_machines: seen
                .machines
                .iter()
                .filter(|m| leaves_too(&m.name))
                .map(|m| m.name.clone())
                .collect(),
            gone_networks,
            old: seen.name.clone(),
            in_the_way: staying.filter_map(|m| Some((m.name.clone(), m.obstacle.clone()?))).collect(),
        };
        Some(plan)
    }
}

fn network_lines(seen: &GroupSeen, servers: &[Server]) -> Vec<NetworkLine> {
    let named =
        |machine: &str| servers.iter().find(|s| machine_name(s.id) == machine).map(|s| s.name.clone());
    seen.networks
        .iter()
        .map(|name| {
            let on_it = seen.machines.iter().filter(|m| m.network.as_ref() == Some(name));
            let mut kept_by: Vec<KeptBy> =
                on_it.map(|m| KeptBy::Machine { machine: m.name.clone(), server: named(&m.name) }).collect();
            if kept_by.is_empty() {
                kept_by.push(if seen.running { KeptBy::GroupRuns } else { KeptBy::Nothing });
            }
            let server = server_of_network(name);
            let server_name = servers.iter().find(|s| Some(s.id) == server && network_of(s) == *name);
            NetworkLine {
                name: name.clone(),
                server,
                server_name: server_name.map(|s| s.name.clone()),
                kept_by,
            }
        })
        .collect()
}

impl Facade {
    pub async fn staff_groups(&self, viewer: &Viewer) -> Result<Option<Vec<GroupRow>>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        self.store.groups().await.map(Some)
    }

    pub async fn staff_group(&self, viewer: &Viewer, id: CustomerId) -> Result<Option<GroupDetail>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let Some(group) = self.store.group(id).await? else { return Ok(None) };
        let Some(account) = self.store.account(domain::AccountId(id.0)).await? else { return Ok(None) };
        let seen = self.store.group_seen(id).await?;
        let servers = self.store.servers_of(id).await?;
        let there: Vec<Server> = servers.iter().filter(|s| s.terminated_at.is_none()).cloned().collect();
        let networks = seen.as_ref().map(|seen| network_lines(seen, &servers)).unwrap_or_default();
        let own = |edge: &Edge| {
            let of = edge.network_name.as_deref().and_then(server_of_network);
            servers.iter().any(|s| Some(s.id) == of)
        };
        let held = self.store.edges_held().await?.into_iter().filter(own).collect();
        Ok(Some(GroupDetail {
            group,
            customer_email: account.email,
            networks,
            seen,
            servers: there,
            held,
            open: self.store.jobs_unfinished(id).await?,
            moves: self.store.jobs_that_move(id, MOVES_SHOWN).await?,
            look_wanted: self.store.look_wanted_since().await?,
        }))
    }

    /// Moves a customer's servers to a new group, so that networks that nobody uses go with the old one. For an administrator, who
    /// says why.
    pub async fn group_move(
        &self,
        viewer: &Viewer,
        id: CustomerId,
        why: &str,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(ServerAnswer::Gone);
        }
        let Some(detail) = self.staff_group(viewer, id).await? else { return Ok(ServerAnswer::Gone) };
        let why = reason(why);
        let idempotency = Idempotency {
            key: form.key.to_owned(),
            body_hash: body_hash(&format!("migrate {id} {}", why.as_deref().unwrap_or_default())),
        };
        if let Some(job) = self.store.accepted_before(id, &idempotency).await? {
            return Ok(ServerAnswer::Accepted(job));
        }
        if let Err(errors) = &why {
            return Ok(ServerAnswer::Refused(errors.clone()));
        }
        // The move is one server's job; which one makes no difference.
        let mut one = None;
        for server in &detail.servers {
            if let Some(view) = self.server(viewer, server.id).await?
                && view.can(Action::ChangeEdge).is_ok()
            {
                one = Some(view.server);
                break;
            }
        }
        let Some(server) = one else { return Ok(ServerAnswer::Denied(Denial::NotRunning)) };
        let mut job = self.job_of(Kind::Migrate, viewer, server.id, form.request_id)?;
        let why = why.unwrap_or_default();
        job.params = serde_json::json!({ "why": why });
        let answer = self.accept(&server, &job, &OrderSecrets::default(), &idempotency).await?;
        if let ServerAnswer::Accepted(_) = answer {
            let subject = Subject { kind: "group", id: id.to_string(), name: detail.group.name.clone() };
            let by = Some(viewer.account.id);
            self.store.audit_add(by, "vapp_migrate", &subject, &why, self.now_ms()).await?;
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use store::sight::MachineSeen;

    use super::*;

    fn seen(running: bool, machines: &[(&str, Option<&str>)], networks: &[&str]) -> GroupSeen {
        let machine = |(name, network): &(&str, Option<&str>)| MachineSeen {
            name: (*name).to_owned(),
            on: running,
            network: network.map(str::to_owned),
            obstacle: None,
        };
        GroupSeen {
            name: "cust-1".into(),
            running,
            machines: machines.iter().map(machine).collect(),
            networks: networks.iter().map(|n| (*n).to_owned()).collect(),
        }
    }

    #[test]
    fn each_network_says_what_keeps_it() {
        let group = seen(true, &[("vds-a", Some("net-a"))], &["net-a", "net-b"]);
        let lines = network_lines(&group, &[]);
        let machine = KeptBy::Machine { machine: "vds-a".into(), server: None };
        assert_eq!(lines[0].kept_by, [machine]);
        assert_eq!(lines[1].kept_by, [KeptBy::GroupRuns]);
        let stopped = seen(false, &[("vds-a", Some("net-a"))], &["net-b"]);
        assert_eq!(network_lines(&stopped, &[])[0].kept_by, [KeptBy::Nothing]);
    }
}
