// What an owner has changed of a server that is up, each by its own page, and what each page says before.
import { acceptTerms, ANNA, eventually, expect, fillOrder, fits, order, signIn, test } from "../product";

test.use({ speed: 60 });

test("a server is resized, gets another address, a snapshot, a new password, a new system and a new name", async ({ page }) => {
  test.setTimeout(240_000);
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/, 60);
  await page.getByRole("link", { name: "Open the server" }).click();
  const server = page.url();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();

  // Resize: nothing changed, nothing possible, then what it means, then the change.
  await page.getByRole("link", { name: "Resize", exact: true }).click();
  await fits(page);
  await page.getByRole("button", { name: "See what it means" }).click();
  await expect(page.getByText("Change at least one value.").first()).toBeVisible();
  await page.getByRole("spinbutton", { name: "Disk, GB" }).fill("10");
  await page.getByRole("button", { name: "See what it means" }).click();
  await expect(page.getByText(/Disk can only grow|From \d+ to/).first()).toBeVisible();
  await expect(page.getByRole("spinbutton", { name: "Disk, GB" })).toHaveValue("10");
  await page.getByRole("spinbutton", { name: "Disk, GB" }).fill("60");
  await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("1");
  await page.getByRole("button", { name: "See what it means" }).click();
  await expect(page.getByText("Needs a restart: about 1 min offline").first()).toBeVisible();
  await expect(page.getByText("Applies without restart").first()).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: `Resize and restart ${name}` }).click();
  await eventually(page, `${name} has its new size`, 60);
  await fits(page);

  // Another address: the box has to be ticked, and what was wrong is said at it.
  await page.goto(`${server}/network`);
  const before = await page.locator("dd").first().textContent();
  await page.getByLabel("I will update DNS").check();
  await fits(page);
  await page.getByRole("button", { name: "Change IP" }).click();
  await eventually(page, `${name} answers at its new address`, 60);
  await page.goto(`${server}/network`);
  expect(await page.locator("dd").first().textContent()).not.toBe(before);

  await page.goto(server);
  await expect(page.getByText("No snapshot yet.")).toBeVisible();
  await page.getByRole("link", { name: "Take snapshot" }).click();
  await page.getByRole("button", { name: "Take snapshot" }).click();
  await eventually(page, `The snapshot of ${name} is taken`, 40);
  await page.goto(`${server}/resize?vcpu=1&ram=1&disk=80&bandwidth=100`);
  await expect(page.getByText("The disk cannot grow while there is a snapshot.").first()).toBeVisible();
  await page.goto(server);
  await fits(page);
  await page.getByRole("link", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Remove" }).click();
  await eventually(page, `The snapshot of ${name} is removed`, 40);

  await page.goto(server);
  await page.getByRole("link", { name: "Reset password" }).click();
  await page.getByRole("button", { name: "Reset password" }).click();
  await eventually(page, `${name} has a new password`, 60);
  await page.getByRole("button", { name: "Show once" }).click();
  await expect(page.getByRole("heading", { name: `Password of ${name}` })).toBeVisible();

  // Another system, another login, a password of one's own: what was typed stays, but for the secret.
  await page.goto(`${server}/reinstall`);
  await expect(page.getByRole("option", { name: /Windows Server 2022: / })).toBeDisabled();
  await page.getByLabel("System", { exact: true }).selectOption({ label: "Debian 12" });
  await page.getByLabel("Login", { exact: true }).fill("ops");
  await page.locator("label[for=password-own]").click();
  await page.locator("#guest_password").fill("Tuer-Kante-48-Wolke");
  await page.getByLabel(/Type the server name/).fill("something else");
  await page.getByRole("button", { name: `Reinstall ${name}` }).click();
  await expect(page.getByText("The name does not match.").first()).toBeVisible();
  await expect(page.getByLabel(/Type the server name/)).toHaveValue("something else");
  await expect(page.locator("#template")).toHaveValue("debian-12");
  await expect(page.locator("#guest_login")).toHaveValue("ops");
  await expect(page.locator("#guest_password")).toHaveValue("");
  await fits(page);
  await page.locator("#guest_password").fill("Tuer-Kante-48-Wolke");
  await page.getByLabel(/Type the server name/).fill(name);
  await page.getByRole("button", { name: `Reinstall ${name}` }).click();
  await eventually(page, `${name} is reinstalled`, 90);
  await page.goto(server);
  await expect(page.getByText("Debian 12").first()).toBeVisible();

  await page.goto(server);
  await page.locator("summary", { hasText: "Rename" }).click();
  await page.getByLabel("Server name").fill("shop");
  await page.getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "shop" })).toBeVisible();
});

test("one order for three servers is three operations, and their names go on", async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, "customer2@demo.test");
  await fillOrder(page, {
    size: async (page) => {
      await page.getByLabel("Number of servers").fill("11");
      await page.getByRole("button", { name: "Next: Access" }).last().click();
      await expect(page.getByText("From 1 to 10 (you entered 11).").first()).toBeVisible();
      await fits(page);
      await page.getByLabel("Number of servers").fill("3");
    },
    access: async (page) => {
      await page.getByLabel("Server name").fill("shop");
      await page.getByLabel("Host name").fill("shop");
      // Each gets a password of its own.
      await expect(page.getByRole("radio", { name: "My own" })).toBeDisabled();
    },
  });
  await fits(page);
  await acceptTerms(page);
  await page.getByRole("button", { name: /^Order 3 servers for/ }).click();
  await expect(page.getByText("Order accepted: 3 servers, each with its own operation.")).toBeVisible();
  await expect(page).toHaveURL(/\/operations\?order=/);
  for (const n of ["shop-01", "shop-02", "shop-03"]) {
    await expect(page.getByRole("link", { name: `Create ${n}` }).first()).toBeVisible();
  }
  await page.getByRole("link", { name: "Create shop-03" }).first().click();
  await eventually(page, "shop-03 is ready", 60);
  // It is found again by what it was.
  await page.goto("/operations");
  await page.getByLabel("Server", { exact: true }).selectOption("shop-03");
  await page.getByLabel("What", { exact: true }).selectOption("Creation");
  await page.getByRole("button", { name: "Show" }).click();
  const history = page.getByRole("region", { name: "History" });
  await expect(history.getByRole("link", { name: "Create shop-03" })).toBeVisible();
  await expect(history.getByRole("link")).toHaveCount(1);
  await expect(page.getByLabel("Server", { exact: true }).locator("option:checked")).toHaveText("shop-03");
  await fits(page);
  await page.getByLabel("State", { exact: true }).selectOption("Cancelled");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page.getByText("No finished operation is like that.")).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/operations$/);
});

test("one of two servers is terminated, and the other never stops", async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, "customer2@demo.test");
  await order(page);
  await eventually(page, /is ready$/, 60);
  await order(page);
  await eventually(page, /is ready$/, 60);
  await page.getByRole("link", { name: "Open the server" }).click();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();
  await page.getByRole("link", { name: "Terminate", exact: true }).click();
  await expect(page.getByText("Your other servers keep running, no restart.")).toBeVisible();
  await page.getByLabel(/Type the server name/).fill(name);
  await page.getByRole("button", { name: `Terminate ${name}` }).click();
  await expect(page.getByText("Moving your other servers over, without stopping them").first()).toBeVisible();
  await fits(page);
  await eventually(page, `${name} is terminated`, 60);
});
