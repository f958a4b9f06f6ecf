// What needs to be seen once only: crashes, staff's pages, strangers.
import { ADMIN, ANNA, BORIS, Product, SUPPORT, acceptTerms, eventually, expect, fits, order, signIn, test } from "../product";

test.use({ speed: 20 });

test("kill -9 during an order and a restart end in one network and one machine", async ({ page, product }) => {
  await signIn(page, ANNA);
  const before = product.cloud();
  const operation = await order(page);
  for (const pause of [400, 1500, 2500, 3000]) {
    await page.waitForTimeout(pause);
    await product.kill();
    await product.start();
  }
  await page.goto(operation);
  await eventually(page, /is ready$/, 50);
  const cloud = product.cloud();
  expect(cloud.networks.length).toBe(before.networks.length + 1);
  expect(cloud.vms.length).toBe(before.vms.length + 1);
});

test("two customers at once get two edges", async ({ page, browser, product }) => {
  await signIn(page, ANNA);
  const other = await browser.newContext({ baseURL: product.url });
  const boris = await other.newPage();
  await signIn(boris, BORIS);
  await Promise.all([order(page), order(boris)]);
  await Promise.all([eventually(page, /is ready$/, 50), eventually(boris, /is ready$/, 50)]);
  const edges = product.cloud().networks.map((n) => n.edge);
  expect(new Set(edges).size).toBe(edges.length);

  // What is Anna's does not exist for Boris.
  const response = await boris.goto(page.url());
  expect(response!.status()).toBe(404);
  await other.close();
});

test("an order waits for a network slot, says so, and gets the one that is freed", async ({ browser }) => {
  const product = new Product(40, 1);
  await product.start();
  const context = await browser.newContext({ baseURL: product.url });
  const [anna, boris] = [await context.newPage(), await (await browser.newContext({ baseURL: product.url })).newPage()];
  await signIn(anna, ANNA);
  await order(anna);
  await eventually(anna, /is ready$/, 50);
  await signIn(boris, BORIS);
  const operation = await order(boris);
  await eventually(boris, "Waiting for a free network slot.");
  await boris.screenshot({ path: test.info().outputPath("parked.png"), fullPage: true });
  await boris.goto("/servers");
  await boris.screenshot({ path: test.info().outputPath("servers.png"), fullPage: true });
  await boris.goto(operation);

  await anna.goto("/servers");
  await anna.getByRole("rowheader").getByRole("link").first().click();
  await anna.getByRole("link", { name: "Terminate" }).click();
  await anna.getByLabel(/Type the server name/).fill("web-01");
  await anna.getByRole("button", { name: /^Terminate/ }).click();
  // Pushed to a page that nobody touches.
  await expect(boris.getByText(/is ready$/).first()).toBeVisible({ timeout: 60_000 });
  expect(product.cloud().networks.length).toBe(1);
  await signIn(anna, ADMIN);
  await anna.goto("/staff/edges");
  await anna.screenshot({ path: test.info().outputPath("edges.png"), fullPage: true });
  await product.stop();
});

test("staff see jobs, edges and vApps", async ({ page }) => {
  await signIn(page, SUPPORT);
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  await page.getByRole("link", { name: "Jobs" }).first().click();
  await page.getByRole("rowheader").getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Log" })).toBeVisible();
  await fits(page);
  await signIn(page, ADMIN);
  await page.getByRole("link", { name: "Edges", exact: true }).click();
  await expect(page.getByText("Claim conflicts: 0").first()).toBeVisible();
  await expect(page.getByRole("rowheader")).toHaveCount(130);
  await page.getByRole("link", { name: "vApps" }).click();
  await expect(page.getByRole("rowheader").first()).toBeVisible();
  const response = await page.goto("/servers");
  expect(response!.status()).toBe(403);
});

test("the product speaks Russian from the first page to the last", async ({ page }) => {
  await page.goto("/login");
  await page.locator("summary").first().click();
  await page.getByRole("button", { name: "Русский" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Вход" })).toBeVisible();
  await page.getByLabel("Эл. почта").fill(BORIS);
  await page.getByLabel("Пароль", { exact: true }).fill("slipway-demo");
  await page.getByRole("button", { name: "Войти" }).click();
  await page.getByRole("button", { name: "Заказать сервер" }).first().click();
  for (const next of ["Далее: Панель", "Далее: Размер", "Далее: Доступ", "Далее: Проверка"]) {
    await page.getByRole("button", { name: next }).last().click();
  }
  await acceptTerms(page, "Принимаю условия.");
  await page.getByRole("button", { name: /^Заказать за/ }).click();
  await eventually(page, /готов$/, 50);
});

test("an administrator moves a server to another edge, and support cannot", async ({ browser, page }) => {
  test.setTimeout(180_000);
  await signIn(page, BORIS);
  await order(page);
  await eventually(page, /is ready$/, 60);
  await page.getByRole("link", { name: "Open the server" }).click();
  const server = page.url();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();
  await page.goto(`${server}/network`);
  const before = await page.locator("dd").first().textContent();

  const staff = await (await browser.newContext()).newPage();
  await signIn(staff, SUPPORT);
  await staff.goto("/staff/edges");
  await expect(staff.getByRole("link", { name: "Move to another edge" })).toHaveCount(0);
  await staff.context().close();

  const admin = await (await browser.newContext()).newPage();
  await signIn(admin, ADMIN);
  await admin.goto("/staff/edges");
  await admin.getByRole("row", { name }).getByRole("link", { name: "Move to another edge" }).click();
  await expect(admin.getByRole("heading", { level: 1 })).toHaveText(`Move ${name} to another edge`);
  await admin.getByLabel("Reason").fill("broken");
  await admin.getByLabel("Keep the old edge out of the pool").check();
  await admin.getByRole("button", { name: `Move ${name}` }).click();
  await expect(admin.getByText("Say why in a few words, ten characters at least.").first()).toBeVisible();
  await expect(admin.getByLabel("Reason")).toHaveValue("broken");
  await expect(admin.getByLabel("Keep the old edge out of the pool")).toBeChecked();
  await fits(admin);
  await admin.getByLabel("Reason").fill("the edge drops packets");
  await admin.getByRole("button", { name: `Move ${name}` }).click();
  await expect(admin).toHaveURL(/\/staff\/jobs\//);
  await fits(admin);

  await page.goto(server);
  await page.getByRole("link", { name: `Change network slot of ${name}` }).first().click();
  await eventually(page, `${name} answers at its new address`, 60);
  await fits(page);
  await page.goto(`${server}/network`);
  expect(await page.locator("dd").first().textContent()).not.toBe(before);
  await admin.goto("/staff/edges");
  await expect(admin.getByText("Out of the pool: the edge drops packets")).toBeVisible();
  await fits(admin);
  await admin.context().close();
});
