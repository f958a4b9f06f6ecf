//! What "the cloud" holds, for a person to look at. Read only; it refreshes itself.

use std::fmt::Write;

use axum::response::Html;

use super::Ask;
use crate::{clock::iso, model::Vm, tasks::TaskStatus};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b2430;background:#fff}\
    h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
    th,td{text-align:start;padding:.3rem .6rem;border-bottom:1px solid #d5dbe3;vertical-align:top}\
    th{color:#4c5866;font-weight:600}code{font-size:.9em}.scroll{overflow-x:auto}\
    @media(prefers-color-scheme:dark){body{background:#12161c;color:#dfe6ee}th{color:#9fb0c3}th,td{border-color:#2b3440}}";

/// At most this many rows of a table are shown.
const ROWS: usize = 200;

struct Page(String);

impl Page {
    fn table(&mut self, title: &str, head: &[&str], total: usize, rows: impl Iterator<Item = Vec<String>>) {
        let out = &mut self.0;
        let _ = write!(out, "<h2>{title} ({total})</h2>");
        if total == 0 {
            out.push_str("<p>None.</p>");
            return;
        }
        let _ =
            write!(out, "<div class=scroll tabindex=0 role=region aria-label=\"{title}\"><table><thead><tr>");
        for h in head {
            let _ = write!(out, "<th scope=col>{h}</th>");
        }
        out.push_str("</tr></thead><tbody>");
        for row in rows.take(ROWS) {
            out.push_str("<tr>");
            for cell in row {
                let _ = write!(out, "<td>{}</td>", escape(&cell));
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        if total > ROWS {
            let _ = write!(out, "<p>The first {ROWS} of {total}.</p>");
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn span(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60) {
        (0, 0, m, s) => format!("{m}:{s:02}"),
        (0, h, m, s) => format!("{h}:{m:02}:{s:02}"),
        (d, h, m, _) => format!("{d} d {h}:{m:02}"),
    }
}

fn by_name<'w, T>(all: impl Iterator<Item = &'w T>, name: impl Fn(&T) -> &String) -> Vec<&'w T> {
    let mut all: Vec<&T> = all.collect();
    all.sort_by(|a, b| name(a).cmp(name(b)));
    all
}

fn machine(vm: &Vm, vapp: &str, now: i64) -> Vec<String> {
    let power = match (vm.powered_on, vm.suspended) {
        (true, _) => "on",
        (_, true) => "suspended",
        _ => "off",
    };
    vec![
        vm.name.clone(),
        vapp.to_owned(),
        power.into(),
        vm.powered_on_at.map_or("—".into(), |at| span(now - at)),
        format!("{} vCPU, {} MB", vm.cpus, vm.memory_mb),
        vm.disks.iter().map(|d| format!("{} MB", d.size_mb)).collect::<Vec<_>>().join(" + "),
        vm.nics
            .iter()
            .map(|n| format!("{} on {}", n.ip.as_deref().unwrap_or("no address"), n.network))
            .collect::<Vec<_>>()
            .join(", "),
        vm.customization_status(now).into(),
        vm.inside.hostname.clone(),
        vm.id.to_string(),
    ]
}

pub(super) async fn page(ask: Ask) -> Html<String> {
    let (world, now) = (ask.read(), ask.now());
    let mut page = Page(format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <meta http-equiv=refresh content=2><title>Simulated cloud</title><style>{STYLE}</style></head><body><main>\
         <h1>Simulated cloud: organisation {}, VDC {}</h1><p>Cloud time {}. The API is at <code>{}/api</code>.</p>",
        escape(&world.org.name),
        escape(&world.vdc.name),
        iso(now),
        escape(ask.base()),
    ));
    let mut running: Vec<_> = world.tasks.values().collect();
    running.sort_by_key(|t| std::cmp::Reverse((t.is_running(), t.start)));
    page.table(
        "Tasks",
        &["Operation", "Of", "State", "Done", "Started", "For", "Problem"],
        running.len(),
        running.iter().map(|t| {
            let state = match t.status {
                TaskStatus::Running => "running",
                TaskStatus::Success => "success",
                TaskStatus::Error => "error",
                TaskStatus::Canceled => "canceled",
                TaskStatus::Aborted => "aborted",
            };
            let end = if t.is_running() { now } else { t.end };
            vec![
                t.operation_name.clone(),
                format!("{} {}", t.owner.word(), t.owner_name),
                state.into(),
                format!("{} %", t.progress(now)),
                iso(t.start),
                span(end - t.start),
                t.error.as_ref().map(|e| e.message.clone()).unwrap_or_default(),
            ]
        }),
    );
    page.table(
        "vApps",
        &["Name", "Status", "VMs", "Networks", "Created", "Id"],
        world.vapps.len(),
        by_name(world.vapps.values(), |a| &a.name).into_iter().map(|a| {
            vec![
                a.name.clone(),
                super::records::status_name(world.vapp_status(a)).to_lowercase().replace('_', " "),
                world.vms_of(a.id).count().to_string(),
                a.networks.iter().map(|n| n.name.as_str()).collect::<Vec<_>>().join(", "),
                iso(a.created),
                a.id.to_string(),
            ]
        }),
    );
    let vapp_name = |vm: &Vm| world.vapps.get(&vm.vapp).map(|a| a.name.clone()).unwrap_or_default();
    page.table(
        "VMs",
        &[
            "Name",
            "vApp",
            "Power",
            "Up for",
            "Size",
            "Disks",
            "Network",
            "Customization",
            "Host name inside",
            "Id",
        ],
        world.vms.len(),
        by_name(world.vms.values(), |vm| &vm.name).into_iter().map(|vm| machine(vm, &vapp_name(vm), now)),
    );
    page.table(
        "Networks",
        &["Name", "Edge", "Gateway", "State"],
        world.networks.len(),
        by_name(world.networks.values(), |n| &n.name).into_iter().map(|n| {
            vec![
                n.name.clone(),
                world.edges.get(&n.edge).map(|e| e.name.clone()).unwrap_or_default(),
                format!("{}/{}", n.gateway, n.prefix_length),
                format!("{:?}", n.status),
            ]
        }),
    );
    let speed = |id: Option<uuid::Uuid>| {
        let found = id.and_then(|id| world.qos_profiles.iter().find(|q| q.id == id));
        found.map_or("unlimited".into(), |q| q.name.clone())
    };
    let mut edges: Vec<_> = world.edges.values().collect();
    edges.sort_by(|a, b| (world.networks_on(b.id), &a.name).cmp(&(world.networks_on(a.id), &b.name)));
    page.table(
        "Edges",
        &["Name", "Description", "Networks", "Shown as", "In", "Out"],
        edges.len(),
        edges.iter().map(|e| {
            vec![
                e.name.clone(),
                e.description.clone(),
                world.networks_on(e.id).to_string(),
                world.networks_shown(e, now).to_string(),
                speed(e.ingress),
                speed(e.egress),
            ]
        }),
    );
    page.0.push_str("</main></body></html>");
    Html(page.0)
}
