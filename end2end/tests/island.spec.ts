// What the islands add: hints while typing, the price at once, and no violation of accessibility anywhere.
import { ADMIN, ANNA, SUPPORT, acceptTerms, eventually, expect, fillOrder, order, signIn, test } from "../product";
import { sound } from "../sound";

test("no page violates accessibility", async ({ page }) => {
  test.setTimeout(180_000);
  await page.goto("/login");
  await sound(page);
  await signIn(page, ANNA);
  await sound(page);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  for (const next of ["Next: Panel", "Next: Size", "Next: Access"]) {
    await sound(page);
    await page.getByRole("button", { name: next }).last().click();
  }
  await page.getByLabel("Host name").fill("-");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await sound(page);
  const operation = await order(page);
  await sound(page);
  await eventually(page, /is ready$/);
  await sound(page);
  await page.goto("/operations");
  await sound(page);
  await page.goto("/servers");
  await sound(page);
  await page.getByRole("rowheader").getByRole("link").first().click();
  await sound(page);
  const server = page.url();
  for (const path of ["/resize", "/resize?vcpu=2&ram=1&disk=10&bandwidth=200", "/resize?vcpu=2&ram=1&disk=60&bandwidth=200"]) {
    await page.goto(server + path);
    await sound(page);
  }
  for (const path of ["/network", "/reinstall", "/confirm?do=snapshot_create", "/confirm?do=reset_password"]) {
    await page.goto(server + path);
    await sound(page);
  }
  await page.goto(server);
  await page.getByRole("link", { name: "Terminate" }).click();
  await sound(page);
  await page.goto("/nowhere");
  await sound(page);
  await signIn(page, SUPPORT);
  await sound(page);
  await page.goto(operation.replace("/operations/", "/staff/jobs/"));
  await sound(page);
  for (const path of ["/staff/edges", "/staff/edges?view=grid", "/staff/vapps", "/staff/customers", "/staff/drift"]) {
    await page.goto(path);
    await sound(page);
  }
  await page.goto("/staff/customers");
  await page.getByRole("rowheader").getByRole("link").first().click();
  await sound(page);
  await page.getByRole("link", { name: "vApp", exact: true }).click();
  await sound(page);
  await signIn(page, ADMIN);
  for (const path of ["templates?edit=new", "templates?edit=debian-12", "panels?edit=plesk", "prices?edit=prices", "prices?edit=limits"]) {
    await page.goto(`/staff/catalogue/${path}`);
    await sound(page);
  }
  for (const path of ["/staff/system", "/staff/system/audit"]) {
    await page.goto(path);
    await sound(page);
  }
  await page.goto("/staff/edges?state=free");
  await page.getByRole("rowheader").getByRole("link").first().click();
  await sound(page);
  await page.getByRole("link", { name: "Quarantine" }).click();
  await sound(page);
  await page.goto("/staff/edges");
  await page.getByRole("link", { name: "Move to another edge" }).first().click();
  await sound(page);
});

test("the price follows the typing", async ({ page }) => {
  await signIn(page, ANNA);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  const total = page.getByRole("complementary").locator("[data-quote=total]");
  const before = await total.textContent();
  await expect(async () => {
    await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("16");
    await expect(total).not.toHaveText(before!, { timeout: 1000 });
  }).toPass();
  await expect(page.locator("[data-quote=ram]")).toHaveText("₽1,920");
});

test("a hint appears when the field is left and goes when it is right", async ({ page }) => {
  await signIn(page, ANNA);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  const hint = page.locator("#hostname-errors");
  await expect(async () => {
    await page.getByLabel("Host name").fill("веб");
    await page.getByLabel("Host name").blur();
    await expect(hint).toContainText("Try veb", { timeout: 1000 });
  }).toPass();
  await page.getByLabel("Host name").fill("web");
  await expect(hint).toBeEmpty();
});

test("a hint moves nothing away from under a press, and what was mended before it could tell is right", async ({ page }) => {
  let arrives: () => void;
  const arrived = new Promise<void>((resolve) => (arrives = resolve));
  await signIn(page, ANNA);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  const [login, errors] = [page.getByLabel("Login", { exact: true }), page.locator("#guest_login-errors")];
  await login.fill("admin");
  await page.route(/\.wasm$/, async (route) => {
    await arrived;
    await route.continue();
  });
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(errors).toContainText("reserved");
  // The islands are not here yet.
  await login.fill("boris");
  await expect(errors).toContainText("reserved");
  arrives!();
  await expect(errors).toBeEmpty();
  // Left by a press: the press is done, then it is told.
  await login.fill("admin");
  const own = page.getByLabel("My own", { exact: true });
  await own.hover();
  await page.mouse.down();
  await expect(errors).toBeEmpty();
  await page.mouse.up();
  await expect(own).toBeChecked();
  await expect(errors).toContainText("reserved");
});

test("the page of an operation stays fresh without being asked", async ({ page }) => {
  await signIn(page, ANNA);
  await fillOrder(page);
  await acceptTerms(page);
  await page.getByRole("button", { name: /^Order for/ }).click();
  await expect(page.getByText("● Live").first()).toBeVisible();
  let loads = 0;
  page.on("load", () => loads++);
  await expect(page.getByText(/is ready$/).first()).toBeVisible({ timeout: 30_000 });
  expect(loads).toBe(0);
});
