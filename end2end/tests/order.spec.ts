// The main journey: log in, order, watch it come up, learn how to sign in to it.
import { ANNA, BORIS, eventually, expect, fillOrder, fits, live, order, signIn, test } from "../product";

test("a server is ordered and ends on how to sign in to it", async ({ page, product }) => {
  const before = product.cloud();
  await signIn(page, ANNA);
  await expect(page.getByRole("heading", { level: 1, name: "Servers" })).toBeVisible();
  const operation = await order(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Create web-");
  await fits(page);
  await eventually(page, /is ready$/);
  await expect(page.getByText(/^ssh root@198\.1[89]\./).first()).toBeVisible();
  await fits(page);

  await page.getByRole("button", { name: "Show once" }).click();
  await expect(page.locator("code.secret")).toHaveText(/^\S{24}$/);
  await page.goto(operation);
  await expect(page.getByText(/Password already shown/).first()).toBeVisible();

  await page.goto("/servers");
  await expect(page.getByText("Running").first()).toBeVisible();
  await fits(page);
  const cloud = product.cloud();
  expect(cloud.vms.length).toBe(before.vms.length + 1);
  expect(cloud.networks.length).toBe(before.networks.length + 1);
});

test("without a script the page of an order refreshes itself until it is over", async ({ page }) => {
  test.skip(test.info().project.use.javaScriptEnabled !== false, "with scripts the page is pushed what changes");
  await signIn(page, ANNA);
  await order(page);
  await expect(page.getByRole("link", { name: "Stop" })).toBeVisible();
  // Nobody reloads it.
  await expect(page.getByText(/is ready$/).first()).toBeVisible({ timeout: 40_000 });
  await expect(page.getByRole("link", { name: "Stop" })).toHaveCount(0);
});

test("what arrives while somebody watches can be copied", async ({ page, context }) => {
  test.skip(!live(), "copying needs a script");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, BORIS);
  await order(page);
  await expect(page.getByText(/is ready$/).first()).toBeVisible({ timeout: 40_000 });
  await page.getByRole("button", { name: "Copy" }).first().click();
  await expect(page.getByRole("button", { name: "Copied" }).first()).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^ssh root@198\.1[89]\./);
});

test("every step of the wizard fits the window and keeps what was typed", async ({ page }) => {
  await signIn(page, BORIS);
  await page.goto("/servers");
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("link", { name: "Windows Server" }).click();
  await expect(page.getByLabel("Debian 12")).toHaveCount(0);
  await page.getByRole("link", { name: "With cPanel" }).click();
  await expect(page.getByLabel("AlmaLinux 8")).toBeVisible();
  await expect(page.getByLabel("Debian 12")).toHaveCount(0);
  // What is chosen stays in sight, and chosen.
  await expect(page.getByLabel("AlmaLinux 9")).toBeChecked();
  await fits(page);
  await page.getByRole("link", { name: "All", exact: true }).click();
  await page.getByLabel("Debian 12").check();
  await fits(page);
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("1000");
  await page.getByRole("spinbutton", { name: "Disk, GB" }).fill("45");
  await fits(page);
  await page.getByRole("button", { name: "Next: Access" }).last().click();

  await expect(page.getByRole("alert")).toContainText("Please fix 2 things");
  await expect(page).toHaveTitle(/^Error:/);
  await expect(page.getByText("We offer from 1 to 128 (you entered 1000).").last()).toBeVisible();
  await expect(page.getByText("It grows in steps of 10: 40 or 50, not 45.").last()).toBeVisible();
  await expect(page.getByRole("spinbutton", { name: "RAM, GB" })).toHaveValue("1000");
  await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("8");
  await page.getByRole("button", { name: "Use 50" }).click();
  await expect(page.getByRole("spinbutton", { name: "Disk, GB" })).toHaveValue("50");
  await expect(page.getByRole("spinbutton", { name: "RAM, GB" })).toHaveValue("8");
  await page.getByRole("button", { name: "Next: Access" }).last().click();

  await page.getByLabel("Host name").fill("сервер");
  await page.getByLabel("Login", { exact: true }).fill("admin");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByText(/Only Latin letters.*server/).last()).toBeVisible();
  await expect(page.getByText(/reserved by the system/).last()).toBeVisible();
  await expect(page.getByLabel("Host name")).toHaveValue("сервер");
  await fits(page);
  await page.getByRole("button", { name: "Use server" }).click();
  await expect(page.getByLabel("Host name")).toHaveValue("server");
  await page.getByLabel("Host name").fill("db.example.com");
  await page.getByLabel("Login", { exact: true }).fill("boris");
  await page.getByLabel("My own", { exact: true }).check();
  await page.locator("#guest_password").fill("short");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByText(/At least 12 characters/).last()).toBeVisible();
  await expect(page.locator("#guest_password")).toHaveValue("");
  await page.locator("#guest_password").fill("Vq7-tRn2xLp9");
  await page.getByRole("button", { name: "Next: Review" }).last().click();

  await expect(page.getByText("db.example.com").first()).toBeVisible();
  await expect(page.getByText("chosen by you").first()).toBeVisible();
  await fits(page);
  await page.getByRole("link", { name: "Change: Size" }).click();
  await expect(page.getByRole("spinbutton", { name: "RAM, GB" })).toHaveValue("8");
});

test("an order without the terms is refused and nothing is stored", async ({ page, product }) => {
  // Somebody who has never ordered: later orders stand under the same terms.
  const email = `new-${test.info().project.name}@demo.test`;
  product.addAccount(email, "a-long-new-password");
  await signIn(page, email, "a-long-new-password");
  await fillOrder(page);
  const before = page.url();
  // The browser's own check is set aside: the server must refuse by itself.
  await page.locator("form.order").evaluate((form) => form.setAttribute("novalidate", "")).catch(() => {});
  const terms = page.locator("#terms");
  await terms.evaluate((box) => box.removeAttribute("required"));
  await page.getByRole("button", { name: /^Order for/ }).click();
  await expect(page.getByText("Accept the terms to order.").last()).toBeVisible();
  expect(page.url().split("#")[0]).toBe(before.split("#")[0]);
  await page.goto("/operations");
  await expect(page.getByText("Nothing is running.").first()).toBeVisible();
});

test("a wrong password says nothing about which part was wrong", async ({ page }) => {
  await page.goto("/login");
  await page.getByLabel("E-mail").fill("nobody@demo.test");
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Wrong login or password.").last()).toBeVisible();
  await expect(page.getByLabel("E-mail")).toHaveValue("nobody@demo.test");
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
});

test("servers are found by name, filtered by state, and what cannot be done says why", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/, 40);
  await page.goto("/servers");
  const name = (await page.locator("tbody th a").first().innerText()).trim();
  await page.getByLabel("Name, host name or IP").fill(name.toUpperCase());
  await page.getByRole("button", { name: "Find" }).click();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.getByRole("link", { name: /^Running \d+$/ }).click();
  await expect(page).toHaveURL(/q=.*state=running/);
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await fits(page);
  await page.locator("tbody summary").first().click();
  await expect(page.locator(".row-menu[open]").getByText("It is running already.")).toBeVisible();
  await fits(page);
  await page.locator(".row-menu[open]").getByRole("link", { name: "Reboot" }).click();
  await expect(page.getByText(/^Reboot .*\? About 1 minute offline/)).toBeVisible();
  await page.goto("/servers?q=nothing-like-it");
  await expect(page.getByText('Nothing matches "nothing-like-it".')).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/servers$/);
});

test("an order with the defaults is six clicks and nothing typed", async ({ page }) => {
  await signIn(page, ANNA);
  // The first of an account is one more: it accepts the terms.
  await order(page);
  let clicks = 0;
  const click = async (name: string | RegExp) => {
    clicks++;
    await page.getByRole("button", { name }).last().click();
  };
  await page.goto("/servers");
  await click("Order a server");
  for (const step of ["Panel", "Size", "Access", "Review"]) await click(`Next: ${step}`);
  await expect(page.getByText("By ordering you accept the terms.")).toBeVisible();
  await click(/^Order for/);
  await expect(page).toHaveURL(/\/operations\//);
  expect(clicks).toBeLessThanOrEqual(6);
});

test("an order that failed before there was a machine says what exists and is given up", async ({ page, product }) => {
  // Whoever has a server already has a group: its making would not fail.
  const email = `failing-${test.info().project.name}@demo.test`;
  product.addAccount(email, "a-long-new-password");
  await signIn(page, email, "a-long-new-password");
  await order(page, { access: (page) => page.getByLabel("Host name").fill("fail-vdccomposevapp") });
  await eventually(page, /We could not finish/);
  await expect(page.getByText("What exists now: the network slot, the network.")).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: "Cancel order" }).click();
  await expect(page.getByText("The order is being taken back.")).toBeVisible();
  await eventually(page, "Undone");
});
