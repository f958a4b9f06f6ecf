// The database of the product: the same rows, read by the same statements.
import Database from "better-sqlite3";

// The build looks at this file too, and has none.
const db = new Database(process.env.DATABASE ?? ":memory:", { readonly: Boolean(process.env.DATABASE) });
const prepared = (sql) => {
  let statement;
  return () => (statement ??= db.prepare(sql));
};
const session = prepared("SELECT data FROM session WHERE id_hash = ? AND expires_at > ?");
const account = prepared("SELECT id, email, name, role FROM account WHERE id = ?");
const jobs = prepared(`
  SELECT job.id, job.number, job.context_id, job.seq, job.kind, job.params, job.server_id, job.state,
    job.requested_by, job.request_id, job.claim_owner, job.claim_expires_at, job.next_attempt_at,
    job.created_at, job.started_at, job.finished_at, job.cause, job.detail, job.needs_job_id, server.name AS server_name,
    server.template_name, server.panel_name, account.email,
    (SELECT group_concat(told, ',') FROM (SELECT key || ' ' || state || ' ' || attempt AS told FROM job_step
       WHERE job_id = job.id ORDER BY ord)) AS told
  FROM job LEFT JOIN server ON server.id = job.server_id JOIN account ON account.id = job.context_id
  WHERE job.number < ? ORDER BY job.number DESC LIMIT ?`);
const counts = prepared("SELECT state, COUNT(*) AS n FROM job GROUP BY state");

/** Who is asking, by the key of a session's row. */
export function viewer(key) {
  const row = session().get(key ?? "", Date.now());
  const [, data] = row ? JSON.parse(row.data) : [0, {}];
  return data.account ? account().get(data.account) : undefined;
}

/** The fifty newest jobs with their steps, as the page shows them. */
export function page() {
  const shown = jobs().all(Number.MAX_SAFE_INTEGER, 51).slice(0, 50).map((r) => {
    const all = (r.told ?? "").split(",").filter(Boolean).map((t) => {
      const [key, state, attempt] = t.split(" ");
      return { key, state, attempt: Number(attempt) };
    });
    const at = all.findIndex((s) => s.state !== "done" && s.state !== "skipped");
    return {
      id: r.id, number: r.number, what: `${r.kind} ${r.server_name ?? ""}`, email: r.email, state: r.state,
      step: at < 0 ? "—" : `${at + 1}/${all.length} ${all[at].key}`,
      attempt: Math.max(0, ...all.map((s) => s.attempt)), started: r.started_at,
      took: r.started_at ? (r.finished_at ?? Date.now()) - r.started_at : null, cause: r.cause,
    };
  });
  return { rows: shown, counts: counts().all() };
}
