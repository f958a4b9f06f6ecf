// Lighthouse over every page of a customer and of staff, as a phone on a slow line meets them: the median of so many runs.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as launcher from "chrome-launcher";
import lighthouse from "lighthouse";

const RUNS = Number(process.env.RUNS ?? 5);
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const only = process.argv.slice(2);
const data = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const args = ["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir", data, "--sim-speed", "120"];
const server = spawn(process.env.SLIPWAY, args, { stdio: ["ignore", "pipe", "inherit"] });
const url = await new Promise((resolve, reject) => {
  server.stdout.on("data", (chunk) => {
    const ready = /ready on (http:\S+)/.exec(String(chunk));
    if (ready) resolve(ready[1]);
  });
  server.on("exit", (code) => reject(new Error(`slipway ended with ${code}`)));
});

async function post(path, fields, cookie = "") {
  const headers = { origin: url, accept: "text/html", "content-type": "application/x-www-form-urlencoded", cookie };
  const body = new URLSearchParams(fields).toString();
  return fetch(url + path, { method: "POST", redirect: "manual", headers, body });
}

async function signIn(login) {
  const answer = await post("/do/session_open", { login, password: "slipway-demo" });
  return answer.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
}

const text = async (path, cookie) => (await fetch(url + path, { headers: { cookie, accept: "text/html" } })).text();
const pick = (html, pattern) => pattern.exec(html)?.[1] ?? "";

/** An order with the defaults, and where everything of it is. */
async function prepared(cookie) {
  const begun = await post("/do/draft_start", {}, cookie);
  const draft = pick(begun.headers.get("location"), /order\/([^/]+)/);
  const review = await text(`/order/${draft}/review`, cookie);
  const field = (name) => pick(review, new RegExp(`name="${name}" value="([^"]*)"`));
  const placed = await post("/do/order_place", { draft, total: field("total"), seen: field("seen"), terms: "yes" }, cookie);
  const operation = placed.headers.get("location");
  for (let i = 0; i < 120 && !/is ready/.test(await text(operation, cookie)); i++) await new Promise((r) => setTimeout(r, 250));
  const server = pick(await text("/servers", cookie), /href="(\/servers\/[0-9a-f-]{36})"/);
  const next = await post("/do/draft_start", {}, cookie);
  const fresh = pick(next.headers.get("location"), /order\/([^/]+)/);
  const steps = ["os", "panel", "size", "access", "review"].map((step) => `/order/${fresh}/${step}`);
  const several = `/servers/confirm?do=shut_down&server=${server.split("/").pop()}`;
  const tabs = ["", "/resize", "/network", "/reinstall", "/terminate", "/confirm?do=reboot", "/console"].map((tab) => server + tab);
  return { mine: ["/servers", "/operations", "/account", "/keys", operation, several, ...steps, ...tabs], job: operation.split("/").pop() };
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const browser = () => launcher.launch({ chromePath: process.env.CHROMIUM, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
let chrome = await browser();
const low = [];

async function measure(path, cookie, base = url) {
  if (only.length && !only.some((part) => (part.startsWith("=") ? path === part.slice(1) : path.includes(part)))) return;
  const scores = CATEGORIES.map(() => []);
  const vitals = { lcp: [], tbt: [], cls: [] };
  const weights = [];
  let requests = 0;
  const failed = new Set();
  for (let run = 0; run < RUNS; run++) {
    const options = { port: chrome.port, onlyCategories: CATEGORIES, logLevel: "error", extraHeaders: { cookie } };
    let { lhr } = await lighthouse(base + path, options);
    // Now and then the browser loses the trace of a load.
    if (lhr.runtimeError) ({ lhr } = await lighthouse(base + path, options));
    CATEGORIES.forEach((name, i) => scores[i].push(Math.round((lhr.categories[name]?.score ?? 0) * 100)));
    if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
    weights.push(lhr.audits["total-byte-weight"].numericValue / 1000);
    requests = lhr.audits["network-requests"].details.items.length;
    vitals.lcp.push(lhr.audits["largest-contentful-paint"].numericValue / 1000);
    vitals.tbt.push(lhr.audits["total-blocking-time"].numericValue);
    vitals.cls.push(lhr.audits["cumulative-layout-shift"].numericValue);
    for (const name of CATEGORIES) {
      for (const { id, weight } of lhr.categories[name].auditRefs) {
        const { score, scoreDisplayMode } = lhr.audits[id];
        if (weight > 0 && score !== null && score < 0.9 && scoreDisplayMode !== "informative") failed.add(id);
      }
    }
  }
  const row = scores.map(median);
  const shown = path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "…");
  const figures = `LCP ${median(vitals.lcp).toFixed(2)} s, TBT ${median(vitals.tbt).toFixed(0)} ms, CLS ${median(vitals.cls).toFixed(3)}; ${median(weights).toFixed(0)} kB, ${requests} requests`;
  console.log(`| \`${shown}\` | ${row.join(" | ")} | ${figures} | ${[...failed].join(", ")} |`);
  if (base === url && row.some((score) => score < 98)) low.push(shown);
}

console.log(`| page | ${CATEGORIES.join(" | ")} | | below 90 in some run |\n|---|---|---|---|---|---|---|`);
await measure("/login", "");
const anna = await signIn("customer@demo.test");
const { mine, job } = await prepared(anna);
for (const path of mine) await measure(path, anna);
// What the browser has kept of one session would outweigh the header of another.
await chrome.kill();
chrome = await browser();
const admin = await signIn("admin@demo.test");
const jobs = ["/staff/jobs", "/staff/jobs?q=colour:red", "/staff/jobs/rerun?q=", `/staff/jobs/${job}`, `/staff/jobs/${job}/confirm?do=stop`];
const rest = ["/staff", "/staff/help", "/staff/edges?view=grid", "/staff/customers", "/staff/system", "/staff/system/audit", "/staff/catalogue/templates", "/staff/catalogue/panels?edit=plesk", "/staff/catalogue/prices?edit=prices"];
const first = async (list) => pick(await text(list, admin), new RegExp(`href="(${list}/[0-9a-f-]{36})"`));
const single = await Promise.all(["/staff/customers", "/staff/edges", "/staff/vapps"].map(first));
for (const path of [...jobs, ...rest, ...single, "/staff/edges", "/staff/vapps", "/staff/drift"]) await measure(path, admin);
// B7: the same wizard as SvelteKit makes it.
if (process.env.SVELTE) {
  const env = { ...process.env, PORT: "4173", ORIGIN: "http://127.0.0.1:4173" };
  const peer = spawn("node", [join(process.env.SVELTE, "build/index.js")], { env, stdio: ["ignore", "ignore", "inherit"] });
  await new Promise((r) => setTimeout(r, 1500));
  await chrome.kill();
  chrome = await browser();
  console.log("SvelteKit:");
  for (const step of ["os", "panel", "size", "access", "review"]) await measure(`/order/${step}`, "", "http://127.0.0.1:4173");
  peer.kill();
}
console.log(low.length ? `below 98: ${low.join(", ")}` : "every page has at least 98 in every category");
await chrome.kill();
server.removeAllListeners("exit");
server.kill();
rmSync(data, { recursive: true, force: true });
process.exit(low.length ? 1 : 0);
