// Every page, in every state that it has: accessible in both themes, valid, light, with no dead button, and with room for
// longer words.
import { ADMIN, ANNA, SUPPORT, eventually, expect, order, signIn, test } from "../product";
import { roomForLongerWords, sound } from "../sound";
import type { Page } from "@playwright/test";

const TABS = ["", "/resize", "/network", "/reinstall", "/terminate"];

async function everyTab(page: Page, server: string) {
  for (const tab of TABS) {
    await page.goto(server + tab);
    await sound(page);
  }
}

async function press(page: Page, server: string, action: string) {
  await page.goto(`${server}/confirm?do=${action}`);
  await page.locator("form[action^='/do/server_'] button").click();
  await expect(page).toHaveURL(/\/operations\//);
}

/** Pages of administrators that need nothing to be there. */
const STAFF = [
  "/staff",
  "/staff/edges?view=grid",
  "/staff/customers",
  "/staff/catalogue/templates?edit=new",
  "/staff/catalogue/panels?edit=plesk",
  "/staff/catalogue/prices?edit=limits",
  "/staff/system",
  "/staff/system/audit",
  "/staff/help",
];

test("a server in each of its states", async ({ page, product }) => {
  test.setTimeout(240_000);
  const email = `states-${test.info().project.name}@demo.test`;
  product.addAccount(email, "a-long-new-password");
  await signIn(page, email, "a-long-new-password");
  // Nothing there yet.
  for (const path of ["/servers", "/operations", "/account", "/keys"]) {
    await page.goto(path);
    await sound(page);
  }
  // Being made.
  await order(page);
  await sound(page);
  await page.goto("/servers");
  const server = new URL((await page.locator("tbody th a").first().getAttribute("href"))!, page.url()).href;
  await page.goto(server);
  await sound(page);
  await expect(page.getByText("Running").first()).toBeVisible({ timeout: 30_000 });
  await everyTab(page, server);
  // Switched off.
  await press(page, server, "force_off");
  await eventually(page, /is off$/);
  await everyTab(page, server);
  await page.goto(`${server}/confirm?do=reset_password`);
  await sound(page);
  // Gone.
  await page.goto(`${server}/terminate`);
  await page.getByLabel(/Type the server name/).fill((await page.locator("h1").textContent())!.replace("Terminate ", "").trim());
  await page.getByRole("button", { name: /^Terminate/ }).click();
  await page.goto(server);
  await sound(page);
  await expect(async () => {
    await page.reload();
    await expect(page.getByText(/was terminated on/)).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 30_000 });
  await sound(page);
  // One that failed.
  await order(page, { access: (page) => page.getByLabel("Host name").fill("fail-customize") });
  await eventually(page, /We could not finish/);
  // The reader's own operation: it is said at once.
  await expect(page.locator("#alert")).not.toBeEmpty();
  await sound(page);
  const failed = page.url();
  await page.goto("/servers");
  await sound(page);
  await page.locator("tbody th a").first().click();
  await sound(page);
  await order(page);
  await eventually(page, /is ready$/);
  await page.goto("/servers");
  // Several at once: what would be done, and nothing chosen.
  const ids = await page.locator("[data-bulk]").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value));
  for (const query of [`do=shut_down&${ids.map((id) => `server=${id}`).join("&")}`, "do=start"]) {
    await page.goto(`/servers/confirm?${query}`);
    await sound(page);
  }
  // What ran together.
  await page.goto("/operations");
  await page.locator("details.lanes summary").click();
  await sound(page);
  for (const who of [SUPPORT, ADMIN]) {
    await signIn(page, who);
    const job = failed.replace("/operations/", "/staff/jobs/");
    for (const path of ["", ...["rerun", "roll_back", "mark_done", "stop"].map((action) => `/confirm?do=${action}`)]) {
      await page.goto(job + path);
      await sound(page);
    }
    for (const path of ["/staff/jobs/rerun?q=state:failed", "/staff/jobs?q=colour:red", "/staff/jobs?q=is:slow"]) {
      await page.goto(path);
      await sound(page);
    }
    await page.goto(job);
    await page.getByLabel("Reason").fill("too short");
    await page.getByRole("button", { name: /^Re-run/ }).click();
    await expect(page.getByText(/ten characters at least/).first()).toBeVisible();
    await expect(page.getByLabel("Reason")).toHaveValue("too short");
    await sound(page);
  }
});

test("a dialog, an open menu, and the ways to be refused", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/);
  await page.getByRole("link", { name: "Open the server" }).click();
  await expect(page.locator("html.alive")).toBeAttached();
  await page.locator("a[data-dialog]").first().click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await sound(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await sound(page);
  await page.goto("/servers");
  await page.locator("tbody summary").first().click();
  await sound(page);
  for (const path of ["/nowhere", "/staff/jobs", "/servers?q=nothing-like-it", "/operations?state=failed"]) {
    await page.goto(path);
    await sound(page);
  }
});

test("words half as long again have room", async ({ page }) => {
  test.setTimeout(120_000);
  await page.goto("/login");
  await roomForLongerWords(page);
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/);
  const operation = page.url();
  await roomForLongerWords(page);
  await page.goto("/servers");
  const server = new URL((await page.locator("tbody th a").first().getAttribute("href"))!, page.url()).href;
  await page.goto("/servers");
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await expect(page).toHaveURL(/\/os/);
  const draft = page.url().replace(/\/os.*/, "");
  const paths = ["/servers", "/operations", "/account", "/keys", "/nowhere"];
  const steps = ["os", "panel", "size", "access", "review"].map((step) => `${draft}/${step}`);
  for (const path of [...paths, ...steps, ...TABS.map((tab) => server + tab), `${server}/confirm?do=reboot`, `${server}/console`, operation]) {
    await page.goto(path);
    await roomForLongerWords(page);
  }
  await signIn(page, ADMIN);
  for (const path of ["/staff/jobs", "/staff/jobs?q=colour:red", "/staff/jobs/rerun", "/staff/edges", "/staff/vapps", "/staff/drift", ...STAFF]) {
    await page.goto(path);
    await roomForLongerWords(page);
  }
});
