// What administrators and support see and do beside jobs: the day at a glance, the pool, customers, the catalogue, the system.
import type { Page } from "@playwright/test";
import { ADMIN, ANNA, SUPPORT, eventually, expect, fits, order, signIn, test } from "../product";

const WHY = "the gateway is being replaced";

/** Sends a form without a reason first: it says so and keeps everything. */
async function withReason(page: Page, button: string | RegExp) {
  await page.getByRole("button", { name: button }).click();
  await expect(page.getByText("Say why in a few words, ten characters at least.").first()).toBeVisible();
  await page.getByLabel("Reason").fill(WHY);
  await page.getByRole("button", { name: button }).click();
}

test("everything at a glance: numbers that lead to what they count", async ({ page }) => {
  await signIn(page, SUPPORT);
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await expect(page.getByText(/At this pace|None is free/).first()).toBeVisible();
  await page.getByText("As a table").click();
  await expect(page.getByRole("rowheader")).toHaveCount(14);
  await fits(page);
  await page.getByRole("link", { name: /edges free$/ }).click();
  await expect(page).toHaveURL(/state=free/);
  await expect(page.getByRole("rowheader").first()).toBeVisible();
  await fits(page);
});

test("an edge is kept out of the pool with a reason, and comes back", async ({ page }) => {
  await signIn(page, ADMIN);
  await page.goto("/staff/edges?state=free");
  await page.getByRole("rowheader").getByRole("link").last().click();
  const edge = page.url();
  await expect(page.getByText("Nobody has claimed it.")).toBeVisible();
  await page.getByRole("link", { name: "Quarantine" }).click();
  await withReason(page, "Quarantine");
  await expect(page.getByText("The edge is out of the pool.")).toBeVisible();
  await expect(page.getByText(WHY).first()).toBeVisible();
  await fits(page);
  await page.goto("/staff/edges?view=grid&state=quarantined");
  await expect(page.getByRole("link", { name: /, Quarantined$/ }).first()).toBeVisible();
  await fits(page);
  await page.goto(edge);
  await page.getByRole("link", { name: "Return to pool" }).click();
  await withReason(page, "Return to pool");
  await expect(page.getByText("The edge is back in the pool.")).toBeVisible();
  await page.getByRole("button", { name: "Ask the platform now" }).click();
  await expect(page.getByText("The platform is asked now.").first()).toBeVisible();
  await eventually(page, /Free/);
  await page.goto("/staff/system/audit?what=edge_return");
  await expect(page.getByRole("table")).toContainText(WHY);
  await fits(page);
});

test("support looks as a customer does, and can change nothing", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/, 60);
  await page.getByRole("link", { name: "Open the server" }).click();
  const server = page.url();
  await signIn(page, SUPPORT);
  await page.goto("/staff/customers?q=customer@demo");
  await page.getByRole("rowheader").getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Queue: who waits for whom" })).toBeVisible();
  await page.getByRole("textbox", { name: "Note" }).fill("pays by invoice");
  await page.getByRole("button", { name: "Add note" }).click();
  await expect(page.getByText("pays by invoice")).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: "View as customer" }).click();
  await expect(page.getByText(/You see what customer@demo.test sees/)).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "Servers" })).toBeVisible();
  await page.goto(server);
  await expect(page.getByText(/You see what customer@demo.test sees/)).toBeVisible();
  await fits(page);
  // Nothing of the customer's is changed, whatever is sent.
  const answer = await page.request.post("/do/draft_start", { headers: { origin: new URL(server).origin } });
  expect(answer.status()).toBe(403);
  expect((await page.goto(`${server}/console`))!.status()).toBe(403);
  await page.goto("/servers");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "customer@demo.test" })).toBeVisible();
  await page.getByRole("link", { name: "vApp", exact: true }).click();
  await page.getByRole("button", { name: "Show what would happen" }).click();
  await fits(page);
});

test("a price is looked at, changed from a day on, and taken back", async ({ page }) => {
  await signIn(page, ADMIN);
  await page.goto("/staff/catalogue/prices");
  await page.getByRole("link", { name: "Change prices" }).click();
  await page.getByLabel("One vCPU").fill("free");
  await page.getByLabel("Reason").fill(WHY);
  await page.getByRole("button", { name: "See what it would do" }).click();
  await expect(page.getByText("Give an amount like 200 or 200.50.").first()).toBeVisible();
  await expect(page.getByLabel("One vCPU")).toHaveValue("free");
  await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
  await page.getByLabel("One vCPU").fill("400,50");
  await page.getByLabel("Holds from").fill("2036-12-01");
  await page.getByRole("button", { name: "See what it would do" }).click();
  await expect(page.getByText(/It affects \d+ unfinished order/)).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The change is written down.")).toBeVisible();
  await expect(page.getByRole("heading", { name: "To come" })).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: "Take back" }).first().click();
  await expect(page.getByText("The change was taken back before it began.")).toBeVisible();
  await page.goto("/staff/catalogue/panels?edit=plesk");
  await fits(page);
  await page.goto("/staff/catalogue/templates?edit=debian-12");
  await page.getByLabel("Memory at least, GB").fill("0");
  await page.getByRole("button", { name: "See what it would do" }).click();
  await expect(page.getByText("Give a whole number from 1 to 1024.").first()).toBeVisible();
  await fits(page);
});

test("who runs jobs is there, and support has no system", async ({ page }) => {
  await signIn(page, ADMIN);
  await page.goto("/staff/system");
  await expect(page.getByRole("table").getByText("There")).toBeVisible();
  await page.getByLabel("Minutes it will last, if known").fill("soon");
  await page.getByLabel("Reason").fill(WHY);
  await page.getByRole("button", { name: "Begin maintenance" }).click();
  await expect(page.getByText(/Give whole minutes from 1 to/).first()).toBeVisible();
  await expect(page.getByLabel("Reason")).toHaveValue(WHY);
  await fits(page);
  await signIn(page, SUPPORT);
  await expect(page.getByRole("link", { name: "System" })).toHaveCount(0);
  for (const path of ["/staff/system", "/staff/system/audit", "/staff/catalogue/prices"]) {
    expect((await page.goto(path))!.status(), path).toBe(403);
  }
});
