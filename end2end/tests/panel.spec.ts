// A control panel: ordered with a server and installed after it; put right in one click where it does not fit.
import { acceptTerms, ANNA, BORIS, eventually, expect, fits, signIn, test } from "../product";
import type { Page } from "@playwright/test";

async function begin(page: Page, system: string) {
  await page.goto("/servers");
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByLabel(system).check();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
}

test("a panel is installed after its server, and both are one list", async ({ page }) => {
  await signIn(page, ANNA);
  await begin(page, "Debian 12");
  await page.getByLabel("ISPmanager 6").check();
  await fits(page);
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await expect(page.getByRole("complementary", { name: "Order summary" })).toContainText("ISPmanager 6");
  await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("1");
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  await expect(page.getByText("ISPmanager 6 needs at least 2 (you entered 1).").last()).toBeVisible();
  await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("2");
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByText("Panel licence").first()).toBeVisible();
  await expect(page.getByText(/with ISPmanager 6 about 16/)).toBeVisible();
  await acceptTerms(page);
  await page.getByRole("button", { name: /^Order for/ }).click();
  await expect(page).toHaveURL(/\/operations\/[0-9a-f-]+$/);
  await expect(page.getByText("Installing ISPmanager 6 (about 12 min)").first()).toBeVisible();
  await expect(page.locator("ol.steps > li")).toHaveCount(11);
  await eventually(page, /is ready; ISPmanager 6 is being installed/);
  // Said by the step itself, which has its own beginning: a page nobody pushes to has to be asked again.
  await eventually(page, /nothing is really installed/);
  await fits(page);
  await eventually(page, /is ready$/);
  await expect(page.getByRole("link", { name: /^https:\/\/198\.1[89]\.\S+:1500$/ })).toBeVisible();
  await expect(page.getByRole("button", { name: "Show once" })).toBeVisible();
});

test("a panel that does not fit any more is put right in one click", async ({ page }) => {
  await signIn(page, BORIS);
  await begin(page, "AlmaLinux 8");
  await page.getByLabel("cPanel").check();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await page.getByRole("link", { name: /^. OS|OS/ }).first().click();
  await page.getByLabel("Debian 12").check();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await expect(page.getByText(/cPanel works only on AlmaLinux 8, CentOS 7, Ubuntu 20.04. You chose Debian 12/).first()).toBeVisible();
  await expect(page.getByLabel("cPanel")).toBeChecked();
  await fits(page);
  await page.getByRole("button", { name: "Switch to AlmaLinux 8" }).click();
  await expect(page.getByRole("button", { name: /^Switch to/ })).toHaveCount(0);
  await expect(page.getByRole("complementary", { name: "Order summary" })).toContainText("AlmaLinux 8");
  await expect(page.getByLabel("cPanel")).toBeChecked();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  // Its host name has to be a full one.
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByText(/cPanel needs a full name like host\.example\.com \(now: web-/).last()).toBeVisible();
  await page.getByLabel("Host name").fill("web.shop.example");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByRole("heading", { level: 1, name: "Review and order" })).toBeVisible();
});

test("or gone on without", async ({ page }) => {
  await signIn(page, BORIS);
  await begin(page, "Windows Server 2022");
  await expect(page.getByLabel("ISPmanager 6")).toBeDisabled();
  await expect(page.getByText(/ISPmanager 6 does not run on Windows/)).toBeVisible();
  await page.getByLabel("Plesk").check();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await expect(page.getByRole("heading", { level: 1, name: "Choose the size" })).toBeVisible();
  await page.goBack();
  await page.getByLabel("No panel").check();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await expect(page.getByRole("complementary", { name: "Order summary" })).not.toContainText("Plesk");
});
