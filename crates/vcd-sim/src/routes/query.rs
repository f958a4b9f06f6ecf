//! The typed queries that the flow asks: VDCs, templates, vApps.

use std::collections::HashMap;

use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};

use super::xml;
use crate::{
    errors::Refusal,
    filter::matches,
    model::World,
    server::{Around, Simulator},
    xml::Element,
};

type Row = Vec<(&'static str, String)>;

pub(super) async fn query(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Query(params): Query<HashMap<String, String>>,
) -> Response {
    let world = sim.read();
    xml(&around, 200, "query.records", answer(&world, &around.base, &params))
}

fn answer(world: &World, base: &str, params: &HashMap<String, String>) -> Result<Element, Refusal> {
    let kind = params.get("type").map(String::as_str).unwrap_or_default();
    let (record, rows) = match kind {
        "orgVdc" => ("OrgVdcRecord", vdcs(world, base)),
        "vAppTemplate" => ("VAppTemplateRecord", templates(world, base)),
        "vApp" => ("VAppRecord", vapps(world, base)),
        other => return Err(Refusal::bad(format!("Unsupported query: {other}"))),
    };
    let number = |name: &str, default: usize| match params.get(name) {
        None => Ok(default),
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| Refusal::bad(format!("validation error on field '{name}': {text}"))),
    };
    let (page, size) = (number("page", 1)?, number("pageSize", 25)?.min(128));
    let mut found = Vec::new();
    for row in rows {
        let field = |name: &str| row.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        if matches(params.get("filter").map(String::as_str), field).map_err(Refusal::bad)? {
            found.push(row);
        }
    }
    let total = found.len();
    let mut result = Element::vcloud("QueryResultRecords")
        .attr("total", total)
        .attr("pageSize", size)
        .attr("page", page)
        .attr("name", kind)
        .attr("href", format!("{base}/api/query?type={kind}&page={page}&pageSize={size}&format=records"));
    if page * size < total {
        result = result.child(Element::new("Link").attr("rel", "nextPage").attr(
            "href",
            format!("{base}/api/query?type={kind}&page={}&pageSize={size}&format=records", page + 1),
        ));
    }
    Ok(result.children(
        found
            .into_iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|row| row.into_iter().fold(Element::new(record), |e, (name, value)| e.attr(name, value))),
    ))
}

fn vdcs(world: &World, base: &str) -> Vec<Row> {
    vec![vec![
        ("name", world.vdc.name.clone()),
        ("orgName", world.org.name.clone()),
        ("org", format!("{base}/api/org/{}", world.org.id)),
        ("isEnabled", "true".into()),
        ("status", "READY".into()),
        ("href", format!("{base}/api/vdc/{}", world.vdc.id)),
    ]]
}

fn templates(world: &World, base: &str) -> Vec<Row> {
    world
        .templates
        .values()
        .map(|t| {
            vec![
                ("name", t.name.clone()),
                ("catalogName", world.catalog.name.clone()),
                ("status", "RESOLVED".into()),
                ("href", format!("{base}/api/vAppTemplate/vappTemplate-{}", t.id)),
            ]
        })
        .collect()
}

fn vapps(world: &World, base: &str) -> Vec<Row> {
    world
        .vapps
        .values()
        .map(|a| {
            vec![
                ("name", a.name.clone()),
                ("vdc", format!("{base}/api/vdc/{}", world.vdc.id)),
                ("status", status_name(world.vapp_status(a)).into()),
                ("isBusy", world.task_on(crate::tasks::Entity::Vapp(a.id)).is_some().to_string()),
                ("isDeployed", world.vapp_deployed(a.id).to_string()),
                ("numberOfVMs", world.vms_of(a.id).count().to_string()),
                ("href", format!("{base}/api/vApp/vapp-{}", a.id)),
            ]
        })
        .collect()
}

fn status_name(status: i32) -> &'static str {
    match status {
        0 => "UNRESOLVED",
        1 => "RESOLVED",
        4 => "POWERED_ON",
        8 => "POWERED_OFF",
        10 => "MIXED",
        _ => "UNKNOWN",
    }
}
