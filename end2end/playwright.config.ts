// Each journey runs four times: with scripts at both widths, without any on a phone, and on a desk where the islands do not
// arrive.
import { defineConfig } from "@playwright/test";

const results = process.env.RESULTS ?? "../target/end2end";
const chromium = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
const desk = { width: 1440, height: 900 };
const phone = { width: 320, height: 640 };

export default defineConfig<{ wasm: boolean }>({
  testDir: "tests",
  outputDir: `${results}/artifacts`,
  reporter: [["./summary.ts"], ["list"]],
  timeout: 60_000,
  expect: { timeout: 15_000, toMatchAriaSnapshot: { pathTemplate: "semantics/{arg}{ext}" } },
  updateSnapshots: "none",
  workers: 2,
  fullyParallel: false,
  // A trace (`--trace retain-on-failure`) keeps pictures and pages of every test until its end: a quarter of the time.
  use: { launchOptions: chromium, screenshot: "only-on-failure" },
  projects: [
    { name: "script-desk", use: { viewport: desk } },
    { name: "script-phone", use: { viewport: phone }, testIgnore: /once\.spec/ },
    {
      name: "withheld-desk",
      use: { viewport: desk, wasm: false },
      testIgnore: /(island|once)\.spec/,
    },
    {
      name: "plain-phone",
      use: { viewport: phone, javaScriptEnabled: false },
      testIgnore: /(island|once)\.spec/,
    },
  ],
});
