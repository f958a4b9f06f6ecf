//! Files that a page offers. Who may have each stands in the policy table, and whose it is is checked where it is read.

use app::{
    AuditAsked, iso,
    request::{Around, Product},
};
use axum::{
    Extension,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{JobId, ServerId, catalogue::Family};
use provisioning::{AuditLine, LogLine};

/// What Windows' own client opens to sign in to a server. It holds no secret.
pub(crate) async fn rdp(
    State(product): State<Product>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let (Some(viewer), Ok(id)) = (&around.viewer, id.parse::<ServerId>()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let server = match product.facade.server(viewer, id).await {
        Ok(view) => {
            view.map(|v| v.server).filter(|s| s.family == Family::Windows && s.terminated_at.is_none())
        }
        Err(e) => {
            tracing::error!("a server could not be read: {e}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let Some((server, address)) = server.and_then(|s| s.address.clone().map(|a| (s, a))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A value ends with its line, and a login has no control characters (domain::access).
    let login: String = server.guest_login.chars().filter(|c| !c.is_control()).collect();
    let text = format!(
        "full address:s:{address}\r\nusername:s:{login}\r\nprompt for credentials:i:1\r\nauthentication level:i:2\r\n"
    );
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = server.hostname.chars().map(plain).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/x-rdp".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.rdp\"")),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    (headers, text).into_response()
}

/// The whole log of a job, times in UTC.
pub(crate) async fn job_log(
    State(product): State<Product>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let (Some(viewer), Ok(id)) = (&around.viewer, id.parse::<JobId>()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (number, lines) = match product.facade.staff_job_log(viewer, id).await {
        Ok(Some(log)) => log,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(e) => {
            tracing::error!("a log could not be read: {e}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let text: String = lines.iter().map(log_line).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"job-{number}.log\"")),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    (headers, text).into_response()
}

/// What goes on in another line is indented: nothing that was written looks like a line of the log itself.
fn log_line(line: &LogLine) -> String {
    format!("{} {:<16} {}\n", iso(line.at), line.step, line.text.replace('\n', "\n    "))
}

/// What was done by hand, for a table.
pub(crate) async fn audit_csv(
    State(product): State<Product>,
    Extension(around): Extension<Around>,
) -> Response {
    let lines = match audit(&product, &around).await {
        Ok(lines) => lines,
        Err(status) => return status.into_response(),
    };
    let mut text = String::from("time,by,what,subject,name,why\r\n");
    for line in &lines {
        let who = line.by_name.clone().unwrap_or_default();
        let cells = [
            iso(line.at),
            who,
            line.what.clone(),
            line.subject.clone(),
            line.name.clone(),
            line.detail.clone(),
        ];
        text.push_str(&cells.map(|c| csv_cell(&c)).join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    (headers, text).into_response()
}

/// The same for a program.
pub(crate) async fn audit_json(
    State(product): State<Product>,
    Extension(around): Extension<Around>,
) -> Response {
    let lines = match audit(&product, &around).await {
        Ok(lines) => lines,
        Err(status) => return status.into_response(),
    };
    let line = |l: &AuditLine| {
        serde_json::json!({"time": iso(l.at), "by": l.by_name, "what": l.what, "subject": l.subject,
                           "subject_id": l.subject_id, "name": l.name, "why": l.detail})
    };
    let text = serde_json::Value::Array(lines.iter().map(line).collect()).to_string();
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.json\""),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    (headers, text).into_response()
}

async fn audit(product: &Product, around: &Around) -> Result<Vec<AuditLine>, StatusCode> {
    let fault = |e: store::Error| {
        tracing::error!("what was done by hand could not be read: {e}");
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let viewer = around.viewer.as_ref().ok_or(StatusCode::NOT_FOUND)?;
    let asked = AuditAsked::of(&around.path);
    let by = match asked.by.as_str() {
        "" => None,
        email => product.facade.staff_by_email(viewer, email).await.map_err(fault)?,
    };
    let lines = product.facade.audit_file(viewer, &asked.filter(by)).await.map_err(fault)?;
    lines.ok_or(StatusCode::NOT_FOUND)
}

/// Quoted, and never what a table would take for a formula.
fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_cell_and_no_formula() {
        assert_eq!(csv_cell("said \"no\", twice"), "\"said \"\"no\"\", twice\"");
        for formula in ["=1+1", "+1", "-1", "@x", "\t=1"] {
            assert_eq!(csv_cell(formula), format!("\"'{formula}\""));
        }
    }

    #[test]
    fn a_line_of_the_log_is_one() {
        let line =
            |text: &str| log_line(&LogLine { line: 1, at: 0, step: "ready".into(), text: text.into() });
        assert_eq!(line("done"), "1970-01-01T00:00:00Z ready            done\n");
        assert_eq!(line("a\nb"), "1970-01-01T00:00:00Z ready            a\n    b\n");
    }
}
