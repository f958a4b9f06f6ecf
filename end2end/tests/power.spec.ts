// A server is switched off, on and over by its owner, and the page says what it is doing.
import { ANNA, eventually, expect, fits, order, signIn, test } from "../product";

test.use({ speed: 60 });

test("a server is shut down after a second question, and started again", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await page.goto("/servers");
  await page.getByRole("rowheader").getByRole("link").first().click();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();
  const server = page.url();
  // Before it is up nothing can be switched, and the page says why.
  await expect(page.getByText("Available once the server is up").first()).toBeVisible();
  await page.goto("/operations");
  await page.getByRole("link", { name: `Create ${name}` }).click();
  await eventually(page, /is ready$/, 50);

  await page.goto(server);
  await expect(page.getByText("It is running already.").first()).toBeVisible();
  await fits(page);
  await page.getByRole("link", { name: "Shut down" }).click();
  await expect(page.getByText(/Sites on it will be unreachable until you start it/)).toBeVisible();
  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page).toHaveURL(server);
  await page.getByRole("link", { name: "Shut down" }).click();
  await page.getByRole("button", { name: "Shut down" }).click();
  await eventually(page, `${name} is shut down`, 40);
  await fits(page);

  await page.getByRole("link", { name: "Open the server" }).click();
  await expect(page.getByText("It is switched off.").first()).toBeVisible();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await eventually(page, `${name} is running`, 40);
  await page.goto(`${server}/confirm?do=reboot`);
  await page.getByRole("button", { name: "Reboot" }).click();
  await eventually(page, `${name} has been rebooted`, 40);
  await page.goto("/operations");
  for (const what of ["Create", "Shut down", "Start", "Reboot"]) {
    await expect(page.getByRole("link", { name: `${what} ${name}` }).first()).toBeVisible();
  }
});
